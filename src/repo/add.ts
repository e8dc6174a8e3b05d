/**
 * `add`: files in, a staged batch out, or every reason why not.
 *
 * Nothing is staged unless every row is good, or the bad ones go to a rejects file. The staged file and its
 * row in the catalogue appear together; an interrupted add leaves what was staged before.
 */
import { throwIfAborted, UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { JsonValue } from '../base/json.ts';
import { nearest } from '../base/near-miss.ts';
import type { Format, ReadOptions, ReadReport, RowProblem } from '../formats/format.ts';
import { placeOfRow } from '../formats/row-place.ts';
import { detectArchive, detectFormat, formatByName } from '../formats/registry.ts';
import { isZip } from '../formats/signature.ts';
import { cleanRecord, type CleanRule, type CleanRules, hasRules } from '../records/clean.ts';
import { parseDatasetName } from '../records/dataset-name.ts';
import { decodeRecord } from '../records/encode-record.ts';
import type { RowLines } from './batch-rows.ts';
import type { SplitPolicy } from '../records/manifest.ts';
import type { UtteranceRecord } from '../records/record.ts';
import { labelNames } from '../records/stratum.ts';
import { sideOfWord } from '../split/adopt.ts';
import { sidesByShare } from '../split/policy.ts';
import { intentNames } from './change-event.ts';
import { type DatasetConfig, defaultDatasetConfig, newDataset } from './config.ts';
import { type AdoptedSides, type ChangeCounts, type ConflictPolicy, labelText, type Place } from './group-state.ts';
import { BatchInput, type BatchSource } from './input.ts';
import { RejectsFile, rowText } from './rejects-file.ts';
import type { Repository } from './repository.ts';
import { stageBatch } from './stage-batch.ts';
import type { RowConflict, StageTally } from './stage-rows.ts';
import { readStagedState } from './staged-state.ts';
import { headVersion } from './versions.ts';
import { editConfig } from './working-copy.ts';

/** Problems that are kept to be listed; the rest is counted. */
const LISTED_PROBLEMS = 1000;
/** Files larger than this may be read by several threads, which take some time to start. */
const PARALLEL_BYTES = 16 << 20;

export interface AddOptions {
  /** Format of all files; recognised one by one by default. */
  readonly format?: string | undefined;
  readonly read?: ReadOptions | undefined;
  readonly onConflict?: ConflictPolicy | undefined;
  /** Allows a second, third … dataset to be made. */
  readonly allowNew?: boolean | undefined;
  /** The files are the whole dataset. */
  readonly replace?: boolean | undefined;
  /** Where bad rows are written; without it, one bad row stops the batch. */
  readonly rejects?: string | undefined;
  /** Whether records go to the sides that the files have them on; a group that has a side already keeps it. */
  readonly split?: 'adopt' | 'ignore' | undefined;
  /** Whether texts are cleaned as the dataset's configuration says; true by default. */
  readonly clean?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

export interface RejectedRow {
  readonly file: string;
  readonly row: number;
  readonly line: number;
  /** A cell, a JSON pointer, a path inside an archive. */
  readonly pointer?: string;
  readonly column?: string;
  readonly code: string;
  readonly message: string;
}

export interface AddSummary {
  readonly dataset: string;
  readonly batch: { readonly name: string; readonly sha256: string; readonly bytes: number };
  readonly batches: readonly {
    readonly name: string;
    readonly sha256: string;
    readonly bytes: number;
    readonly rows: number;
  }[];
  readonly rows: {
    readonly read: number;
    readonly accepted: number;
    readonly rejected: number;
    readonly duplicate: number;
    /** Rows whose label is not the one there: refused, or passed over with `keep`. */
    readonly conflict: number;
    /** Those of them that were passed over, so that the label there stays. */
    readonly kept: number;
  };
  readonly changes: ChangeCounts;
  /** What became of the sides that the files have; absent where they are not adopted. */
  readonly sides?: AdoptedSides;
  /** Records that each rule of the dataset changed, or dropped. */
  readonly cleaned: Readonly<Partial<Record<CleanRule, number>>>;
  readonly newIntents: readonly string[];
  readonly rejected: readonly RejectedRow[];
  /** Whether anything is staged now that was not before. */
  readonly staged: boolean;
  /** Whether something was staged before that is not any more: with it gone, the dataset is what the files say. */
  readonly dropped: boolean;
  readonly dryRun: boolean;
  readonly rejectsFile?: string;
  /** What each file was taken for, for messages. */
  readonly files: readonly ReadReport[];
}

/** Reads files and stages what they change. @throws bad-row, conflicting-label, unreadable-file, bad-format … */
export async function add(
  repository: Repository,
  name: string,
  sources: readonly BatchSource[],
  options: AddOptions = {},
): Promise<AddSummary> {
  const dataset = parseDatasetName(name);
  const isNew = checkDataset(repository, dataset, options.allowNew === true);
  const parent = await headVersion(repository, dataset);
  const config = isNew ? newDataset(dataset) : repository.dataset(dataset);
  const { split, identity } = config;
  const batch = new Batch(repository, options, config);
  // Files that are the whole dataset take the place of what is staged, even where they change nothing.
  const replace = options.replace === true;
  const drops = replace && readStagedState(repository, dataset) !== undefined;
  const known = new Set([...intentNames(parent?.manifest), ...stagedIntents(repository, dataset)]);
  let recorded = false;
  let seen: string[] = [];
  try {
    const tally = await stageBatch(repository, {
      dataset,
      identity,
      parent,
      policy: { onConflict: options.onConflict ?? 'error', replace, sides: sidesByShare(split) },
      fresh: replace,
      batches: () => batch.files.map(({ name: file, sha256, rows }) => ({ name: file, sha256, rows })),
      feed: async (rows) => {
        for (const source of sources) await batch.read(source, rows, identity);
        batch.refuseEmpty();
        seen = [...rows.intents].flatMap(labelNames);
      },
      onConflict: (conflict, row) => batch.conflict(conflict, row.json),
      decide: (result) => {
        recorded = batch.mayRecord && (hasChanges(result.changes) || drops);
        return recorded;
      },
      beforeRecord: async () => {
        await batch.writeConflicts();
        await batch.rejects?.publish();
        if (isNew) await createDataset(repository, dataset);
      },
    });
    if (!recorded && batch.mayRecord) {
      await batch.writeConflicts();
      await batch.rejects?.publish();
    }
    const newIntents = [...new Set(seen)].filter((intent) => !known.has(intent)).sort();
    return batch.summary(dataset, tally, newIntents, recorded);
  } finally {
    await batch.rejects?.abort();
  }
}

function hasChanges({ added, relabelled, updated, removed }: ChangeCounts): boolean {
  return added + relabelled + updated + removed > 0;
}

/** @returns whether the dataset is to be made. @throws unknown-dataset */
function checkDataset(repository: Repository, dataset: string, allowNew: boolean): boolean {
  const names = Object.keys(repository.config.datasets);
  if (names.includes(dataset)) return false;
  if (names.length === 0 || allowNew) return true;
  // A typo must not make a second dataset.
  const near = nearest(dataset, names);
  throw new UttrError('unknown-dataset', `there is no dataset "${dataset}"`, {
    hint:
      near === undefined
        ? `there is ${names.slice(0, 12).join(', ')}; to make another dataset, say --new`
        : `did you mean "${near}"? To make another dataset, say --new`,
    details: { dataset },
  });
}

function stagedIntents(repository: Repository, dataset: string): readonly string[] {
  return readStagedState(repository, dataset)?.summary.intents ?? [];
}

async function createDataset(repository: Repository, dataset: string): Promise<void> {
  const config = await editConfig(repository.root, (value) => {
    const datasets = (value['datasets'] ??= {}) as Record<string, unknown>;
    datasets[dataset] = defaultDatasetConfig(dataset);
  });
  repository.setConfig(config);
}

interface BatchFile {
  readonly name: string;
  readonly sha256: Hash;
  readonly bytes: number;
  readonly rows: number;
}

/** The files of one `add` while they are read. */
class Batch {
  readonly files: BatchFile[] = [];
  readonly rejects: RejectsFile | undefined;
  readonly #repository: Repository;
  readonly #options: AddOptions;
  readonly #split: SplitPolicy;
  /** undefined: texts are left alone. */
  readonly #clean: CleanRules | undefined;
  readonly #cleaned: Partial<Record<CleanRule, number>> = {};
  readonly #names: string[] = [];
  readonly #reports: ReadReport[] = [];
  readonly #problems: RejectedRow[] = [];
  readonly #refused: { readonly at: Place; readonly problem: RowProblem; readonly report: ReadReport }[] = [];
  #rejected = 0;
  #conflicts = 0;
  #read = 0;

  constructor(repository: Repository, options: AddOptions, { split, clean }: DatasetConfig) {
    this.#repository = repository;
    this.#options = options;
    this.#split = split;
    this.#clean = options.clean !== false && hasRules(clean) ? clean : undefined;
    this.rejects = options.rejects === undefined ? undefined : new RejectsFile(options.rejects);
  }

  /** Whether every row is good, or there is a place for the bad ones. */
  get #isAcceptable(): boolean {
    return this.#rejected + this.#conflicts === 0 || this.rejects !== undefined;
  }

  get #adopts(): boolean {
    return this.#options.split === 'adopt';
  }

  /** Whether what was read may be staged. */
  get mayRecord(): boolean {
    return this.#isAcceptable && this.#options.dryRun !== true;
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
      for (const problem of batch.problems) this.#listProblem(problem);
      await this.rejects?.add(batch.problems, reading.report);
      for (let at = 0; at < batch.records.length; at++) {
        const place = { file, row: batch.rows[at] ?? 0, line: batch.lines[at] ?? 0 };
        const word = this.#adopts ? batch.splits?.[at] : undefined;
        const side = word === undefined ? undefined : sideOfWord(word, this.#split);
        const record = this.#cleanedRecord(batch.records[at] as UtteranceRecord);
        if (record === undefined) continue;
        rows.put(record, place, side);
        accepted++;
      }
      await rows.spill();
      throwIfAborted(signal);
      progress.update('reading', this.#read + reading.report.rows, undefined, 'rows');
    }
    this.#reports.push(reading.report);
    this.#read += reading.report.rows;
    this.#rejected += reading.report.rejected;
    this.files.push({ name: input.batchName, sha256: input.digest(), bytes: input.sizeBytes, rows: accepted });
  }

  /** The record after the dataset's rules; undefined where one of them drops it. */
  #cleanedRecord(record: UtteranceRecord): UtteranceRecord | undefined {
    if (this.#clean === undefined) return record;
    const { record: cleaned, applied } = cleanRecord(record, this.#clean);
    for (const rule of applied) this.#cleaned[rule] = (this.#cleaned[rule] ?? 0) + 1;
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
    this.#reports.push(report);
    this.#read += report.rows;
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

  #listProblem({ file, row, line, pointer, column, code, message }: RowProblem): void {
    const place = { file, row, line, ...(pointer === undefined ? {} : { pointer }) };
    this.#list({ ...place, ...(column === undefined ? {} : { column }), code, message });
  }

  conflict({ place, text, existing, earlier }: RowConflict, json: string): void {
    this.#conflicts++;
    const file = this.#names[place.file] ?? '';
    const where =
      earlier === undefined ? 'in the dataset' : `at ${this.#names[earlier.file] ?? 'this batch'}:${earlier.line}`;
    const record = decodeRecord(json);
    const message = `"${clip(text)}" has the label "${labelText(record.intent)}", but "${existing}" ${where}`;
    const problem = { file, row: place.row, line: place.line, column: 'intent', code: 'conflicting-label', message };
    this.#list(problem);
    const report = this.#reports[place.file];
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
    if (this.#read > 0) return;
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

  /** What the batch came to. @throws bad-row, conflicting-label where that stops it */
  summary(dataset: string, tally: StageTally, newIntents: readonly string[], recorded: boolean): AddSummary {
    const summary = this.#summarize(dataset, tally, newIntents, recorded);
    if (!this.#isAcceptable && !summary.dryRun) throw this.#refusal(summary);
    return summary;
  }

  #summarize(dataset: string, tally: StageTally, newIntents: readonly string[], recorded: boolean): AddSummary {
    const [first] = this.files;
    const batch = { name: first?.name ?? '', sha256: first?.sha256 ?? '', bytes: first?.bytes ?? 0 };
    return {
      dataset,
      batch,
      batches: this.files,
      rows: {
        read: this.#read,
        accepted: tally.accepted,
        rejected: this.#rejected,
        duplicate: tally.duplicate,
        conflict: this.#conflicts + tally.kept,
        kept: tally.kept,
      },
      changes: tally.changes,
      ...(this.#adopts ? { sides: tally.sides } : {}),
      cleaned: this.#cleaned,
      newIntents,
      rejected: this.#problems.toSorted(
        (a, b) => this.#names.indexOf(a.file) - this.#names.indexOf(b.file) || a.row - b.row,
      ),
      staged: recorded && hasChanges(tally.staged),
      dropped: recorded && !hasChanges(tally.staged),
      dryRun: this.#options.dryRun === true,
      ...(this.#options.rejects === undefined ? {} : { rejectsFile: this.#options.rejects }),
      files: this.#reports,
    };
  }

  /** The error for a batch with bad rows and no place for them: nothing was staged. */
  #refusal(summary: AddSummary): UttrError {
    const first = summary.rejected[0] as RejectedRow;
    const count = this.#rejected + this.#conflicts;
    const code = first.code === 'conflicting-label' ? 'conflicting-label' : 'bad-row';
    const more = count === 1 ? '' : `, and ${count - 1} more`;
    return new UttrError(code, `${placeOfRow(first)}: ${first.message} (row ${first.row})${more}; nothing was staged`, {
      hint:
        this.#rejected === 0
          ? "decide which label holds: --on-conflict relabel (the file's) or --on-conflict keep (the one there)"
          : 'mend the rows, or stage the good ones with --rejects <file>',
      details: {
        file: first.file,
        row: first.row,
        line: first.line,
        ...(first.column === undefined ? {} : { column: first.column }),
        rejected: count,
        rows: summary.rejected.slice(0, 100) as unknown as JsonValue,
      },
    });
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
