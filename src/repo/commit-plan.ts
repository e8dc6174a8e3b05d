/**
 * From the staged file to sides: what each touched group was and will be, and which side new groups go to.
 *
 * Everything here is a function of the staged file and the parent's manifest, in key order: two machines with the
 * same parent and the same batch come to the same sides (S4).
 */
import { throwIfAborted } from '../base/errors.ts';
import { decodeRecord } from '../records/encode-record.ts';
import { foldedText, KEY_COLUMN_LIMIT_BYTES } from '../records/key.ts';
import { type Manifest, type SplitPolicy, UNLABELLED_PLACE as UNLABELLED } from '../records/manifest.ts';
import { stratumOf } from '../records/stratum.ts';
import { SplitAssigner } from '../split/assign.ts';
import { TotalsBuilder } from './change-totals.ts';
import { intentJson } from './group-state.ts';
import { FORCED, NO_HOME, readStagedGroups, type StagedLine } from './staged-file.ts';

/** Numbers by two keys, e.g. stratum and side. */
export class CountTable {
  readonly #rows = new Map<string, Map<string, number>>();

  add(row: string, column: string, count: number): void {
    let columns = this.#rows.get(row);
    if (columns === undefined) {
      columns = new Map();
      this.#rows.set(row, columns);
    }
    columns.set(column, (columns.get(column) ?? 0) + count);
  }

  get(row: string, column: string): number {
    return this.#rows.get(row)?.get(column) ?? 0;
  }

