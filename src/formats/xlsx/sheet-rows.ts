/**
 * The rows of a sheet, as its XML streams by. What the sheet says about its size is not asked: a dimension is a claim.
 */
import { throwIfAborted, type UttrError } from '../../base/errors.ts';
import { columnOf, SHEET_COLUMN_LIMIT } from './cell-address.ts';
import { CellText, ESCAPED_LIMIT, PLAIN_TEXT } from './cell-text.ts';
import { type Cell, readCell } from './cell.ts';
import type { Sheet, Workbook } from './workbook.ts';
import { badPart, isTrue, type XmlAttributes, type XmlHandlers, XmlStream } from './xml-stream.ts';

const SHEET_ROW_LIMIT = 1_048_576;

/** Tags of rows and cells as most programs write them. Any others are the parser's. */
const PLAIN_ROW = new RegExp(
  '<row r="(\\d{1,7})"(?: spans="[\\d: ]*")?(?: s="\\d+")?(?: customFormat="1")?(?: ht="[\\d.]+")?(?: customHeight="1")?(?: x14ac:dyDescent="[\\d.]+")?>',
  'uy',
);
const PLAIN_CELL = new RegExp(
  '<c r="([A-Z]{1,3})\\d{1,7}"(?: s="(\\d{1,6})")?(?: t="(s|str|n|b|inlineStr)")?(?:/>|' +
    `><v>(${PLAIN_TEXT})</v></c>|` +
    `><is><t(?: xml:space="preserve")?>(${PLAIN_TEXT})</t></is></c>)`,
  'uy',
);
const ROW_END = '</row>';

export interface SheetRow {
  /** From 1, as the spreadsheet shows it. */
  readonly number: number;
  readonly isHidden: boolean;
  /** By column; holes where there is nothing. */
  readonly cells: (Cell | undefined)[];
}

/** Rows that have a cell, in batches. @throws bad-format */
export async function* sheetRows(
  workbook: Workbook,
  sheet: Sheet,
  signal?: AbortSignal,
): AsyncGenerator<readonly SheetRow[]> {
  const rows = new RowGatherer(workbook, sheet);
  const xml = new XmlStream(workbook.file, sheet.part.path, rows);
  for await (const bytes of sheet.part.stream()) {
    throwIfAborted(signal);
    xml.push(bytes);
    const found = rows.take();
    if (found.length > 0) yield found;
  }
  xml.end();
  yield rows.take();
}

/** Follows the tags of a sheet. */
class RowGatherer implements XmlHandlers {
  readonly #workbook: Workbook;
  readonly #sheet: Sheet;
  readonly #inline = new CellText();
  #rows: SheetRow[] = [];
  #isData = false;
  #row: SheetRow | undefined;
  #number = 0;
  #cell: XmlAttributes | undefined;
  #column = -1;
  #isValue = false;
  #value = '';
  #isFormula = false;
  readonly shortcut = { after: ROW_END, take: (xml: string, from: number) => this.#takePlain(xml, from) };

  constructor(workbook: Workbook, sheet: Sheet) {
    this.#workbook = workbook;
    this.#sheet = sheet;
  }

  take(): readonly SheetRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  open(name: string, attributes: XmlAttributes): void {
    if (name === 'c') {
      if (this.#row !== undefined) this.#openCell(attributes);
    } else if (name === 'v') this.#isValue = this.#cell !== undefined;
    else if (name === 'row') {
      if (this.#isData) this.#openRow(attributes);
    } else if (name === 'f') this.#isFormula = true;
    else if (name === 'sheetData') this.#isData = true;
    else if (this.#cell !== undefined) this.#inline.open(name);
  }

  close(name: string): void {
    if (name === 'v') this.#isValue = false;
    else if (name === 'c') this.#closeCell();
    else if (name === 'row') {
      if (this.#row !== undefined && this.#row.cells.length > 0) this.#rows.push(this.#row);
      this.#row = undefined;
    } else if (name === 'sheetData') this.#isData = false;
    else if (this.#cell !== undefined) this.#inline.close(name);
  }

  text(text: string): void {
    if (this.#isValue) {
      if (this.#value.length <= ESCAPED_LIMIT) this.#value = this.#value === '' ? text : this.#value + text;
    } else if (this.#cell !== undefined) this.#inline.add(text);
  }

  #openRow({ r: given, hidden }: XmlAttributes): void {
    const number = given === undefined ? this.#number + 1 : Number(given);
    if (!Number.isInteger(number) || number <= this.#number || number > SHEET_ROW_LIMIT) {
      throw this.#bad(`row ${JSON.stringify(given ?? String(number)).slice(0, 40)} follows row ${this.#number}`);
    }
    this.#number = number;
    this.#column = -1;
    this.#row = { number, isHidden: isTrue(hidden), cells: [] };
  }

  #openCell(attributes: XmlAttributes): void {
    const { r: address } = attributes;
    const column = address === undefined ? this.#column + 1 : columnOf(address);
    if (column <= this.#column || column >= SHEET_COLUMN_LIMIT) {
      const shown = address === undefined ? `cell ${column + 1}` : `the cell "${address.slice(0, 20)}"`;
      throw this.#bad(`${shown} in row ${this.#number} is out of place`);
    }
    this.#column = column;
    this.#cell = attributes;
    this.#isFormula = false;
    this.#value = '';
    this.#inline.reset();
  }

  #closeCell(): void {
    if (this.#cell === undefined) return;
    const cell = readCell(this.#workbook, {
      type: this.#cell['t'],
      style: this.#cell['s'],
      value: this.#inline.hasText ? undefined : this.#value,
      inline: this.#inline.escaped,
      isFormula: this.#isFormula,
    });
    if (cell !== undefined) (this.#row as SheetRow).cells[this.#column] = cell;
    this.#cell = undefined;
  }

  /** Takes whole rows that are written plainly. */
  #takePlain(xml: string, from: number): number {
    let end = from;
    while (this.#isData && this.#row === undefined) {
      PLAIN_ROW.lastIndex = end;
      const number = Number(PLAIN_ROW.exec(xml)?.[1] ?? 0);
      if (number <= this.#number || number > SHEET_ROW_LIMIT) break;
      const row: SheetRow = { number, isHidden: false, cells: [] };
      const rowEnd = this.#takeCells(xml, PLAIN_ROW.lastIndex, row.cells);
      if (rowEnd === undefined) break;
      this.#number = number;
      if (row.cells.length > 0) this.#rows.push(row);
      end = rowEnd;
    }
    return end;
  }

  /** @returns where the row ends; undefined where it is not plain */
  #takeCells(xml: string, from: number, cells: (Cell | undefined)[]): number | undefined {
    let last = -1;
    let end = from;
    PLAIN_CELL.lastIndex = from;
    for (let found = PLAIN_CELL.exec(xml); found !== null; found = PLAIN_CELL.exec(xml)) {
      const [, letters = '', style, type, value, inline] = found;
      const column = columnOf(letters);
      if (column <= last) return undefined;
      last = column;
      end = PLAIN_CELL.lastIndex;
      const plain = { type, style, value: value ?? (inline === undefined ? '' : undefined), inline: inline ?? '' };
      const cell = readCell(this.#workbook, { ...plain, isFormula: false });
      if (cell !== undefined) cells[column] = cell;
    }
    return xml.startsWith(ROW_END, end) ? end + ROW_END.length : undefined;
  }

  #bad(problem: string): UttrError {
    return badPart(this.#workbook.file, this.#sheet.part.path, problem);
  }
}
