import { dirname, resolve } from 'node:path';
import type { ReadReport, RowProblem } from '../formats/format.ts';
import { rowFormatter } from '../formats/csv-writer.ts';
import { rejectsFormatter } from '../formats/rejects.ts';
import { encodeRecord } from '../records/encode-record.ts';
import type { UtteranceRecord } from '../records/record.ts';
import { DurableFile } from '../store/durable-file.ts';

/**
 * Bad rows, written back in the format they came in with a column that says what is wrong. Mended, the file can
 * be added as it is. It appears only once the good rows are staged.
 */
export class RejectsFile {
  readonly #path: string;
  #file: DurableFile | undefined;
  #formatter: ReturnType<typeof rejectsFormatter> | undefined;
  #waiting: RowProblem[] = [];

  constructor(path: string) {
    this.#path = resolve(path);
  }

  /** Takes the problems of one batch; the report of the reading tells the columns. */
  async add(problems: readonly RowProblem[], report: ReadReport): Promise<void> {
    if (problems.length === 0) return;
    this.#waiting.push(...problems);
    if (this.#formatter === undefined) {
      this.#formatter = rejectsFormatter(report);
      this.#file = await DurableFile.open(this.#path, dirname(this.#path));
      await this.#file.append(Buffer.from(this.#formatter.head()));
    }
    await this.#file?.append(Buffer.from(this.#formatter.rows(this.#waiting)));
    this.#waiting = [];
  }

  async publish(): Promise<void> {
    await this.#file?.publish();
    this.#file = undefined;
  }

  async abort(): Promise<void> {
    await this.#file?.abort();
    this.#file = undefined;
  }
}

/** A good row again as it stood in its file, as far as its columns were used: for rows refused for their label. */
export function rowText(record: UtteranceRecord, report: ReadReport): string {
  if (report.header === undefined) return encodeRecord(record);
  const cells = report.header.map((column) =>
    cellOf(record, report.columns.get(column) ?? report.columns.get(column.trim())),
  );
  return rowFormatter(report.delimiter ?? ',', {})(cells).trimEnd();
}

function cellOf(record: UtteranceRecord, field: string | undefined): string {
  if (field === undefined) return '';
  if (field.startsWith('features.')) return String(record.features?.[field.slice('features.'.length)] ?? '');
  const value = (record as unknown as Readonly<Record<string, unknown>>)[field];
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
