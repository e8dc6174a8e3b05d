/**
 * Reads one sheet of a workbook as a table: its first row with a value is the header, unless the columns were given.
 *
 * A text or an intent is taken from cells of text only: what a spreadsheet made of "1" or "3-4" (a number, a date)
 * cannot be turned back, so such a row is a problem. Problems name the cell (`Sheet1!C17`); a row's line is its number
 * in the sheet.
 */
import { throwIfAborted, UttrError } from '../../base/errors.ts';
import { rowFormatter, unescapeFormula } from '../csv-writer.ts';
import { type Target, targetOf } from '../fields.ts';
import { COLUMN_LIMIT, type ByteInput, type ReadBatch, type ReadOptions } from '../format.ts';
import { BatchBuilder, type ReportBuilder, type RowSource } from '../read-report.ts';
import { TableRecords } from '../table-records.ts';
import { cellAddress } from './cell-address.ts';
import type { Cell } from './cell.ts';
import { MergeFiller, readMerges } from './merged-cells.ts';
import { type SheetRow, sheetRows } from './sheet-rows.ts';
import { openWorkbook, type Sheet, type Workbook } from './workbook.ts';

/** Rows that are handed on together. */
const BATCH_ROWS = 1000;

/** A spreadsheet keeps 15 digits of a number. */
const EXACT_NUMBER_LIMIT = 1e15;

const SHOWN_SHEETS = 10;

/** Reads the first visible sheet that has a column for the text. @throws bad-format, missing-column */
export async function* readXlsx(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const workbook = await openWorkbook(input);
  throwIfAborted(options.signal);
  const sheet = await chooseSheet(workbook, options);
  noteRest(workbook, sheet, report);
  const reader = new SheetReader(sheet, new MergeFiller(await readMerges(workbook, sheet)), report, options);
  for await (const rows of sheetRows(workbook, sheet, options.signal)) {
    for (const row of rows) reader.take(row);
    if (reader.batch.size >= BATCH_ROWS) yield reader.batch.take();
  }
  reader.end();
  if (reader.batch.size > 0) yield reader.batch.take();
}

async function chooseSheet(workbook: Workbook, options: ReadOptions): Promise<Sheet> {
  const visible = workbook.sheets.filter(({ isHidden }) => !isHidden);
  let fallback: Sheet | undefined;
  for (const sheet of visible.length > 1 ? visible : []) {
    const names = await firstValues(workbook, sheet);
    if (names === undefined) continue;
    fallback ??= sheet;
    if (options.columns !== undefined || hasText(names, options.map)) return sheet;
  }
  // Where no sheet has a text, the error shows what the first one has.
  const sheet = fallback ?? visible[0];
  if (sheet !== undefined) return sheet;
  throw new UttrError('bad-format', `${workbook.file} has no visible sheet`, {
    hint: 'show the sheet with the data, and save the workbook once more',
    details: { file: workbook.file },
  });
}

/** The texts of the first row that has any. */
async function firstValues(workbook: Workbook, sheet: Sheet): Promise<readonly string[] | undefined> {
  for await (const rows of sheetRows(workbook, sheet)) {
    const [row] = rows;
    if (row !== undefined) return Array.from(row.cells, (cell) => cell?.text.trim() ?? '');
  }
  return undefined;
}

function hasText(names: readonly string[], map: ReadOptions['map']): boolean {
  const mapped = map?.['text'];
  return mapped === undefined ? names.some((name) => targetOf(name)?.field === 'text') : names.includes(mapped);
}

function noteRest(workbook: Workbook, sheet: Sheet, report: ReportBuilder): void {
  const rest = workbook.sheets.filter((other) => other !== sheet);
  if (rest.length > 0) {
    const shown = rest.slice(0, SHOWN_SHEETS).map(({ name, isHidden }) => `"${name}"${isHidden ? ' (hidden)' : ''}`);
    const names = `${shown.join(', ')}${rest.length > SHOWN_SHEETS ? ', …' : ''}`;
    report.note('ignored', `the sheet "${sheet.name}" was read; other sheets were not: ${names}`, rest.length);
  }
  if (workbook.hasMacros) report.note('ignored', 'the macros of the workbook were neither run nor kept');
}

/** Makes records of rows. */
class SheetReader {
  readonly batch: BatchBuilder;
  readonly #sheet: Sheet;
  readonly #merges: MergeFiller;
  readonly #options: ReadOptions;
  #table: TableRecords | undefined;
  #row = 0;
  #lastRow = 0;

  constructor(sheet: Sheet, merges: MergeFiller, report: ReportBuilder, options: ReadOptions) {
    this.batch = new BatchBuilder(report);
    this.#sheet = sheet;
    this.#merges = merges;
    this.#options = options;
  }

  /** Takes a row that has a value. @throws bad-format, missing-column */
  take(row: SheetRow): void {
    const { report } = this.batch;
    if (this.#table === undefined) {
      const isData = this.#options.columns !== undefined;
      this.#table = this.#openTable(row);
      this.#lastRow = isData ? row.number - 1 : row.number;
      if (!isData) return;
    }
    const filled = this.#merges.fill(row);
    this.#row++;
    const blank = row.number - this.#lastRow - 1;
    if (blank > 0) report.note('blank-rows', 'rows without any value were passed over', blank);
    this.#lastRow = row.number;
    if (filled > 0) report.note('mended', 'cells that are merged over several rows have their value in each', filled);
    if (row.isHidden) report.note('side-information', 'rows that the sheet hides were read like the others');
    let formulas = 0;
    for (const cell of row.cells) if (cell?.isFormula === true) formulas++;
    if (formulas > 0) {
      report.note('side-information', 'formulas were read by the value that was last computed for them', formulas);
    }
    this.#add(row, this.#table);
  }

