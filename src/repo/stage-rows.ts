/**
 * Brings sorted rows together with what is staged and what the parent version has, group by group, and writes
 * the next staged file.
 *
 * Three streams meet here in ascending order of the folded text: the rows of the batch, the staged file, and,
 * only where the batch is to be the whole dataset, every group of the parent. Lookups in the parent go out for
 * a window of groups at once, so a remote or a thread pool can answer them side by side.
 */
import type { Lines } from '../tree/lines.ts';
import type { BaseLookup } from './base-lookup.ts';
import { copyNew, incomingGroup, incomingGroups, isSameFold, type SortedRow } from './batch-rows.ts';
import {
  type AdoptedSides,
  type ChangeCounts,
  type ConflictPolicy,
  GroupState,
  type IncomingRow,
  noChanges,
  noSides,
  type Place,
  type RowOutcome,
} from './group-state.ts';
import { NO_HOME, type StagedLine, type StagedWriter } from './staged-file.ts';

/** Groups looked up in the parent version at once. */
const WINDOW_GROUPS = 1024;

export interface StagePolicy {
  readonly onConflict: ConflictPolicy;
  /** The batch is the whole dataset: what it does not name is removed. */
  readonly replace: boolean;
  /** The dataset's sides, the one that training uses first. */
  readonly sides: readonly string[];
}

export interface RowConflict {
  readonly place: Place;
  readonly text: string;
  readonly existing: string;
  readonly earlier: Place | undefined;
}

/** What staging a batch comes to. */
export interface StageTally {
  accepted: number;
  /** Of the accepted rows, those that are new, though their text is there but for case, blanks or punctuation. */
  echoed: number;
  unchanged: number;
  repeated: number;
  kept: number;
  absent: number;
  conflicts: number;
  /** What the batch changes against what was staged before it. */
  readonly changes: ChangeCounts;
  /** What became of sides that files have. */
  readonly sides: AdoptedSides;
  /** What the staged file as a whole changes against the parent version. */
  readonly staged: ChangeCounts;
  /**
   * By label, how many records more or fewer the staged file makes; not counted for what a dataset begins with, which
   * may be a hundred million.
   */
  readonly labels: Map<string, number>;
}

export const newTally = (): StageTally => ({
  accepted: 0,
  echoed: 0,
  unchanged: 0,
  repeated: 0,
  kept: 0,
  absent: 0,
  conflicts: 0,
  changes: noChanges(),
  sides: noSides(),
  staged: noChanges(),
  labels: new Map(),
});

export interface StageInput {
  /** Lines of `RowLines`, sorted. */
  readonly sorted: AsyncIterable<Lines>;
  /** Groups staged already; undefined for none. */
  readonly staged: AsyncIterable<readonly (readonly StagedLine[])[]> | undefined;
  /** Folded texts of every group of the parent, for `replace`; undefined otherwise. */
  readonly allFolds: AsyncIterable<readonly string[]> | undefined;
  readonly base: BaseLookup;
  readonly policy: StagePolicy;
  readonly writer: StagedWriter;
  readonly onConflict: (conflict: RowConflict, row: IncomingRow) => void;
  readonly watcher?: RowWatcher | undefined;
}

/** Is told what becomes of every row. */
export interface RowWatcher {
  settle(row: IncomingRow, outcome: RowOutcome): void;
  /** Puts away what the memory does not hold any more. */
  spill(): Promise<void>;
}

interface Meeting {
  readonly fold: Buffer;
  rows: readonly IncomingRow[];
  staged: readonly StagedLine[];
}

/** Writes the next staged file and says what it comes to. */
export async function stageRows(input: StageInput): Promise<StageTally> {
  const tally = newTally();
  if (input.base.isEmpty && input.staged === undefined && input.watcher === undefined) await stageNew(input, tally);
  else await stageMeetings(input, tally);
  return tally;
}

/**
 * A first import: there is nothing to meet, so the line of a text that comes once is copied as it is. No object is
 * made for it: there may be a hundred million.
 */
async function stageNew(input: StageInput, tally: StageTally): Promise<void> {
  const { writer } = input;
  let last: SortedRow | undefined;
  let repeated: SortedRow[] = [];
  let added = 0;
  const settleLast = (lines: Lines, index: number): void => {
    if (repeated.length === 0 && copyNew(lines, index, writer)) {
      added++;
      return;
    }
    const rows = [...repeated, { lines, index }];
    settleGroup(new GroupState(NO_HOME), incomingGroup(rows).rows, input, tally);
    repeated = [];
  };
  for await (const lines of input.sorted) {
    for (let index = 0; index < lines.count; index++) {
      const before: Lines | undefined = index === 0 ? last?.lines : lines;
      if (before !== undefined) {
        const number = index === 0 ? (last?.index ?? 0) : index - 1;
        if (isSameFold(before, number, lines, index)) repeated.push({ lines: before, index: number });
        else settleLast(before, number);
      }
    }
    if (lines.count > 0) last = { lines, index: lines.count - 1 };
    if (writer.needsDrain) await writer.drain();
  }
  if (last !== undefined) settleLast(last.lines, last.index);
  tally.accepted += added;
  tally.changes.added += added;
  tally.staged.added += added;
}

