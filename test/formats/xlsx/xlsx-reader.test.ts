import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rejectsFormatter } from '../../../src/formats/rejects.ts';
import type { RowProblem } from '../../../src/formats/format.ts';
import { detectArchive, HEAD_BYTES } from '../../../src/formats/registry.ts';
import { xlsxFormat } from '../../../src/formats/xlsx/xlsx-format.ts';
import { openArchive } from '../../../src/formats/archive.ts';
import { csvFormat } from '../../../src/formats/csv.ts';
import { DATA, dataFile, HAS_DATA, NO_DATA, readAll } from '../support.ts';
import { built, row } from './built-workbook.ts';

const HEADER = row('text', 'intent');

/** Problems as `cell column message`. */
function shown(problems: readonly RowProblem[]): string[] {
  return problems.map(({ pointer, column, message }) => `${pointer ?? '-'} ${column ?? '-'} ${message}`);
}

describe('reading workbooks', () => {
  test('rows become records, with their number in the sheet as line', async () => {
    const { records, rows, lines, report } = await readAll(
      xlsxFormat,
      await built(
        '<row r="2"><c r="A2" t="str"><v>Query</v></c><c r="C2" t="str"><v>LABEL</v></c><c r="D2" t="str"><v>role</v></c></row>' +
          '<row r="3"><c r="A3" t="str"><v>hi</v></c><c r="C3" t="str"><v>greet</v></c></row>' +
          '<row r="6"><c r="A6" t="str"><v>bye 😀</v></c><c r="C6" t="str"><v>leave</v></c><c r="D6" t="str"><v>agent</v></c></row>',
      ),
    );
    expect(records).toEqual([
      { text: 'hi', intent: 'greet' },
      { text: 'bye 😀', intent: 'leave', features: { role: 'agent' } },
    ]);
    expect([rows, lines]).toEqual([
      [1, 2],
      [3, 6],
    ]);
    expect(report.notes).toEqual([expect.objectContaining({ code: 'blank-rows', count: 2 })]);
    expect([...report.columns]).toEqual([
      ['Query', 'text'],
      ['LABEL', 'intent'],
      ['role', 'features.role'],
    ]);
  });

  test('shared strings are joined from their runs, without reading aids, and may hold any character', async () => {
    const strings = [
      '<si><t>text</t></si>',
      '<si><r><rPr><b/></rPr><t xml:space="preserve">fly to </t></r><r><t>Oslo</t></r></si>',
      '<si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh></si>',
      '<si><t>a_x000D_&#10;b &amp; &lt;c&gt; _x005F_x0041_ _xD83D__xDE00_<![CDATA[<d>]]></t></si>',
      '<si/>',
    ];
    const { records, problems } = await readAll(
      xlsxFormat,
      await built({
        strings: strings.join(''),
        sheets: [{ rows: [0, 1, 2, 3, 4, 9].map((index) => row(`<c t="s"><v>${index}</v></c>`)).join('') }],
      }),
    );
    expect(records.map(({ text }) => text)).toEqual(['fly to Oslo', '東京', 'a\r\nb & <c> _x0041_ 😀<d>']);
    expect(shown(problems)).toEqual(['Sheet1!A6 text "text" refers to the text 9, which is not in the file']);
  });

  test('inline strings, prefixed names and cells without an address are read', async () => {
    const xml =
      HEADER + '<row><c t="inlineStr"><is><r><t>a</t></r><r><t> b</t></r></is></c><c t="str"><v>x</v></c></row>';
    const prefixed = xml.replaceAll(/<(\/?)(\w)/gu, '<$1x:$2');
    for (const rows of [xml, prefixed]) {
      expect((await readAll(xlsxFormat, await built(rows))).records).toEqual([{ text: 'a b', intent: 'x' }]);
    }
  });

  test('a text or an intent that the spreadsheet made a number or a date of is a problem of its cell', async () => {
    const styles =
      '<numFmts><numFmt numFmtId="170" formatCode="[$-409]d\\-mmm;@"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs>';
    const { records, problems, report } = await readAll(
      xlsxFormat,
      await built({
        styles,
        sheets: [
          {
            name: "Bob's data",
            rows:
              HEADER +
              row('<c><v>1</v></c>', 'x') +
              row('<c s="1"><v>45355</v></c>', 'x') +
              row('ok', '<c t="b"><v>1</v></c>') +
              row('ok', '<c t="e"><v>#N/A</v></c>') +
              row('1', '3-4') +
              row('ok', '<c t="d"><v>2024-03-04</v></c>'),
          },
        ],
      }),
    );
    expect(records).toEqual([{ text: '1', intent: '3-4' }]);
    expect(shown(problems)).toEqual([
      `'Bob''s data'!A2 text "text" is the number 1, not a text`,
      `'Bob''s data'!A3 text "text" is the date 2024-03-04, not a text`,
      `'Bob''s data'!B4 intent "intent" is the truth value TRUE, not a text`,
      `'Bob''s data'!B5 intent "intent" is the error #N/A`,
      `'Bob''s data'!B7 intent "intent" is the date 2024-03-04, not a text`,
    ]);
    expect(report).toMatchObject({ rows: 6, accepted: 1, rejected: 5 });
  });

  test('other columns have numbers, dates, times and truth values as a table of texts has them', async () => {
    const styles =
      '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="20"/><xf numFmtId="46"/></cellXfs>';
    const cells = ['0.10000000000000001', '-7', '1.5E3'].map((value) => `<c><v>${value}</v></c>`);
    const dates = ['1 45355', '2 45355.520833333336', '3 0.25', '4 1.5', '1 1', '1 60', '1 61'].map((pair) => {
      const [style, value] = pair.split(' ');
      return `<c s="${style}"><v>${value}</v></c>`;
    });
    const names = 'a b c d e f g h i j k l'.split(' ');
    const sheet = {
      rows: row('text', ...names) + row('x', ...cells, ...dates, '<c t="b"><v>0</v></c>', '<c t="e"><v>#REF!</v></c>'),
    };
    const { records, report } = await readAll(xlsxFormat, await built({ styles, sheets: [sheet] }));
    expect(Object.values(records[0]?.features ?? {})).toEqual([
      '0.1',
      '-7',
      '1500',
      '2024-03-04',
      '2024-03-04T12:30:00',
      '06:00:00',
      '36:00:00',
      '1900-01-01',
      '1900-02-29',
      '1900-03-01',
      'FALSE',
    ]);
    expect(report.notes.map(({ message }) => message)).toEqual([
      expect.stringContaining('an error instead of a value'),
    ]);
    const later = await built({ styles, sheets: [sheet], properties: '<workbookPr date1904="1"/>' });
    expect((await readAll(xlsxFormat, later)).records[0]?.features).toMatchObject({ d: '2028-03-05', h: '1904-01-02' });
  });

  test('ids may be whole numbers, unless a spreadsheet cannot have kept their digits', async () => {
    const cells = ['17', '1E3', '1.2E+15', '1.5', 'x'].map((value) => `<c><v>${value}</v></c>`);
    const { records, problems } = await readAll(
      xlsxFormat,
      await built(row('text', 'id') + cells.map((cell) => row('hi', cell)).join('')),
    );
    expect(records.map(({ id }) => id)).toEqual(['17', '1000']);
    expect(shown(problems)).toEqual([
      'Sheet1!B4 id "id" is the number 1200000000000000, of which digits may be lost: make it a text',
      'Sheet1!B5 id "id" is the number 1.5, of which digits may be lost: make it a text',
      'Sheet1!B6 id "id" holds "x", which is no number',
    ]);
  });

  test('formulas give the value that was computed, and that is said; without one, the row is a problem', async () => {
    const { records, problems, report } = await readAll(
      xlsxFormat,
      await built(
        HEADER +
          row('<c t="str"><f>A1&amp;"b"</f><v>ab</v></c>', 'x') +
          row('<c><f>1+1</f></c>', 'x') +
          row('y', '<c t="s"><f>A1</f><v/></c>'),
      ),
    );
    expect(records).toEqual([{ text: 'ab', intent: 'x' }]);
    expect(shown(problems)).toEqual([
      'Sheet1!A3 text "text" is a formula whose value is not in the file',
      'Sheet1!B4 intent "intent" is a formula whose value is not in the file',
    ]);
    expect(report.notes).toEqual([expect.objectContaining({ message: expect.stringContaining('formulas'), count: 3 })]);
  });

  test('cells merged over several rows have their value in each; those of the header do not', async () => {
    const { records, report } = await readAll(
      xlsxFormat,
      await built({
        sheets: [
          {
            rows: HEADER + row('a', 'x') + row('b') + '<row r="5"><c t="str"><v>c</v></c></row>' + row('d', 'y'),
            after: '<mergeCells><mergeCell ref="B1:C1"/><mergeCell ref="B2:B5"/><mergeCell ref="A1:A9"/></mergeCells>',
          },
        ],
      }),
    );
    expect(records).toEqual([
      { text: 'a', intent: 'x' },
      { text: 'b', intent: 'x' },
      { text: 'c', intent: 'x' },
      { text: 'd', intent: 'y' },
    ]);
    expect(report.notes.map(({ code, count }) => [code, count])).toEqual([
      ['mended', 2],
      ['blank-rows', 1],
    ]);
  });

  test('hidden rows are read and counted; empty rows at the end are nothing', async () => {
    const { records, report } = await readAll(
      xlsxFormat,
      await built(
        HEADER +
          '<row hidden="1"><c t="str"><v>a</v></c><c t="str"><v>x</v></c></row>' +
          '<row><c s="0"/></row>'.repeat(500),
      ),
    );
    expect(records).toEqual([{ text: 'a', intent: 'x' }]);
    expect(report.notes).toEqual([
      { code: 'side-information', message: 'rows that the sheet hides were read like the others', count: 1 },
    ]);
  });

  test('of several sheets, the first visible one with a text is read, and the others are named', async () => {
    const sheets = [
      { name: 'Chart', rows: '', type: 'chartsheet' },
      { name: 'Hidden', state: 'veryHidden', rows: HEADER + row('no', 'no') },
      { name: 'About', rows: row('made by', 'me') },
      { name: 'Empty', rows: '' },
      { name: 'Data', rows: HEADER + row('a', 'x') },
      { name: 'More', rows: HEADER + row('b', 'x') },
    ];
    const bytes = await built({ sheets, files: [{ path: 'xl/vbaProject.bin', bytes: Buffer.from('x') }] });
    const { records, report } = await readAll(xlsxFormat, bytes);
    expect(records).toEqual([{ text: 'a', intent: 'x' }]);
    expect(report.notes).toEqual([
      {
        code: 'ignored',
        message: 'the sheet "Data" was read; other sheets were not: "Hidden" (hidden), "About", "Empty", "More"',
        count: 4,
      },
      expect.objectContaining({ message: expect.stringContaining('macros') }),
    ]);
    const mapped = await readAll(xlsxFormat, bytes, { map: { text: 'made by' } });
    expect(mapped.report.header).toEqual(['made by', 'me']);
    const headerless = await readAll(xlsxFormat, bytes, { columns: ['intent', 'text'] });
    expect(headerless.records).toEqual([{ text: 'me', intent: 'made by' }]);
  });

  test('columns can be given where there is no header', async () => {
    const { records, lines } = await readAll(xlsxFormat, await built(row('hi', 'greet') + row('yo', 'greet')), {
      columns: ['text', 'intent'],
    });
    expect(records).toEqual([
      { text: 'hi', intent: 'greet' },
      { text: 'yo', intent: 'greet' },
    ]);
    expect(lines).toEqual([1, 2]);
  });

  test('other problems name their cell, too, and refused rows can be mended as CSV', async () => {
    const { records, problems, report } = await readAll(
      xlsxFormat,
      await built(
        row('Text', 'label', 'entities') +
          row('fly to Oslo', 'go', '[{"start":0,"end":99,"type":"city","text":"Oslo"}]') +
          row('a', '') +
          row('b, "c"', 'x', '[]', '<c/>', 'note') +
          row('d', 'x', 'no list') +
          row('e', 'x'),
      ),
    );
    expect(records).toEqual([{ text: 'e', intent: 'x' }]);
    expect(problems.map(({ pointer, line, column }) => [pointer, line, column])).toEqual([
      ['Sheet1!C2', 2, 'entities[0]'],
      ['Sheet1!B3', 3, 'label'],
      ['Sheet1!E4', 4, undefined],
      ['Sheet1!C5', 5, 'entities'],
    ]);
    const rejects = rejectsFormatter(report);
    const text = rejects.head() + rejects.rows(problems);
    expect(rejects.extension).toBe('.csv');
    expect(text.split('\n').slice(0, 3)).toEqual([
      'Text,label,entities,uttr_problem',
      expect.stringContaining('fly to Oslo,go,'),
      'a,,,"""intent"" is empty"',
    ]);
    const mended = await readAll(csvFormat, text.replace('a,,', 'a,y,').replace('no list', '[]'));
    expect(mended.records).toEqual([
      { text: 'a', intent: 'y' },
      { text: 'd', intent: 'x' },
    ]);
  });

  test('a split is passed on, formulas that were disarmed are armed again on request', async () => {
    const bytes = await built(row('text', 'split') + row("'=a", 'train') + row('b', 'test'));
    const { records, splits } = await readAll(xlsxFormat, bytes, { unescapeFormulas: true });
    expect(records).toEqual([{ text: '=a' }, { text: 'b' }]);
    expect(splits).toEqual(['train', 'test']);
    expect((await readAll(xlsxFormat, bytes)).records[0]).toEqual({ text: "'=a" });
  });

  test('a cell with more characters than a spreadsheet holds is a problem', async () => {
    const long = 'x'.repeat(32_768);
    const bytes = await built({
      strings: `<si><t>${long}</t></si><si><t>${'_x0041_'.repeat(40_000)}</t></si><si><t>${long.slice(1)}</t></si>`,
      sheets: [
        {
          rows:
            row('text', 'note') +
            row('a', long) +
            row(`<c t="inlineStr"><is><t>${long}</t></is></c>`) +
            [0, 1, 2].map((index) => row('b', `<c t="s"><v>${index}</v></c>`)).join(''),
        },
      ],
    });
    const { records, problems } = await readAll(xlsxFormat, bytes);
    expect(records).toEqual([{ text: 'b', features: { note: long.slice(1) } }]);
    expect(problems.map(({ pointer, raw }) => [pointer, raw])).toEqual([
      ['Sheet1!B2', undefined],
      ['Sheet1!A3', undefined],
      ['Sheet1!B4', undefined],
      ['Sheet1!B5', undefined],
    ]);
    expect(problems[0]?.message).toBe('"note" has more than 32767 characters');
  });
});