  /** @throws bad-format where there was no row */
  end(): void {
    if (this.#table !== undefined) return;
    const { file } = this.batch.report;
    throw new UttrError('bad-format', `${file}: the sheet "${this.#sheet.name}" is empty`, { details: { file } });
  }

  #openTable(row: SheetRow): TableRecords {
    const { report } = this.batch;
    const header = this.#options.columns ?? this.#header(row);
    if (header.length > COLUMN_LIMIT) {
      const message = `${report.file} has more than ${COLUMN_LIMIT} columns`;
      throw new UttrError('bad-format', message, { details: { file: report.file } });
    }
    return new TableRecords(this.batch, header, this.#options);
  }

  #header({ number, cells }: SheetRow): readonly string[] {
    const bad = cells.findIndex((cell) => cell?.kind === 'fault' || cell?.kind === 'error');
    if (bad < 0) return Array.from(cells, (cell) => this.#text(cell));
    const { file } = this.batch.report;
    const message = `${file}: the header cannot be read: ${this.#address(bad, number)} ${claimOf(cells[bad] as Cell)}`;
    throw new UttrError('bad-format', message, { details: { file, line: number } });
  }

  #add(row: SheetRow, table: TableRecords): void {
    const { cells } = row;
    const width = table.columnCount;
    const source = new SheetRowSource(this.#row, row, (column) => this.#cellOf(column, row));
    if (cells.length > width) {
      const at = cells.findIndex((cell, index) => index >= width && cell !== undefined);
      source.faultAt = this.#address(at, row.number);
      this.batch.reject(source, undefined, `the row has a value beyond the ${width} columns of the table`);
      return;
    }
    const texts: string[] = [];
    for (let index = 0; index < width; index++) {
      const cell = cells[index];
      const fault = cell === undefined ? undefined : faultOf(cell, table.targets[index] as Target);
      if (fault !== undefined) {
        source.faultAt = this.#address(index, row.number);
        const column = this.#nameOf(index);
        this.batch.reject(source, column, `"${column}" ${fault}`);
        return;
      }
      if (cell?.kind === 'error')
        this.batch.report.note('ignored', 'cells with an error instead of a value were left out');
      texts.push(cell?.kind === 'error' ? '' : this.#text(cell));
    }
    table.add(texts, source);
  }

  #text(cell: Cell | undefined): string {
    if (cell === undefined) return '';
    return this.#options.unescapeFormulas === true && cell.kind === 'text' ? unescapeFormula(cell.text) : cell.text;
  }

  /** The address of a cell of a row by its column, which may be a part of a field: `entities[0].end`. */
  #cellOf(column: string | undefined, row: SheetRow): string {
    const { report } = this.batch;
    const names = this.#names();
    const found = column === undefined ? 0 : names.indexOf(column);
    const index = found >= 0 ? found : names.indexOf(report.columnOf((column as string).replace(/[[.].*$/su, '')));
    return this.#address(Math.max(0, index), row.number);
  }

  #nameOf(index: number): string {
    return this.#names()[index] as string;
  }

  #names(): readonly string[] {
    return (this.batch.report.header ?? []).map((name) => name.trim());
  }

  #address(column: number, row: number): string {
    return cellAddress(this.#sheet.name, column, row);
  }
}

/** A row of a sheet, of which only problems need more than its number. */
class SheetRowSource implements RowSource {
  readonly row: number;
  readonly line: number;
  readonly #cells: SheetRow['cells'];
  readonly #addressOf: (column: string | undefined) => string;
  /** The cell that is wrong, where it is known. */
  faultAt: string | undefined;

  constructor(row: number, { number, cells }: SheetRow, addressOf: (column: string | undefined) => string) {
    this.row = row;
    this.line = number;
    this.#cells = cells;
    this.#addressOf = addressOf;
  }

  /** As a row of a CSV file, which is what refused rows are mended in; undefined where a cell cannot be shown. */
  get raw(): string | undefined {
    if (this.#cells.some((cell) => cell?.kind === 'fault')) return undefined;
    const cells = Array.from(this.#cells, (cell) => cell?.text ?? '');
    return rowFormatter(',', { lineEnd: '\n' })(cells).slice(0, -1);
  }

  cellOf(column: string | undefined): string {
    return this.faultAt ?? this.#addressOf(column);
  }
}

/** Why a cell cannot be what its column is for; follows the quoted name of the column. */
function faultOf(cell: Cell, { field, name }: Target): string | undefined {
  const { kind } = cell;
  if (kind === 'text' || field === 'ignored') return undefined;
  if (kind === 'fault') return claimOf(cell);
  // What a formula gives in a column of no known meaning is no reason to refuse the utterance.
  if (kind === 'error') return name === undefined ? claimOf(cell) : undefined;
  if (field === 'text' || field === 'intent') return `${claimOf(cell)}, not a text`;
  if (field !== 'id') return undefined;
  if (kind === 'date' || kind === 'duration') return `${claimOf(cell)}, not an id`;
  const number = Number(cell.text);
  if (kind === 'boolean' || (Number.isInteger(number) && Math.abs(number) < EXACT_NUMBER_LIMIT)) return undefined;
  return `${claimOf(cell)}, of which digits may be lost: make it a text`;
}

/** Says what a cell holds. */
function claimOf({ kind, text }: Cell): string {
  switch (kind) {
    case 'fault':
      return text;
    case 'error':
      return `is ${text}`;
    case 'number':
      return `is the number ${text}`;
    case 'date':
      return `is the date ${text}`;
    case 'duration':
      return `is the time ${text}`;
    case 'boolean':
      return `is the truth value ${text}`;
    case 'text':
      return 'is a text';
  }
}