async function stageMeetings(input: StageInput, tally: StageTally): Promise<void> {
  let window: Meeting[] = [];
  const rows = new Peekable(incomingGroups(input.sorted), (group) => Buffer.from(group.fold));
  const staged = new Peekable(
    input.staged ?? nothing<readonly (readonly StagedLine[])[]>(),
    (lines) => (lines[0] as StagedLine).fold,
  );
  const folds = new Peekable(input.allFolds ?? nothing<readonly string[]>(), (fold) => Buffer.from(fold));
  for (;;) {
    const fold = least([await rows.key(), await staged.key(), await folds.key()]);
    if (fold === undefined) break;
    const group = rows.takeIf(fold);
    const lines = staged.takeIf(fold);
    folds.takeIf(fold);
    window.push({ fold, rows: group?.rows ?? [], staged: lines ?? [] });
    if (window.length >= WINDOW_GROUPS) {
      await settle(window, input, tally);
      window = [];
    }
  }
  await settle(window, input, tally);
}

async function* nothing<T>(): AsyncIterable<T> {
  // An empty stream.
}

async function settle(window: readonly Meeting[], input: StageInput, tally: StageTally): Promise<void> {
  const unknown = input.base.isEmpty ? [] : window.filter((meeting) => meeting.staged.length === 0);
  const found = await input.base.groups(unknown.map((meeting) => meeting.fold));
  let next = 0;
  for (const meeting of window) {
    const state = newState(meeting, input.base.isEmpty || meeting.staged.length > 0 ? undefined : found[next++]);
    settleGroup(state, meeting.rows, input, tally);
    if (input.writer.needsDrain) await input.writer.drain();
  }
  await input.watcher?.spill();
  await input.writer.drain();
}

function newState(
  meeting: Meeting,
  base: { readonly home: string; readonly members: ReadonlyMap<string, string> } | undefined,
): GroupState {
  const state = new GroupState(meeting.staged[0]?.home ?? base?.home ?? NO_HOME);
  for (const line of meeting.staged) {
    state.put(line.key.toString('utf8'), line.before?.toString('utf8'), line.after?.toString('utf8'));
  }
  for (const [key, record] of base?.members ?? []) state.put(key, record, record);
  return state;
}

function settleGroup(state: GroupState, rows: readonly IncomingRow[], input: StageInput, tally: StageTally): void {
  const { policy } = input;
  for (const row of rows) {
    const outcome = state.apply(row, policy.onConflict, policy.replace);
    input.watcher?.settle(row, outcome);
    if (outcome.kind === 'conflict') {
      tally.conflicts++;
      input.onConflict({ place: row.place, ...outcome }, row);
    } else {
      tally[outcome.kind]++;
      if (outcome.kind === 'accepted' && outcome.effect === 'echoed') tally.echoed++;
    }
    if (policy.replace) state.name(row);
  }
  state.adopt(rows, policy.sides, tally.sides);
  if (policy.replace) state.removeUnnamed();
  state.countChanges(tally.changes);
  if (!state.isChanged) return;
  for (const line of state.lines()) input.writer.write(line);
  state.countAll(tally.staged);
  state.countLabels(tally.labels);
}

function least(keys: readonly (Buffer | undefined)[]): Buffer | undefined {
  let result: Buffer | undefined;
  for (const key of keys) {
    if (key !== undefined && (result === undefined || Buffer.compare(key, result) < 0)) result = key;
  }
  return result;
}

/** A stream of batches, read item by item with a look at the next one's key. */
class Peekable<T> {
  readonly #batches: AsyncIterator<readonly T[]>;
  readonly #keyOf: (item: T) => Buffer;
  #batch: readonly T[] = [];
  #at = 0;
  #key: Buffer | undefined;

  constructor(batches: AsyncIterable<readonly T[]>, keyOf: (item: T) => Buffer) {
    this.#batches = batches[Symbol.asyncIterator]();
    this.#keyOf = keyOf;
  }

  /** The next item's key; undefined at the end. Answers without a promise while the batch lasts. */
  key(): Buffer | undefined | Promise<Buffer | undefined> {
    if (this.#key !== undefined) return this.#key;
    return this.#at < this.#batch.length ? this.#keep() : this.#load();
  }

  /** Takes the next item where its key is `key`. */
  takeIf(key: Buffer): T | undefined {
    if (this.#key === undefined || Buffer.compare(this.#key, key) !== 0) return undefined;
    this.#key = undefined;
    return this.#batch[this.#at++];
  }

  #keep(): Buffer {
    this.#key = this.#keyOf(this.#batch[this.#at] as T);
    return this.#key;
  }

  async #load(): Promise<Buffer | undefined> {
    while (this.#at >= this.#batch.length) {
      const { value, done } = await this.#batches.next();
      if (done === true) return undefined;
      this.#batch = value;
      this.#at = 0;
    }
    return this.#keep();
  }
}
