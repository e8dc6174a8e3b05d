/** Addresses of cells: `C17`, `Sheet1!C17`. */

/** Columns of a sheet, up to XFD. */
export const SHEET_COLUMN_LIMIT = 16_384;

const LETTERS = 26;
const BEFORE_A = 64;

/** The letters of a column, which counts from 0. */
export function columnLetters(column: number): string {
  let letters = '';
  for (let rest = column + 1; rest > 0; rest = Math.floor((rest - 1) / LETTERS)) {
    letters = String.fromCharCode(BEFORE_A + 1 + ((rest - 1) % LETTERS)) + letters;
  }
  return letters;
}

/** The column that an address starts with; -1 where it does not start with letters, or they are too many. */
export function columnOf(address: string): number {
  let column = 0;
  for (let index = 0; index < address.length; index++) {
    // Both cases of a letter.
    const letter = (address.charCodeAt(index) & ~0x20) - BEFORE_A;
    if (letter < 1 || letter > LETTERS) break;
    column = column * LETTERS + letter;
    if (column > SHEET_COLUMN_LIMIT) return -1;
  }
  return column - 1;
}

/** A stretch of cells; all ends are within. */
export interface CellRange {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** `B2:B9`; undefined for anything else. */
export function parseRange(text: string): CellRange | undefined {
  const [, from = '', top = '', to = '', bottom = ''] =
    /^([a-z]{1,3})(\d{1,7}):([a-z]{1,3})(\d{1,7})$/iu.exec(text) ?? [];
  const range = { left: columnOf(from), right: columnOf(to), top: Number(top), bottom: Number(bottom) };
  return range.left < 0 || range.right < range.left || range.bottom < range.top ? undefined : range;
}

/** A cell of a sheet, as spreadsheets write it: names that are not plain stand in apostrophes. */
export function cellAddress(sheet: string, column: number, row: number): string {
  const isPlain = /^[\p{L}_][\p{L}\p{N}_.]*$/u.test(sheet);
  return `${isPlain ? sheet : `'${sheet.replaceAll("'", "''")}'`}!${columnLetters(column)}${row}`;
}
