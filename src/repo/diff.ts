/**
 * `diff`: two versions side by side, as rows.
 */
import { decodeRecord } from '../records/encode-record.ts';
import { pairEdits } from '../records/record-diff.ts';
import type { UtteranceRecord } from '../records/record.ts';
import { changeKind } from './group-state.ts';
import { sideNames } from './query.ts';
import { type RecordChange, recordChanges } from './record-changes.ts';
import type { Repository } from './repository.ts';
import type { Version } from './versions.ts';

/** Removed and added records that are kept in mind to find edited ones among them. */
const PAIRED_LIMIT = 20_000;

export type DiffKind = 'added' | 'removed' | 'relabelled' | 'updated' | 'edited';

export interface DiffChange {
  readonly kind: DiffKind;
  readonly side: string;
  readonly text: string;
  readonly before: UtteranceRecord | null;
  readonly after: UtteranceRecord | null;
}

export type DiffCounts = Record<DiffKind, number>;

export interface DiffFilter {
  readonly side?: string | undefined;
  readonly intent?: string | undefined;
}

export interface DiffSummary {
  readonly dataset: string;
  readonly from: string | null;
  readonly to: string;
  readonly summary: DiffCounts;
  /** The largest side first. */
  readonly bySide: Readonly<Record<string, DiffCounts>>;
  readonly byIntent: Readonly<Record<string, { added: number; removed: number }>>;
  readonly changes: readonly DiffChange[];
  readonly truncated: boolean;
}

/** Without a prototype: an intent may be called `toString`. */
const byName = <T>(): Record<string, T> => Object.create(null) as Record<string, T>;

const noCounts = (): DiffCounts => ({ added: 0, removed: 0, relabelled: 0, updated: 0, edited: 0 });

/** What a diff is of: records that differ, and between which states. */
export interface DiffSource {
  readonly dataset: string;
  readonly from: string | null;
  /** A version's hash, or `staged`. */
  readonly to: string;
  /** Sides in the order in which they are told. */
  readonly sides: readonly string[];
  readonly changes: AsyncIterable<readonly RecordChange[]>;
}

/** Two versions; `from` undefined stands for nothing. */
export function betweenVersions(repository: Repository, from: Version | undefined, to: Version): DiffSource {
  const { manifest, hash } = to;
  return {
    dataset: manifest.dataset,
    from: from?.hash ?? null,
    to: hash,
    sides: sideNames(manifest),
    changes: recordChanges(repository, from, to),
  };
}

/** As summarize, of two versions. */
export function diffVersions(
  repository: Repository,
  from: Version | undefined,
  to: Version,
  filter: DiffFilter,
  limit: number,
): Promise<DiffSummary> {
  return summarize(betweenVersions(repository, from, to), filter, limit);
}

/** Counts all changes and keeps the first `limit` of them. */
export async function summarize(source: DiffSource, filter: DiffFilter, limit: number): Promise<DiffSummary> {
  const summary = noCounts();
  const bySide = new Map<string, DiffCounts>();
  const byIntent = byName<{ added: number; removed: number }>();
  const changes: DiffChange[] = [];
  let total = 0;
  for await (const batch of diffStream(source, filter)) {
    for (const change of batch) {
      summary[change.kind]++;
      const side = bySide.get(change.side) ?? noCounts();
      side[change.kind]++;
      bySide.set(change.side, side);
      countIntents(change, byIntent);
      if (total++ < limit) changes.push(change);
    }
  }
  const sides = [...source.sides, ...bySide.keys()];
  return {
    dataset: source.dataset,
    from: source.from,
    to: source.to,
    summary,
    bySide: Object.fromEntries([...bySide].sort(([a], [b]) => sides.indexOf(a) - sides.indexOf(b))),
    byIntent,
    changes,
    truncated: total > changes.length,
  };
}

/** All changes in key order; edited records stand where their new text does. */
export async function* diffStream(source: DiffSource, filter: DiffFilter): AsyncIterable<readonly DiffChange[]> {
  // Additions and removals wait until the end is in sight: an edited text is one of each.
  let waiting: DiffChange[] | undefined = [];
  for await (const batch of source.changes) {
    const changes = batch.flatMap((change) => toDiffChange(change)).filter((change) => matches(change, filter));
    if (waiting === undefined) {
      yield changes;
      continue;
    }
    waiting.push(...changes);
    if (waiting.length > PAIRED_LIMIT) {
      yield waiting;
      waiting = undefined;
    }
  }
  if (waiting !== undefined && waiting.length > 0) yield pair(waiting);
}

function toDiffChange(change: RecordChange): DiffChange[] {
  const kind = changeKind(change.before, change.after);
  if (kind === undefined) return [];
  const before = change.before === undefined ? null : decodeRecord(change.before);
  const after = change.after === undefined ? null : decodeRecord(change.after);
  return [{ kind, side: change.side, text: (after ?? before)?.text ?? '', before, after }];
}

function matches(change: DiffChange, { side, intent }: DiffFilter): boolean {
  if (side !== undefined && change.side !== side) return false;
  return intent === undefined || [change.before, change.after].some((record) => intentsOf(record).includes(intent));
}

function intentsOf(record: UtteranceRecord | null): readonly string[] {
  const intent = record?.intent;
  if (intent === undefined) return [];
  return typeof intent === 'string' ? [intent] : intent;
}

/** Brings a removed and an added record that are one edited record together. */
function pair(changes: readonly DiffChange[]): DiffChange[] {
  const removed = changes.filter((change) => change.kind === 'removed');
  const added = changes.filter((change) => change.kind === 'added');
  if (removed.length === 0 || added.length === 0) return [...changes];
  const pairs = pairEdits(
    removed.map((change) => change.before as UtteranceRecord),
    added.map((change) => change.after as UtteranceRecord),
  );
  const gone = new Set<DiffChange>();
  const editOf = new Map<DiffChange, DiffChange>();
  for (const { removed: from, added: to } of pairs) {
    const was = removed[from] as DiffChange;
    const is = added[to] as DiffChange;
    gone.add(was);
    editOf.set(is, { kind: 'edited', side: is.side, text: is.text, before: was.before, after: is.after });
  }
  return changes.filter((change) => !gone.has(change)).map((change) => editOf.get(change) ?? change);
}

function countIntents(change: DiffChange, byIntent: Record<string, { added: number; removed: number }>): void {
  const [before, after] = [intentsOf(change.before), intentsOf(change.after)];
  for (const name of after) if (!before.includes(name)) (byIntent[name] ??= { added: 0, removed: 0 }).added++;
  for (const name of before) if (!after.includes(name)) (byIntent[name] ??= { added: 0, removed: 0 }).removed++;
}
