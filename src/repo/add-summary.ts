/**
 * What a batch came to, as `add` tells it: counts, the rows that were refused, what it does to the dataset.
 */
import { UttrError } from '../base/errors.ts';
import type { JsonValue } from '../base/json.ts';
import type { CheckReport } from '../checks/run.ts';
import type { ReadReport } from '../formats/format.ts';
import { placeOfRow } from '../formats/row-place.ts';
import type { CleanRule } from '../records/clean.ts';
import { showInvisible } from '../records/invisible.ts';
import type { AddEffect, IntentEffect, NearDuplicate } from './add-effect.ts';
import type { AddOptions } from './add-options.ts';
import type { BatchFiles } from './batch-files.ts';
import type { ListedRows, NotedRows } from './batch-rows.ts';
import type { AdoptedSides, ChangeCounts } from './group-state.ts';
import type { StageTally } from './stage-rows.ts';

/** Near-duplicates that are listed; the rest is counted. */
const LISTED_NEAR = 1000;
/** Bad rows in the details of an error. */
const DETAILED_ROWS = 100;

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

/** A row that is good, and worth a look. */
export interface NotedRow {
  readonly file: string;
  readonly row: number;
  readonly line: number;
  readonly text: string;
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
    /** Rows that were there already, or twice in the files. */
    readonly duplicate: number;
    /** Those of them that were twice in the files. */
    readonly repeated: number;
    /** Of the accepted rows, those that are new though their text is there but for case, blanks or punctuation. */
    readonly echoed: number;
    /** Accepted rows, and duplicates, without a label: they belong to no side. */
    readonly unlabelled: number;
    /** The same with characters that nobody sees. */
    readonly invisible: number;
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
  /** Texts of each intent that is touched, in the last version and with all that is staged; null for large batches. */
  readonly intents: readonly IntentEffect[] | null;
  /** New texts that are nearly equal to others; null where they were not looked for. */
  readonly nearDuplicates: { readonly count: number; readonly first: readonly NearDuplicate[] } | null;
  /** What the checks say of all that is staged; null for large batches. */
  readonly checks: Pick<CheckReport, 'ok' | 'counts' | 'findings'> | null;
  readonly rejected: readonly RejectedRow[];
  /** The first of the rows without a label. */
  readonly unlabelled: readonly NotedRow[];
  /** The first of the rows with characters that nobody sees, these shown as `<U+200B>`. */
  readonly invisible: readonly NotedRow[];
  /** Whether anything is staged now that was not before. */
  readonly staged: boolean;
  /** Whether something was staged before that is not any more: with it gone, the dataset is what the files say. */
  readonly dropped: boolean;
  readonly dryRun: boolean;
  readonly rejectsFile?: string;
  readonly reportFile?: string;
  /** What each file was taken for, for messages. */
  readonly files: readonly ReadReport[];
}

/** What is known once a batch is read and staged, or not. */
export interface BatchOutcome {
  readonly dataset: string;
  readonly tally: StageTally;
  readonly newIntents: readonly string[];
  readonly recorded: boolean;
  readonly noted: NotedRows | undefined;
  readonly effect: AddEffect | undefined;
}

/** What the batch came to. */
export function summarize(batch: BatchFiles, options: AddOptions, outcome: BatchOutcome): AddSummary {
  const { dataset, tally, newIntents, recorded } = outcome;
  const [first] = batch.files;
  return {
    dataset,
    batch: { name: first?.name ?? '', sha256: first?.sha256 ?? '', bytes: first?.bytes ?? 0 },
    batches: batch.files,
    rows: countRows(batch, outcome),
    changes: tally.changes,
    ...(options.split === 'adopt' ? { sides: tally.sides } : {}),
    cleaned: batch.cleaned,
    newIntents,
    ...effectOf(outcome.effect),
    unlabelled: notedRows(batch, outcome.noted?.unlabelled),
    invisible: notedRows(batch, outcome.noted?.invisible),
    rejected: batch.problems,
    staged: recorded && hasChanges(tally.staged),
    dropped: recorded && !hasChanges(tally.staged),
    dryRun: options.dryRun === true,
    ...(options.rejects === undefined ? {} : { rejectsFile: options.rejects }),
    ...(options.report === undefined ? {} : { reportFile: options.report }),
    files: batch.reports,
  };
}

/** @throws bad-row, conflicting-label where rows were refused and there is no place for them */
export function requireAcceptable(summary: AddSummary, batch: BatchFiles): void {
  if (!batch.isAcceptable && !summary.dryRun) throw refusal(summary, batch);
}

function notedRows(batch: BatchFiles, rows: ListedRows | undefined): NotedRow[] {
  return (rows?.first ?? []).map(({ place: { file, row, line }, text }) => ({
    file: batch.nameOf(file),
    row,
    line,
    text: showInvisible(text, ({ code }) => `<${code}>`),
  }));
}

function countRows(batch: BatchFiles, { tally, noted }: BatchOutcome): AddSummary['rows'] {
  return {
    read: batch.rowsRead,
    accepted: tally.accepted,
    rejected: batch.rejected,
    duplicate: tally.unchanged + tally.repeated,
    repeated: tally.repeated,
    echoed: tally.echoed,
    unlabelled: noted?.unlabelled.count ?? 0,
    invisible: noted?.invisible.count ?? 0,
    conflict: batch.conflicts + tally.kept,
    kept: tally.kept,
  };
}

function effectOf(effect: AddEffect | undefined): Pick<AddSummary, 'intents' | 'nearDuplicates' | 'checks'> {
  const { near, checks } = effect ?? {};
  return {
    intents: effect?.intents ?? null,
    nearDuplicates: near === undefined ? null : { count: near.size, first: [...near.values()].slice(0, LISTED_NEAR) },
    checks: checks === undefined ? null : { ok: checks.ok, counts: checks.counts, findings: checks.findings },
  };
}

export function hasChanges({ added, relabelled, updated, removed }: ChangeCounts): boolean {
  return added + relabelled + updated + removed > 0;
}

/** The error for a batch with bad rows and no place for them: nothing was staged. */
function refusal(summary: AddSummary, batch: BatchFiles): UttrError {
  const first = summary.rejected[0] as RejectedRow;
  const count = batch.rejected + batch.conflicts;
  const code = first.code === 'conflicting-label' ? 'conflicting-label' : 'bad-row';
  const more = count === 1 ? '' : `, and ${count - 1} more`;
  return new UttrError(code, `${placeOfRow(first)}: ${first.message} (row ${first.row})${more}; nothing was staged`, {
    hint:
      batch.rejected === 0
        ? "decide which label holds: --on-conflict relabel (the file's) or --on-conflict keep (the one there)"
        : 'mend the rows, or stage the good ones with --rejects <file>',
    details: {
      file: first.file,
      row: first.row,
      line: first.line,
      ...(first.column === undefined ? {} : { column: first.column }),
      rejected: count,
      rows: summary.rejected.slice(0, DETAILED_ROWS) as unknown as JsonValue,
    },
  });
}