describe('workbooks that cannot be read', () => {
  test.each([
    ['<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>', 'declares a document type'],
    ['<?xml version="1.0" encoding="ISO-8859-1"?>', 'is in ISO-8859-1'],
  ])('%s is refused', async (start, message) => {
    const hostile = await builtWith(Buffer.from(`${start}<styleSheet>&b;</styleSheet>`));
    await expect(readAll(xlsxFormat, hostile)).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining(message),
    });
  });

  test.each([
    ['an entity of its own', row('text') + row('&a;'), 'not well-formed'],
    ['tags that do not match', '<row><c></row>', 'not well-formed'],
    ['a NUL', row('\0'), 'not well-formed'],
    ['rows out of order', '<row r="2"/><row r="1"/>', 'row "1" follows row 2'],
    ['a row beyond the last', '<row r="1048577"/>', 'row "1048577"'],
    ['a row that is no number', '<row r="x"/>', 'row "x"'],
    ['cells out of order', '<row><c r="B1"/><c r="A1"/></row>', 'the cell "A1" in row 1 is out of place'],
    ['a column beyond the last', '<row><c r="XFE1"/></row>', 'out of place'],
    ['a cell without letters', '<row><c r="17"/></row>', 'out of place'],
    ['too many cells', `<row>${'<c/>'.repeat(16_385)}</row>`, 'cell 16385 in row 1 is out of place'],
    ['too many columns', row(...Array.from({ length: 2001 }, (_, index) => `c${index}`)), 'more than 2000 columns'],
    ['a header with an error', row('text', '<c t="e"><v>#REF!</v></c>'), 'Sheet1!B1 is the error #REF!'],
    ['two columns of one name', row('text', 'a', 'a'), 'both called'],
    ['a reserved name', row('text', '__proto__'), 'may not be called'],
    ['a value below no name', row('text', '', 'a') + row('x', 'y', 'z'), 'column 2 has no name'],
    ['no rows', '', 'the sheet "Sheet1" is empty'],
  ])('a sheet with %s is refused', async (_, rows, message) => {
    await expect(readAll(xlsxFormat, await built(rows))).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining(message),
    });
  });

  test.each([
    ['tags nested without end', '<x>'.repeat(100_000), 'nested more than'],
    ['a text without end', `<x>${'0123456789abcdef'.repeat(200_000)}`, 'too long'],
    ['an attribute without end', `<x a="${'0123456789abcdef'.repeat(200_000)}"`, 'too long'],
  ])('%s are refused without being kept', async (_, xml, message) => {
    await expect(readAll(xlsxFormat, await builtWith(Buffer.from(`<styleSheet>${xml}`)))).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining(message),
    });
  });

  test('a part in UTF-16 is read; bytes that are no text are refused', async () => {
    const xml = '\ufeff<?xml version="1.0" encoding="UTF-16"?><styleSheet/>';
    for (const bytes of [Buffer.from(xml, 'utf16le'), Buffer.from(xml, 'utf16le').swap16()]) {
      expect((await readAll(xlsxFormat, await builtWith(bytes))).records).toEqual([{ text: 'a', intent: 'x' }]);
    }
    await expect(readAll(xlsxFormat, await builtWith(Buffer.from('<a>\xe9</a>', 'latin1')))).rejects.toMatchObject({
      message: expect.stringContaining('not UTF-8'),
    });
  });

  test('what is no workbook is refused by what it is', async () => {
    await expect(readAll(xlsxFormat, 'text,label\na,b\n')).rejects.toMatchObject({
      message: 'memory is a text, not a workbook',
    });
    await expect(readAll(xlsxFormat, Buffer.from('d0cf11e0a1b11ae1', 'hex'))).rejects.toMatchObject({
      message: expect.stringContaining('with a password'),
    });
    const hidden = await built({ sheets: [{ rows: HEADER, state: 'hidden' }] });
    await expect(readAll(xlsxFormat, hidden)).rejects.toMatchObject({ message: 'memory has no visible sheet' });
    const lost = await built({
      sheets: [{ rows: HEADER }],
      properties: '<sheets><sheet name="lost" r:id="r9"/></sheets>',
    });
    await expect(readAll(xlsxFormat, lost)).rejects.toMatchObject({
      message: expect.stringContaining('the sheet "lost" is not there'),
    });
  });

  test('where no sheet has a text, the error shows the header of the first one', async () => {
    const bytes = await built({ sheets: [{ rows: '' }, { rows: row('a', 'b') }, { rows: row('c') }] });
    await expect(readAll(xlsxFormat, bytes)).rejects.toMatchObject({
      code: 'missing-column',
      message: expect.stringContaining('"a", "b"'),
    });
  });
});

