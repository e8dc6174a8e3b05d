/**
 * The groups of a version, or those between two, by their folded texts.
 */
import { type Manifest, UNLABELLED_PLACE as UNLABELLED } from '../records/manifest.ts';
import { amongNodes, type ChunkSource } from '../store/chunks.ts';
import { EMPTY_TREE } from '../tree/build.ts';
import { diffTrees } from '../tree/diff.ts';
import { TreeReader } from '../tree/reader.ts';
import { compareGroups } from './group-order.ts';
import { recordChanges, treeOf } from './record-changes.ts';
import type { Repository } from './repository.ts';
import type { Version } from './versions.ts';

const TAB = 9;
const FOLDS_AT_ONCE = 4096;

/** Folded texts of every group that has records, ascending as their keys do, each once. */
export async function* allFolds(chunks: ChunkSource, manifest: Manifest | undefined): AsyncIterable<readonly string[]> {
  if (manifest === undefined) return;
  const streams = placesOf(manifest).map((place) => foldsOf(chunks, manifest, place));
  const heads = await Promise.all(streams.map((stream) => stream.next()));
  let batch: string[] = [];
  for (;;) {
    let least: Buffer | undefined;
    for (const head of heads) {
      if (head.done !== true && (least === undefined || compareGroups(head.value, least) < 0)) least = head.value;
    }
    if (least === undefined) break;
    batch.push(least.toString('utf8'));
    for (const [index, head] of heads.entries()) {
      if (head.done !== true && head.value.equals(least)) {
        heads[index] = await (streams[index] as AsyncGenerator<Buffer>).next();
      }
    }
    if (batch.length >= FOLDS_AT_ONCE) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

async function* foldsOf(chunks: ChunkSource, manifest: Manifest, place: string): AsyncGenerator<Buffer> {
  const tree = treeOf(manifest, place);
  if (tree.root === EMPTY_TREE.root) return;
  let last: Buffer | undefined;
  for await (const entries of new TreeReader(chunks, tree).scan({})) {
    for (const { key } of entries) {
      const fold = foldOf(key);
      if (last === undefined || !fold.equals(last)) yield fold;
      last = fold;
    }
  }
}

/**
 * Calls `use` with the folded text of every group, of those that left the data too, in no order, some more than once.
 *
 * @param use is given stretches `[start, end)` of buffers.
 */
export async function eachFold(
  chunks: ChunkSource,
  manifest: Manifest,
  use: (bytes: Buffer, start: number, end: number) => void,
): Promise<void> {
  for (const place of placesOf(manifest)) {
    for await (const leaves of new TreeReader(chunks, treeOf(manifest, place)).scanLines()) {
      for (const { bytes, count, starts } of leaves) {
        for (let index = 0; index < count; index++) {
          const start = starts[index] as number;
          use(bytes, start, bytes.indexOf(TAB, start));
        }
      }
    }
  }
  for await (const leaves of new TreeReader(amongNodes(chunks), manifest.retired).scanLines()) {
    for (const { bytes, count, starts, keyEnds } of leaves) {
      for (let index = 0; index < count; index++) use(bytes, starts[index] as number, keyEnds[index] as number);
    }
  }
}

/**
 * Folded texts of the groups in which two versions may differ, in no order, some more than once: a record changed, or the
 * group left the data or came back.
 */
export async function* changedFolds(
  repository: Repository,
  from: Version | undefined,
  to: Version,
): AsyncIterable<Buffer> {
  for await (const batch of recordChanges(repository, from, to)) {
    for (const { key } of batch) yield foldOf(key);
  }
  const retired = from?.manifest.retired ?? EMPTY_TREE;
  for await (const batch of diffTrees(amongNodes(repository.chunks), retired, to.manifest.retired)) {
    for (const { key } of batch) yield key;
  }
}

/** The group's column of a key. */
function foldOf(key: Buffer): Buffer {
  return key.subarray(0, key.indexOf(TAB));
}

function placesOf(manifest: Manifest): string[] {
  return [...Object.keys(manifest.sides), UNLABELLED];
}
