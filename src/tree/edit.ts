/**
 * Edits a tree in one bottom-up pass. Each level streams its changes to the one above; no tree in between is
 * ever written, chunks that stay equal are not written again, and memory does not grow with the edits.
 *
 * T10  Editing a tree gives the same root as building it anew from the entries it then has.
 *
 * Dense edits need no other way: then every chunk is touched, and the pass is a merge scan of the level.
 */
import { assert } from '../base/errors.ts';
import type { ChunkSink, ChunkSource } from '../store/chunks.ts';
import { EMPTY_TREE, Pyramid, treeOf, type TreeRoot } from './build.ts';
import { ChunkAccess } from './chunk-access.ts';
import { LevelCursor } from './level-cursor.ts';
import { LevelEditor, leafItems, nodeItems, type Change } from './level-editor.ts';
import { locateRanges } from './locate.ts';
import type { Child } from './node.ts';
import { fetchOverruns } from './overrun.ts';
import { FORMAT_1_PARAMETERS, type TreeParameters } from './parameters.ts';
import { mapAhead } from './read-ahead.ts';

/** Sets an entry, or with `value: undefined` deletes it. */
export type Edit = Change<Buffer>;

/** Edits whose leaves are fetched together. */
const WINDOW_EDITS = 512;

/** Windows fetched ahead of the one being applied. */
const WINDOWS_AHEAD = 1;

/**
 * Applies edits to a tree.
 *
 * Deleting an absent key and setting an equal value change nothing. n edits read about n leaves and the nodes
 * above them, however large the tree is.
 *
 * @param edits in strictly ascending order of their keys, at once or in batches.
 * @returns the new tree, equal to one built from scratch (T10).
 * @throws internal if the keys do not ascend; bad-chunk and the errors of `source`.
 */
export async function editTree(
  source: ChunkSource,
  sink: ChunkSink,
  base: TreeRoot,
  edits: Iterable<Edit> | AsyncIterable<readonly Edit[]>,
  parameters: TreeParameters = FORMAT_1_PARAMETERS,
): Promise<TreeRoot> {
  const access = new ChunkAccess(source);
  const put = {
    leaf: sink.leaf.bind(sink),
    node: sink.node.bind(sink),
  };
  const leaves = new LevelEditor(
    new LevelCursor(access, base, 0),
    (emit) => leafItems(access, parameters, emit),
    put.leaf,
  );
  const nodes: LevelEditor<unknown, Child>[] = [];
  for (let level = 1; level <= base.height; level++) {
    const cursor = new LevelCursor(access, base, level);
    nodes.push(new LevelEditor(cursor, (emit) => nodeItems(access, level, parameters, emit), put.node));
  }
  const pyramid = new Pyramid(put, base.height, parameters);
  const top = nodes.at(-1) ?? leaves;
  const windows = mapAhead(windowsOf(edits), WINDOWS_AHEAD, (window) => fetchTouched(access, base, window, parameters));
  let changes = runLevel(leaves, windows, leaves === top);
  for (const editor of nodes) changes = runLevel(editor, changes, editor === top);
  for await (const batch of changes) {
    for (const { value } of batch) if (value !== undefined) pyramid.add(value);
    await sink.drain();
  }
  await sink.drain();
  return top.isTouched ? rootAbove(access, pyramid, nodes) : base;
}

/** Passes changes through one level; of the top level comes every chunk, as a set child. */
async function* runLevel<Page, Value>(
  editor: LevelEditor<Page, Value>,
  windows: AsyncIterable<readonly Change<Value>[]>,
  isTop: boolean,
): AsyncGenerator<readonly Change<Child>[]> {
  const take = (): readonly Change<Child>[] =>
    isTop ? editor.takeAll().map((child) => ({ key: child.key, value: child })) : editor.take();
  for await (const window of windows) {
    await editor.apply(window);
    yield take();
  }
  await editor.end();
  yield take();
}

/** Finds the root over the chunks of the top level, passing down through nodes with a single child. */
async function rootAbove(
  access: ChunkAccess,
  pyramid: Pyramid,
  nodes: readonly LevelEditor<unknown, Child>[],
): Promise<TreeRoot> {
  const found = pyramid.finish();
  if (found === undefined) return EMPTY_TREE;
  let { child, level } = found;
  for (;;) {
    const below = await onlyChild(access, nodes[level - 1], child, level);
    if (below === undefined) return treeOf(child, level);
    child = below;
    level--;
  }
}

/** The child of the only node of a level, if it has a single one. */
async function onlyChild(
  access: ChunkAccess,
  editor: LevelEditor<unknown, Child> | undefined,
  node: Child,
  level: number,
): Promise<Child | undefined> {
  if (editor === undefined) return undefined;
  if (editor.hasMade) return editor.lonely?.hash === node.hash ? editor.lonely.child : undefined;
  // An old one: it was the last of its level, which may have a single child, and all others have gone.
  const page = await access.node(node, level);
  return page.count === 1 ? page.child(0) : undefined;
}

/** Reads the leaves that a window of edits touches, and those it will run on into. */
async function fetchTouched(
  access: ChunkAccess,
  base: TreeRoot,
  window: readonly Edit[],
  parameters: TreeParameters,
): Promise<readonly Edit[]> {
  const ranges = window.map(({ key }) => ({ from: key, upTo: key }));
  const located = await locateRanges(access, base, ranges);
  await access.fetchAhead(located.map(({ leaf }) => leaf));
  await fetchOverruns(access, parameters, located, window);
  return window;
}

/** Brings edits into windows and checks them. */
async function* windowsOf(edits: Iterable<Edit> | AsyncIterable<readonly Edit[]>): AsyncGenerator<readonly Edit[]> {
  let window: Edit[] = [];
  let before: Buffer | undefined;
  for await (const batch of batchesOf(edits)) {
    for (const edit of batch) {
      assert(before === undefined || before.compare(edit.key) < 0, 'edits come in ascending order of their keys');
      before = edit.key;
      window.push(edit);
      if (window.length < WINDOW_EDITS) continue;
      yield window;
      window = [];
    }
  }
  if (window.length > 0) yield window;
}

function batchesOf(
  edits: Iterable<Edit> | AsyncIterable<readonly Edit[]>,
): AsyncIterable<readonly Edit[]> | Iterable<Iterable<Edit>> {
  return Symbol.asyncIterator in edits ? edits : [edits];
}
