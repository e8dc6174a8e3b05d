import { describe, expect, test } from 'vitest';
import { detectFormat } from '../../../src/formats/registry.ts';
import { snipsFormat } from '../../../src/formats/snips/snips.ts';
import { dataFile, dataFiles, HAS_DATA, NO_DATA, readAll, shown } from '../support.ts';

function dataset(utterances: readonly unknown[], rest: object = {}): string {
  return JSON.stringify({ language: 'en', intents: { 'book/flight~1': { utterances } }, entities: {}, ...rest });
}

const EMOJI = {
  data: [
    { text: 'fly \u{1F600} to ' },
    { text: 'Paris', entity: 'city', slot_name: 'destination' },
    { text: ', in ' },
    { text: 'spring', entity: 'season', slot_name: 'season' },
  ],
};

const FLIGHT = {
  text: 'fly \u{1F600} to Paris, in spring',
  entities: [
    { type: 'city', role: 'destination', start: 9, end: 14, text: 'Paris' },
    { type: 'season', start: 19, end: 25, text: 'spring' },
  ],
};

describe('reading Snips datasets in JSON', () => {
  test('chunks are joined: the entity is the type, and the slot the role, where it has its own name', async () => {
    const { records, report } = await readAll(snipsFormat, dataset([EMOJI], { entities: { city: {}, season: {} } }));
    expect(records).toEqual([{ ...FLIGHT, intent: 'book/flight~1', lang: 'en' }]);
    expect(report.notes).toEqual([{ code: 'side-information', message: 'entities: city, season', count: 2 }]);
  });

  test('in benchmark files the intent is the key, and there are no slots', async () => {
    const utterance = { data: [{ text: 'go to ' }, { text: 'Rome', entity: 'city' }] };
    const { records } = await readAll(snipsFormat, JSON.stringify({ Go: [utterance], Stop: [] }));
    expect(records).toEqual([
      { text: 'go to Rome', intent: 'Go', entities: [{ type: 'city', start: 6, end: 10, text: 'Rome' }] },
    ]);
    const named = await readAll(snipsFormat, JSON.stringify({ intents: [utterance], entities: [] }));
    expect(named.records.map(({ intent }) => intent)).toEqual(['intents']);
  });

  test('a slot without an entity is both, and further keys are kept or counted', async () => {
    const utterance = {
      by: 'me',
      data: [
        { text: 'x', slot_name: 's', range: [0, 1] },
        { text: ' y', entity: null },
      ],
    };
    const { records, report } = await readAll(
      snipsFormat,
      dataset([utterance], { intents: { A: { utterances: [utterance] }, B: { utterances: [] } } }),
    );
    expect(records).toEqual([
      {
        text: 'x y',
        intent: 'A',
        lang: 'en',
        entities: [{ type: 's', start: 0, end: 1, text: 'x' }],
        meta: { by: 'me' },
      },
    ]);
    expect(report.notes.map(({ message }) => message)).toEqual([
      'further keys of chunks are not kept',
      'intents without utterances: B',
    ]);
  });

  test('each bad utterance is a problem with its pointer, and its neighbours are read', async () => {
    const bad = [
      7,
      {},
      { data: 1 },
      { data: [{}] },
      { data: [] },
      { data: [{ text: 'a' }, { text: '', entity: 'b' }] },
    ];
    const more = [
      { data: [{ text: 'a', entity: 1 }] },
      { data: [{ text: 'a', entity: 'b', slot_name: 2 }] },
      { data: Array.from({ length: 70 }, () => ({ text: 'x'.repeat(1000) })) },
      EMOJI,
    ];
    const { records, problems } = await readAll(snipsFormat, dataset([...bad, ...more]));
    expect(records).toHaveLength(1);
    expect(shown(problems)).toEqual([
      '1:1 data an utterance must be an object with a list "data"',
      '2:1 data an utterance must be an object with a list "data"',
      '3:1 data an utterance must be an object with a list "data"',
      '4:1 data "data[0]" has no text',
      '5:1 text "text" is empty',
      '6:1 data "data[1]" marks a chunk without text',
      '7:1 data "data[0]" has an entity that is no text',
      '8:1 data "data[0]" has a slot that is no text',
      '9:1 data "data" has more than 65536 characters',
    ]);
    expect(problems[3]?.pointer).toBe('/intents/book~1flight~01/utterances/3');
  });

  test('an intent without a list is a problem of its own', async () => {
    const { problems } = await readAll(snipsFormat, '{"intents":{"A":{"utterances":{}},"B":3}}');
    expect(problems.map(({ pointer, message }) => [pointer, message])).toEqual([
      ['/intents/A/utterances', 'the intent has no list of utterances'],
      ['/intents/B/utterances', 'the intent has no list of utterances'],
    ]);
  });

  test.each([
    ['[]', 'it is a list, and no Snips dataset'],
    ['{}', 'neither an object "intents" nor lists alone'],
    ['{"a":[],"b":1}', 'neither an object "intents" nor lists alone'],
    ['{"intents":{},"intents":{}}', 'the key "intents" occurs twice'],
    ['{"intents":{"__proto__":{}}}', 'the key "__proto__" is not allowed'],
    ['{"intents":'.repeat(100_000), 'nested deeper'],
    ['', 'memory is empty'],
  ])('a file that cannot be read is one error: %.40s', async (content, message) => {
    await expect(readAll(snipsFormat, content)).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining(message),
    });
  });
});

