import { describe, expect, test } from 'vitest';
import type { WriteOptions } from '../../../src/formats/format.ts';
import { nlpjsFormat } from '../../../src/formats/nlpjs/nlpjs.ts';
import { detectFormat } from '../../../src/formats/registry.ts';
import type { UtteranceRecord } from '../../../src/records/record.ts';
import { dataFile, dataFiles, HAS_DATA, NO_DATA, readAll, shown, writeAll } from '../support.ts';

function corpus(data: readonly unknown[], rest: object = {}): string {
  return JSON.stringify({ name: 'Bot', locale: 'en-US', ...rest, data });
}

describe('reading nlp.js corpora', () => {
  test('utterances are for training and tests for testing, emoji and all', async () => {
    const item = { intent: 'hi', utterances: ['hello \u{1F600}', 'hey'], tests: ['good day'] };
    const { records, splits, report } = await readAll(nlpjsFormat, corpus([item]));
    expect(records).toEqual([
      { text: 'hello \u{1F600}', intent: 'hi', lang: 'en-US' },
      { text: 'hey', intent: 'hi', lang: 'en-US' },
      { text: 'good day', intent: 'hi', lang: 'en-US' },
    ]);
    expect(splits).toEqual(['train', 'train', 'test']);
    expect(report.split?.column).toBe('utterances, tests');
    expect(report.notes).toEqual([]);
  });

  test('a text with the name of an entity or a slot is a template without a label; any other @ is text', async () => {
    const item = {
      intent: 'fly',
      utterances: ['to @city', 'from @city_0 to @city_1', 'on @date!', 'to @cityhall', 'mail me@home'],
      slotFilling: { date: 'when?' },
    };
    const { records, splits, report } = await readAll(
      nlpjsFormat,
      corpus([item], { entities: { city: {} }, locale: '' }),
    );
    expect(records).toEqual([
      { text: 'to @city', meta: { template: true, intent: 'fly' } },
      { text: 'from @city_0 to @city_1', meta: { template: true, intent: 'fly' } },
      { text: 'on @date!', meta: { template: true, intent: 'fly' } },
      { text: 'to @cityhall', intent: 'fly' },
      { text: 'mail me@home', intent: 'fly' },
    ]);
    expect(new Set(splits)).toEqual(new Set(['train']));
    expect(report.notes.map(({ code, count }) => [code, count])).toEqual([
      ['template', 3],
      ['side-information', 1],
      ['side-information', 1],
    ]);
  });

  test('answers, actions, context and keys that are not known are named and counted', async () => {
    const data = [
      { intent: 'a', utterances: ['x'], answers: ['y', { answer: 'z', opts: '1' }] },
      { intent: 'b', id: 3, answer: 'y', actions: [], owner: 'me' },
    ];
    const { report } = await readAll(nlpjsFormat, corpus(data, { contextData: { a: 1 } }));
    expect(report.notes.map(({ message, count }) => `${count} ${message}`)).toEqual([
      '1 answers of intents: a',
      '1 answers of intents: b',
      '1 actions of intents: b',
      '1 data for answers: in the file',
      '1 other keys of intents: owner',
    ]);
  });

  test('each bad item is a problem with its pointer, and its neighbours are read', async () => {
    const data = [7, { intnt: 'a', utterances: ['x'] }, {}, { intent: 'b', utterances: 'x', tests: [1, '', 'ok'] }];
    const { records, problems } = await readAll(nlpjsFormat, corpus(data));
    expect(records).toEqual([{ text: 'ok', intent: 'b', lang: 'en-US' }]);
    expect(shown(problems)).toEqual([
      '1:1 - the item is a number, not an object with "intent"',
      '2:1 intent the item has no "intent"; its keys are intnt, utterances',
      '3:1 intent the item has no "intent"; its keys are none',
      '4:1 utterances "utterances" is a text, not a list',
      '5:1 text "text" is a number, not a text',
      '6:1 text "text" is empty',
    ]);
    expect(problems.map(({ pointer }) => pointer)).toEqual([
      '/data/0',
      '/data/1',
      '/data/2',
      '/data/3',
      '/data/3/tests/0',
      '/data/3/tests/1',
    ]);
  });

  test.each([
    ['[]', 'there is no list "data"'],
    ['{"data":{}}', 'there is no list "data"'],
    ['{"data":[{"constructor":1}]}', 'the key "constructor" is not allowed'],
    [`{"data":${'['.repeat(100_000)}`, 'nested deeper'],
    ['{"data":[', 'not valid JSON'],
  ])('a file that cannot be read is one error: %.40s', async (content, message) => {
    await expect(readAll(nlpjsFormat, content)).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining(message),
    });
  });
});

