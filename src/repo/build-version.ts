/**
 * Writes the trees of a new version: one per side, the unlabelled records, the retired groups, the changes.
 *
 * A tree that is empty in the parent is built in one pass; one that is not is edited, so the cost follows the
 * change. Both give the same root (T4).
 */
import { throwIfAborted } from '../base/errors.ts';
import type { Progress } from '../base/ports.ts';
import { type Manifest, type TreeState, UNLABELLED_PLACE as UNLABELLED } from '../records/manifest.ts';
import { amongNodes, type ChunkSink, type ChunkSource } from '../store/chunks.ts';
import { EMPTY_TREE, TreeBuilder, type TreeRoot } from '../tree/build.ts';
import { type Edit, editTree } from '../tree/edit.ts';
import { buildFirst } from './first-version.ts';
import { inRetiredOrder } from './group-order.ts';
import { changeEntry } from './change-entry.ts';
import { type CommitPlan, placedGroups, type PlacedGroup, placeOf } from './commit-plan.ts';
import type { StagedLine } from './staged-file.ts';

/** Changes are listed in a tree of their own unless they are more than this part of the data. */
const LISTED_PART = 0.25;

/** Where the leaves and nodes of each kind of tree go. */
export interface TreeSinks {
  /** Leaves of a side, or of the unlabelled records; nodes go to the shared metadata. */
  data(place: string): ChunkSink;
  /** Leaves and nodes of the retired groups: small, wanted early by readers. */
  readonly meta: ChunkSink;
  /** Leaves and nodes of the list of changes, which is read from end to end. */
  readonly changes: ChunkSink;
}

export interface BuiltTrees {
  readonly sides: Readonly<Record<string, TreeRoot>>;
  readonly unlabelled: TreeRoot;
  readonly retired: TreeRoot;
  /** null: the changes are too many to list, or there is no parent. */
  readonly changes: TreeRoot | null;
}

interface Job {
  readonly path: string;
  readonly stratify: readonly string[];
  readonly identity: readonly string[];
  readonly plan: CommitPlan;
  readonly parent: Manifest | undefined;
  readonly source: ChunkSource;
  readonly sinks: TreeSinks;
  /** Groups that are retired without having records here: a merge brings them from the other branch. */
  readonly extraRetired: readonly Edit[];
  readonly signal: AbortSignal | undefined;
  readonly progress: Progress;
}

export async function buildTrees(job: Job): Promise<BuiltTrees> {
  const places = [...job.plan.sides, UNLABELLED];
  const roots = new Map<string, TreeRoot>();
  const empty = places.filter((place) => baseOf(job, place).root === null);
  for (const [place, root] of await buildEmpty(job, empty)) roots.set(place, root);
  for (const place of places) {
    if (roots.has(place)) continue;
    roots.set(place, await editTree(job.source, job.sinks.data(place), baseOf(job, place), editsOf(job, place)));
  }
  const sides: Record<string, TreeRoot> = {};
  for (const side of job.plan.sides) sides[side] = roots.get(side) as TreeRoot;
  const source = amongNodes(job.source);
  const retired = await editTree(source, job.sinks.meta, job.parent?.retired ?? EMPTY_TREE, retiredEdits(job));
  return { sides, unlabelled: roots.get(UNLABELLED) as TreeRoot, retired, changes: await buildChanges(job, sides) };
}

function baseOf(job: Job, place: string): TreeState | TreeRoot {
  if (job.parent === undefined) return EMPTY_TREE;
  return (place === UNLABELLED ? job.parent.unlabelled : job.parent.sides[place]) ?? EMPTY_TREE;
}

/** All trees that start empty, in one pass over the staged file. */
async function buildEmpty(job: Job, places: readonly string[]): Promise<Map<string, TreeRoot>> {
  const builders = new Map(places.map((place) => [place, new TreeBuilder(job.sinks.data(place))]));
  if (job.plan.isOnlyAdded) await buildFirst(job, builders);
  else await buildMoved(job, builders);
  const roots = new Map<string, TreeRoot>();
  for (const [place, builder] of builders) roots.set(place, await builder.finish());
  return roots;
}

