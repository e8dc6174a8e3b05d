/**
 * What differs between two trees.
 *
 * Equal chunks of one level hold equal entries (T6), so they are dropped from both sides at the highest level they
 * stand on, and never read. What is left is read level by level, in windows, and compared entry by entry in the end.
 * The cost follows the differences, and memory is bounded by the windows.
 *
 * T11  Applying the differences from one tree to another to the first gives the second.
 */
import type { ChunkSource } from '../store/chunks.ts';
import type { TreeRoot } from './build.ts';
import { ChunkAccess } from './chunk-access.ts';
import { entriesOf, type Entry, type Lines } from './lines.ts';
import { Join, type Pair, type Window } from './join.ts';
import type { Child, Node } from './node.ts';
import { mapAhead } from './read-ahead.ts';

/** An entry of which the two trees hold different values, or which only one holds. */
export interface Difference {
  readonly key: Buffer;
  readonly before?: Buffer;
  readonly after?: Buffer;
}

/** Windows read ahead of the one being compared. */
const WINDOWS_AHEAD = 1;

/** Differences from `a` to `b` in ascending order of their keys, in batches. */
export async function* diffTrees(source: ChunkSource, a: TreeRoot, b: TreeRoot): AsyncGenerator<readonly Difference[]> {
  if (a.root === b.root) return;
  const access = new ChunkAccess(source);
  const join = new Join<Entry>((before, after) => before.value.equals(after.value));
  const windows = mapAhead(differingChunks(access, a, b, 0), WINDOWS_AHEAD, async (window) => {
    const leaves = await access.leaves(bothSides(window));
    return expand(window, (index) => entriesOf(leaves[index] as Lines));
  });
  for await (const window of windows) {
    for (const { pairs } of join.feed(window)) if (pairs.length > 0) yield pairs.map(differenceOf);
  }
  for (const { pairs } of join.end()) if (pairs.length > 0) yield pairs.map(differenceOf);
}

/** Chunks of one level that only one of the trees has, in key order, in windows. */
async function* differingChunks(
  access: ChunkAccess,
  a: TreeRoot,
  b: TreeRoot,
  level: number,
): AsyncGenerator<Window<Child>> {
  const join = new Join<Child>((before, after) => before.hash === after.hash);
  // A tree joins in at the level of its root; above it has nothing.
  for (const [side, tree] of [
    ['a', a],
    ['b', b],
  ] as const) {
    if (tree.height > level) continue;
    const root = tree.height === level ? await access.rootOf(tree) : undefined;
    join.finishSide(side, root === undefined ? [] : [root]);
  }
  if (level < Math.max(a.height, b.height)) {
    for await (const window of differingChunks(access, a, b, level + 1)) {
      const nodes = await access.nodes(bothSides(window), level + 1);
      yield* join.feed(expand(window, (index) => (nodes[index] as Node).children));
    }
  }
  yield* join.end();
}

/** The chunks of a window: those of `a`, then those of `b`. */
function bothSides(window: Window<Child>): Child[] {
  return [...window.pairs.flatMap(({ a }) => a ?? []), ...window.pairs.flatMap(({ b }) => b ?? [])];
}

/** Replaces the chunks of a window by what they hold; `open` takes a position in `bothSides`. */
function expand<T>(
  window: Window<Child>,
  open: (index: number) => readonly T[],
): {
  readonly a: T[];
  readonly b: T[];
  readonly window: Window<Child>;
} {
  const a: T[] = [];
  const b: T[] = [];
  let index = 0;
  for (const pair of window.pairs) if (pair.a !== undefined) a.push(...open(index++));
  for (const pair of window.pairs) if (pair.b !== undefined) b.push(...open(index++));
  return { a, b, window };
}

function differenceOf({ a, b }: Pair<Entry>): Difference {
  const key = (a ?? b)?.key as Buffer;
  return { key, ...(a === undefined ? {} : { before: a.value }), ...(b === undefined ? {} : { after: b.value }) };
}
