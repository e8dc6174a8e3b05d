import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BatchReportRow, checkReportPath, writeBatchReport } from '../../src/report/batch-report.ts';
import { reportOf, reportRow } from './support.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uttr-report-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('a report', () => {
  test('is a page or a workbook by the ending of its file', async () => {
    for (const [name, start] of [
      ['a.html', '<!doctype html>'],
      ['b.HTM', '<!doctype html>'],
      ['c.xlsx', 'PK'],
    ] as const) {
      await writeBatchReport(join(folder, name), reportOf([reportRow()]));
      expect(readFileSync(join(folder, name)).toString('latin1')).toMatch(new RegExp(`^${start}`, 'u'));
    }
    expect(readdirSync(folder).toSorted()).toEqual(['a.html', 'b.HTM', 'c.xlsx']);
  });

  test('is refused for any other ending, before anything is written', async () => {
    for (const name of ['out.csv', 'out', 'out.xls', 'html']) {
      await expect(writeBatchReport(join(folder, name), reportOf([]))).rejects.toMatchObject({
        code: 'bad-option',
        hint: expect.stringContaining('report.html') as string,
      });
      expect(() => checkReportPath(name)).toThrow('a report is written as .html or .xlsx');
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  test('leaves the file as it was where the rows fail, or the work is called off', async () => {
    const failing = async function* (): AsyncGenerator<readonly BatchReportRow[]> {
      yield [reportRow()];
      throw new Error('the batch cannot be read');
    };
    for (const name of ['a.html', 'a.xlsx']) {
      const path = join(folder, name);
      writeFileSync(path, 'old');
      await expect(writeBatchReport(path, reportOf([], { rows: failing() }))).rejects.toThrow('cannot be read');
      await expect(writeBatchReport(path, reportOf([reportRow()]), AbortSignal.abort())).rejects.toMatchObject({
        code: 'aborted',
      });
      expect(readFileSync(path, 'utf8')).toBe('old');
    }
    expect(readdirSync(folder).toSorted()).toEqual(['a.html', 'a.xlsx']);
  });
});