test.each([
  ['snips', '{"language":"en","intents":{"a":{"utterances":[{"data":[{"entity":"b","text":"c"', 'stdin'],
  ['snips', '{"entities": {"city": {"data": [{"value": "a", "synonyms": []}], "use_synonyms": true', 'a.json'],
  ['snips', '{"entities": {"snips/number": {"automatically_extensible": true', 'a.json'],
  ['snips', '{"GetWeather": [{"data": [{"text": "hi "}, {"text": "you", "entity": "who"}]}, {"da', 'a.json'],
  ['snips', '', 'a.snips.json'],
  ['json', '{"train": [{"data": [{"text": "hi"}], "intent": "a"}]}', 'a.json'],
  ['json', '{"data": [{"text": "hi", "entity": "a"}]}', 'a.json'],
  ['json', '{"userSays": [{"data": [{"text": "hi", "userDefined": false}]}]}', 'a.json'],
])('%s: %j in %s', (name, content, file) => {
  const found = detectFormat(Buffer.from(content), file).format.name;
  expect(found.startsWith('wit') || found.startsWith('dialogflow') ? 'json' : found).toBe(name);
});

describe('real files', () => {
  test.skipIf(!HAS_DATA).each([
    ['lights_dataset.json', 14, 3, 19],
    ['flights_dataset.json', 8, 2, 16],
  ])(`%s: %i utterances, %i intents, %i entities${NO_DATA}`, async (path, count, intentCount, entityCount) => {
    const { records, problems } = await readAll(snipsFormat, await dataFile(`snips-format/${path}`));
    expect([records.length, problems]).toEqual([count, []]);
    expect(new Set(records.map(({ intent }) => intent)).size).toBe(intentCount);
    expect(records.flatMap(({ entities = [] }) => entities)).toHaveLength(entityCount);
    expect(new Set(records.map(({ text }) => text)).size).toBe(count);
    expect(records.every(({ lang }) => lang === 'en')).toBe(true);
  });

  test.skipIf(!HAS_DATA)(`no other file is taken for a Snips dataset${NO_DATA}`, async () => {
    const found: string[] = [];
    for await (const { path, head } of dataFiles()) if (snipsFormat.sniff(head, 'stdin') > 0) found.push(path);
    expect(found.sort()).toEqual(['snips-format/flights_dataset.json', 'snips-format/lights_dataset.json']);
  });
});