test.each([
  ['nlpjs', '{"name":"x","data":[{"intent":"a","utterances":["b"', 'stdin'],
  ['nlpjs', '{"data": [\n{"intent": "a", "tests": [', 'a.json'],
  ['nlpjs', '', 'a.nlpjs.json'],
  ['json', '{"data":[{"intent":"a","text":"b"}]}', 'a.json'],
  ['json', '[{"intent":"a","utterances":["b"]}]', 'a.json'],
])('%s: %j in %s', (name, content, file) => {
  expect(detectFormat(Buffer.from(content), file).format.name).toBe(name);
});

async function lossesOf(records: readonly UtteranceRecord[], options: WriteOptions = {}): Promise<string[]> {
  const writing = nlpjsFormat.write?.(async function* () {
    yield records;
  }, options);
  if (writing === undefined) return [];
  for await (const bytes of writing) expect(bytes.length).toBeGreaterThan(0);
  return writing.report.losses.map(({ field, message, count }) => `${count} ${field}: ${message}`);
}

describe('writing nlp.js corpora', () => {
  const records: readonly UtteranceRecord[] = [
    { text: 'stop', intent: 'b', lang: 'en' },
    { text: 'hello \u{1F600} "you"', intent: 'a', lang: 'en' },
    { text: 'end\nit', intent: 'b', lang: 'en' },
  ];

  test('intents are in order, under the name of the dataset', async () => {
    const bytes = await writeAll(nlpjsFormat, records, { name: 'my bot', side: 'train' });
    expect(bytes.toString()).toBe(
      [
        '{',
        '  "name": "my bot",',
        '  "locale": "en",',
        '  "data": [',
        '    {',
        '      "intent": "a",',
        '      "utterances": [',
        '        "hello \u{1F600} \\"you\\""',
        '      ]',
        '    },',
        '    {',
        '      "intent": "b",',
        '      "utterances": [',
        '        "stop",',
        '        "end\\nit"',
        '      ]',
        '    }',
        '  ]',
        '}',
        '',
      ].join('\n'),
    );
    const read = await readAll(nlpjsFormat, bytes);
    expect(read.records).toEqual([records[1], records[0], records[2]]);
    expect(await lossesOf(records)).toEqual([]);
  });

  test('records of the side test are tests', async () => {
    const bytes = await writeAll(nlpjsFormat, records, { side: 'test' });
    expect(JSON.parse(bytes.toString())).toMatchObject({
      name: 'utterances',
      data: [
        { intent: 'a', utterances: [] },
        { intent: 'b', utterances: [], tests: ['stop', 'end\nit'] },
      ],
    });
    expect((await readAll(nlpjsFormat, bytes)).splits).toEqual(['test', 'test', 'test']);
  });

  test('a corpus without records is a corpus', async () => {
    const bytes = await writeAll(nlpjsFormat, []);
    expect(bytes.toString()).toBe('{\n  "name": "utterances",\n  "data": []\n}\n');
    expect((await readAll(nlpjsFormat, bytes)).records).toEqual([]);
  });

  test('what a corpus cannot carry is counted', async () => {
    const losses = await lossesOf(
      [
        { text: 'a', intent: 'x', id: '1', features: { n: 1 }, meta: { by: 'me' } },
        { text: 'b', intent: 'x', lang: 'en', entities: [{ type: 't', start: 0, end: 1, text: 'b' }] },
        { text: 'c' },
        { text: 'd', intent: ['x', 'y'] },
      ],
      { side: 'dev' },
    );
    expect(losses).toEqual([
      '1 id: a corpus of nlp.js has no place for "id"',
      '1 features: a corpus of nlp.js has no place for "features"',
      '1 meta: a corpus of nlp.js has no place for "meta"',
      '2 split: a corpus of nlp.js knows only utterances and tests, not "dev"',
      '1 entities: a corpus of nlp.js has no place for "entities"',
      '1 record: an utterance of nlp.js needs an intent',
      '1 record: an utterance of nlp.js has one intent only',
      '1 lang: a corpus has one language, and these records have several, or not all have one',
    ]);
  });
});

