import { describe, expect, test } from 'vitest';
import { cluFormat } from '../../../src/formats/clu/clu.ts';
import type { WriteOptions } from '../../../src/formats/format.ts';
import { detectFormat } from '../../../src/formats/registry.ts';
import type { UtteranceRecord } from '../../../src/records/record.ts';
import { dataFile, HAS_DATA, NO_DATA, readAll, shown, writeAll } from '../support.ts';

function project(utterances: readonly unknown[], rest: object = {}): string {
  return JSON.stringify({
    projectFileVersion: '2022-05-01',
    stringIndexType: 'Utf16CodeUnit',
    metadata: { projectKind: 'Conversation', language: 'en-us' },
    ...rest,
    assets: { projectKind: 'Conversation', intents: [{ category: 'None' }], ...rest, utterances },
  });
}

const EMOJI = { text: 'mail \u{1F600} bob', intent: 'Send', entities: [{ category: 'Name', offset: 8, length: 3 }] };

describe('reading CLU files', () => {
  test('offsets count UTF-16 code units: an emoji before an entity moves it by one code point', async () => {
    const { records, report } = await readAll(cluFormat, project([EMOJI]));
    expect(records).toEqual([
      {
        text: EMOJI.text,
        intent: 'Send',
        lang: 'en-us',
        entities: [{ type: 'Name', start: 7, end: 10, text: 'bob' }],
      },
    ]);
    expect(report.notes).toEqual([{ code: 'side-information', message: 'intents without utterances: None', count: 1 }]);
  });

  test('offsets count code points where the project says so, and no other unit is guessed', async () => {
    const utterance = { ...EMOJI, entities: [{ category: 'Name', offset: 7, length: 3 }] };
    const points = await readAll(cluFormat, project([utterance, EMOJI], { stringIndexType: 'UnicodeCodePoint' }));
    expect(points.records[0]?.entities).toEqual([{ type: 'Name', start: 7, end: 10, text: 'bob' }]);
    expect(shown(points.problems)).toEqual([
      '2:1 entities "entities[0]" covers 3 from 8 on, which is no part of a text of 11 UTF-16 code units',
    ]);
    const elements = await readAll(cluFormat, project([utterance], { stringIndexType: 'TextElements_v8' }));
    expect(shown(elements.problems)).toEqual([expect.stringContaining('is counted in "TextElements_v8", and only')]);
  });

  test('where a file names a test set, what it does not place is for training', async () => {
    const utterances = [
      { text: 'a', dataset: 'Train' },
      { text: 'b', dataset: 'Test' },
      { text: 'c' },
      { text: 'd', dataset: 'spare', owner: 'me' },
    ];
    const { splits, records, report } = await readAll(cluFormat, JSON.stringify(utterances));
    expect(splits).toEqual(['train', 'test', 'train', 'train']);
    expect(records[3]?.meta).toEqual({ dataset: 'spare', owner: 'me' });
    expect(report.split?.column).toBe('dataset');
    const undivided = await readAll(cluFormat, JSON.stringify(utterances.slice(2)));
    expect(undivided.splits).toEqual([undefined, undefined]);
  });

  test('what finds entities without utterances is named and counted', async () => {
    const entities = [
      { category: 'City', list: { sublists: [{ listKey: 'x' }] }, prebuilts: [] },
      { category: 'Date', prebuilts: [{ category: 'DateTime' }], regex: { expressions: [] } },
    ];
    const { report } = await readAll(cluFormat, project([{ text: 'a', intent: 'None' }], { entities }));
    expect(report.notes.map(({ message, count }) => `${count} ${message}`)).toEqual([
      '2 entities: City, Date',
      '1 entities with lists: City',
      '1 entities with prebuilt components: Date',
      '1 entities with regexes: Date',
    ]);
  });

  test('each bad row is a problem with its pointer, and its neighbours are read', async () => {
    const label = (offset: unknown, length: unknown): object => ({
      text: 'abc',
      entities: [{ category: 'E', offset, length, confidence: 1 }],
    });
    const rows = [7, {}, label('1', 1), label(1, 0), label(2, 2), label(0.5, 1), { text: 'ok', intent: ' ' }];
    const { records, problems, report } = await readAll(cluFormat, project(rows));
    expect(records).toEqual([{ text: 'ok', lang: 'en-us' }]);
    expect(shown(problems)).toEqual([
      '1:1 - an utterance must be an object',
      '2:1 text "text" is missing',
      '3:1 entities "entities[0]" needs "offset" and "length" as numbers',
      '4:1 entities "entities[0]" covers 0 from 1 on, which is no part of a text of 3 UTF-16 code units',
      '5:1 entities "entities[0]" covers 2 from 2 on, which is no part of a text of 3 UTF-16 code units',
      '6:1 entities "entities[0]" covers 1 from 0.5 on, which is no part of a text of 3 UTF-16 code units',
    ]);
    expect(problems[2]?.pointer).toBe('/assets/utterances/2');
    expect(report.notes).toContainEqual(expect.objectContaining({ code: 'ignored', count: 4 }));
  });

  test.each([
    [
      '{"projectFileVersion":"1","metadata":{"projectKind":"CustomEntityRecognition"},"assets":{}}',
      'of the kind "CustomE',
    ],
    ['{}', 'memory: there is no list "assets.utterances"'],
    ['[', 'not valid JSON'],
  ])('a file that cannot be read is one error: %s', async (content, message) => {
    await expect(readAll(cluFormat, content)).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining(message),
    });
  });
});

