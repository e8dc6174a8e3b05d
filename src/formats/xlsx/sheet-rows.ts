/**
 * The rows of a sheet, as its XML streams by. What the sheet says about its size is not asked: a dimension is a claim.
 */
import { throwIfAborted, type UttrError } from '../../base/errors.ts';
import { columnOf, SHEET_COLUMN_LIMIT } from './cell-address.ts';
import { CellText, ESCAPED_LIMIT } from './cell-text.ts';
import { type Cell, readCell } from './cell.ts';
import type { Sheet, Workbook } from './workbook.ts';
import { badPart, isTrue, type XmlAttributes, type XmlHandlers, XmlStream } from './xml-stream.ts';

const SHEET_ROW_LIMIT = 1_048_576;

export interface SheetRow {
  /** From 1, as the spreadsheet shows it. */
  readonly number: number;
  readonly isHidden: boolean;
  /** By column; holes where there is nothing. */
  readonly cells: Cell[];
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

  #bad(problem: string): UttrError {
    return badPart(this.#workbook.file, this.#sheet.part.path, problem);
  }
}