async function buildMoved(job: Job, builders: ReadonlyMap<string, TreeBuilder>): Promise<void> {
  let done = 0;
  for await (const batch of withSides(job)) {
    for (const { move, side } of batch) {
      if (job.parent === undefined) job.plan.counter.add(move, side);
      for (const line of move.lines) {
        const place = placeOf(line, 'after', side);
        if (place !== undefined) addLine(builders.get(place), line);
        done++;
      }
    }
    for (const builder of builders.values()) if (builder.needsDrain) await builder.drain();
    throwIfAborted(job.signal);
    job.progress.update('writing', done, undefined, 'records');
  }
}

function addLine(builder: TreeBuilder | undefined, line: StagedLine): void {
  if (line.isAdded) builder?.addLine(line.buffer, line.start, line.keyEnd, line.end + 1);
  else builder?.add(line.key, line.after as Buffer);
}

function withSides(job: Job): AsyncIterable<readonly PlacedGroup[]> {
  return placedGroups(job.path, job.identity, job.stratify, job.plan);
}

/** What changes in one tree: a record may leave it, come into it, or be replaced. */
async function* editsOf(job: Job, place: string): AsyncIterable<readonly Edit[]> {
  for await (const batch of withSides(job)) {
    const edits: Edit[] = [];
    for (const { move, side } of batch) {
      for (const line of move.lines) {
        const after = placeOf(line, 'after', side);
        const before = placeOf(line, 'before', move.from);
        if (line.isUnchanged && before === after) continue;
        if (after === place) edits.push({ key: line.key, value: line.after });
        else if (before === place) edits.push({ key: line.key, value: undefined });
      }
    }
    throwIfAborted(job.signal);
    if (edits.length > 0) yield edits;
  }
}

/** An entry of the retired tree: the side a group had when it left. */
export function retiredValue(side: string): Buffer {
  return Buffer.from(JSON.stringify(side));
}

/** Groups that leave are remembered with their side; groups that come back are forgotten here. */
async function* retiredEdits(job: Job): AsyncIterable<readonly Edit[]> {
  if (job.parent === undefined) return;
  const { extraRetired } = job;
  if (extraRetired.length > 0) {
    const all: Edit[] = [...extraRetired];
    for await (const edits of groupRetirements(job)) all.push(...edits);
    yield all.sort((a, b) => Buffer.compare(a.key, b.key));
  } else {
    yield* inRetiredOrder(groupRetirements(job));
  }
}

async function* groupRetirements(job: Job): AsyncIterable<readonly Edit[]> {
  for await (const batch of withSides(job)) {
    const edits: Edit[] = [];
    for (const { move } of batch) {
      const key = Buffer.from((move.lines[0] as StagedLine).fold);
      if (move.from !== undefined && move.stratumAfter === undefined) {
        edits.push({ key, value: retiredValue(move.forced ?? move.from) });
      } else if (move.retired !== undefined && move.stratumAfter !== undefined) {
        edits.push({ key, value: undefined });
      }
    }
    if (edits.length > 0) yield edits;
  }
}

/** The list of changes against the first parent: what diff, blame and events read, wherever the data is. */
async function buildChanges(job: Job, sides: Readonly<Record<string, TreeRoot>>): Promise<TreeRoot | null> {
  if (job.parent === undefined) return null;
  const { added, relabelled, updated, removed } = job.plan.counter.totals.changes;
  const records = Object.values(sides).reduce((sum, side) => sum + side.records, 0);
  if (added + relabelled + updated + removed > records * LISTED_PART) return null;
  const builder = new TreeBuilder(job.sinks.changes);
  for await (const batch of withSides(job)) {
    for (const { move, side } of batch) {
      for (const line of move.lines) {
        if (line.isUnchanged) continue;
        const place = placeOf(line, 'after', side) ?? placeOf(line, 'before', move.from) ?? UNLABELLED;
        builder.add(line.key, changeEntry(line.key, line.before, line.after, place));
      }
    }
    if (builder.needsDrain) await builder.drain();
  }
  return builder.finish();
}
