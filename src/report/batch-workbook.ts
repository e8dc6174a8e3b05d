/**
 * The report of a batch as a workbook: a sheet with the rows, to filter and to mend, and a sheet with the totals.
 *
 * Texts are given back as they were, in cells that stay texts. The rows with a problem are marked by a fill, and the
 * problem stands beside them, so colour says nothing alone. The same report gives the same bytes.
 */
import { throwIfAborted, UttrError } from '../base/errors.ts';
import { type PackedFile, writeArchive } from '../formats/archive.ts';
import { columnLetters } from '../formats/xlsx/cell-address.ts';
import { CELL_CHARACTERS, encodeText } from '../formats/xlsx/cell-text.ts';
import type { BatchReport, BatchReportRow } from './batch-report.ts';

/** Rows of a sheet, of which the header takes one. */
const SHEET_ROWS = 1_048_576;

const PIECE_CHARACTERS = 256 * 1024;

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const CONTENT = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

/** What uttr says of a row, with the widths of the columns, in characters. */
const OWN_COLUMNS = [
  ['effect', 12],
  ['problem', 60],
  ['place', 24],
  ['file', 24],
  ['row', 8],
] as const satisfies readonly (readonly [keyof BatchReportRow, number])[];

const WIDTHS: Readonly<Record<string, number>> = { text: 70, intent: 28, entities: 40 };
const USUAL_WIDTH = 16;

/**
 * Writes the workbook.
 *
 * @param rowLimit rows of a sheet, with its header
 * @throws bad-option when there are more rows; aborted
 */
export async function* batchWorkbook(
  report: BatchReport,
  signal?: AbortSignal,
  rowLimit = SHEET_ROWS,
): AsyncGenerator<Buffer> {
  yield* writeArchive(partsOf(report, rowSheet(report, rowLimit, signal)));
}

function* partsOf(report: BatchReport, rows: AsyncIterable<Uint8Array>): Generator<PackedFile> {
  const part = (path: string, text: string): PackedFile => ({ path, bytes: Buffer.from(XML + text) });
  yield part('[Content_Types].xml', CONTENT_TYPES);
  yield part('_rels/.rels', relationships([['officeDocument', 'xl/workbook.xml']]));
  yield part('xl/workbook.xml', WORKBOOK);
  const related = [
    ['worksheet', 'worksheets/sheet1.xml'],
    ['worksheet', 'worksheets/sheet2.xml'],
    ['styles', 'styles.xml'],
  ] as const;
  yield part('xl/_rels/workbook.xml.rels', relationships(related));
  yield part('xl/styles.xml', STYLES);
  yield { path: 'xl/worksheets/sheet1.xml', bytes: rows };
  yield part('xl/worksheets/sheet2.xml', totalSheet(report));
}

async function* rowSheet(
  { rows, columns }: BatchReport,
  limit: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  // What a reader of batches knows comes first. Whoever adds the workbook again means those columns, not uttr's.
  const theirs = columns();
  const widths = [...theirs.map((name) => WIDTHS[name] ?? USUAL_WIDTH), ...OWN_COLUMNS.map(([, width]) => width)];
  const header = [...theirs, ...OWN_COLUMNS.map(([name]) => `uttr_${name}`)];
  let number = 1;
  let text = `${XML}${sheetHead(widths, true)}${sheetRow(number, header, STYLE.header)}`;
  for await (const batch of rows) {
    throwIfAborted(signal);
    for (const row of batch) {
      if (number === limit) throw tooManyRows(limit);
      const cells = [...theirs.map((_, index) => row.cells[index] ?? ''), ...OWN_COLUMNS.map(([name]) => row[name])];
      text += sheetRow(++number, cells, row.problem === '' ? STYLE.plain : STYLE.problem);
    }
    if (text.length < PIECE_CHARACTERS) continue;
    yield Buffer.from(text);
    text = '';
  }
  const filter = `<autoFilter ref="A1:${columnLetters(header.length - 1)}${number}"/>`;
  yield Buffer.from(`${text}</sheetData>${filter}</worksheet>`);
}

function tooManyRows(limit: number): UttrError {
  return new UttrError('bad-option', `the batch has more rows than a sheet has room for, ${limit - 1}`, {
    hint: 'write the report as .html, or add the batch in parts',
  });
}

