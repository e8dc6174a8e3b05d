/** Amazon Lex V2: what of a bot becomes records, and what a bot is made of records. */
import { describe, expect, test } from 'vitest';
import { lexFormat } from '../../../src/formats/lex/lex.ts';
import { detectArchive } from '../../../src/formats/registry.ts';
import { asSet, roundTrip } from '../odd-records.ts';
import { dataFile, HAS_DATA, NO_DATA, readAll, writeAll } from '../support.ts';
import { documentsIn, pathsIn, zipOf } from '../zip-of.ts';

const MANIFEST = { metaData: { schemaVersion: '1', fileFormat: 'LexJson', resourceType: 'BOT' } };
const LOCALE = 'Bot/BotLocales/en_US';

function intent(name: string | undefined, ...utterances: readonly string[]): object {
  return { name, sampleUtterances: utterances.map((utterance) => ({ utterance })) };
}

describe('reading an Amazon Lex V2 bot', () => {
  test('utterances come with their intent and language; what has slots is a template', async () => {
    const bytes = await zipOf({
      'Manifest.json': MANIFEST,
      'Bot/Bot.json': {},
      [`${LOCALE}/Intents/Book/Intent.json`]: intent('BookHotel', 'Book a room \u{1F3E8}', 'Book in {City} '),
      [`${LOCALE}/Intents/Bye/Intent.json`]: intent(undefined, 'bye', 'a { b } c', '{} empty'),
      [`${LOCALE}/Intents/FallbackIntent/Intent.json`]: { name: 'FallbackIntent', sampleUtterances: null },
      [`${LOCALE}/Intents/Book/Slots/City/Slot.json`]: { name: 'City' },
      [`${LOCALE}/SlotTypes/Place/SlotType.json`]: { name: 'Place' },
    });
    const { records, problems, report } = await readAll(lexFormat, bytes);
    expect(problems).toEqual([]);
    expect(records).toEqual([
      { text: 'Book a room \u{1F3E8}', intent: 'BookHotel', lang: 'en-US' },
      { text: 'Book in {City}', lang: 'en-US', meta: { template: true, intent: 'BookHotel' } },
      { text: 'bye', intent: 'Bye', lang: 'en-US' },
      { text: 'a { b } c', lang: 'en-US', meta: { template: true, intent: 'Bye' } },
      { text: '{} empty', intent: 'Bye', lang: 'en-US' },
    ]);
    expect(report.notes.map(({ code, count }) => [code, count])).toEqual([
      ['template', 2],
      ['trimmed', 1],
      ['side-information', 3],
      ['side-information', 1],
      ['side-information', 1],
    ]);
  });

  test('the export of one locale is read, too, and what names no language has none', async () => {
    const read = async (path: string): Promise<unknown> => {
      const bytes = await zipOf({ 'Manifest.json': { metadata: {} }, [path]: intent('A', 'hi') });
      return (await readAll(lexFormat, bytes)).records;
    };
    expect(await read('es_419/Intents/A/Intent.json')).toEqual([{ text: 'hi', intent: 'A', lang: 'es-419' }]);
    expect(await read('Intents/A/Intent.json')).toEqual([{ text: 'hi', intent: 'A' }]);
    expect(await read('My Bot/Intents/A/Intent.json')).toEqual([{ text: 'hi', intent: 'A' }]);
  });

  test('what is wrong is told utterance by utterance', async () => {
    const bytes = await zipOf({
      'Manifest.json': MANIFEST,
      [`${LOCALE}/Intents/A/Intent.json`]: { sampleUtterances: [7, {}, { utterance: '' }, { utterance: 'ok' }] },
      [`${LOCALE}/Intents/B/Intent.json`]: '[',
    });
    const { records, problems } = await readAll(lexFormat, bytes);
    expect(records.map(({ text }) => text)).toEqual(['ok']);
    expect(problems.map(({ pointer, column }) => [pointer, column])).toEqual([
      [`${LOCALE}/Intents/A/Intent.json#/sampleUtterances/0`, 'utterance'],
      [`${LOCALE}/Intents/A/Intent.json#/sampleUtterances/1`, 'utterance'],
      [`${LOCALE}/Intents/A/Intent.json#/sampleUtterances/2`, 'text'],
      [`${LOCALE}/Intents/B/Intent.json`, undefined],
    ]);
    await expect(readAll(lexFormat, await zipOf({ 'a.json': {} }))).rejects.toMatchObject({ code: 'bad-format' });
  });
});