test.each([
  ['clu', '{\r\n "projectFileVersion": "2022-05-01",\r\n "stringIndexType": "Utf16CodeUnit", "meta', 'app.json'],
  ['clu', '[{"text":"a","intent":"x","entities":[{"category":"E","offset":0,"length":1}]},', 'a.json'],
  ['clu', '[{"intent":"x","language":"en-us","text":"a","entities":[]}, {"text":', 'a.json'],
  ['json', '[{"intent":"x","language":"en-us","text":"a","entities":[],"id":1}]', 'a.json'],
  ['json', '[{"intent":"x","language":"en-us","text":"a"}]', 'a.json'],
  ['json', '[{"intent":"x","text":"a","entities":[{"start":0,"end":1,"type":"offset"}]}]', 'a.json'],
  ['clu', '', 'train.clu.json'],
])('as %s: %j', (name, content, file) => {
  expect(detectFormat(Buffer.from(content), file).format.name).toBe(name);
});

async function lossesOf(records: readonly UtteranceRecord[], options: WriteOptions = {}): Promise<string[]> {
  const writing = cluFormat.write?.(async function* () {
    yield records;
  }, options);
  if (writing === undefined) return [];
  for await (const bytes of writing) expect(bytes.length).toBeGreaterThan(0);
  return writing.report.losses.map(({ field, message, count }) => `${count} ${field}: ${message}`);
}

describe('writing CLU projects', () => {
  const records: readonly UtteranceRecord[] = [
    {
      text: 'mail \u{1F600} bob',
      intent: 'Send',
      lang: 'en-us',
      entities: [{ type: 'Name', start: 7, end: 10, text: 'bob' }],
    },
    { text: 'stop', intent: 'Cancel', lang: 'en-us' },
  ];

  test('a project has its name, lists, side, and an utterance a line', async () => {
    const bytes = await writeAll(cluFormat, records, { name: 'my bot/1', side: 'test' });
    expect(bytes.toString()).toBe(
      [
        '{',
        '  "projectFileVersion": "2023-04-01",',
        '  "stringIndexType": "Utf16CodeUnit",',
        '  "metadata": {"projectKind":"Conversation","settings":{"confidenceThreshold":0},"projectName":"my_bot_1","multilingual":false,"description":"","language":"en-us"},',
        '  "assets": {',
        '    "projectKind": "Conversation",',
        '    "intents": [',
        '      {"category":"Cancel"},',
        '      {"category":"None"},',
        '      {"category":"Send"}',
        '    ],',
        '    "entities": [',
        '      {"category":"Name"}',
        '    ],',
        '    "utterances": [',
        '      {"text":"mail \u{1F600} bob","language":"en-us","intent":"Send","entities":[{"category":"Name","offset":8,"length":3}],"dataset":"Test"},',
        '      {"text":"stop","language":"en-us","intent":"Cancel","entities":[],"dataset":"Test"}',
        '    ]',
        '  }',
        '}',
        '',
      ].join('\n'),
    );
    const read = await readAll(cluFormat, bytes);
    expect(read.records).toEqual(records);
    expect(read.splits).toEqual(['test', 'test']);
  });

  test('a project without records is a project', async () => {
    const bytes = await writeAll(cluFormat, []);
    expect(JSON.parse(bytes.toString())).toMatchObject({ assets: { entities: [], utterances: [] } });
    expect((await readAll(cluFormat, bytes)).records).toEqual([]);
  });

  test('the language of the project is that of most records; several make it multilingual', async () => {
    const langs = ['fr', 'de', 'de', 'fr', 'en'].map((lang, index) => ({ text: `t${index}`, intent: 'x', lang }));
    const { metadata } = JSON.parse((await writeAll(cluFormat, langs)).toString()) as { metadata: object };
    expect(metadata).toMatchObject({ language: 'de', multilingual: true });
  });

  test('what cannot be carried is counted by reason', async () => {
    const entity = { type: 'a/b', start: 0, end: 1, text: 'a', role: 'r', group: 'g', value: 'v' };
    const losses = await lossesOf(
      [
        { text: 'a' },
        { text: 'b', intent: ['x', 'y'] },
        { text: 'c'.repeat(501), intent: 'x' },
        { text: 'a', intent: 'x', id: '1', features: { n: 1 }, meta: { m: 1 }, entities: [entity] },
        { text: 'd', intent: 'faq/fees', lang: 'de' },
      ],
      { side: 'dev' },
    );
    expect(losses).toEqual([
      '1 record: an utterance of CLU needs an intent',
      '1 record: an utterance of CLU has one intent only',
      '1 record: CLU takes texts of at most 500 characters',
      '1 id: CLU has no place for "id"',
      '1 features: CLU has no place for "features"',
      '1 meta: CLU has no place for "meta"',
      '1 entities.role: CLU has no place for the role of an entity',
      '1 entities.group: CLU has no place for the group of an entity',
      '1 entities.value: CLU has no place for the value of an entity',
      '1 lang: an utterance without a language is read as "de"',
      '2 names: Azure refuses names over 50 characters and with any of : $ & % * ( ) + ~ # / ?',
      '2 split: CLU knows only Train and Test, not "dev"',
    ]);
  });
});

