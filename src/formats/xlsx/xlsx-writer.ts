/**
 * Writes a workbook for people who label: the columns of table-columns.ts, a first row that stays in sight, and the
 * intents to choose from.
 *
 * Every cell is a text in a column of texts, so that what is typed into it stays one: "3-4" becomes no date. Texts
 * stand in their cells (`inlineStr`), because a list of shared ones would have to be in memory. The same records give
 * the same bytes, however they are cut into batches.
 */
import { throwIfAborted } from '../../base/errors.ts';
import type { UtteranceRecord } from '../../records/record.ts';
import { type PackedFile, writeArchive } from '../archive.ts';
import { escapeFormula } from '../csv-writer.ts';
import type { RecordSource, WriteOptions } from '../format.ts';
import { intentCell, TableColumns } from '../table-columns.ts';
import type { WriteReportBuilder } from '../write-report.ts';
import { columnLetters } from './cell-address.ts';
import { CELL_CHARACTERS, encodeText } from './cell-text.ts';

const SHEET = 'utterances';
const LIST_SHEET = 'intents';

/** Rows of a sheet, of which the header takes one. */
const SHEET_ROWS = 1_048_576;
/** What a list to choose from shows at most. */
const LIST_LIMIT = 32_767;

const WRITE_CHARACTERS = 256 * 1024;

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const CONTENT = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

/** Columns without which a row is no record, or another one. */
const NEEDED: ReadonlySet<string> = new Set(['text', 'intent', 'id']);

const WIDTHS: Readonly<Record<string, number>> = { text: 70, intent: 28 };
const OTHER_WIDTH = 16;

/** Writes records as a workbook; two passes, the first of which finds the columns and the intents. */
export async function* writeXlsx(
  source: RecordSource,
  options: WriteOptions,
  report: WriteReportBuilder,
): AsyncGenerator<Buffer> {
  const intents = new IntentList();
  const columns = await TableColumns.find(source, options.signal, (record) => intents.add(record));
  const sheet = new SheetWriter(columns, options, report);
  yield* writeArchive(partsOf(intents.names, sheet, source));
}

function* partsOf(intents: readonly string[], sheet: SheetWriter, source: RecordSource): Generator<PackedFile> {
  const hasList = intents.length > 0;
  const part = (path: string, text: string): PackedFile => ({ path, bytes: Buffer.from(XML + text) });
  yield part('[Content_Types].xml', contentTypes(hasList));
  yield part('_rels/.rels', relationships([['officeDocument', 'xl/workbook.xml']]));
  yield part('xl/workbook.xml', workbookPart(hasList));
  const related = [
    ['worksheet', 'worksheets/sheet1.xml'],
    ...(hasList ? [['worksheet', 'worksheets/sheet2.xml'] as const] : []),
    ['styles', 'styles.xml'],
  ] as const;
  yield part('xl/_rels/workbook.xml.rels', relationships(related));
  yield part('xl/styles.xml', STYLES);
  yield { path: 'xl/worksheets/sheet1.xml', bytes: sheet.pieces(source, intents.length) };
  if (hasList) yield part('xl/worksheets/sheet2.xml', listPart(intents));
}

/** The intents of all records, where they are few enough to choose from. */
class IntentList {
  readonly #names = new Set<string>();

  add({ intent }: UtteranceRecord): void {
    if (intent === undefined || this.#names.size > LIST_LIMIT) return;
    for (const name of typeof intent === 'string' ? [intent] : intent) this.#names.add(name);
  }

  /** As a cell has them, in ascending order; none where they do not fit. */
  get names(): readonly string[] {
    return this.#names.size > LIST_LIMIT ? [] : [...this.#names].sort().map((name) => intentCell(name));
  }
}

/** Writes the sheet with the records. */
class SheetWriter {
  readonly #columns: TableColumns;
  readonly #options: WriteOptions;
  readonly #report: WriteReportBuilder;
  readonly #letters: readonly string[];
  readonly #fields: readonly string[];
  #row = 0;

  constructor(columns: TableColumns, options: WriteOptions, report: WriteReportBuilder) {
    this.#columns = columns;
    this.#options = options;
    this.#report = report;
    this.#letters = columns.header.map((_, index) => columnLetters(index));
    this.#fields = columns.header.map((name) => name.replace(/\..*$/su, ''));
  }

