/**
 * Three-way merge of trees.
 *
 * T12  A merge in which no key was changed differently by both sides gives the same root whichever side is called
 *      ours.
 */
import type { ChunkSink, ChunkSource } from '../store/chunks.ts';
import type { TreeRoot } from './build.ts';
import { diffTrees, type Difference } from './diff.ts';
import { editTree, type Edit } from './edit.ts';
import { FORMAT_1_PARAMETERS, type TreeParameters } from './parameters.ts';

/**
 * Decides on a key that both sides changed differently; undefined stands for "no entry", also as the answer.
 */
export type Resolve = (
  key: Buffer,
  base: Buffer | undefined,
  ours: Buffer | undefined,
  theirs: Buffer | undefined,
) => Buffer | undefined | Promise<Buffer | undefined>;

/** Edits in one batch. */
const BATCH_EDITS = 512;

/**
 * Brings what changed from `base` to `theirs` into `ours`. The cost follows the changes of both sides.
 *
 * @param resolve called in key order, only for keys that both sides changed and not to the same value.
 */
export async function mergeTrees(
  source: ChunkSource,
  sink: ChunkSink,
  base: TreeRoot,
  ours: TreeRoot,
  theirs: TreeRoot,
  resolve: Resolve,
  parameters: TreeParameters = FORMAT_1_PARAMETERS,
): Promise<TreeRoot> {
  if (theirs.root === base.root || theirs.root === ours.root) return ours;
  if (ours.root === base.root) return theirs;
  const edits = mergedEdits(diffTrees(source, base, ours), diffTrees(source, base, theirs), resolve);
  return editTree(source, sink, ours, edits, parameters);
}

/** What to change in ours. */
async function* mergedEdits(
  oursDiff: AsyncGenerator<readonly Difference[]>,
  theirsDiff: AsyncGenerator<readonly Difference[]>,
  resolve: Resolve,
): AsyncGenerator<readonly Edit[]> {
  const ours = new Feed(oursDiff);
  const theirs = new Feed(theirsDiff);
  let edits: Edit[] = [];
  try {
    for (;;) {
      const other = theirs.head ?? (await theirs.fill());
      if (other === undefined) break;
      const mine = ours.head ?? (await ours.fill());
      const order = mine === undefined ? 1 : mine.key.compare(other.key);
      if (order <= 0) ours.skip();
      if (order < 0) continue;
      theirs.skip();
      const edit = mine === undefined || order > 0 ? takeOver(other) : await reconcile(mine, other, resolve);
      if (edit !== undefined) edits.push(edit);
      if (edits.length < BATCH_EDITS) continue;
      yield edits;
      edits = [];
    }
    if (edits.length > 0) yield edits;
  } finally {
    await oursDiff.return(undefined);
    await theirsDiff.return(undefined);
  }
}

function takeOver({ key, after }: Difference): Edit {
  return { key, value: after };
}

async function reconcile(mine: Difference, other: Difference, resolve: Resolve): Promise<Edit | undefined> {
  if (isSame(mine.after, other.after)) return undefined;
  const value = await resolve(mine.key, mine.before, mine.after, other.after);
  return isSame(value, mine.after) ? undefined : { key: mine.key, value };
}

function isSame(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}

/** Batches of differences, one at a time. */
class Feed {
  readonly #batches: AsyncGenerator<readonly Difference[]>;
  #batch: readonly Difference[] = [];
  #next = 0;

  constructor(batches: AsyncGenerator<readonly Difference[]>) {
    this.#batches = batches;
  }

  /** undefined: ask `fill`. */
  get head(): Difference | undefined {
    return this.#batch[this.#next];
  }

  skip(): void {
    this.#next++;
  }

  /** @returns the head, after reading on; undefined at the end. */
  async fill(): Promise<Difference | undefined> {
    while (this.head === undefined) {
      const { done, value } = await this.#batches.next();
      if (done === true) return undefined;
      this.#batch = value;
      this.#next = 0;
    }
    return this.head;
  }
}
