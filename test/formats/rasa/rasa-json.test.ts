/** Rasa NLU JSON: offsets, what stands beside the text, and what is written. */
import { describe, expect, test } from 'vitest';
import { rasaJsonFormat } from '../../../src/formats/rasa/rasa-json.ts';
import { detectFormat } from '../../../src/formats/registry.ts';
import type { ReadBatch } from '../../../src/formats/format.ts';
import { memoryInput, readAll, shown, writeAll } from '../support.ts';

function file(examples: readonly unknown[], others: object = {}): string {
  return JSON.stringify({ rasa_nlu_data: { common_examples: examples, ...others } }, null, 1);
}

describe('reading', () => {
  test('examples with their entities and metadata, and the other lists by name', async () => {
    const { records, problems, report } = await readAll(
      rasaJsonFormat,
      file(
        [
          { text: 'hey', intent: 'greet', entities: [] },
          { text: 'no intent' },
          { text: 'x', intent: '' },
          {
            text: '\u{1F600} chines in LA',
            intent: 'faq/find',
            entities: [
              { start: 2, end: 8, value: 'chinese', entity: 'cuisine', extractor: 'CRF' },
              { start: 12, end: 14, value: 'LA', entity: 'city', role: 'to', group: 1 },
            ],
            metadata: { intent: { who: 'a' }, example: { lang: 'en', tags: ['t'] } },
            source: 'chat',
          },
          { text: 'free', intent: 'b+a', metadata: { intent: 'scalar' } },
        ],
        {
          entity_synonyms: [{ value: 'chinese', synonyms: ['chines'] }, 7],
          regex_features: [{ name: 'zip', pattern: '\\d' }],
          lookup_tables: [{ name: 'banks', elements: [] }],
          intent_examples: [{ text: 'old', intent: 'greet' }],
          entity_examples: null,
          surprise: {},
        },
      ),
    );
    expect(problems).toEqual([]);
    expect(records).toEqual([
      { text: 'hey', intent: 'greet' },
      { text: 'no intent' },
      { text: 'x' },
      {
        text: '\u{1F600} chines in LA',
        intent: 'faq/find',
        lang: 'en',
        entities: [
          { start: 2, end: 8, type: 'cuisine', value: 'chinese', text: 'chines' },
          { start: 12, end: 14, type: 'city', role: 'to', group: '1', text: 'LA' },
        ],
        features: { source: 'chat', who: 'a' },
        meta: { tags: ['t'] },
      },
      { text: 'free', intent: ['a', 'b'], features: { intent: 'scalar' }, meta: { rasa_intent: 'b+a' } },
      { text: 'old', intent: 'greet' },
    ]);
    expect(report.notes.map(({ message, count }) => [message, count])).toEqual([
      ['the key "extractor" of entities was passed over', 1],
      ['the key "surprise" was passed over', 1],
      ['synonyms: chinese, ', 2],
      ['regular expressions: zip', 1],
      ['lookup tables: banks', 1],
    ]);
  });

  test('offsets in UTF-16 are seen by the value; a synonym leaves good offsets alone', async () => {
    const text = '\u{1F600}\u{1F600} to Rome, Rome';
    const entity = (start: number, end: number, value?: unknown): object => ({ start, end, value, entity: 'c' });
    const { records, problems, report } = await readAll(
      rasaJsonFormat,
      file([
        { text, entities: [entity(6, 10, 'Rome')] },
        { text, entities: [entity(8, 12, 'Rome')] },
        { text, entities: [entity(6, 10, 'Roma')] },
        { text, entities: [entity(6, 10)] },
        { text, entities: [entity(3, 99, 'to')] },
        { text, entities: [entity(3, 99, 'Rome')] },
        { text, entities: [entity(5, 5, 'x')] },
        { text, entities: [entity(-1, 5)] },
      ]),
    );
    expect(records.map(({ entities }) => entities?.map((one) => [one.start, one.end, one.text, one.value]))).toEqual([
      [[6, 10, 'Rome', undefined]],
      [[6, 10, 'Rome', undefined]],
      [[6, 10, 'Rome', 'Roma']],
      [[6, 10, 'Rome', undefined]],
      [[3, 5, 'to', undefined]],
    ]);
    expect(report.notes).toEqual([
      { code: 'mended', message: 'offsets of entities that do not count code points', count: 2 },
    ]);
    expect(shown(problems)).toEqual([
      `6:1 entities an entity covers 3 to 99 of "${text}", which has 16 characters, and its value "Rome" is not there just once`,
      `7:1 entities an entity covers 5 to 5 of "${text}", which has 16 characters, and its value "x" is not there just once`,
      `8:1 entities an entity covers -1 to 5 of "${text}", which has 16 characters`,
    ]);
  });

  test('every fault is a problem of its row, with a pointer', async () => {
    const examples = [
      7,
      { intent: 'a' },
      { text: 'x', intent: ['a'] },
      { text: 'x', entities: {} },
      { text: 'x', entities: [1] },
      { text: 'x', entities: [{ start: '0', end: 1 }] },
      { text: 'x', entities: [{ start: 0, end: 1 }] },
      { text: 'x', a: 1, metadata: { a: 2, features: { a: 3 } } },
      { text: 'good', a: 1, metadata: { a: 2 } },
    ];
    const batches: ReadBatch[] = [];
    const reading = rasaJsonFormat.read(memoryInput(file(examples)));
    for await (const batch of reading) batches.push(batch);
    expect(batches[0]?.problems.map(({ pointer, message }) => `${pointer} ${message}`)).toEqual([
      '/rasa_nlu_data/common_examples/0 an example is a number, not an object with "text"',
      '/rasa_nlu_data/common_examples/1 "text" is missing',
      '/rasa_nlu_data/common_examples/2 "intent" is a list, not a text',
      '/rasa_nlu_data/common_examples/3 "entities" is an object, not a list',
      '/rasa_nlu_data/common_examples/4 an entity is a number, not an object',
      '/rasa_nlu_data/common_examples/5 an entity needs "start" and "end" as numbers',
      '/rasa_nlu_data/common_examples/6 "entities[0].type" is missing',
      '/rasa_nlu_data/common_examples/7 the metadata has "a" twice',
    ]);
    expect(batches[0]?.records).toEqual([{ text: 'good', features: { a: 2 } }]);
    expect(batches[0]?.pointers).toEqual(['/rasa_nlu_data/common_examples/8']);
    expect(reading.report.notes.map(({ message, count }) => [message, count])).toEqual([
      ['keys of examples that their metadata gives anew', 2],
    ]);
  });

  test.each([
    ['{"rasa_nlu_data": [', 'memory: not valid JSON'],
    ['{"rasa_nlu_data": {\n"common_examples": [}}', 'memory:2: not valid JSON'],
    ['{"rasa_nlu_data": []}', 'memory: there is no object "rasa_nlu_data"'],
    ['[]', 'memory: there is no object "rasa_nlu_data"'],
    ['{"rasa_nlu_data": {"common_examples": {}}}', 'memory: "common_examples" is an object, not a list'],
    ['{"rasa_nlu_data": {"__proto__": {}}}', 'memory: the key "__proto__" is not allowed'],
    [`{"rasa_nlu_data": ${'{"a":'.repeat(100)}1${'}'.repeat(100)}}`, 'memory: nested deeper than 64 levels'],
  ])('%s is refused as a whole', async (text, message) => {
    await expect(readAll(rasaJsonFormat, text)).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining(message) as string,
    });
  });
});

