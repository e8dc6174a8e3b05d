/**
 * The records that differ between two versions, in key order, from wherever it costs least to know them.
 *
 * Where the newer version descends from the older one along first parents and every step lists its changes, the
 * lists are composed: they are small and lie with the metadata, so a fresh clone reads kilobytes. Otherwise the
 * trees are compared, which costs what differs.
 */
import type { Hash } from '../base/hash.ts';
import type { Manifest } from '../records/manifest.ts';
import { amongNodes, type ChunkSource } from '../store/chunks.ts';
import { EMPTY_TREE, type TreeRoot } from '../tree/build.ts';
import { diffTrees } from '../tree/diff.ts';
import { TreeReader } from '../tree/reader.ts';
import { parseChangeEntry } from './change-entry.ts';
import { UNLABELLED_PLACE as UNLABELLED } from '../records/manifest.ts';
import type { Repository } from './repository.ts';
import { loadVersion, type Version } from './versions.ts';

/** One record that differs. `before` and `after` are canonical JSON; at least one is there. */
export interface RecordChange {
  readonly key: Buffer;
  /** Where it is now, or was before it went; `unlabelled` for records without a label. */
  readonly side: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** Steps of history that are composed at most; beyond, comparing trees is as good. */
const STEP_LIMIT = 64;
/** Listed changes that are composed in memory at most. */
const COMPOSED_LIMIT = 100_000;

export async function* recordChanges(
  repository: Repository,
  from: Version | undefined,
  to: Version,
): AsyncIterable<readonly RecordChange[]> {
  if (from?.hash === to.hash || from?.manifest.content === to.manifest.content) return;
  const lists = from === undefined ? undefined : await listsBetween(repository, from, to);
  if (lists === undefined) yield* compareTrees(repository.chunks, from?.manifest, to.manifest);
  else if (lists.length === 1) yield* readList(repository.chunks, lists[0] as TreeRoot);
  else yield* composeLists(repository.chunks, lists);
}

/** The lists of changes that lead from one version to the other, oldest first; undefined when one is missing. */
async function listsBetween(repository: Repository, from: Version, to: Version): Promise<TreeRoot[] | undefined> {
  const lists: TreeRoot[] = [];
  let version = to;
  let total = 0;
  for (let step = 0; step < STEP_LIMIT; step++) {
    const { changes, crossed, parents } = version.manifest;
    const { list } = changes;
    const parent: Hash | undefined = parents[0];
    // Groups that crossed moved without a change of their records: only the trees show them.
    if (list === null || parent === undefined || crossed > 0) return undefined;
    lists.push(list);
    total += list.records;
    if (total > COMPOSED_LIMIT && lists.length > 1) return undefined;
    if (parent === from.hash) return lists.reverse();
    version = await loadVersion(repository, parent);
  }
  return undefined;
}

async function* readList(chunks: ChunkSource, list: TreeRoot): AsyncIterable<readonly RecordChange[]> {
  for await (const entries of new TreeReader(amongNodes(chunks), list).scan({})) {
    yield entries.map(({ key, value }) => ({ key, ...parseChangeEntry(key, value) }));
  }
}

/** The changes of one group that a list of changes names. */
export async function listedChanges(chunks: ChunkSource, list: TreeRoot, prefix: string): Promise<RecordChange[]> {
  if (list.root === null) return [];
  const [entries] = await new TreeReader(amongNodes(chunks), list).prefixes([Buffer.from(prefix)]);
  return (entries ?? []).map(({ key, value }) => ({ key, ...parseChangeEntry(key, value) }));
}

async function* composeLists(chunks: ChunkSource, lists: readonly TreeRoot[]): AsyncIterable<readonly RecordChange[]> {
  const composed = new Map<string, RecordChange>();
  for (const list of lists) {
    for await (const batch of readList(chunks, list)) {
      for (const change of batch) {
        const name = change.key.toString('utf8');
        const earlier = composed.get(name);
        composed.set(name, earlier === undefined ? change : { ...change, before: earlier.before });
      }
    }
  }
  const changes = [...composed.values()].filter(({ before, after }) => before !== after);
  if (changes.length > 0) yield changes.sort((a, b) => Buffer.compare(a.key, b.key));
}

/**
 * Compares the trees of two versions place by place. A record that moved between places (it got or lost its
 * label) is a removal in one tree and an addition in another: the two are brought together by key.
 */
async function* compareTrees(
  chunks: ChunkSource,
  from: Manifest | undefined,
  to: Manifest,
): AsyncIterable<readonly RecordChange[]> {
  const places = [...new Set([...Object.keys(to.sides), ...Object.keys(from?.sides ?? {}), UNLABELLED])];
  const streams = places.map((place) => placeChanges(chunks, place, treeOf(from, place), treeOf(to, place)));
  yield* joinByKey(streams);
}

export function treeOf(manifest: Manifest | undefined, place: string): TreeRoot {
  if (manifest === undefined) return EMPTY_TREE;
  return (place === UNLABELLED ? manifest.unlabelled : manifest.sides[place]) ?? EMPTY_TREE;
}

async function* placeChanges(
  chunks: ChunkSource,
  side: string,
  from: TreeRoot,
  to: TreeRoot,
): AsyncGenerator<readonly RecordChange[]> {
  for await (const batch of diffTrees(chunks, from, to)) {
    yield batch.map(({ key, before, after }) => ({
      key,
      side,
      before: before?.toString('utf8'),
      after: after?.toString('utf8'),
    }));
  }
}

/** Merges streams in key order; changes of one key become one. */
async function* joinByKey(
  streams: readonly AsyncGenerator<readonly RecordChange[]>[],
): AsyncIterable<readonly RecordChange[]> {
  const heads = await Promise.all(streams.map(async (stream) => new Head(stream).load()));
  let batch: RecordChange[] = [];
  for (;;) {
    let least: Head | undefined;
    for (const head of heads) {
      if (head.change !== undefined && (least === undefined || head.isBefore(least))) least = head;
    }
    if (least?.change === undefined) break;
    const change = least.change;
    const last = batch.at(-1);
    if (last !== undefined && Buffer.compare(last.key, change.key) === 0)
      batch[batch.length - 1] = bringTogether(last, change);
    else if (batch.length >= 1024) {
      yield batch;
      batch = [change];
    } else batch.push(change);
    await least.advance();
  }
  if (batch.length > 0) yield batch;
}

function bringTogether(a: RecordChange, b: RecordChange): RecordChange {
  const side = a.after === undefined ? b.side : a.side;
  return { key: a.key, side, before: a.before ?? b.before, after: a.after ?? b.after };
}

class Head {
  readonly #stream: AsyncGenerator<readonly RecordChange[]>;
  #batch: readonly RecordChange[] = [];
  #at = 0;

  constructor(stream: AsyncGenerator<readonly RecordChange[]>) {
    this.#stream = stream;
  }

  get change(): RecordChange | undefined {
    return this.#batch[this.#at];
  }

  isBefore(other: Head): boolean {
    return Buffer.compare((this.change as RecordChange).key, (other.change as RecordChange).key) < 0;
  }

  async load(): Promise<this> {
    while (this.#at >= this.#batch.length) {
      const { value, done } = await this.#stream.next();
      if (done === true) {
        this.#batch = [];
        this.#at = 0;
        return this;
      }
      this.#batch = value;
      this.#at = 0;
    }
    return this;
  }

  async advance(): Promise<void> {
    this.#at++;
    await this.load();
  }
}
