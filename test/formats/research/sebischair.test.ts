import { expect, test } from 'vitest';
import { detectFormat } from '../../../src/formats/registry.ts';
import { sebischairFormat } from '../../../src/formats/research/sebischair.ts';
import { dataFile, HAS_DATA, NO_DATA, readAll, shown } from '../support.ts';

function corpus(...sentences: readonly unknown[]): string {
  return JSON.stringify({ name: 'Corpus', desc: '', lang: 'en', sentences });
}

test('entities count words from 0, the last one included; a sign is a word, and so is an emoji', async () => {
  const text = '\u{1F600} upgrade from Ubuntu 9.10 to l’été?';
  const { records, report } = await readAll(
    sebischairFormat,
    corpus({
      text,
      intent: 'Upgrade',
      training: true,
      author: 'me',
      answer: { text: 'yes' },
      entities: [
        { text: 'Ubuntu 9.10', entity: 'Version', start: 3, stop: 6 },
        { entity: 'Season', start: 10, stop: 10 },
      ],
    }),
  );
  expect(records).toEqual([
    {
      text,
      intent: 'Upgrade',
      lang: 'en',
      entities: [
        { type: 'Version', start: 15, end: 26, text: 'Ubuntu 9.10' },
        { type: 'Season', start: 32, end: 35, text: 'été' },
      ],
      meta: { author: 'me', answer: { text: 'yes' } },
    },
  ]);
  expect(report.notes).toEqual([]);
});

test('the flag "training" is the split', async () => {
  const { splits, records, report } = await readAll(
    sebischairFormat,
    corpus({ text: 'a', training: true }, { text: 'b', training: false }, { text: 'c' }, { text: 'd', training: 'no' }),
  );
  expect(splits).toEqual(['train', 'test', undefined, undefined]);
  expect(records[3]?.meta).toEqual({ training: 'no' });
  expect(report.split?.column).toBe('training');
});

test('where word numbers lead elsewhere, the covered text decides, and it is counted', async () => {
  const entity = { text: 'b-c', entity: 'E', start: 0, stop: 0, extra: 1 };
  const { records, report } = await readAll(sebischairFormat, corpus({ text: 'a b-c', entities: [entity] }));
  expect(records[0]?.entities).toEqual([{ type: 'E', start: 2, end: 5, text: 'b-c' }]);
  expect(report.notes.map(({ code, count }) => [code, count])).toEqual([
    ['ignored', 1],
    ['mended', 1],
  ]);
});

test('each bad row is a problem with its pointer, and its neighbours are read', async () => {
  const label = (entity: object): object => ({ text: 'a b a', entities: [{ entity: 'E', ...entity }] });
  const { records, problems } = await readAll(
    sebischairFormat,
    corpus(
      null,
      { text: 3, entities: [] },
      label({ text: 'a', start: 1, stop: 1 }),
      label({ text: 'a', start: 7, stop: 7 }),
      label({ text: 'z'.repeat(90), start: 2, stop: 1 }),
      label({ start: 0 }),
      { text: 'ok' },
    ),
  );
  expect(records).toEqual([{ text: 'ok', lang: 'en' }]);
  expect(shown(problems)).toEqual([
    '1:1 - a sentence must be an object',
    '2:1 text "text" is a number, not a text',
    '3:1 entities "entities[0]" is "a", but the words 1 to 1 are "b"',
    '4:1 entities "entities[0]" is "a", but the words 7 to 7 are not there',
    expect.stringMatching(/^5:1 entities "entities\[0\]" is "z{60}…", but the words 2 to 1 are not there$/u),
    '6:1 entities "entities[0]" has no text, and its words are not there',
  ]);
  expect(problems[2]?.pointer).toBe('/sentences/2');
});

test.each([
  ['{"sentences": {}}', 'memory: there is no list "sentences"'],
  ['[]', 'memory: there is no list "sentences"'],
])('a file that cannot be read is one error: %s', async (content, message) => {
  await expect(readAll(sebischairFormat, content)).rejects.toMatchObject({ code: 'bad-format', message });
});

test.each([
  ['sebischair', '{"name": "x", "sentences": [{"text": "a", "intent": "b", "training": true}', 'a.json'],
  ['sebischair', '{"sentences": [{"text": "a", "intent": "b", "entities": [{"stop": 1', 'a.json'],
  ['json', '{"sentences": [{"text": "a", "intent": "b", "entities": [{"end": 1', 'a.json'],
  ['sebischair', '', 'a.sebischair.json'],
])('as %s: %j', (name, content, file) => {
  expect(detectFormat(Buffer.from(content), file).format.name).toBe(name);
});

test.skipIf(!HAS_DATA)(`Ask Ubuntu has 162 sentences of 5 intents, 53 of them to train on${NO_DATA}`, async () => {
  const { records, problems, report } = await readAll(
    sebischairFormat,
    await dataFile('sebischair/AskUbuntuCorpus.json'),
  );
  expect(problems).toEqual([]);
  expect(records).toHaveLength(162);
  expect(Object.fromEntries(report.split?.values ?? [])).toEqual({ train: 53, test: 109 });
  const counts = [...Map.groupBy(records, ({ intent }) => intent).values()].map(({ length }) => length);
  expect(counts.sort((a, b) => a - b)).toEqual([8, 23, 27, 47, 57]);
  expect(records.flatMap(({ entities = [] }) => entities)).toHaveLength(129);
  // Three rows have neither author nor address.
  expect(records.filter(({ meta }) => typeof meta?.['url'] === 'string')).toHaveLength(159);
  expect(new Set(records.map(({ text }) => text)).size).toBe(162);
  // Four published entities have word numbers that lead to a part of their text, or past it.
  expect(report.notes).toEqual([expect.objectContaining({ code: 'mended', count: 4 })]);
});
