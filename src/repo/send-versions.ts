/**
 * Sends the chunks of versions to a remote: each version's own only, parents first.
 */
import { isUttrError, UttrError } from '../base/errors.ts';
import type { Hash, ShortName } from '../base/hash.ts';
import type { Manifest } from '../records/manifest.ts';
import { type ChunkIndex, type ChunkLocation, type FrameLocation, namesIn } from '../store/chunk-index.ts';
import type { ChunkReading } from '../store/chunks.ts';
import type { FrameSource, WholeFrame } from '../store/frame-reader.ts';
import { MemoryChunkIndex } from '../store/memory-chunk-index.ts';
import type { PackIndex } from '../store/pack.ts';
import { PackSink } from '../store/pack-sink.ts';
import type { RemoteChunks } from '../store/remote-chunks.ts';
import { copyToEnd, type WantedChunk } from '../store/transfer.ts';
import type { TreeRoot } from '../tree/build.ts';
import { newChunks } from '../tree/new-chunks.ts';
import type { OpenRemote } from './remotes.ts';
import type { Repository } from './repository.ts';
import type { TransferCount } from './transfer-count.ts';
import { loadVersion, type Version } from './versions.ts';

/**
 * Sends versions that the remote lacks.
 *
 * @param versions parents first
 * @param held versions that the remote has, with their history
 */
export async function sendVersions(
  repository: Repository,
  remote: OpenRemote,
  chunksThere: RemoteChunks,
  versions: readonly Version[],
  held: readonly Hash[],
  count: TransferCount,
): Promise<void> {
  if (versions.length === 0) return;
  const { catalogue } = repository;
  const sent = await alreadySent(repository, remote, chunksThere, count);
  const sink = sinkTo(repository, remote, sent, (pack) => {
    count.add(pack);
    catalogue.transaction(() => catalogue.remotes.addSentPack(remote.url, pack.name, pack.sizeBytes));
  });
  try {
    await copyToEnd({
      from: new EveryChunk(repository),
      to: sink,
      wanted: chunksOf(repository, versions, held),
      alreadyThere: (names) => namesIn(sent, names),
      depthThere: async (hash, reading) => sent.find(hash)?.frame.depth ?? chunksThere.likelyDepthOf(hash, reading),
      progress: repository.progress,
      signal: repository.signal,
    });
  } catch (error) {
    if (isUttrError(error, 'missing-chunk')) throw notAllHere(remote, error);
    throw error;
  }
}

/**
 * Sends all of a version once more, in frames that need no others and in the order of its trees: then it can be
 * fetched without the packs of the versions before it.
 *
 * @param version all of it is here
 */
export async function sendWhole(
  repository: Repository,
  remote: OpenRemote,
  version: Version,
  count: TransferCount,
): Promise<void> {
  // As if nothing of it were there: so nothing is left out, and nothing is stored against what is.
  const sink = sinkTo(repository, remote, new MemoryChunkIndex(), (pack) => count.add(pack));
  await copyToEnd({
    from: new EveryChunk(repository),
    to: sink,
    wanted: chunksOfWhole(repository, version),
    alreadyThere: () => new Set(),
    depthThere: () => undefined,
    alone: true,
    progress: repository.progress,
    signal: repository.signal,
  });
}

/** Packs on a remote. @param index what counts as being there */
function sinkTo(
  { chunks, random, clock, signal }: Repository,
  { store }: OpenRemote,
  index: ChunkIndex,
  onPack: (pack: PackIndex) => void,
): PackSink {
  return new PackSink(store, { index, source: chunks, random, clock, signal, onPack });
}

async function* chunksOfWhole(repository: Repository, version: Version): AsyncIterable<readonly WantedChunk[]> {
  for (const [place, tree] of treesByPlace(version.manifest)) yield* wantedOf(repository, place, [], tree);
  yield [{ hash: version.hash, kind: 'node' }];
}

function notAllHere(remote: OpenRemote, cause: UttrError): UttrError {
  return new UttrError('missing-chunk', `not all data that ${remote.name} lacks is here`, {
    cause,
    hint: 'fetch the rest from a remote that has it (uttr pull --remote <name>), or run: uttr fsck',
    details: cause.details,
  });
}