  forEach(use: (row: string, column: string, count: number) => void): void {
    for (const [row, columns] of this.#rows) for (const [column, count] of columns) use(row, column, count);
  }

  /** The sum of each column. */
  columnSums(): Map<string, number> {
    const sums = new Map<string, number>();
    this.forEach((_, column, count) => void sums.set(column, (sums.get(column) ?? 0) + count));
    return sums;
  }

  /** As plain objects, rows without a count left out. */
  toObject(): Record<string, Record<string, number>> {
    const result: Record<string, Record<string, number>> = {};
    for (const row of [...this.#rows.keys()].sort()) {
      const columns: Record<string, number> = {};
      for (const [column, count] of [...(this.#rows.get(row) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (count !== 0) columns[column] = count;
      }
      if (Object.keys(columns).length > 0) result[row] = columns;
    }
    return result;
  }

  static from(table: Readonly<Record<string, Readonly<Record<string, number>>>>): CountTable {
    const result = new CountTable();
    for (const [row, columns] of Object.entries(table)) {
      for (const [column, count] of Object.entries(columns)) result.add(row, column, count);
    }
    return result;
  }
}

/** What becomes of one group. */
export interface GroupMove {
  readonly lines: readonly StagedLine[];
  /** The side it is on in the parent; undefined: on none. */
  readonly from: string | undefined;
  /** The side that a merge, or a file, has decided on; undefined: it stays where it is or was, or is drawn. */
  readonly forced: string | undefined;
  /** The side it had when it left the data; undefined: it never left. */
  readonly retired: string | undefined;
  readonly stratumBefore: string | undefined;
  /** undefined: no labelled record is left. */
  readonly stratumAfter: string | undefined;
}

/** The plan of a commit. */
export interface CommitPlan {
  readonly sides: readonly string[];
  /** Groups by stratum and side, after the commit. */
  readonly strata: CountTable;
  /** Groups by side, after the commit. */
  readonly groups: ReadonlyMap<string, number>;
  /** Side of each new group, in the order the groups come in the staged file. */
  readonly newSides: (ordinal: number) => string;
  /** Complete for a version with a parent; for a first one, once its trees are built. */
  readonly counter: RecordCounter;
  readonly warnings: readonly string[];
  /** Whether the version is a first one, and every staged line adds a record. */
  readonly isOnlyAdded: boolean;
}

const stratumCaches = new WeakMap<readonly string[], Map<string, string>>();

/** Stratum of a line's record. */
function stratumOfLine(line: StagedLine, when: 'before' | 'after', stratify: readonly string[]): string {
  if (when === 'before' && !line.isUnchanged) return stratumOf(decodeRecord(line.before as Buffer), stratify);
  return stratumOfLabelled(line.intent, stratify, () => line.after as Buffer);
}

/**
 * Stratum of a record with this label; for the default policy it depends on the label alone and is looked up.
 *
 * @param intent canonical JSON of the label.
 */
export function stratumOfLabelled(intent: string, stratify: readonly string[], record: () => Buffer): string {
  if (stratify.length !== 1 || stratify[0] !== 'intent') return stratumOf(decodeRecord(record()), stratify);
  let cache = stratumCaches.get(stratify);
  if (cache === undefined) {
    cache = new Map();
    stratumCaches.set(stratify, cache);
  }
  let stratum = cache.get(intent);
  if (stratum === undefined) {
    stratum = stratumOf(decodeRecord(record()), stratify);
    cache.set(intent, stratum);
  }
  return stratum;
}

/** Reads a group's lines into what becomes of it. */
export function groupMove(lines: readonly StagedLine[], stratify: readonly string[]): GroupMove {
  const first = lines[0] as StagedLine;
  if (first.hasNoHome && lines.length === 1 && first.isAdded) {
    return {
      lines,
      from: undefined,
      forced: undefined,
      retired: undefined,
      stratumBefore: undefined,
      stratumAfter: first.intent === '' ? undefined : stratumOfLine(first, 'after', stratify),
    };
  }
  const [home, forced] = first.home.split(FORCED) as [string, string | undefined];
  let before: string | undefined;
  let after: string | undefined;
  for (const line of lines) {
    if (before === undefined && isLabelled(line, 'before')) before = stratumOfLine(line, 'before', stratify);
    if (after === undefined && line.intent !== '') after = stratumOfLine(line, 'after', stratify);
    if (before !== undefined && after !== undefined) break;
  }
  const onSide = home !== NO_HOME && !home.startsWith('~');
  return {
    lines,
    from: onSide ? home : undefined,
    forced,
    retired: home.startsWith('~') ? home.slice(1) : undefined,
    stratumBefore: before,
    stratumAfter: after,
  };
}

function isLabelled(line: StagedLine, when: 'before' | 'after'): boolean {
  if (when === 'after' || line.isUnchanged) return line.intent !== '';
  const { before } = line;
  return before !== undefined && intentJson(before.toString('utf8')) !== '';
}

/** The folded text that decides a new group's place in the draw: that of its first labelled record. */
function drawText(move: GroupMove): string {
  const line = move.lines.find(({ intent }) => intent !== '') as StagedLine;
  return wholeFold(line.buffer, line.start, line.foldEnd, () => line.after as Buffer);
}

/** The folded text of a record, whose column of the key is `bytes[start..end)`. */
export function wholeFold(bytes: Buffer, start: number, end: number, record: () => Buffer): string {
  // A shortened column ends in a digest; only then the text itself is needed.
  if (end - start <= KEY_COLUMN_LIMIT_BYTES) return bytes.toString('utf8', start, end);
  return foldedText(decodeRecord(record()).text);
}

/** Where a record lies, given its group's side: on that side, or with the unlabelled ones. */
export function placeOf(line: StagedLine, when: 'before' | 'after', side: string | undefined): string | undefined {
  const there = when === 'before' ? line.before : line.after;
  if (there === undefined) return undefined;
  return isLabelled(line, when) ? side : UNLABELLED;
}

/** Side of a group after the commit: the one it has or had, else the one the draw gave it. */
export function sideAfter(move: GroupMove, nextNew: () => string): string | undefined {
  if (move.stratumAfter === undefined) return move.from;
  return move.forced ?? move.from ?? move.retired ?? nextNew();
}

export interface PlanOptions {
  /** Told of every group that the parent has not, its folded text as a stretch of a buffer. */
  readonly onNewGroup?: (bytes: Buffer, start: number, end: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Whether the parent may not know a group: it has no side there, and never had one. */
function isUnknown(lines: readonly StagedLine[]): boolean {
  const [first] = lines as [StagedLine];
  return first.hasNoHome || first.home.startsWith(NO_HOME + FORCED);
}

/** Reads the staged file and decides every side. */
export async function planCommit(
  path: string,
  policy: SplitPolicy,
  identity: readonly string[],
  parent: Manifest | undefined,
  options: PlanOptions = {},
): Promise<CommitPlan> {
  const { signal, onNewGroup } = options;
  const sides = Object.keys(policy.sides);
  const strata = CountTable.from(parent?.strata ?? {});
  const groups = new Map<string, number>(sides.map((side) => [side, parent?.sides[side]?.groups ?? 0]));
  await settleKnownGroups(path, policy, identity, strata, groups);
  const assigner = new SplitAssigner(policy, strata.toObject());
  for await (const batch of readStagedGroups(path, identity)) {
    for (const lines of batch) {
      const move = groupMove(lines, policy.stratify);
      if (onNewGroup !== undefined && isUnknown(lines)) {
        const [{ buffer, start, foldEnd }] = lines as [StagedLine];
        onNewGroup(buffer, start, foldEnd);
      }
      if (isNew(move)) assigner.add(drawText(move), move.stratumAfter as string);
    }
    throwIfAborted(signal);
  }
  const assigned = assigner.assign();
  const newSides = (ordinal: number): string => sides[assigned.sideOf(ordinal)] as string;
  const counter = new RecordCounter(parent, strata, groups);
  const plan: CommitPlan = {
    sides,
    strata,
    groups,
    newSides,
    counter,
    warnings: assigned.warnings,
    isOnlyAdded: false,
  };
  // Of a first version nothing needs to be known before its trees are built: it is counted on the way.
  if (parent !== undefined) {
    for await (const batch of placedGroups(path, identity, policy.stratify, plan)) {
      for (const { move, side } of batch) counter.add(move, side);
    }
  }
  return plan;
}

/** A group with the side it will be on. */
export interface PlacedGroup {
  readonly move: GroupMove;
  readonly side: string | undefined;
}

/** The staged groups with their sides, in key order. */
export async function* placedGroups(
  path: string,
  identity: readonly string[],
  stratify: readonly string[],
  plan: Pick<CommitPlan, 'newSides'>,
): AsyncIterable<readonly PlacedGroup[]> {
  let ordinal = 0;
  const nextNew = (): string => plan.newSides(ordinal);
  for await (const batch of readStagedGroups(path, identity)) {
    yield batch.map((lines) => {
      const move = groupMove(lines, stratify);
      const side = sideAfter(move, nextNew);
      if (isNew(move)) ordinal++;
      return { move, side };
    });
  }
}

export function isNew(move: GroupMove): boolean {
  return (
    move.forced === undefined &&
    move.from === undefined &&
    move.retired === undefined &&
    move.stratumAfter !== undefined
  );
}

/** Groups that leave, come back or change their stratum: their part of the counts is known before the draw. */
async function settleKnownGroups(
  path: string,
  policy: SplitPolicy,
  identity: readonly string[],
  strata: CountTable,
  groups: Map<string, number>,
): Promise<void> {
  const bump = (side: string, count: number): void => void groups.set(side, (groups.get(side) ?? 0) + count);
  for await (const batch of readStagedGroups(path, identity)) {
    for (const lines of batch) {
      const move = groupMove(lines, policy.stratify);
      if (move.stratumBefore !== undefined && move.from !== undefined) {
        strata.add(move.stratumBefore, move.from, -1);
        bump(move.from, -1);
      }
      const side = move.forced ?? move.from ?? move.retired;
      if (move.stratumAfter !== undefined && side !== undefined) {
        strata.add(move.stratumAfter, side, 1);
        bump(side, 1);
      }
    }
  }
}

/** Counts groups and records as they will be. */
export class RecordCounter {
  /** Records by label (canonical JSON) and place, after the commit. */
  readonly intents: CountTable;
  /** What changes against the parent; of a first version the manifest says all but the sum. */
  readonly totals = new TotalsBuilder();
  readonly #isFirst: boolean;
  readonly #strata: CountTable;
  readonly #groups: Map<string, number>;

  constructor(parent: Manifest | undefined, strata: CountTable, groups: Map<string, number>) {
    this.intents = CountTable.from(parent?.intents ?? {});
    this.#isFirst = parent === undefined;
    this.#strata = strata;
    this.#groups = groups;
  }

  /** Counts new groups of a stratum. */
  addGroups(stratum: string, side: string, count: number): void {
    this.#strata.add(stratum, side, count);
    this.#groups.set(side, (this.#groups.get(side) ?? 0) + count);
  }

  /** Counts records of a first version. @param intent canonical JSON of their label */
  addFirst(intent: string, place: string, count: number): void {
    this.intents.add(intent, place, count);
    this.totals.changes.added += count;
  }

  add(move: GroupMove, side: string | undefined): void {
    if (side !== undefined && isNew(move)) this.addGroups(move.stratumAfter as string, side, 1);
    for (const line of move.lines) this.#line(line, move, side);
  }

  #line(line: StagedLine, move: GroupMove, side: string | undefined): void {
    if (line.isAdded) {
      const place = line.intent === '' ? UNLABELLED : (side ?? UNLABELLED);
      if (this.#isFirst) {
        this.addFirst(line.intent, place, 1);
      } else {
        this.intents.add(line.intent, place, 1);
        this.totals.addNew(line.intent, place);
      }
      return;
    }
    const was = placeOf(line, 'before', move.from);
    const is = placeOf(line, 'after', side);
    // A merge may move a whole group to another side: its records are the same, their places are not.
    const before = line.before?.toString('utf8');
    if (was !== undefined) this.intents.add(intentJson(before), was, -1);
    if (is !== undefined) this.intents.add(line.intent, is, 1);
    if (line.isUnchanged) return;
    this.totals.add({ key: line.key, side: is ?? was ?? UNLABELLED, before, after: line.after?.toString('utf8') });
  }
}