describe('real CLU files', () => {
  test.skipIf(!HAS_DATA)(
    `the e-mail project has 607 utterances of 15 intents, one of them German${NO_DATA}`,
    async () => {
      const bytes = await dataFile('clu-json/EmailAppDemo.json');
      expect(detectFormat(bytes.subarray(0, 65_536), 'EmailAppDemo.json').format).toBe(cluFormat);
      const { records, problems, splits, report } = await readAll(cluFormat, bytes);
      expect(problems).toEqual([]);
      expect(records).toHaveLength(607);
      const counts = Map.groupBy(records, ({ intent }) => intent);
      expect(counts.size).toBe(15);
      const sizes = [...counts.values()].map(({ length }) => length).sort((a, b) => a - b);
      expect([sizes[0], sizes[7], sizes[14]]).toEqual([7, 32, 100]);
      expect(records.flatMap(({ entities = [] }) => entities)).toHaveLength(525);
      expect(records.filter(({ lang }) => lang === 'de')).toHaveLength(1);
      expect(splits.filter((split) => split !== undefined)).toEqual(['train']);
      expect(new Set(records.map(({ text }) => text)).size).toBe(607);
      expect(report.notes).toContainEqual(expect.objectContaining({ code: 'trimmed', count: 1 }));
    },
  );

  test.skipIf(!HAS_DATA)(`the utterance file has 50 rows${NO_DATA}`, async () => {
    const bytes = await dataFile('clu-json/clu_utterances.json');
    expect(detectFormat(bytes.subarray(0, 65_536), 'clu_utterances.json').format).toBe(cluFormat);
    const { records, problems } = await readAll(cluFormat, bytes);
    expect([records.length, problems.length]).toEqual([50, 0]);
    expect(records[0]).toEqual({ text: 'What’s my current bill?', intent: 'CheckBill', lang: 'en-us' });
  });

  test.skipIf(!HAS_DATA).each(['EmailAppDemo.json', 'clu_utterances.json'])(
    `%s survives being written and read${NO_DATA}`,
    async (path) => {
      const { records } = await readAll(cluFormat, await dataFile(`clu-json/${path}`));
      expect((await readAll(cluFormat, await writeAll(cluFormat, records))).records).toEqual(records);
      expect(await lossesOf(records)).toEqual([]);
    },
  );

  test.skipIf(!HAS_DATA)(`bytes may come in any pieces${NO_DATA}`, async () => {
    const bytes = await dataFile('clu-json/clu_utterances.json');
    const { records } = await readAll(
      cluFormat,
      [...bytes].map((byte) => Uint8Array.of(byte)),
    );
    expect(records).toEqual((await readAll(cluFormat, bytes)).records);
  });
});
