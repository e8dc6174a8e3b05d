import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openArchive } from '../../src/formats/archive.ts';
import { xlsxFormat } from '../../src/formats/xlsx/xlsx-format.ts';
import { batchWorkbook } from '../../src/report/batch-workbook.ts';
import { readAll } from '../formats/support.ts';
import { bytesOf, reportOf, reportRow } from './support.ts';
import { pythonWith } from '../formats/python.ts';

const { command: python, note } = pythonWith('openpyxl');

const ROWS = [
  reportRow({ text: ' =1+1 <b>&  ', row: 1 }),
  reportRow({ text: 'שלום\u200b', row: 2, effect: 'conflict', problem: 'the text has the label "x"', intent: '' }),
  reportRow({ text: 'a\u0007_x0041_', row: 3, effect: 'unchanged' }),
];

async function partOf(path: string, rows = ROWS): Promise<string> {
  const archive = await openArchive(await bytesOf(batchWorkbook(reportOf(rows))), 'report.xlsx');
  return ((await archive.entries.find((entry) => entry.path === path)?.read()) ?? '').toString();
}

describe('the workbook of a batch', () => {
  test('gives every text back as it was, with its effect and its problem beside it', async () => {
    const { records } = await readAll(
      xlsxFormat,
      await bytesOf(batchWorkbook(reportOf([ROWS[0], ROWS[2]] as typeof ROWS))),
    );
    expect(records.map(({ text, intent }) => [text, intent])).toEqual([
      ['=1+1 <b>&', 'greet'],
      ['a\u0007_x0041_', 'greet'],
    ]);
    // What is not of the batch is passed over when the workbook is added again.
    expect(Object.keys(records[0] ?? {})).toEqual(['text', 'intent']);
    const sheet = await partOf('xl/worksheets/sheet1.xml');
    expect(sheet).toContain('uttr_problem');
    expect(sheet).toContain('batch.csv:2');
  });

  test('has a header that stays, widths and a filter, and marks the rows with a problem', async () => {
    const sheet = await partOf('xl/worksheets/sheet1.xml');
    expect(sheet).toContain('state="frozen"');
    expect(sheet).toContain('<col min="1" max="1" width="70"');
    expect(sheet).toContain('<autoFilter ref="A1:G4"/>');
    const marked = [...sheet.matchAll(/<c r="([A-Z]+\d+)" s="3"/gu)].map(([, address]) => address);
    expect(marked).toEqual(['A3', 'B3', 'C3', 'D3', 'E3', 'F3', 'G3']);
  });

  test('has the totals on a sheet of their own', async () => {
    const sheet = await partOf('xl/worksheets/sheet2.xml');
    expect([...sheet.matchAll(/<(?:t xml:space="preserve"|v)>([^<]*)</gu)].map(([, value]) => value)).toEqual(
      'batch.csv into support|dataset|support|rows|3|new|1|intent|before|after|change|greet|3|5|2'.split('|'),
    );
  });

  test('cuts what a cell cannot hold, at a whole character', async () => {
    const sheet = await partOf('xl/worksheets/sheet1.xml', [reportRow({ text: `${'x'.repeat(32_765)}😀 and more` })]);
    expect(sheet).toContain(`${'x'.repeat(32_765)}…<`);
  });

  test('is refused where a sheet has no room for all rows, and fills one to the last', async () => {
    const write = (limit: number): Promise<Buffer> => bytesOf(batchWorkbook(reportOf(ROWS), undefined, limit));
    await expect(write(3)).rejects.toMatchObject({
      code: 'bad-option',
      message: expect.stringContaining('2') as string,
    });
    expect((await write(4)).length).toBeGreaterThan(0);
  });

  test('the same report gives the same bytes', async () => {
    const [once, again] = [await bytesOf(batchWorkbook(reportOf(ROWS))), await bytesOf(batchWorkbook(reportOf(ROWS)))];
    expect(once.equals(again)).toBe(true);
  });

  test.skipIf(python === undefined)(`another program reads it as we wrote it${note}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'uttr-report-'));
    try {
      const path = join(folder, 'report.xlsx');
      writeFileSync(path, await bytesOf(batchWorkbook(reportOf(ROWS))));
      const script =
        'import json,sys,openpyxl\nb=openpyxl.load_workbook(sys.argv[1])\ns=b["rows"]\n' +
        'print(json.dumps([s.freeze_panes,s.auto_filter.ref,[[c.value for c in r] for r in s.iter_rows()],s["A3"].fill.fgColor.rgb,[c.value for c in b["totals"][6]]]))';
      const { stdout, stderr } = spawnSync(python ?? '', ['-c', script, path], { encoding: 'utf8' });
      expect(stderr).toBe('');
      const [frozen, filter, cells, fill, totals] = JSON.parse(stdout) as unknown[];
      expect([frozen, filter, fill]).toEqual(['A2', 'A1:G4', 'FFFFE9A8']);
      expect((cells as unknown[][])[0]).toEqual([
        'text',
        'intent',
        ...['effect', 'problem', 'place', 'file', 'row'].map((name) => `uttr_${name}`),
      ]);
      expect((cells as unknown[][])[1]).toEqual([ROWS[0]?.text, 'greet', 'new', null, 'batch.csv:2', 'batch.csv', 1]);
      expect(totals).toEqual(['intent', 'before', 'after', 'change']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
