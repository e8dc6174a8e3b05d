/**
 * Writes tables that the reader of tables reads back as the same records; table-columns.ts has their columns.
 *
 * Two passes: the first finds the columns, so memory does not grow with the records.
 */
import { throwIfAborted } from '../base/errors.ts';
import type { RecordSource, WriteOptions, Writing } from './format.ts';
import { TableColumns } from './table-columns.ts';
import { writing } from './write-report.ts';

const WRITE_CHARACTERS = 256 * 1024;

/**
 * What a spreadsheet takes for the start of a formula, full-width forms included (OWASP, CSV injection).
 * Apostrophes may stand before it already: one more is added, so that taking one away is exact.
 */
const FORMULA_START = /^'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/u;

/** Writes records as rows of cells. */
export function writeTable(source: RecordSource, delimiter: string, options: WriteOptions): Writing {
  const row = rowFormatter(delimiter, options);
  return writing(async function* (report) {
    const columns = await TableColumns.find(source, options.signal);
    let text = row(columns.header);
    for await (const records of source()) {
      throwIfAborted(options.signal);
      for (const record of records) text += row(columns.cellsOf(record));
      report.records += records.length;
      if (text.length < WRITE_CHARACTERS) continue;
      yield Buffer.from(text);
      text = '';
    }
    if (text !== '') yield Buffer.from(text);
  });
}

/** Quotes cells where they need it, and ends the row. */
export function rowFormatter(delimiter: string, options: WriteOptions): (cells: readonly string[]) => string {
  const lineEnd = options.lineEnd ?? '\n';
  const escape = options.escapeFormulas === true;
  // A cell with blanks at its ends needs no quotes by the rules, but other readers trim it without.
  const needsQuotes = (cell: string): boolean => /["\r\n]|^\s|\s$/u.test(cell) || cell.includes(delimiter);
  return (cells) => {
    const quoted = cells.map((cell) => {
      const safe = escape ? escapeFormula(cell) : cell;
      return needsQuotes(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
    });
    return quoted.join(delimiter) + lineEnd;
  };
}

/** Puts an apostrophe before a cell that would be run as a formula. */
export function escapeFormula(cell: string): string {
  return FORMULA_START.test(cell) ? `'${cell}` : cell;
}

/** Takes away the apostrophe that `escapeFormula` put before a cell. */
export function unescapeFormula(cell: string): string {
  return cell.startsWith("'") && FORMULA_START.test(cell) ? cell.slice(1) : cell;
}
