/**
 * The file of rejected rows: what `--rejects` writes.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { UttrError } from '../base/errors.ts';
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
  #layout: Layout | undefined;

  constructor(path: string) {
    this.#path = resolve(path);
  }

  /**
   * Takes the problems of one batch; the report of the reading tells the columns.
   *
   * @throws bad-option where the file exists, or an earlier batch file had other columns: under one header, cells
   *   would change their meaning
   */
  async add(problems: readonly RowProblem[], report: ReadReport): Promise<void> {
    if (problems.length === 0) return;
    if (this.#layout === undefined) {
      this.#requirePlace();
      this.#layout = { formatter: rejectsFormatter(report), report, name: layoutOf(report) };
      this.#file = await DurableFile.open(this.#path, dirname(this.#path));
      await this.#file.append(Buffer.from(this.#layout.formatter.head()));
    } else if (this.#layout.name !== layoutOf(report)) {
      throw new UttrError(
        'bad-option',
        `${report.file} has other columns than ${this.#layout.report.file}, so ${basename(this.#path)} cannot hold bad rows of both`,
        { hint: 'add the files one by one, each with a rejects file of its own', details: { file: report.file } },
      );
    }
    await this.#file?.append(Buffer.from(this.#layout.formatter.rows(problems)));
  }

  async publish(): Promise<void> {
    const published = await this.#file?.publish({ createOnly: true });
    this.#file = undefined;
    if (published === false) throw this.#taken();
  }

  #requirePlace(): void {
    if (existsSync(this.#path)) throw this.#taken();
    if (existsSync(dirname(this.#path))) return;
    throw new UttrError('bad-option', `the folder for ${basename(this.#path)} does not exist`, {
      hint: `make it first: ${dirname(this.#path)}`,
    });
  }

  /** It may be the batch itself, or hold rows that somebody has begun to mend. */
  #taken(): UttrError {
    const file = basename(this.#path);
    return new UttrError('bad-option', `${file} is there already; its rows would be lost`, {
      hint: 'give --rejects another name, or move that file away',
      details: { file },
    });
  }

  async abort(): Promise<void> {
    await this.#file?.abort();
    this.#file = undefined;
  }
}

interface Layout {
  readonly formatter: ReturnType<typeof rejectsFormatter>;
  /** Of the first file that had a bad row. */
  readonly report: ReadReport;
  readonly name: string;
}

/** Rows of files with equal layouts may stand in one file. */
function layoutOf({ header, delimiter }: ReadReport): string {
  return header === undefined ? 'json' : JSON.stringify([delimiter, header.map((name) => name.trim())]);
}

/** A good row again as it stood in its file, as far as its columns were used: for rows refused for their label. */
export function rowText(record: UtteranceRecord, report: ReadReport): string {
  if (report.header === undefined) return objectText(record, report);
  const fields = report.header.map((column) => report.columns.get(column.trim()));
  const cells = fields.map((field) => (field === undefined ? '' : cellText(valueOf(record, field, fields))));
  return rowFormatter(report.delimiter ?? ',', {})(cells).trimEnd();
}

/** The record with the keys of its file, so that the same --map reads it. */
function objectText(record: UtteranceRecord, report: ReadReport): string {
  const renamed = [...report.columns].filter(([column, field]) => column !== field && field !== 'split');
  if (renamed.length === 0) return encodeRecord(record);
  const fields = [...report.columns.values()];
  const object: Record<string, unknown> = {};
  const whole = ['text', 'intent', 'id', 'lang', 'entities', 'features', 'meta'];
  for (const field of whole) {
    if (!fields.includes(field)) object[field] = valueOf(record, field, fields);
  }
  for (const [column, field] of report.columns) object[column] = valueOf(record, field, fields);
  return JSON.stringify(object);
}

/** A field's value. A whole `features` or `meta` is without what has a column of its own. */
function valueOf(record: UtteranceRecord, field: string, fields: readonly (string | undefined)[]): unknown {
  const [, table, name] = /^(?<table>features|meta)\.(?<name>.+)$/su.exec(field) ?? [];
  if (table !== undefined && name !== undefined) return record[table as 'features' | 'meta']?.[name];
  if (field === 'features' || field === 'meta') {
    const rest = Object.entries(record[field] ?? {}).filter(([key]) => !fields.includes(`${field}.${key}`));
    return rest.length === 0 ? undefined : Object.fromEntries(rest);
  }
  return (record as unknown as Readonly<Record<string, unknown>>)[field];
}

function cellText(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
