/** The report and the batches of a reading, as readers build them. */
import { makeRecord, type LooseRecord } from '../records/make-record.ts';
import type { UtteranceRecord } from '../records/record.ts';
import {
  RAW_LIMIT,
  type Encoding,
  type ReadBatch,
  type Reading,
  type ReadNote,
  type ReadReport,
  type RowProblem,
} from './format.ts';

/** A report that is being written. */
export class ReportBuilder implements ReadReport {
  readonly format: string;
  readonly file: string;
  encoding: Encoding = 'utf-8';
  delimiter: string | undefined;
  header: readonly string[] | undefined;
  readonly columns = new Map<string, string>();
  /** Where the file's own division stands, once a reader knows. */
  splitColumn: string | undefined;
  readonly #splitValues = new Map<string, number>();
  rows = 0;
  accepted = 0;
  rejected = 0;
  readonly #notes = new Map<string, ReadNote>();

  constructor(format: string, file: string) {
    this.format = format;
    this.file = file;
  }

  get notes(): readonly ReadNote[] {
    return [...this.#notes.values()];
  }

  /** Counts a fact; the same message is one note. */
  note(code: ReadNote['code'], message: string, times = 1): void {
    const count = (this.#notes.get(message)?.count ?? 0) + times;
    this.#notes.set(message, { code, message, count });
  }

  /** The file's own name for a field of the record. */
  columnOf(field: string): string {
    for (const [column, used] of this.columns) if (used === field) return column;
    return field;
  }

  get split(): ReadReport['split'] {
    if (this.#splitValues.size === 0) return undefined;
    return { column: this.splitColumn, values: this.#splitValues };
  }

  countSplit(value: string): void {
    this.#splitValues.set(value, (this.#splitValues.get(value) ?? 0) + 1);
  }
}

/** The fields of a row while a reader fills them in. */
export type LooseDraft = { -readonly [Field in keyof LooseRecord]: LooseRecord[Field] };

/** Where a row is, and its text, if that was kept; `pointer` as in RowPlace. */
export interface RowSource {
  readonly row: number;
  readonly line: number;
  readonly raw: string | undefined;
  readonly pointer?: string | undefined;
  /** The pointer of a problem, where each column of the row has one of its own. */
  cellOf?(column: string | undefined): string;
}

/** Gathers records and problems until the reader hands them on. */
export class BatchBuilder {
  readonly report: ReportBuilder;
  #records: UtteranceRecord[] = [];
  #rows: number[] = [];
  #lines: number[] = [];
  #splits: (string | undefined)[] | undefined;
  #pointers: string[] | undefined;
  #problems: RowProblem[] = [];

  constructor(report: ReportBuilder) {
    this.report = report;
  }

  /** Makes a record of a row, or problems. */
  add(loose: LooseRecord, source: RowSource, split?: string): void {
    const made = makeRecord(loose);
    if ('problems' in made) {
      this.report.rows++;
      this.report.rejected++;
      for (const { column, message, code } of made.problems) {
        this.#problem(source, this.report.columnOf(column), message, code);
      }
      return;
    }
    this.report.rows++;
    this.report.accepted++;
    if (made.trimmed) this.report.note('trimmed', 'blanks at the ends of texts were dropped');
    this.#records.push(made.record);
    this.#rows.push(source.row);
    this.#lines.push(source.line);
    if (source.pointer !== undefined) (this.#pointers ??= []).push(source.pointer);
    if (split !== undefined) {
      this.#splits ??= Array.from<string | undefined>({ length: this.#records.length - 1 });
      this.report.countSplit(split);
    }
    this.#splits?.push(split);
  }

  /** Records why a row cannot become a record. */
  reject(source: RowSource, column: string | undefined, message: string, code = 'bad-row'): void {
    this.report.rows++;
    this.report.rejected++;
    this.#problem(source, column, message, code);
  }

  get size(): number {
    return this.#records.length + this.#problems.length;
  }

  /** Hands over what was gathered and starts anew. */
  take(): ReadBatch {
    const batch: ReadBatch = {
      file: this.report.file,
      records: this.#records,
      rows: this.#rows,
      lines: this.#lines,
      ...(this.#splits === undefined ? {} : { splits: this.#splits }),
      ...(this.#pointers === undefined ? {} : { pointers: this.#pointers }),
      problems: this.#problems,
    };
    this.#records = [];
    this.#rows = [];
    this.#lines = [];
    this.#splits = undefined;
    this.#pointers = undefined;
    this.#problems = [];
    return batch;
  }

  #problem(source: RowSource, column: string | undefined, message: string, code: string): void {
    const { raw } = source;
    const pointer = source.cellOf?.(column) ?? source.pointer;
    this.#problems.push({
      file: this.report.file,
      row: source.row,
      line: source.line,
      ...(pointer === undefined ? {} : { pointer }),
      ...(column === undefined ? {} : { column }),
      code,
      message,
      // A slice would keep the whole piece of the file it was cut from in memory; going through bytes copies it.
      ...(raw === undefined || raw.length > RAW_LIMIT ? {} : { raw: Buffer.from(raw).toString() }),
    });
  }
}

/** Joins a report and the batches that fill it. */
export function reading(report: ReadReport, batches: AsyncIterable<ReadBatch>): Reading {
  return { report, [Symbol.asyncIterator]: () => batches[Symbol.asyncIterator]() };
}