describe('real files', () => {
  test.skipIf(!HAS_DATA).each([
    ['corpus-en.json', 250, 4, 1],
    ['corpus-he.json', 249, 24, 17],
  ])(
    `%s: %i utterances and 256 tests, %i texts more than once, %i of them on both sides${NO_DATA}`,
    async (path, trainCount, repeatedCount, leakCount) => {
      const { records, problems, splits, report } = await readAll(nlpjsFormat, await dataFile(`nlpjs/${path}`));
      expect(problems).toEqual([]);
      expect(Object.fromEntries(report.split?.values ?? [])).toEqual({ train: trainCount, test: 256 });
      expect(new Set(records.map(({ intent }) => intent)).size).toBe(51);
      const rows = records.map(({ text }, index) => ({ text, side: splits[index] }));
      const repeated = [...Map.groupBy(rows, ({ text }) => text).values()].filter(({ length }) => length > 1);
      expect(repeated).toHaveLength(repeatedCount);
      expect(repeated.filter((group) => new Set(group.map(({ side }) => side)).size > 1)).toHaveLength(leakCount);
    },
  );

  test.skipIf(!HAS_DATA)(`the texts of ner-corpus.json are templates${NO_DATA}`, async () => {
    const { records, report } = await readAll(nlpjsFormat, await dataFile('nlpjs/ner-corpus.json'));
    expect(records.map(({ intent, meta }) => [intent, meta?.['intent']])).toEqual([
      [undefined, 'hero.realname'],
      [undefined, 'hero.city'],
      [undefined, 'hero.city'],
    ]);
    expect(report.notes).toContainEqual({ code: 'side-information', message: 'entities: hero, email', count: 2 });
  });

  test.skipIf(!HAS_DATA).each(['corpus-en.json', 'corpus-he.json'])(
    `each side of %s is the same after being written and read, and loses nothing${NO_DATA}`,
    async (path) => {
      const { records, splits } = await readAll(nlpjsFormat, await dataFile(`nlpjs/${path}`));
      for (const side of ['train', 'test']) {
        const part = records.filter((_, index) => splits[index] === side);
        const sorted = part.toSorted((a, b) =>
          a.intent === b.intent ? 0 : (a.intent ?? '') < (b.intent ?? '') ? -1 : 1,
        );
        const read = await readAll(nlpjsFormat, await writeAll(nlpjsFormat, part, { side }));
        expect(read.records).toEqual(sorted);
        expect(new Set(read.splits)).toEqual(new Set([side]));
        expect(await lossesOf(part, { side })).toEqual([]);
      }
    },
  );

  test.skipIf(!HAS_DATA)(`no other file is taken for a corpus${NO_DATA}`, async () => {
    const found: string[] = [];
    for await (const { path, head } of dataFiles()) if (nlpjsFormat.sniff(head, 'stdin') > 0) found.push(path);
    expect(found.sort()).toEqual(['nlpjs/corpus-en.json', 'nlpjs/corpus-he.json', 'nlpjs/ner-corpus.json']);
  });
});
