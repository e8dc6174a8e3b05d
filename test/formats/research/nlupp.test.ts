import { expect, test } from 'vitest';
import { detectFormat } from '../../../src/formats/registry.ts';
import { nluppFormat } from '../../../src/formats/research/nlupp.ts';
import { dataFile, HAS_DATA, NO_DATA, readAll, shown } from '../support.ts';

test('spans count code points, intents are several, and values that are objects are canonical JSON', async () => {
  const text = '\u{1F600} pay 40 to Bob';
  const { records } = await readAll(
    nluppFormat,
    JSON.stringify([
      {
        text,
        intents: ['pay', 'affirm'],
        slots: {
          amount: { text: '40', span: [6, 8], value: { n: 40, currency: 'EUR' } },
          name: { text: 'Bob', span: [12, 15], values: 'bob' },
          digits: { span: [6, 8], value: 2, values: [1] },
        },
        source: 'x',
      },
      { text: 'one', intents: ['pay'], slots: null },
      { text: 'none' },
    ]),
  );
  expect(records).toEqual([
    {
      text,
      intent: ['affirm', 'pay'],
      entities: [
        { type: 'amount', start: 6, end: 8, text: '40', value: '{"currency":"EUR","n":40}' },
        { type: 'digits', start: 6, end: 8, text: '40', value: '{"value":2,"values":[1]}' },
        { type: 'name', start: 12, end: 15, text: 'Bob', value: 'bob' },
      ],
      meta: { source: 'x' },
    },
    { text: 'one', intent: 'pay' },
    { text: 'none' },
  ]);
});

test('a span in other units, or one that leads elsewhere, is placed by its text, and that is counted', async () => {
  const slots = { a: { text: 'Bob', span: [3, 6] }, b: { text: 'x', span: [0, 1], note: 1 } };
  const { records, report } = await readAll(nluppFormat, JSON.stringify([{ text: '\u{1F600} Bob x', slots }]));
  expect(records[0]?.entities?.map(({ start, end }) => [start, end])).toEqual([
    [2, 5],
    [6, 7],
  ]);
  expect(report.notes.map(({ code, count }) => [code, count])).toEqual([
    ['mended', 2],
    ['ignored', 1],
  ]);
});

test('each bad row is a problem with its pointer, and its neighbours are read', async () => {
  const row = (slot: unknown): object => ({ text: 'a b a', slots: { s: slot } });
  const { records, problems } = await readAll(
    nluppFormat,
    JSON.stringify([
      'a',
      { intents: ['x'] },
      { text: 'a', intents: 'x', slots: null },
      { text: 'a', slots: 'x' },
      { text: 'a', intents: { x: 1 } },
      row(1),
      row({ span: [1] }),
      row({ span: [2, 3], text: 'a' }),
      row({ span: [3, 9] }),
      { text: 'ok', intents: [] },
    ]),
  );
  expect(records).toEqual([{ text: 'a', intent: 'x' }, { text: 'ok' }]);
  expect(shown(problems)).toEqual([
    '1:1 - an utterance must be an object',
    '2:1 text "text" is missing',
    '4:1 slots "slots" is not an object',
    '5:1 intent "intent" is an object, not a text or a list of texts',
    '6:1 slots "slots[0]" (s) is not an object',
    '7:1 slots "slots[0]" (s) needs "span" as two numbers',
    '8:1 slots "slots[0]" (s) is "a", but 2 to 3 is "b"',
    '9:1 entities[0] "entities[0]" covers 3 to 9 of a text of 5 characters',
  ]);
  expect(problems.at(-1)?.pointer).toBe('/8');
});

test('the ontology is refused', async () => {
  await expect(readAll(nluppFormat, '{"intents":{},"slots":{}}')).rejects.toMatchObject({
    code: 'bad-format',
    message: 'memory: it is no list of utterances',
    hint: expect.stringContaining('ontology'),
  });
});

test.each([
  ['nlupp', '[{"text":"a","intents":["x"]},', 'a.json'],
  ['nlupp', '[{"text":"a"},{"text":"b","slots":{"s":{"text":"b","span":[0,1]}}}', 'a.json'],
  ['json', '[{"text":"a"},{"text":"b"}]', 'a.json'],
  ['json', '[{"text":"a","intents":["x"],"split":"train"}]', 'a.json'],
  ['nlupp', '', 'a.nlupp.json'],
])('as %s: %j', (name, content, file) => {
  expect(detectFormat(Buffer.from(content), file).format.name).toBe(name);
});

test.skipIf(!HAS_DATA)(`NLU++ banking has 104 rows, 72 with several intents and 8 with none${NO_DATA}`, async () => {
  const { records, problems, report } = await readAll(
    nluppFormat,
    await dataFile('nlupp-multilabel/banking.fold0.json'),
  );
  expect(problems).toEqual([]);
  expect(report.notes).toEqual([]);
  expect(records).toHaveLength(104);
  expect(records.filter(({ intent }) => Array.isArray(intent))).toHaveLength(72);
  expect(records.filter(({ intent }) => intent === undefined)).toHaveLength(8);
  expect(records.filter(({ entities }) => entities !== undefined)).toHaveLength(32);
  expect(records.flatMap(({ entities = [] }) => entities)).toHaveLength(44);
  // No intent at all is one of the combinations.
  expect(new Set(records.map(({ intent }) => JSON.stringify(intent))).size).toBe(87);
  expect(new Set(records.map(({ text }) => text)).size).toBe(104);
});