test.each([
  ['{"rasa_nlu_data":{"common_examples":[]}}', 'rasa-json'],
  ['{\n "version": 1,\n "rasa_nlu_data" : {\n', 'rasa-json'],
  ['{"data":[{"text":"\\"rasa_nlu_data\\": {"}]}', 'json'],
  ['[{"rasa_nlu_data": {"text": 1}}]', 'json'],
])('%s is %s', (text, name) => {
  expect(detectFormat(Buffer.from(text), 'data.json').format.name).toBe(name);
});

describe('writing', () => {
  test('an example is a line, and nothing is lost but what says nothing', async () => {
    const records = [
      { text: 'a [x](y)\n\u{1F600}', intent: 'b+', id: '1', lang: 'en', features: { role: 'r' }, meta: { s: 't' } },
      {
        text: '\u{1F600} to LA',
        intent: ['a', 'b'],
        entities: [
          { start: 2, end: 7, type: 'all', text: 'to LA' },
          { start: 5, end: 7, type: 'city', role: 'r', group: 'g', value: 'Los Angeles', text: 'LA' },
        ],
      },
      { text: 'unlabelled' },
    ];
    const bytes = await writeAll(rasaJsonFormat, records);
    expect(bytes.toString()).toBe(`{
  "rasa_nlu_data": {
    "common_examples": [
      {"text": "a [x](y)\\n\u{1F600}", "intent": "b+", "entities": [], "metadata": {"example": {"id":"1","lang":"en","meta":{"s":"t"},"role":"r"}}},
      {"text": "\u{1F600} to LA", "intent": "a+b", "entities": [{"start": 2, "end": 7, "value": "to LA", "entity": "all"}, {"start": 5, "end": 7, "value": "Los Angeles", "entity": "city", "role": "r", "group": "g"}]},
      {"text": "unlabelled", "entities": []}
    ],
    "entity_synonyms": [],
    "lookup_tables": [],
    "regex_features": []
  }
}
`);
    expect(detectFormat(bytes, 'x').format.name).toBe('rasa-json');
    expect((await readAll(rasaJsonFormat, bytes)).records).toEqual(records);
  });

  test('a name that would be divided is left out and counted', async () => {
    const writing = rasaJsonFormat.write?.(async function* () {
      yield [{ text: 'x', intent: 'b+c' }, { text: 'y' }];
    });
    const bytes = Buffer.concat(await Array.fromAsync(writing ?? []));
    expect((await readAll(rasaJsonFormat, bytes)).records).toEqual([{ text: 'y' }]);
    expect(writing?.report.losses).toEqual([
      { field: 'record', message: 'intents whose names Rasa would divide at "+" otherwise', count: 1 },
    ]);
  });

  test('meta as deep as records allow is left out where the file would be too deep', async () => {
    const deep = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}1${']'.repeat(levels)}`);
    const records = [50, 58, 59].map((levels) => ({ text: String(levels), meta: { a: deep(levels) } }));
    const read = await readAll(rasaJsonFormat, await writeAll(rasaJsonFormat, records));
    expect(read.records).toEqual(records.slice(0, 2));
  });

  test('no records are an empty list', async () => {
    expect((await readAll(rasaJsonFormat, await writeAll(rasaJsonFormat, []))).records).toEqual([]);
  });
});
