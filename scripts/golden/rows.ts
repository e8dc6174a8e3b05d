/** The rows of the golden store. Changing any of them changes what test/golden/store-v1 must be. */

export interface Row {
  readonly text: string;
  readonly intent?: string | readonly string[];
  readonly [field: string]: unknown;
}

const PHRASES: Readonly<Record<string, readonly string[]>> = {
  light_on: ['turn on', 'switch on', 'light up', 'please turn on'],
  light_off: ['turn off', 'switch off', 'darken', 'no light in'],
  heating: ['warm up', 'heat', 'set to 21 degrees:', 'it is cold in'],
  window: ['open the window in', 'close the window in', 'air'],
};

const ROOMS = ['kitchen', 'hall', 'cellar', 'attic', 'café', 'Küche', 'garden house', 'bath', 'nursery', 'garage'];
const TAILS = ['', ' now', ' please', ' tonight', ' before 7', ' for an hour'];

/** Every phrase with every room and tail, in a fixed order: 900 rows. */
export function roomRows(): Row[] {
  return Object.entries(PHRASES).flatMap(([intent, phrases]) =>
    phrases.flatMap((phrase) =>
      ROOMS.flatMap((room) => TAILS.map((tail) => ({ text: `${phrase} the ${room}${tail}`, intent }))),
    ),
  );
}

/** `count` of the rows above, spread evenly. */
export function someRooms(count: number, offset = 0): Row[] {
  const rows = roomRows();
  return Array.from(
    { length: count },
    (_, at) => rows[(Math.floor((at * rows.length) / count) + offset) % rows.length] as Row,
  );
}

const LONG = 'this sentence goes on and on '.repeat(16);

/** Texts that try the normal forms, and records that try the fields. */
export const ODD_ROWS: readonly Row[] = [
  { text: "Don't wake me", intent: 'alarm' },
  { text: 'dont wake me!', intent: 'alarm' },
  { text: 'Don’t  wake\u00a0me', intent: 'alarm', lang: 'en' },
  { text: '  STRASSE 5  ', intent: 'navigate' },
  { text: 'straße 5', intent: 'navigate' },
  { text: 'ΟΔΟΣ', intent: 'navigate' },
  { text: 'οδός', intent: 'navigate' },
  { text: 'cafe\u0301', intent: 'food' },
  { text: 'ＣＡＦÉ', intent: 'food' },
  { text: '🎵 play 🎵', intent: 'music' },
  { text: '🎵', intent: 'music' },
  { text: '?!', intent: 'confused' },
  { text: '...', intent: 'confused' },
  { text: '今日の天気', intent: 'weather', lang: 'ja' },
  { text: 'light and music', intent: ['music', 'light_on'] },
  { text: 'what is this' },
  { text: 'no label yet', meta: { seen: [1, 2.5, null, { deep: true }] } },
  { text: `${LONG}one`, intent: 'long' },
  { text: `${LONG}two!`, intent: 'long' },
  { text: 'tab\tand\nline', intent: 'odd', features: { quote: '"\\', number: 1e21, small: 1e-7, yes: true } },
  {
    text: 'book a table in Köln 🎵 for two',
    intent: 'book',
    id: 'r-1',
    entities: [
      { start: 16, end: 20, type: 'city' },
      { start: 27, end: 30, type: 'count', role: 'guests', value: '2' },
    ],
  },
];

/** The calls of the second dataset: one text from several speakers. */
export function callRows(): Row[] {
  const texts = ['hello', 'Hello!', 'I want to cancel', 'my bill is wrong', 'thank you', 'good bye', 'one moment'];
  const intents = ['greet', 'greet', 'cancel', 'bill', 'thank', 'bye', 'wait'];
  return texts.flatMap((text, at) =>
    ['agent', 'caller', undefined].flatMap((role) =>
      ['en', 'de'].map((lang) => ({
        text: lang === 'en' ? text : `${text} (${lang})`,
        intent: intents[at] as string,
        lang,
        ...(role === undefined ? {} : { features: { role } }),
      })),
    ),
  );
}
