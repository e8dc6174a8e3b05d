/** Real files of other people, read as they are published. */
import { expect, test } from 'vitest';
import { csvFormat } from '../../src/formats/csv.ts';
import { detectFormat } from '../../src/formats/registry.ts';
import { dataFile, HAS_DATA, NO_DATA, readAll, writeAll } from './support.ts';

test.skipIf(!HAS_DATA).each([
  ['banking77/train.csv', 10_003, 10],
  ['banking77/test.csv', 3_080, 3],
])(`%s has %i rows, %i of them over several lines${NO_DATA}`, async (path, rowCount, foldedCount) => {
  const bytes = await dataFile(path);
  const { format, reason } = detectFormat(bytes.subarray(0, 65_536), path);
  expect([format.name, reason]).toEqual(['csv', 'by its content']);
  const { records, problems, lines, rows, report } = await readAll(format, bytes);
  expect(problems).toEqual([]);
  expect(records).toHaveLength(rowCount);
  expect(rows.at(-1)).toBe(rowCount);
  expect(new Set(records.map((record) => record.intent)).size).toBe(77);
  expect([...report.columns]).toEqual([
    ['text', 'text'],
    ['category', 'intent'],
  ]);
  const longer = lines.filter((line, index) => (lines[index + 1] ?? line + 1) - line > 1);
  expect(longer).toHaveLength(foldedCount);
  expect(bytes.toString().split('\n')[(lines.at(-1) as number) - 1]).toContain(records.at(-1)?.text);
});

test.skipIf(!HAS_DATA)(`BANKING77 survives being written and read${NO_DATA}`, async () => {
  const { records } = await readAll(csvFormat, await dataFile('banking77/train.csv'));
  expect((await readAll(csvFormat, await writeAll(csvFormat, records))).records).toEqual(records);
});

test.skipIf(!HAS_DATA)(`CLINC150 has 23,700 pairs in the six parts of its own split${NO_DATA}`, async () => {
  const bytes = await dataFile('clinc150/data_full.json');
  const { format } = detectFormat(bytes.subarray(0, 65_536), 'data_full.json');
  expect(format.name).toBe('json');
  const { records, problems, report, splits, lines } = await readAll(format, bytes);
  expect(problems).toEqual([]);
  expect(records).toHaveLength(23_700);
  expect(Object.fromEntries(report.split?.values ?? [])).toEqual({
    train: 15_000,
    val: 3_000,
    test: 4_500,
    oos_train: 100,
    oos_val: 100,
    oos_test: 1_000,
  });
  expect(splits.every((split) => split !== undefined)).toBe(true);
  const text = bytes.toString().split('\n');
  expect(text[lines[20_000] as number]).toContain(JSON.stringify(records[20_000]?.text));
});

test.skipIf(!HAS_DATA)(`a real TSV with a mark is read with a mapping${NO_DATA}`, async () => {
  const bytes = await dataFile('xlsx-tsv/SampleV2QnAs.tsv');
  const { format } = detectFormat(bytes.subarray(0, 65_536), 'SampleV2QnAs.tsv');
  expect(format.name).toBe('tsv');
  const { records, problems, report } = await readAll(format, bytes, { map: { text: 'Question' } });
  expect(problems).toEqual([]);
  expect(records.length).toBeGreaterThan(5);
  expect(records[0]?.text).toBe('Why did Microsoft develop the Bot Framework?');
  expect(records[0]?.features).toHaveProperty('Answer');
  expect(report.header?.[0]).toBe('Question');
});

test.skipIf(!HAS_DATA)(`a workbook that is read as text is refused by what it is${NO_DATA}`, async () => {
  await expect(readAll(csvFormat, await dataFile('xlsx-tsv/ReportedIssues.xlsx'))).rejects.toMatchObject({
    code: 'bad-format',
    message: expect.stringContaining('an Excel workbook'),
    hint: expect.stringContaining('leave out --format'),
  });
});
