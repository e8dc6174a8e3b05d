/** Workbooks that we write: read back by our reader and by another program's. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openArchive } from '../../../src/formats/archive.ts';
import { xlsxFormat } from '../../../src/formats/xlsx/xlsx-format.ts';
import type { UtteranceRecord } from '../../../src/records/record.ts';
import { dataFile, HAS_DATA, NO_DATA, readAll, writeAll } from '../support.ts';
import { pythonWith } from '../python.ts';

const RECORDS: readonly UtteranceRecord[] = [
  { text: 'plain', intent: 'a', features: { role: 'agent', age: 5 } },
  { text: 'a "b" & <c>\n\td\r\ne', intent: ['x', 'y'], id: '007', lang: 'en', features: { role: '' } },
  { text: '=1+1', meta: { source: 'web' } },
  { text: 'é 😀 \u200fשלום', intent: '[odd]', entities: [{ start: 2, end: 3, type: 'face', text: '😀' }] },
  { text: '_x0041_ bell \u0007 \uffff _', intent: '3-4' },
];

/** openpyxl reads and writes workbooks without any code of ours. */
const { command: python, note } = pythonWith('openpyxl');

async function partsOf(bytes: Buffer): Promise<Map<string, string>> {
  const { entries } = await openArchive(bytes, 'book.xlsx');
  const parts = await Promise.all(entries.map(async (entry) => [entry.path, String(await entry.read())] as const));
  return new Map(parts);
}

/** What `write` gives for records that come in batches of this size. */
async function written(records: readonly UtteranceRecord[], batchSize: number) {
  const writing = xlsxFormat.write?.(async function* () {
    for (let from = 0; from < records.length; from += batchSize) yield records.slice(from, from + batchSize);
  });
  if (writing === undefined) throw new Error('workbooks can be written');
  return { bytes: Buffer.concat(await Array.fromAsync(writing)), report: writing.report };
}