function totalSheet({ dataset, title, counts, intents }: BatchReport): string {
  let number = 0;
  const row = (cells: readonly (string | number)[], style: number): string => sheetRow(++number, cells, style);
  const lines = [
    row([title], STYLE.header),
    row(['dataset', dataset], STYLE.plain),
    ...Object.entries(counts).map((entry) => row(entry, STYLE.plain)),
    row([], STYLE.plain),
    row(['intent', 'before', 'after', 'change'], STYLE.header),
    ...intents.map(({ intent, before, after }) => row([intent, before, after, after - before], STYLE.plain)),
  ];
  return `${sheetHead([40, 16, 16, 16], false)}${lines.join('')}</sheetData></worksheet>`;
}

/** A row; empty cells are left out, but where the row is marked. */
function sheetRow(number: number, cells: readonly (string | number)[], style: number): string {
  let row = `<row r="${number}">`;
  cells.forEach((cell, index) => {
    const format = typeof cell === 'number' && style === STYLE.plain ? STYLE.number : style;
    const head = `<c r="${columnLetters(index)}${number}" s="${format}"`;
    if (typeof cell === 'number') row += `${head}><v>${cell}</v></c>`;
    else if (cell !== '')
      row += `${head} t="inlineStr"><is><t xml:space="preserve">${encodeText(fitting(cell))}</t></is></c>`;
    else if (style === STYLE.problem) row += `${head}/>`;
  });
  return `${row}</row>`;
}

/** As much of a text as a cell holds: a batch is shown as it came, however odd. */
function fitting(text: string): string {
  if (text.length <= CELL_CHARACTERS) return text;
  // Half a surrogate pair at the cut would be no character.
  return `${text.slice(0, CELL_CHARACTERS - 1).replace(/[\uD800-\uDBFF]$/u, '')}…`;
}

function sheetHead(widths: readonly number[], isFrozen: boolean): string {
  const columns = widths.map(
    (width, index) => `<col min="${index + 1}" max="${index + 1}" width="${width}" customWidth="1"/>`,
  );
  const pane = isFrozen
    ? '<sheetView tabSelected="1" workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>'
    : '<sheetView workbookViewId="0"/>';
  return `<worksheet xmlns="${MAIN}"><sheetViews>${pane}</sheetViews><cols>${columns.join('')}</cols><sheetData>`;
}

/** Indexes into the formats of cells below. */
const STYLE = { number: 0, plain: 1, header: 2, problem: 3 } as const;

const FONT = '<sz val="11"/><name val="Calibri"/>';
/** Number format 49 is "text", so that what is typed stays one. The font of a marked row is dark in any theme. */
const STYLES =
  `<styleSheet xmlns="${MAIN}"><fonts count="3"><font>${FONT}</font><font><b/>${FONT}</font><font><sz val="11"/><color rgb="FF3A2A00"/><name val="Calibri"/></font></fonts>` +
  '<fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill><fill><patternFill patternType="solid"><fgColor rgb="FFFFE9A8"/><bgColor indexed="64"/></patternFill></fill></fills>' +
  '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>' +
  '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/><xf numFmtId="49" fontId="2" fillId="2" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1" applyFill="1"/></cellXfs>' +
  '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>';

const WORKBOOK = `<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><bookViews><workbookView/></bookViews><sheets><sheet name="rows" sheetId="1" r:id="rId1"/><sheet name="totals" sheetId="2" r:id="rId2"/></sheets></workbook>`;

const CONTENT_TYPES = `<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>${[
  ['/xl/workbook.xml', 'sheet.main'],
  ['/xl/worksheets/sheet1.xml', 'worksheet'],
  ['/xl/worksheets/sheet2.xml', 'worksheet'],
  ['/xl/styles.xml', 'styles'],
]
  .map(([path, type]) => `<Override PartName="${path}" ContentType="${CONTENT}.${type}+xml"/>`)
  .join('')}</Types>`;

function relationships(targets: readonly (readonly [type: string, target: string])[]): string {
  const parts = targets.map(
    ([type, target], index) => `<Relationship Id="rId${index + 1}" Type="${RELATIONS}/${type}" Target="${target}"/>`,
  );
  return `<Relationships xmlns="${PACKAGE}/relationships">${parts.join('')}</Relationships>`;
}
