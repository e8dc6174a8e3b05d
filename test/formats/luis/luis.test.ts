import { describe, expect, test } from 'vitest';
import { luisFormat } from '../../../src/formats/luis/luis.ts';
import { detectFormat } from '../../../src/formats/registry.ts';
import { dataFile, HAS_DATA, NO_DATA, readAll, shown } from '../support.ts';

function app(rest: object): string {
  return JSON.stringify({ luis_schema_version: '7.0.0', culture: 'en-us', ...rest });
}

describe('reading LUIS apps', () => {
  test('endPos is the last UTF-16 code unit covered: an emoji before an entity moves it by one code point', async () => {
    const text = '\u{1F355} two pizzas \u{1F355}!';
    const entities = [
      { entity: 'Number', startPos: 3, endPos: 5 },
      { entity: 'Food', startPos: 14, endPos: 15, role: 'symbol' },
    ];
    const { records } = await readAll(luisFormat, app({ utterances: [{ text, intent: 'Order', entities }] }));
    expect(records).toEqual([
      {
        text,
        intent: 'Order',
        lang: 'en-us',
        entities: [
          { type: 'Number', start: 2, end: 5, text: 'two' },
          { type: 'Food', role: 'symbol', start: 13, end: 14, text: '\u{1F355}' },
        ],
      },
    ]);
  });

  test('nested parts (7) and parts listed beside their whole (6) read the same', async () => {
    const text = 'a large pizza';
    const [whole, size] = [
      { entity: 'Order', startPos: 0, endPos: 12 },
      { entity: 'Size', startPos: 2, endPos: 6, role: '' },
    ];
    const nested = app({ utterances: [{ text, intent: 'Order', entities: [{ ...whole, children: [size] }] }] });
    const flat = app({ utterances: [{ text, intent: 'Order', entities: [size, whole] }] });
    const { records } = await readAll(luisFormat, nested);
    expect(records[0]?.entities).toEqual([
      { type: 'Order', start: 0, end: 13, text },
      { type: 'Size', start: 2, end: 7, text: 'large' },
    ]);
    expect((await readAll(luisFormat, flat)).records).toEqual(records);
  });

  test('patterns become templates without a label', async () => {
    const patterns = [{ pattern: 'who is {Employee:boss}[?]', intent: 'Who' }, { pattern: 'a (b|c)' }, { intent: 'x' }];
    const { records, problems, report } = await readAll(luisFormat, app({ utterances: [], patterns }));
    expect(records).toEqual([
      { text: 'who is {Employee:boss}[?]', lang: 'en-us', meta: { template: true, intent: 'Who' } },
      { text: 'a (b|c)', lang: 'en-us', meta: { template: true } },
    ]);
    expect(problems).toEqual([expect.objectContaining({ pointer: '/patterns/2', column: 'text' })]);
    expect(report.notes).toEqual([expect.objectContaining({ code: 'template', count: 3 })]);
  });

  test('what is no utterance is named and counted', async () => {
    const { report } = await readAll(
      luisFormat,
      app({
        intents: [{ name: 'None' }, { name: 'Greet' }],
        entities: [{ name: 'City' }, { roles: [] }],
        closedLists: Array.from({ length: 12 }, (_, index) => ({ name: `list ${index}` })),
        model_features: [{ name: 'phrases' }],
        utterances: [{ text: 'hi', intent: 'Greet', entities: [{ entity: 'x', startPos: 0, endPos: 1, score: 1 }] }],
      }),
    );
    expect(report.notes.map(({ code, message, count }) => `${code} ${count} ${message}`)).toEqual([
      'ignored 1 further keys of entities are not kept',
      'side-information 2 machine-learned entities: City, #2',
      expect.stringMatching(/^side-information 12 list entities: list 0, .*, list 9, …$/u),
      'side-information 1 phrase lists: phrases',
      'side-information 1 intents without utterances: None',
    ]);
  });

  test('rows without an intent are unlabelled, and keys that are not known go to meta', async () => {
    const { records } = await readAll(
      luisFormat,
      '\ufeff[{"text":" a ","intent":""},\r\n{"text":"b","n":[1],"entities":null}]',
    );
    expect(records).toEqual([{ text: 'a' }, { text: 'b', meta: { n: [1] } }]);
  });

  test('a batch test may stand under LabeledTestSetUtterances', async () => {
    const content = '{"LabeledTestSetUtterances":[{"text":"a","intent":"x","entities":[]}]}';
    expect((await readAll(luisFormat, content)).records).toEqual([{ text: 'a', intent: 'x' }]);
    expect(detectFormat(Buffer.from(content), 'a.json').format).toBe(luisFormat);
  });

  test('each bad row is a problem with its pointer, and its neighbours are read', async () => {
    const label = (startPos: unknown, endPos: unknown, rest = {}): object => ({
      text: 'a\u{1F600}b',
      entities: [{ entity: 'E', startPos, endPos, ...rest }],
    });
    const { records, problems } = await readAll(
      luisFormat,
      JSON.stringify([
        'text',
        { intent: 'x', entities: [{}] },
        label('0', 1),
        label(0, 1),
        label(2, 2),
        label(0, 9),
        label(2, 0),
        label(-1, 0),
        { text: 'a', entities: {} },
        { text: 'a', entities: [null] },
        label(0, 3, { children: [{ entity: 'F', startPos: 7, endPos: 7 }] }),
        { text: 'a', entities: [{ startPos: 0, endPos: 0 }] },
        { text: 'x'.repeat(40_000), entities: [{ entity: 'E', startPos: 0, endPos: 0 }] },
        { text: 'a', entities: Array.from({ length: 1001 }, () => ({ entity: 'E', startPos: 0, endPos: 0 })) },
        { text: 'ok' },
      ]),
    );
    expect(records).toEqual([{ text: 'ok' }]);
    expect(shown(problems)).toEqual([
      '1:1 - an utterance must be an object',
      '2:1 text "text" is missing',
      '3:1 entities "entities[0]" needs "startPos" and "endPos" as numbers',
      '4:1 entities "entities[0]" covers 0 to 1, which is no part of a text of 4 UTF-16 code units',
      '5:1 entities "entities[0]" covers 2 to 2, which is no part of a text of 4 UTF-16 code units',
      '6:1 entities "entities[0]" covers 0 to 9, which is no part of a text of 4 UTF-16 code units',
      '7:1 entities "entities[0]" covers 2 to 0, which is no part of a text of 4 UTF-16 code units',
      '8:1 entities "entities[0]" covers -1 to 0, which is no part of a text of 4 UTF-16 code units',
      '9:1 entities "entities" is not a list',
      '10:1 entities "entities[0]" is not an object',
      expect.stringMatching(/^11:1 entities "entities\[0\]" has a part that cannot be kept: "entities\[0\]" covers 7/u),
      '12:1 entities[0].type "entities[0].type" is missing',
      '13:1 entities "text" has more than the 32768 characters that entities are placed in',
      '14:1 entities "entities" has more than the 1000 allowed',
    ]);
    expect(problems[0]?.pointer).toBe('/0');
    expect(problems[2]?.raw).toContain('"startPos":"0"');
  });

  test.each([
    ['memory is empty', ''],
    ['memory: it is no LUIS app: there is no list "utterances"', '{"luis_schema_version":"7.0.0"}'],
    ['it is no LUIS app', '3'],
    ['memory:3: not valid JSON: unexpected token', '{\n"utterances": [\n}'],
    ['the key "utterances" occurs twice', '{"utterances": [], "utterances": []}'],
    ['the key "__proto__" is not allowed', '{"utterances": [{"__proto__": {}}]}'],
    ['nested deeper than 64 levels', `{"utterances": ${'['.repeat(200_000)}`],
    ['nested deeper than 64 levels', `{"utterances": [${'{"children":['.repeat(40)}${']}'.repeat(40)}]}`],
  ])('a file that cannot be read is one error: %s', async (message, content) => {
    await expect(readAll(luisFormat, content)).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining(message),
    });
  });
});