describe('writing an Amazon Lex V2 bot', () => {
  test('entities become slots, which have documents of their own', async () => {
    const bytes = await writeAll(
      lexFormat,
      [
        {
          text: '\u{1F3E8} in Rome on Monday',
          intent: 'BookHotel',
          lang: 'en-US',
          entities: [
            { start: 5, end: 9, type: 'Place', role: 'City', text: 'Rome' },
            { start: 13, end: 19, type: 'AMAZON.Date', text: 'Monday' },
          ],
        },
        {
          text: 'in rome',
          intent: 'BookHotel',
          lang: 'en-US',
          entities: [{ start: 3, end: 7, type: 'Place', role: 'City', value: 'Rome', text: 'rome' }],
        },
        { text: 'for {Guests}', lang: 'en-US', meta: { template: true, intent: 'BookHotel' } },
      ],
      { name: 'My hotel' },
    );
    const documents = await documentsIn(bytes);
    const locale = 'My_hotel/BotLocales/en_US';
    expect(Object.keys(documents)).toEqual([
      'Manifest.json',
      'My_hotel/Bot.json',
      `${locale}/BotLocale.json`,
      `${locale}/Intents/BookHotel/Intent.json`,
      `${locale}/Intents/BookHotel/Slots/City/Slot.json`,
      `${locale}/Intents/BookHotel/Slots/Date/Slot.json`,
      `${locale}/Intents/BookHotel/Slots/Guests/Slot.json`,
      `${locale}/Intents/FallbackIntent/Intent.json`,
      `${locale}/SlotTypes/Guests/SlotType.json`,
      `${locale}/SlotTypes/Place/SlotType.json`,
    ]);
    expect(documents).toMatchObject({
      'Manifest.json': MANIFEST,
      [`${locale}/Intents/BookHotel/Intent.json`]: {
        name: 'BookHotel',
        identifier: expect.stringMatching(/^[0-9A-Z]{10}$/u),
        sampleUtterances: [
          { utterance: '\u{1F3E8} in {City} on {Date}' },
          { utterance: 'in {City}' },
          { utterance: 'for {Guests}' },
        ],
        slotPriorities: [
          { priority: 1, slotName: 'City' },
          { priority: 2, slotName: 'Date' },
          { priority: 3, slotName: 'Guests' },
        ],
      },
      [`${locale}/Intents/FallbackIntent/Intent.json`]: { parentIntentSignature: 'AMAZON.FallbackIntent' },
      [`${locale}/Intents/BookHotel/Slots/City/Slot.json`]: { slotTypeName: 'Place' },
      [`${locale}/Intents/BookHotel/Slots/Date/Slot.json`]: { slotTypeName: 'AMAZON.Date' },
      [`${locale}/SlotTypes/Place/SlotType.json`]: {
        slotTypeValues: [{ sampleValue: { value: 'Rome' }, synonyms: [{ value: 'rome' }] }],
      },
      [`${locale}/SlotTypes/Guests/SlotType.json`]: {
        slotTypeValues: [{ sampleValue: { value: 'Guests' }, synonyms: null }],
      },
    });
  });

  test('texts that become the same are written once', async () => {
    const to = (city: string): object => ({ start: 3, end: 3 + city.length, type: 'City', text: city });
    const write = lexFormat.write?.(async function* () {
      for (const city of ['Rome', 'Bari', 'Oslo']) {
        yield [{ text: `to ${city}`, intent: 'Fly', lang: 'en-US', entities: [to(city)] }] as never;
      }
    });
    if (write === undefined) throw new Error('no writer');
    const bytes = Buffer.concat(await Array.fromAsync(write));
    expect((await readAll(lexFormat, bytes)).records).toEqual([
      { text: 'to {City}', lang: 'en-US', meta: { template: true, intent: 'Fly' } },
    ]);
    expect(write.report.records).toBe(1);
    expect(write.report.losses).toEqual([
      { field: 'entities', message: expect.stringContaining('templates'), count: 1 },
      { field: 'record', message: expect.stringContaining('the same as another one'), count: 2 },
    ]);
  });

  test('languages get the country that Lex knows them in', async () => {
    const records = ['en', 'de', 'pt-PT', 'es-419', 'xx', undefined].map((lang, at) => ({
      text: `text ${at}`,
      intent: 'A',
      ...(lang === undefined ? {} : { lang }),
    }));
    const { records: read, losses } = await roundTrip(lexFormat, records);
    expect(read.map(({ text, lang }) => `${text}: ${lang}`).sort()).toEqual([
      'text 0: en-US',
      'text 1: de-DE',
      'text 2: pt-PT',
      'text 3: es-419',
      'text 4: de-DE',
      'text 5: de-DE',
    ]);
    expect(losses).toEqual(['lang', 'lang', 'lang']);
  });

  test('names are changed to what Lex takes, and kept apart', async () => {
    const names = [
      'book flight',
      'book_flight',
      'Book_Flight',
      'é',
      '預約',
      'FallbackIntent',
      '-',
      'a'.repeat(150),
      'ok-1',
    ];
    const { records, losses } = await roundTrip(
      lexFormat,
      names.map((intent, at) => ({ text: `text ${at}`, intent, lang: 'en-US' })),
    );
    expect(new Set(records.map(({ intent }) => String(intent).toLowerCase())).size).toBe(names.length);
    for (const { intent } of records) expect(intent).toMatch(/^(?:[0-9a-zA-Z][_-]?){1,100}$/u);
    expect(records.filter(({ intent }) => intent === 'ok-1')).toHaveLength(1);
    expect(losses).toEqual(['intent']);
  });

  test('what cannot be written is left out with a reason; what is left behind is counted', async () => {
    const entity = { start: 0, end: 1, type: 'letter', text: 'a' };
    const write = lexFormat.write?.(async function* () {
      yield [
        { text: 'a {b}', intent: 'A', lang: 'en-US' },
        { text: 'a\nb', intent: 'A', lang: 'en-US' },
        { text: 'a'.repeat(501), intent: 'A', lang: 'en-US' },
        { text: 'a', intent: ['A', 'B'], lang: 'en-US' },
        { text: 'a', lang: 'en-US' },
        { text: 'ab', intent: 'A', lang: 'en-US', entities: [{ ...entity, end: 2, text: 'ab' }, entity] },
        { text: 'a } {b}', lang: 'en-US', meta: { template: true, intent: 'A' } },
        { text: 'no slot', lang: 'en-US', meta: { template: true, intent: 'A' } },
        { text: 'a', intent: 'A', id: '7', lang: 'en-US', features: { a: 1 }, meta: { b: 1 } },
        { text: 'ab', intent: 'A', lang: 'en-US', entities: [{ ...entity, value: 'A', group: '1' }] },
        { text: 'ac', intent: 'A', lang: 'en-US', entities: [{ ...entity, type: 'other', role: 'letter' }] },
      ];
    });
    if (write === undefined) throw new Error('no writer');
    const bytes = Buffer.concat(await Array.fromAsync(write));
    expect((await readAll(lexFormat, bytes)).records.map(({ text }) => text)).toEqual([
      'a',
      '{letter}b',
      '{letter_2}c',
    ]);
    expect(write.report.losses.map(({ field, message, count }) => `${field} ${message} (${count})`)).toEqual([
      'record is left out: it has braces, which Lex takes for slots (2)',
      'record is left out: it has line breaks or other control characters (1)',
      'record is left out: it is longer than 500 characters (1)',
      'record is left out: it has several intents (1)',
      'record is left out: it has no intent (1)',
      'record is left out: its entities overlap (1)',
      'record is left out: it is a template without a slot (1)',
      'id are left out (1)',
      'features are left out (1)',
      'meta are left out (1)',
      'entities become slots without the text that they cover: such utterances are templates (2)',
      'entities.value are not kept with the utterance, only among the values of the entity (1)',
      'entities.group are left out (1)',
    ]);
  });

  test('no records are a bot with nothing in it', async () => {
    const bytes = await writeAll(lexFormat, []);
    expect((await readAll(lexFormat, bytes)).records).toEqual([]);
    expect(detectArchive(await pathsIn(bytes), 'a.zip').format.name).toBe('lex');
  });
});

test.skipIf(!HAS_DATA)(`a real bot has 4 utterances in 3 of its 4 intents${NO_DATA}`, async () => {
  const bytes = await dataFile('lex-v2/FSI-Agent.lex.zip');
  expect(detectArchive(await pathsIn(bytes), 'a.zip').format.name).toBe('lex');
  const { records, problems } = await readAll(lexFormat, bytes);
  expect(problems).toEqual([]);
  expect(records.map(({ text, intent, lang }) => [text, intent, lang])).toEqual([
    ['Apply for loan', 'LoanApplication', 'en-US'],
    ['Loan application', 'LoanApplication', 'en-US'],
    ['Loan Calculator', 'LoanCalculator', 'en-US'],
    ['kmConversationStarted', 'VerifyIdentity', 'en-US'],
  ]);
  const again = await roundTrip(lexFormat, records);
  expect(asSet(again.records)).toEqual(asSet(records));
  expect(again.losses).toEqual([]);
});
