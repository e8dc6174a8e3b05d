/** Finds out which character separates the cells of a table. */
import { isUttrError } from '../base/errors.ts';
import { targetOf } from './fields.ts';
import { CsvParser, type CsvRow } from './csv-parser.ts';

export const DELIMITERS = [',', ';', '\t', '|'] as const;

/** Rows that are enough to tell. */
const ROWS_LOOKED_AT = 20;

/** `sep=;` as a first line is how Excel is told the delimiter; it is no header. */
export const SEPARATOR_LINE = /^sep=(.)$/iu;

interface Dialect {
  readonly delimiter: string;
  /** A column is recognised as the text. */
  readonly hasText: boolean;
  readonly columnCount: number;
}

/**
 * The most likely delimiter of the text a file starts with: one that gives a column for the text, then one by which
 * all rows have the same number of cells, then the one that gives the most cells.
 */
export function sniffDialect(head: string, mappedColumns: readonly string[] = []): Dialect {
  let best: (Dialect & { readonly score: number }) | undefined;
  for (const delimiter of DELIMITERS) {
    const rows = firstRows(head, delimiter);
    const [first] = rows;
    const [header, ...rest] = SEPARATOR_LINE.test(first?.raw ?? '') ? rows.slice(1) : rows;
    if (header === undefined) continue;
    const names = header.cells.map((name) => name.trim());
    const hasText = names.some((name) => targetOf(name)?.field === 'text' || mappedColumns.includes(name));
    const even = rest.filter((row) => row.fault === undefined && row.cells.length === names.length).length;
    const evenShare = rest.length === 0 ? 1 : even / rest.length;
    const isTable = names.length > 1;
    const score =
      (isTable ? 1 : 0) + (isTable && hasText ? 4 : 0) + (isTable ? 2 * evenShare : 0) + names.length / 10_000;
    if (best === undefined || score > best.score) best = { delimiter, hasText, columnCount: names.length, score };
  }
  return best ?? { delimiter: ',', hasText: false, columnCount: 0 };
}

function firstRows(head: string, delimiter: string): readonly CsvRow[] {
  const parser = new CsvParser({ file: '', delimiter, looseQuotes: true });
  try {
    const rows = parser.push(head, false);
    return (rows.length === 0 ? parser.push('', true) : rows).slice(0, ROWS_LOOKED_AT);
  } catch (error) {
    // An open quote under this delimiter; another one may do.
    if (isUttrError(error, 'bad-format')) return [];
    throw error;
  }
}
