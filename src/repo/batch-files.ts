/**
 * The files of a batch while `add` reads them: recognised, read row by row, cleaned, with every row that is refused.
 */
import { throwIfAborted, UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { Format, ReadOptions, ReadReport, RowProblem } from '../formats/format.ts';
import { detectArchive, detectFormat, formatByName } from '../formats/registry.ts';
import { isZip } from '../formats/signature.ts';
import { type Cleaner, type CleanRule, makeCleaner } from '../records/clean.ts';
import { decodeRecord } from '../records/encode-record.ts';
import type { SplitPolicy } from '../records/manifest.ts';
import type { UtteranceRecord } from '../records/record.ts';
import { sideOfWord } from '../split/adopt.ts';
import type { AddOptions } from './add-options.ts';
import type { RejectedRow } from './add-summary.ts';
import type { BatchLedger } from './batch-ledger.ts';
import type { RowLines } from './batch-rows.ts';
import type { DatasetConfig } from './config.ts';
import { labelText, type Place } from './group-state.ts';
import { BatchInput, type BatchSource } from './input.ts';
import { RejectsFile, rowText } from './rejects-file.ts';
import type { Repository } from './repository.ts';
import type { RowConflict } from './stage-rows.ts';

/** Problems that are kept to be listed; the rest is counted. */
const LISTED_PROBLEMS = 1000;
/** Files larger than this may be read by several threads, which take some time to start. */
const PARALLEL_BYTES = 16 << 20;
/** Staged lines that every `add` looks at, and those that a dry run does: it may take a minute. */
const QUICK_LINES = 20_000;
const DRY_RUN_LINES = 1_000_000;

export interface BatchFile {
  readonly name: string;
  readonly sha256: Hash;
  readonly bytes: number;
  readonly rows: number;
}

/** The files of one `add` while they are read. */
export class BatchFiles {
  readonly files: BatchFile[] = [];
  readonly rejects: RejectsFile | undefined;
  readonly #repository: Repository;
  readonly #options: AddOptions;
  readonly #split: SplitPolicy;
  /** undefined: texts are left alone. */
  readonly #clean: Cleaner | undefined;
  /** Records that each rule of the dataset changed, or dropped. */
  readonly cleaned: Partial<Record<CleanRule, number>> = {};
  readonly #names: string[] = [];
  readonly reports: ReadReport[] = [];
  readonly #problems: RejectedRow[] = [];
  readonly #refused: { readonly at: Place; readonly problem: RowProblem; readonly report: ReadReport }[] = [];
  readonly #ledger: BatchLedger | undefined;
  rejected = 0;
  conflicts = 0;
  rowsRead = 0;

  /** @param ledger is told of every row */
  constructor(
    repository: Repository,
    options: AddOptions,
    { split, clean }: DatasetConfig,
    ledger: BatchLedger | undefined,
  ) {
    this.#ledger = ledger;
    this.#repository = repository;
    this.#options = options;
    this.#split = split;
    this.#clean = options.clean === false ? undefined : makeCleaner(clean);
    this.rejects = options.rejects === undefined ? undefined : new RejectsFile(options.rejects);
  }

  /** Whether every row is good, or there is a place for the bad ones. */
  get isAcceptable(): boolean {
    return this.rejected + this.conflicts === 0 || this.rejects !== undefined;
  }

  get #adopts(): boolean {
    return this.#options.split === 'adopt';
  }

  /** Whether what was read may be staged. */
  get mayRecord(): boolean {
    return this.isAcceptable && this.#options.dryRun !== true;
  }

  /** Whether so many staged lines are looked at: of large batches, and of refused ones, only a dry run tells more. */
  isInspected(lines: number): boolean {
    if (lines === 0) return false;
    return this.#options.dryRun === true ? lines <= DRY_RUN_LINES : this.mayRecord && lines <= QUICK_LINES;
  }

  async read(source: BatchSource, rows: RowLines, identity: readonly string[]): Promise<void> {
    const { signal } = this.#repository;
    const input = await BatchInput.open(source, signal);
    try {
      const format = await this.#formatOf(input);
      // Only a regular file is large here: what comes through a pipe can be read once.
      if (
        this.#adopts ||
        this.#clean !== undefined ||
        !isParallel(format.name, input.fileSizeBytes, this.#options.read ?? {})
      ) {
        await this.#readInOnePiece(input, format, rows);
        return;
      }
      if (await this.#readParallel(input, rows, identity)) return;
    } finally {
      await input.close();
    }
    const again = await BatchInput.open(source, signal);
    try {
      await this.#readInOnePiece(again, await this.#formatOf(again), rows);
    } finally {
      await again.close();
    }
  }

  async #readInOnePiece(input: BatchInput, format: Format, rows: RowLines): Promise<void> {
    const { signal, progress } = this.#repository;
    const file = this.#names.push(input.name) - 1;
    const reading = format.read(input, { ...this.#options.read, signal });
    let accepted = 0;
    for await (const batch of reading) {
      for (const problem of batch.problems) this.#refuse(file, problem);
      await this.rejects?.add(batch.problems, reading.report);
      for (let at = 0; at < batch.records.length; at++) {
        const place = { file, row: batch.rows[at] ?? 0, line: batch.lines[at] ?? 0 };
        const word = this.#adopts ? batch.splits?.[at] : undefined;
        const side = word === undefined ? undefined : sideOfWord(word, this.#split);
        const read = batch.records[at] as UtteranceRecord;
        this.#ledger?.place(file, place.row, batch.pointers?.[at]);
        const record = this.#cleanedRecord(read);
        if (record === undefined) {
          this.#ledger?.drop(file, place.row, place.line, read.text);
          continue;
        }
        rows.put(record, place, side);
        accepted++;
      }
      await rows.spill();
      await this.#ledger?.spill();
      throwIfAborted(signal);
      progress.update('reading', this.rowsRead + reading.report.rows, undefined, 'rows');
    }
    this.reports.push(reading.report);
    this.rowsRead += reading.report.rows;
    this.rejected += reading.report.rejected;
    this.files.push({ name: input.batchName, sha256: input.digest(), bytes: input.sizeBytes, rows: accepted });
  }

  /** The record after the dataset's rules; undefined where one of them drops it. */
  #cleanedRecord(record: UtteranceRecord): UtteranceRecord | undefined {
    if (this.#clean === undefined) return record;
    const { record: cleaned, applied } = this.#clean(record);
    for (const rule of applied) this.cleaned[rule] = (this.cleaned[rule] ?? 0) + 1;
    return cleaned;
  }

  /** Reads a large, clean file with several threads. @returns false, having kept nothing, where it is not clean */
  async #readParallel(input: BatchInput, rows: RowLines, identity: readonly string[]): Promise<boolean> {
    const file = this.#names.length;
    const read = this.#options.read ?? {};
    const { parseInParallel } = await import('./parallel-parse.ts');
    const report = await parseInParallel(this.#repository, { input, file, identity, read, rows });
    if (report === undefined) return false;
    this.#names.push(input.name);
    this.reports.push(report);
    this.rowsRead += report.rows;
    this.files.push({ name: input.batchName, sha256: input.digest(), bytes: input.sizeBytes, rows: report.rows });
    return true;
  }

  async #formatOf(input: BatchInput): Promise<Format> {
    if (this.#options.format !== undefined) return formatByName(this.#options.format);
    const head = await input.head();
    if (!isZip(head)) return detectFormat(head, input.name).format;
    const { openArchive } = await import('../formats/archive.ts');
    const { entries } = await openArchive(await input.gather(), input.name);
    return detectArchive(
      entries.map(({ path }) => path),
      input.name,
    ).format;
  }

  #refuse(file: number, problem: RowProblem): void {
    this.#listProblem(problem);
    this.#ledger?.refuse(file, problem);
  }

  #listProblem({ file, row, line, pointer, column, code, message }: RowProblem): void {
    const place = { file, row, line, ...(pointer === undefined ? {} : { pointer }) };
    this.#list({ ...place, ...(column === undefined ? {} : { column }), code, message });
  }

  conflict({ place, text, existing, earlier }: RowConflict, json: string): void {
    this.conflicts++;
    const file = this.#names[place.file] ?? '';
    const where =
      earlier === undefined ? 'in the dataset' : `at ${this.#names[earlier.file] ?? 'this batch'}:${earlier.line}`;
    const record = decodeRecord(json);
    const message = `"${clip(text)}" has the label "${labelText(record.intent)}", but "${existing}" ${where}`;
    const problem = { file, row: place.row, line: place.line, column: 'intent', code: 'conflicting-label', message };
    this.#list(problem);
    const report = this.reports[place.file];
    if (this.rejects !== undefined && report !== undefined) {
      const raw = rowText(record, report);
      this.#refused.push({ at: place, problem: { ...problem, raw }, report });
    }
  }

  /** Writes the rows whose labels conflict to the rejects file, in the order of the files. */
  async writeConflicts(): Promise<void> {
    const rows = this.#refused.toSorted((a, b) => a.at.file - b.at.file || a.at.row - b.at.row);
    for (const { problem, report } of rows) await this.rejects?.add([problem], report);
  }

  /** Files without a row are a mistake; with `replace` they would empty the dataset. @throws bad-format */
  refuseEmpty(): void {
    if (this.rowsRead > 0) return;
    const [file] = this.#names;
    throw new UttrError(
      'bad-format',
      this.#names.length === 1 ? `${file} has no rows` : `none of the ${this.#names.length} files has a row`,
      {
        hint: 'look at the file: was it exported with its data? (to empty a dataset, use uttr remove)',
        details: { file },
      },
    );
  }

  #list(row: RejectedRow): void {
    if (this.#problems.length < LISTED_PROBLEMS) this.#problems.push(row);
  }

  nameOf(file: number): string {
    return this.#names[file] ?? '';
  }

  /** The first rows that were refused, in the order of the files. */
  get problems(): readonly RejectedRow[] {
    return this.#problems.toSorted(
      (a, b) => this.#names.indexOf(a.file) - this.#names.indexOf(b.file) || a.row - b.row,
    );
  }
}

function clip(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

/** Whether a file of this size and these options may be read by several threads. */
export function isParallel(format: string, sizeBytes: number, read: ReadOptions): boolean {
  const plain = read.encoding === undefined && read.columns === undefined && read.delimiter === undefined;
  return format === 'jsonl' && plain && sizeBytes > PARALLEL_BYTES;
}
