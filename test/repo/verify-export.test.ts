import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { csvFormat } from '../../src/formats/csv.ts';
import type { Loss } from '../../src/formats/format.ts';
import type { UtteranceRecord } from '../../src/records/record.ts';
import { RecordSum, verifyExport } from '../../src/repo/verify-export.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

const RECORDS: readonly UtteranceRecord[] = [
  { text: 'hello', intent: 'greet' },
  { text: 'bye', intent: 'leave', lang: 'en' },
];

function sumOf(records: readonly UtteranceRecord[]): RecordSum {
  const sum = new RecordSum();
  for (const record of records) sum.add(record);
  return sum;
}

const outcome = async (content: string, records = RECORDS, losses: readonly Loss[] = []): Promise<unknown> => {
  const path = join(temporaryDirectory(), 'train.csv');
  writeFileSync(path, content);
  return verifyExport({ path, name: 'train.csv', format: csvFormat, written: sumOf(records), losses }).then(
    () => 'sound',
    (error: unknown) => (error as Error).message,
  );
};

const loss = (field: string, count = 1): Loss => ({ field, message: 'cannot be carried', count });
const WHOLE = 'text,intent,lang\nbye,leave,en\nhello,greet,\n';
const REFUSED = 'train.csv does not hold what was written to it';

test('a file is sound when it holds the records that went into it, in any order', async () => {
  expect(await outcome(WHOLE)).toBe('sound');
  expect(sumOf(RECORDS.toReversed())).toEqual(sumOf(RECORDS));
});

test('a record, a label or a field that is not there, and was not declared, is found', async () => {
  expect(await outcome('text,intent,lang\nbye,leave,en\n')).toBe(REFUSED);
  expect(await outcome('text,intent,lang\nbye,greet,en\nhello,greet,\n')).toBe(REFUSED);
  expect(await outcome('text,intent\nbye,leave\nhello,greet\n')).toBe(REFUSED);
  expect(await outcome('text,intent,lang\nbye,leave,en\n"",greet,\n')).toBe(`${REFUSED}: "text" is empty`);
});

test('what the writer declares may be gone, and nothing else', async () => {
  expect(await outcome('text,intent\nbye,leave\nhello,greet\n', RECORDS, [loss('lang')])).toBe('sound');
  expect(await outcome('text,intent\nbye,greet\nhello,greet\n', RECORDS, [loss('lang')])).toBe(REFUSED);
  expect(await outcome('text,intent,lang\nbye,leave,en\n', RECORDS, [loss('record')])).toBe('sound');
  expect(await outcome('text,intent,lang\nbye,leave,en\n', RECORDS, [loss('record', 2)])).toBe(REFUSED);
  // Left out for several reasons.
  expect(await outcome('text,intent\n', RECORDS, [loss('record'), loss('record')])).toBe('sound');
});
