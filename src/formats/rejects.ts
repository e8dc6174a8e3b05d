/**
 * The rows that were refused, as a file that can be mended and read again.
 *
 * Tables keep their header and delimiter, and a workbook becomes CSV; everything else becomes JSON Lines. Each row stands as it was, with what
 * is wrong beside it in `uttr_problem`, which readers pass over. A row that is no row of the table, or no JSON
 * object, stands in that column too, so that it cannot be read by mistake before it is mended.
 */
import { isUttrError } from '../base/errors.ts';
import { CsvParser } from './csv-parser.ts';
import { rowFormatter } from './csv-writer.ts';
import { PROBLEM_COLUMN } from './fields.ts';
import type { ReadReport, RowProblem } from './format.ts';

/** Formats problems of one file, batch by batch. */
export interface RejectsFormatter {
  /** With the dot. */
  readonly extension: string;
  /** What the file starts with; to be asked for after the first batch was read. */
  head(): string;
  /** Rows for problems, which must hold all problems of each row, next to each other. */
  rows(problems: readonly RowProblem[]): string;
}

/** A workbook is mended as CSV, which is how its reader gives its rows. */
const TABLES: ReadonlySet<string> = new Set(['csv', 'tsv', 'xlsx']);

/** The formatter for what a reading refused. */
export function rejectsFormatter(report: ReadReport): RejectsFormatter {
  if (TABLES.has(report.format)) return new TableRejects(report);
  return {
    extension: '.jsonl',
    head: () => '',
    rows: (problems) => byRow(problems).map(jsonLine).join(''),
  };
}

class TableRejects implements RejectsFormatter {
  readonly extension: string;
  readonly #report: ReadReport;

  constructor(report: ReadReport) {
    this.#report = report;
    this.extension = report.format === 'tsv' ? '.tsv' : '.csv';
  }

  head(): string {
    const names = this.#names();
    return this.#format(names.includes(PROBLEM_COLUMN) ? names : [...names, PROBLEM_COLUMN]);
  }

  rows(problems: readonly RowProblem[]): string {
    return byRow(problems)
      .map((group) => this.#format(this.#cells(group)))
      .join('');
  }

  #names(): readonly string[] {
    return (this.#report.header ?? []).map((name) => name.trim());
  }

  #format(cells: readonly string[]): string {
    return rowFormatter(this.#report.delimiter ?? ',', {})(cells);
  }

  #cells(group: readonly RowProblem[]): readonly string[] {
    const names = this.#names();
    const [first] = group;
    const found = cellsOf(first?.raw, this.#report.delimiter ?? ',');
    const fits = found !== undefined && found.length <= names.length;
    const cells = names.map((_, index) => (fits ? (found[index] ?? '') : ''));
    const message = fits ? messageOf(group) : `${messageOf(group)}; the row: ${first?.raw ?? tooLong(first)}`;
    const place = names.indexOf(PROBLEM_COLUMN);
    return place < 0 ? [...cells, message] : cells.with(place, message);
  }
}

/** The cells of a row that keeps the rules of tables; undefined for any other. */
function cellsOf(raw: string | undefined, delimiter: string): readonly string[] | undefined {
  if (raw === undefined) return undefined;
  try {
    const rows = new CsvParser({ file: '', delimiter, looseQuotes: delimiter === '\t' }).push(raw, true);
    const [row] = rows;
    return rows.length === 1 && row?.fault === undefined ? row?.cells : undefined;
  } catch (error) {
    if (isUttrError(error, 'bad-format')) return undefined;
    throw error;
  }
}

function jsonLine(group: readonly RowProblem[]): string {
  const [first] = group;
  const message = JSON.stringify(messageOf(group));
  const raw = first?.raw?.trim() ?? '';
  const keys = objectKeys(raw);
  if (keys === undefined) {
    const shown = JSON.stringify(first?.raw ?? tooLong(first));
    return `{"${PROBLEM_COLUMN}":${message},"row":${shown}}\n`;
  }
  // Line ends of valid JSON stand between its tokens. The text itself is kept: parsing would lose repeated keys.
  const rest = raw.slice(1).replaceAll(/[\r\n]+\s*/gu, '');
  if (keys.includes(PROBLEM_COLUMN)) return `${raw.replaceAll(/[\r\n]+\s*/gu, '')}\n`;
  return `{"${PROBLEM_COLUMN}":${message}${keys.length === 0 ? '' : ','}${rest}\n`;
}

function objectKeys(raw: string): readonly string[] | undefined {
  if (!raw.startsWith('{')) return undefined;
  try {
    return Object.keys(JSON.parse(raw) as object);
  } catch {
    return undefined;
  }
}

function byRow(problems: readonly RowProblem[]): readonly (readonly RowProblem[])[] {
  const groups: RowProblem[][] = [];
  for (const problem of problems) {
    const last = groups.at(-1);
    if (last?.[0]?.row === problem.row) last.push(problem);
    else groups.push([problem]);
  }
  return groups;
}

function messageOf(group: readonly RowProblem[]): string {
  return group.map((problem) => problem.message).join('; ');
}

function tooLong(problem: RowProblem | undefined): string {
  return `(too long to repeat; it starts on line ${problem?.line ?? 0} of the file)`;
}