  async *pieces(source: RecordSource, intentCount: number): AsyncGenerator<Uint8Array> {
    let text = `${XML}${sheetHead(this.#columns.header)}${this.#rowOf(this.#columns.header, HEADER_STYLE)}`;
    for await (const records of source()) {
      throwIfAborted(this.#options.signal);
      for (const record of records) {
        text += this.#recordRow(record);
        // By length, not by batch: where pieces end decides how they are compressed.
        if (text.length < WRITE_CHARACTERS) continue;
        yield Buffer.from(text);
        text = '';
      }
    }
    yield Buffer.from(`${text}</sheetData>${validation(intentCount)}</worksheet>`);
  }

  /** The row of a record; empty where there is no place for it. */
  #recordRow(record: UtteranceRecord): string {
    if (this.#row === SHEET_ROWS) {
      this.#report.lose('record', `a sheet has room for ${SHEET_ROWS - 1} records`);
      return '';
    }
    const given = this.#columns.cellsOf(record);
    const cells = this.#options.escapeFormulas === true ? given.map(escapeFormula) : given;
    for (let index = 0; index < cells.length; index++) {
      if ((cells[index] as string).length <= CELL_CHARACTERS) continue;
      const field = this.#fields[index] as string;
      if (NEEDED.has(field)) {
        this.#report.lose('record', `a cell holds at most ${CELL_CHARACTERS} characters, and "${field}" has more`);
        return '';
      }
      this.#report.lose(field, `a cell holds at most ${CELL_CHARACTERS} characters`);
      cells[index] = '';
    }
    this.#report.records++;
    return this.#rowOf(cells, TEXT_STYLE);
  }

  #rowOf(cells: readonly string[], style: number): string {
    this.#row++;
    let row = `<row r="${this.#row}">`;
    cells.forEach((cell, index) => {
      if (cell !== '') row += cellPart(`${this.#letters[index] as string}${this.#row}`, cell, style);
    });
    return `${row}</row>`;
  }
}

function cellPart(address: string, text: string, style: number): string {
  return `<c r="${address}" s="${style}" t="inlineStr"><is><t xml:space="preserve">${encodeText(text)}</t></is></c>`;
}

/** Indexes into the formats of cells below. */
const TEXT_STYLE = 1;
const HEADER_STYLE = 2;

/** Number format 49 is "text". */
const STYLES = `<styleSheet xmlns="${MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`;

function sheetHead(header: readonly string[]): string {
  const columns = header.map((name, index) => {
    const width = WIDTHS[name] ?? OTHER_WIDTH;
    return `<col min="${index + 1}" max="${index + 1}" width="${width}" style="${TEXT_STYLE}" customWidth="1"/>`;
  });
  return `<worksheet xmlns="${MAIN}"><sheetViews><sheetView tabSelected="1" workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>${columns.join('')}</cols><sheetData>`;
}

/** A list to choose from in the column of the intent; another one is possible after a warning. */
function validation(intentCount: number): string {
  if (intentCount === 0) return '';
  return `<dataValidations count="1"><dataValidation type="list" errorStyle="warning" allowBlank="1" showErrorMessage="1" errorTitle="New intent" error="This intent is not in the list. Is it a new one?" sqref="B2:B${SHEET_ROWS}"><formula1>${LIST_SHEET}!$A$1:$A$${intentCount}</formula1></dataValidation></dataValidations>`;
}

function listPart(intents: readonly string[]): string {
  const rows = intents.map(
    (name, index) => `<row r="${index + 1}">${cellPart(`A${index + 1}`, name, TEXT_STYLE)}</row>`,
  );
  return `<worksheet xmlns="${MAIN}"><sheetData>${rows.join('')}</sheetData></worksheet>`;
}

function workbookPart(hasList: boolean): string {
  const list = hasList ? `<sheet name="${LIST_SHEET}" sheetId="2" state="hidden" r:id="rId2"/>` : '';
  return `<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><bookViews><workbookView/></bookViews><sheets><sheet name="${SHEET}" sheetId="1" r:id="rId1"/>${list}</sheets></workbook>`;
}

function relationships(targets: readonly (readonly [type: string, target: string])[]): string {
  const parts = targets.map(
    ([type, target], index) => `<Relationship Id="rId${index + 1}" Type="${RELATIONS}/${type}" Target="${target}"/>`,
  );
  return `<Relationships xmlns="${PACKAGE}/relationships">${parts.join('')}</Relationships>`;
}

function contentTypes(hasList: boolean): string {
  const parts = [
    ['/xl/workbook.xml', 'sheet.main'],
    ['/xl/worksheets/sheet1.xml', 'worksheet'],
    ...(hasList ? [['/xl/worksheets/sheet2.xml', 'worksheet']] : []),
    ['/xl/styles.xml', 'styles'],
  ].map(([path, type]) => `<Override PartName="${path}" ContentType="${CONTENT}.${type}+xml"/>`);
  return `<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${parts.join('')}</Types>`;
}