/** Chunks of packs that an interrupted push sent; a pack that is gone or short does not count. */
async function alreadySent(
  repository: Repository,
  remote: OpenRemote,
  chunks: RemoteChunks,
  count: TransferCount,
): Promise<ChunkIndex> {
  const index = new MemoryChunkIndex();
  for (const { pack, sizeBytes } of repository.catalogue.remotes.sentPacks(remote.url)) {
    const stat = await remote.store.stat(pack, { signal: repository.signal });
    if (stat?.sizeBytes !== sizeBytes) continue;
    const there = await chunks.packIndex(pack);
    index.add(there);
    count.weigh(there);
  }
  return index;
}

/** The chunks of versions, parents first, each version's own only. */
async function* chunksOf(
  repository: Repository,
  versions: readonly Version[],
  held: readonly Hash[],
): AsyncIterable<readonly WantedChunk[]> {
  for (const version of versions) {
    // A history of its own shares data all the same with what is there, e.g. when a dataset was made twice.
    const { parents } = version.manifest;
    const bases: Manifest[] = [];
    for (const hash of parents.length > 0 ? parents : held) bases.push((await loadVersion(repository, hash)).manifest);
    for (const [place, tree] of treesByPlace(version.manifest)) {
      const from = bases.map((base) => treesByPlace(base).get(place)).filter((root) => root !== undefined);
      yield* wantedOf(repository, place, from, tree);
    }
    yield [{ hash: version.hash, kind: 'node' }];
  }
}

/** Chunks of a tree that others lack. @param place as `treesByPlace` names it */
export async function* wantedOf(
  repository: Repository,
  place: string,
  from: readonly TreeRoot[],
  tree: TreeRoot,
): AsyncIterable<readonly WantedChunk[]> {
  for await (const batch of newChunks(repository.chunks, from, tree)) {
    yield AMONG_NODES.has(place) ? batch.map(({ hash }) => ({ hash, kind: 'node' })) : batch;
  }
}

/** Trees of a version by their places: what a store must hold for it. */
export function treesByPlace(manifest: Manifest): Map<string, TreeRoot> {
  const places = new Map<string, TreeRoot>(
    Object.entries(manifest.sides).map(([side, tree]) => [`side ${side}`, tree]),
  );
  places.set('unlabelled', manifest.unlabelled).set('retired', manifest.retired);
  if (manifest.changes.list !== null) places.set('changes', manifest.changes.list);
  return places;
}

/** Places of trees whose leaves lie in packs of nodes. */
const AMONG_NODES: ReadonlySet<string> = new Set(['retired', 'changes']);

/** Every tree of a version. */
export function treesOf(manifest: Manifest): TreeRoot[] {
  return [...treesByPlace(manifest).values()];
}

/** Frames from here, or from another remote where they are not here. */
class EveryChunk implements FrameSource {
  readonly #repository: Repository;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  get(hash: Hash, reading?: ChunkReading): Promise<Buffer> {
    return this.#repository.chunks.get(hash, reading);
  }

  getMany(hashes: readonly Hash[], reading?: ChunkReading): Promise<Buffer[]> {
    return this.#repository.chunks.getMany(hashes, reading);
  }

  async locate(
    names: readonly (Hash | ShortName)[],
    reading?: ChunkReading,
  ): Promise<readonly (ChunkLocation | undefined)[]> {
    const { localChunks, lazy } = this.#repository;
    const here = await localChunks.locate(names);
    const absent = names.filter((_, position) => here[position] === undefined);
    if (absent.length === 0) return here;
    const there = (await lazy.locate(absent, reading)).values();
    return here.map((location) => location ?? there.next().value);
  }

  async readFrames(frames: readonly FrameLocation[]): Promise<WholeFrame[]> {
    const { catalogue, localChunks, lazy } = this.#repository;
    const isHere = (frame: FrameLocation): boolean => catalogue.hasPack(frame.pack);
    const here = (await localChunks.readFrames(frames.filter(isHere))).values();
    const away = frames.filter((frame) => !isHere(frame));
    const there = (away.length === 0 ? [] : await lazy.readFrames(away)).values();
    return frames.map((frame) => (isHere(frame) ? here : there).next().value as WholeFrame);
  }
}
