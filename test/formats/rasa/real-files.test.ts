/** Rasa's files as they are published, and that no other file is taken for one of them. */
import { expect, test } from 'vitest';
import { rasaJsonFormat } from '../../../src/formats/rasa/rasa-json.ts';
import { rasaMdFormat } from '../../../src/formats/rasa/rasa-md.ts';
import { rasaYamlFormat } from '../../../src/formats/rasa/rasa-yaml.ts';
import { detectFormat } from '../../../src/formats/registry.ts';
import type { UtteranceRecord } from '../../../src/records/record.ts';
import { fold } from '../../../src/records/text.ts';
import { dataFile, dataFiles, HAS_DATA, NO_DATA, readAll, writeAll } from '../support.ts';

const FORMATS = [rasaYamlFormat, rasaMdFormat, rasaJsonFormat];

const FILES: readonly (readonly [string, string, number, number, number, number])[] = [
  ['rasa-yaml/financial-demo.nlu.yml', 'rasa-yaml', 578, 17, 258, 5],
  ['rasa-yaml/nlu-training-data.banking.yml', 'rasa-yaml', 471, 11, 0, 1],
  ['rasa-yaml/nlu-training-data.car-purchase.yml', 'rasa-yaml', 52, 5, 0, 0],
  ['rasa-legacy/demo-rasa.md', 'rasa-md', 42, 4, 14, 0],
  ['rasa-legacy/demo-rasa.json', 'rasa-json', 42, 4, 14, 0],
  ['rasa-legacy/demo-rasa_zh.json', 'rasa-json', 42, 5, 9, 1],
];

/** Rows beyond the first of their text. */
function duplicates(records: readonly UtteranceRecord[]): number {
  return records.length - new Set(records.map(({ text }) => text)).size;
}

test.skipIf(!HAS_DATA).each(FILES)(
  `%s (%s) has %i rows, %i intents, %i entities and %i exact duplicates${NO_DATA}`,
  async (path, name, rowCount, intentCount, entityCount, duplicateCount) => {
    const bytes = await dataFile(path);
    const { format, reason } = detectFormat(bytes.subarray(0, 65_536), 'data');
    expect([format.name, reason]).toEqual([name, 'by its content']);
    const { records, problems, lines } = await readAll(format, bytes);
    expect(problems).toEqual([]);
    expect(records).toHaveLength(rowCount);
    expect(new Set(records.map(({ intent }) => intent)).size).toBe(intentCount);
    expect(records.reduce((sum, { entities = [] }) => sum + entities.length, 0)).toBe(entityCount);
    expect(duplicates(records)).toBe(duplicateCount);
    if (name === 'rasa-json') return;
    // Each row is on the line that is told; its marks may stand between the words.
    const text = bytes.toString().split('\n');
    for (const [index, { text: words }] of records.entries()) {
      const line = text[(lines[index] as number) - 1] as string;
      const bare = line.replaceAll(/\](?:\([^)]*\)|\{[^}]*\})|\[/gu, '');
      expect(bare).toContain(words);
    }
  },
);

test.skipIf(!HAS_DATA)(`the one conflict of the financial demo is there${NO_DATA}`, async () => {
  const { records } = await readAll(rasaYamlFormat, await dataFile('rasa-yaml/financial-demo.nlu.yml'));
  const intents = new Map<string, Set<string>>();
  for (const { text, intent } of records) {
    const same = intents.get(fold(text)) ?? new Set();
    intents.set(fold(text), same.add(String(intent)));
  }
  const conflicts = [...intents].filter(([, names]) => names.size > 1);
  expect(conflicts.map(([text, names]) => [text, [...names].sort()])).toEqual([
    ['what places have i spent money', ['check_balance', 'search_transactions']],
  ]);
});

test.skipIf(!HAS_DATA)(`Markdown and JSON of the same demo give the same records${NO_DATA}`, async () => {
  const [markdown, json] = await Promise.all([
    readAll(rasaMdFormat, await dataFile('rasa-legacy/demo-rasa.md')),
    readAll(rasaJsonFormat, await dataFile('rasa-legacy/demo-rasa.json')),
  ]);
  const sorted = (records: readonly UtteranceRecord[]): string[] => records.map((one) => JSON.stringify(one)).sort();
  expect(sorted(markdown.records)).toEqual(sorted(json.records));
});

test.skipIf(!HAS_DATA).each(FILES)(`%s survives being written as YAML and as JSON${NO_DATA}`, async (path, name) => {
  const reader = FORMATS.find((format) => format.name === name);
  if (reader === undefined) throw new Error(name);
  const { records } = await readAll(reader, await dataFile(path));
  const yaml = await readAll(rasaYamlFormat, await writeAll(rasaYamlFormat, records));
  expect(yaml.records).toEqual(
    records.toSorted((a, b) => (String(a.intent) < String(b.intent) ? -1 : a.intent === b.intent ? 0 : 1)),
  );
  const json = await readAll(rasaJsonFormat, await writeAll(rasaJsonFormat, records));
  expect(json.records).toEqual(records);
});

test.skipIf(!HAS_DATA)(`no file of another format is taken for one of Rasa's${NO_DATA}`, async () => {
  const taken: string[] = [];
  let count = 0;
  for await (const { path, head } of dataFiles()) {
    count++;
    if (FORMATS.some((format) => format.sniff(head, path) > 0)) taken.push(path);
  }
  expect(count).toBeGreaterThan(50);
  expect(taken.sort()).toEqual(FILES.map(([path]) => path).sort());
});