test.each([
  ['luis', '{\n "luis_schema_version": "3.0.0",\n "utt', 'app.json'],
  ['luis', '[{"text":"a","intent":"x","entities":[{"entity":"E","startPos":0,"endPos":0}]},', 'batch.json'],
  ['luis', '', 'old.luis.json'],
  ['json', '[{"text":"a","intent":"x","entities":[]}]', 'batch.json'],
  ['json', '[{"text":"startPos","intent":"x","entities":[{"entity":"endPos"}]}]', 'batch.json'],
])('as %s: %j', (name, content, file) => {
  expect(detectFormat(Buffer.from(content), file).format.name).toBe(name);
});

describe('real LUIS files', () => {
  test.skipIf(!HAS_DATA).each([
    ['tutorial-fix-unsure-predictions.v7.json', { rows: 113, templates: 0, intents: 11, entities: 101, lang: 'en-us' }],
    [
      'pizza-with-machine-learned-entity.v6.json',
      { rows: 147, templates: 0, intents: 5, entities: 1059, lang: 'en-us' },
    ],
    ['HumanResources.v3.json', { rows: 26, templates: 10, intents: 5, entities: 29, lang: 'en-us' }],
    ['HumanResources-entities-batch.json', { rows: 9, templates: 0, intents: 2, entities: 9, lang: undefined }],
  ])(`%s has what its readme says${NO_DATA}`, async (path, expected) => {
    const bytes = await dataFile(`luis-json/${path}`);
    expect(detectFormat(bytes.subarray(0, 65_536), path).format).toBe(luisFormat);
    const { records, problems } = await readAll(luisFormat, bytes);
    expect(problems).toEqual([]);
    const rows = records.filter(({ meta }) => meta === undefined);
    expect({
      rows: rows.length,
      templates: records.length - rows.length,
      intents: new Set(rows.map(({ intent }) => intent)).size,
      entities: records.flatMap(({ entities = [] }) => entities).length,
      lang: records[0]?.lang,
    }).toEqual(expected);
    expect(new Set(records.map(({ text }) => text)).size).toBe(records.length);
  });

  test.skipIf(!HAS_DATA)(`covered texts are whole words${NO_DATA}`, async () => {
    for (const path of ['tutorial-fix-unsure-predictions.v7.json', 'HumanResources.v3.json']) {
      const { records } = await readAll(luisFormat, await dataFile(`luis-json/${path}`));
      const isInWord = (text: string, at: number): boolean => /^\w\w$/u.test(text.slice(at - 1, at + 1));
      const cut = records.flatMap(({ text, entities = [] }) =>
        entities.filter(({ start, end }) => (start > 0 && isInWord(text, start)) || isInWord(text, end)),
      );
      expect(cut).toEqual([]);
    }
  });
});
