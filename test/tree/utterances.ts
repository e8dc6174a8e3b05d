/** Words for made-up utterances; part of the golden trees, so they never change. */
const WORDS = [
  'please',
  'turn',
  'on',
  'off',
  'the',
  'light',
  'in',
  'kitchen',
  'book',
  'a',
  'table',
  'for',
  'two',
  'tomorrow',
  'play',
  'some',
  'music',
  'café',
  'wetter',
  'münchen',
  'погода',
  '今日',
  '天気',
  '🎵',
  'naïve',
  'e\u0301te\u0301',
];

const INTENTS = ['light_on', 'light_off', 'book_table', 'play_music', 'get_weather'];

/**
 * The first `count` of an endless list of made-up utterances, in key order, as entries of a tree.
 *
 * Number n has 3 + (n mod 7) words drawn by the generator x -> 1664525 x + 1013904223 (mod 2^32), started at n, each
 * word by the upper 16 bits of x; then a blank and n. The key is that text and a TAB.
 */
export function utterances(count: number): { key: Buffer; value: Buffer }[] {
  const entries: { key: Buffer; value: Buffer }[] = [];
  for (let number = 0; number < count; number++) {
    let state = number;
    const words: string[] = [];
    for (let place = 0; place < 3 + (number % 7); place++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      words.push(WORDS[(state >>> 16) % WORDS.length] as string);
    }
    const text = `${words.join(' ')} ${number}`;
    const value = `{"intent":"${INTENTS[number % INTENTS.length]}","text":${JSON.stringify(text)}}`;
    entries.push({ key: Buffer.from(`${text}\t`), value: Buffer.from(value) });
  }
  return entries.sort((a, b) => Buffer.compare(a.key, b.key));
}