/** A workbook with this as its styles, which are read before any row. */
function builtWith(styles: Buffer): Promise<Buffer> {
  const files = [{ path: 'xl/odd.xml', bytes: styles }];
  return built({ sheets: [{ rows: HEADER + row('a', 'x') }], files, stylesPath: 'odd.xml' });
}

describe('real workbooks', () => {
  test.skipIf(!HAS_DATA)(`no file of another format is taken for a workbook${NO_DATA}`, async () => {
    const files = await readdir(DATA, { recursive: true, withFileTypes: true });
    const taken: string[] = [];
    for (const file of files.filter((entry) => entry.isFile())) {
      const head = (await readFile(join(file.parentPath, file.name))).subarray(0, HEAD_BYTES);
      if (xlsxFormat.sniff(head, file.name) > 0) taken.push(file.name);
    }
    expect(taken.sort()).toEqual(['ReportedIssues.xlsx', 'SampleV2QnAs.xlsx']);
    expect(xlsxFormat.sniffArchive?.(['agent.json', 'intents/a.json', 'xl.json'])).toBe(0);
  });

  test.skipIf(!HAS_DATA)(`what a server library wrote is read as its TSV${NO_DATA}`, async () => {
    const map = { text: 'Question' };
    const book = await readAll(xlsxFormat, await dataFile('xlsx-tsv/SampleV2QnAs.xlsx'), { map });
    const table = await readAll(csvFormat, await dataFile('xlsx-tsv/SampleV2QnAs.tsv'), { map, delimiter: '\t' });
    expect(book.problems).toEqual([]);
    expect(book.records.length).toBe(11);
    expect(book.records.map(({ text }) => text)).toEqual(table.records.map(({ text }) => text));
    expect(book.report.header).toEqual(table.report.header);
  });

  test.skipIf(!HAS_DATA)(`what Excel wrote is read${NO_DATA}`, async () => {
    const bytes = await dataFile('xlsx-tsv/ReportedIssues.xlsx');
    const { entries } = await openArchive(bytes, 'x');
    expect(
      detectArchive(
        entries.map(({ path }) => path),
        'x',
      ).format.name,
    ).toBe('xlsx');
    const { records, problems } = await readAll(xlsxFormat, bytes, { map: { text: 'Description' } });
    expect(problems).toEqual([]);
    expect(records).toHaveLength(5);
    expect(records[0]).toEqual({
      text: 'I am calling to report a plumbing issue in my apartment. I am in 2A. My name is Gabriel Diaz. My phone number is 425-555-0122.',
      features: { Issue: '1', __PowerAppsId__: '0LGFSdXX8hs' },
    });
  });
});