describe('writing workbooks', () => {
  test('what was written is read back as the same records', async () => {
    const { bytes, report } = await written(RECORDS, 2);
    const read = await readAll(xlsxFormat, bytes);
    expect(read.records).toEqual(RECORDS);
    expect(read.problems).toEqual([]);
    expect(report).toMatchObject({ records: 5, losses: [] });
    expect(read.report.header).toEqual([
      'text',
      'intent',
      'id',
      'lang',
      'entities',
      'features',
      'meta',
      'features.role',
    ]);
  });

  test('all cells are texts, the header stays in sight, and the intents are a list to choose from', async () => {
    const parts = await partsOf((await written(RECORDS, 9)).bytes);
    const sheet = parts.get('xl/worksheets/sheet1.xml') ?? '';
    expect(sheet).toContain('<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>');
    expect(sheet.match(/<c /gu)?.length).toBe(sheet.match(/<c r="[A-Z]+\d+" s="[12]" t="inlineStr">/gu)?.length);
    expect(sheet).toContain('<formula1>intents!$A$1:$A$5</formula1>');
    expect(sheet).toContain('_x005F_x0041_ bell _x0007_ _xFFFF_ _');
    expect(sheet).toContain('_x000D_\ne');
    expect(parts.get('xl/workbook.xml')).toContain('<sheet name="intents" sheetId="2" state="hidden" r:id="rId2"/>');
    const list = [...(parts.get('xl/worksheets/sheet2.xml') ?? '').matchAll(/preserve">([^<]*)</gu)];
    expect(list.map(([, name]) => name)).toEqual(['3-4', '["[odd]"]', 'a', 'x', 'y']);
  });

  test('without intents, or with more than a list can show, there is no list', async () => {
    const many = Array.from({ length: 32_768 }, (_, index) => ({ text: 'x', intent: `i${index}` }));
    for (const records of [[], [{ text: 'a' }], many]) {
      const parts = await partsOf((await written(records, 10_000)).bytes);
      expect(parts.has('xl/worksheets/sheet2.xml')).toBe(false);
      expect(parts.get('xl/worksheets/sheet1.xml')).not.toContain('dataValidation');
    }
    const { bytes } = await written(many.slice(1), 10_000);
    expect((await partsOf(bytes)).get('xl/worksheets/sheet1.xml')).toContain('$A$1:$A$32767<');
  });

  test('the same records give the same bytes, however they are cut into batches', async () => {
    const records = Array.from({ length: 5000 }, (_, index) => ({
      text: `text ${index} ${'x'.repeat(90)}`,
      intent: 'a',
    }));
    const { bytes } = await written(records, 5000);
    for (const batchSize of [1, 7, 999]) expect((await written(records, batchSize)).bytes.equals(bytes)).toBe(true);
  });

  test('what does not fit into a cell is counted as lost, with its record where that needs it', async () => {
    const long = 'x'.repeat(32_768);
    const { bytes, report } = await written(
      [
        { text: long, intent: 'a' },
        { text: 'b', intent: 'a', features: { note: long, short: 'y' }, meta: { long } },
      ],
      2,
    );
    expect((await readAll(xlsxFormat, bytes)).records).toEqual([{ text: 'b', intent: 'a', features: { short: 'y' } }]);
    expect(report.records).toBe(1);
    expect(report.losses.map(({ field, count }) => [field, count])).toEqual([
      ['record', 1],
      ['meta', 1],
      ['features', 1],
    ]);
  });

  test('formulas are disarmed on request only, and armed again exactly', async () => {
    const records = [
      { text: '=cmd()', intent: '@x' },
      { text: "'=cmd()", intent: 'x' },
    ];
    const bytes = await writeAll(xlsxFormat, records, { escapeFormulas: true });
    expect((await readAll(xlsxFormat, bytes)).records[0]?.text).toBe("'=cmd()");
    expect((await readAll(xlsxFormat, bytes, { unescapeFormulas: true })).records).toEqual(records);
  });

  test.skipIf(!HAS_DATA)(`real tables survive the way through a workbook${NO_DATA}`, async () => {
    const map = { text: 'Question' };
    const { records } = await readAll(xlsxFormat, await dataFile('xlsx-tsv/SampleV2QnAs.xlsx'), { map });
    const { bytes, report } = await written(records, 4);
    expect(report.losses).toEqual([]);
    expect((await readAll(xlsxFormat, bytes)).records).toEqual(records);
  });
});

describe('workbooks and another program', () => {
  const script = `
import json, sys
import openpyxl
book = openpyxl.load_workbook(sys.argv[1])
sheet = book['utterances']
rows = [[cell for cell in row] for row in sheet.iter_rows(values_only=True)]
lists = [[v.type, v.formula1, str(v.sqref)] for v in sheet.data_validations.dataValidation]
print(json.dumps({'rows': rows, 'lists': lists, 'freeze': sheet.freeze_panes, 'state': book['intents'].sheet_state,
  'formats': sorted({cell.number_format for row in sheet.iter_rows() for cell in row if cell.value is not None})}))
sheet['B2'] = 'changed'
sheet['B4'] = 17
sheet.append(['typed', 'x'])
book.save(sys.argv[2])
`;

  test.skipIf(python === undefined)(`openpyxl reads what we write, and we read what it saves${note}`, async () => {
    // It does not decode escapes, so there are none.
    const records = RECORDS.slice(0, 4).map((record) => ({ ...record, text: record.text.replaceAll('\r', '') }));
    const folder = mkdtempSync(join(tmpdir(), 'uttr-xlsx-'));
    try {
      const [ours, theirs] = [join(folder, 'ours.xlsx'), join(folder, 'theirs.xlsx')];
      writeFileSync(ours, await writeAll(xlsxFormat, records));
      const seen = JSON.parse(execFileSync(python ?? '', ['-c', script, ours, theirs], { encoding: 'utf8' })) as {
        readonly rows: readonly (readonly (string | null)[])[];
      };
      const texts = records.map(({ text }) => text);
      expect(seen.rows.map(([text]) => text)).toEqual(['text', ...texts]);
      expect(seen.rows[2]?.slice(1, 4)).toEqual(['["x","y"]', '007', 'en']);
      expect(seen).toMatchObject({
        freeze: 'A2',
        state: 'hidden',
        formats: ['@'],
        lists: [['list', 'intents!$A$1:$A$4', 'B2:B1048576']],
      });
      const read = await readAll(xlsxFormat, readFileSync(theirs));
      expect(read.records.map(({ text }) => text)).toEqual([texts[0], texts[1], texts[3], 'typed']);
      expect(read.records[0]).toEqual({ ...records[0], intent: 'changed' });
      expect(read.problems.map(({ pointer, message }) => [pointer, message])).toEqual([
        ['utterances!B4', '"intent" is the number 17, not a text'],
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
