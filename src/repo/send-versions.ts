/**
 * Sends the chunks of versions to a remote: each version's own only, parents first.
 */
import { isUttrError, UttrError } from '../base/errors.ts';
import type { Hash, ShortName } from '../base/hash.ts';
import type { Manifest } from '../records/manifest.ts';
import type { ChunkIndex, ChunkLocation, FrameLocation } from '../store/chunk-index.ts';
import type { ChunkReading } from '../store/chunks.ts';
import type { FrameSource, WholeFrame } from '../store/frame-reader.ts';
import { MemoryChunkIndex } from '../store/memory-chunk-index.ts';
import type { PackIndex } from '../store/pack.ts';
import { PackSink } from '../store/pack-sink.ts';
import type { RemoteChunks } from '../store/remote-chunks.ts';
import { copyChunks, type WantedChunk } from '../store/transfer.ts';
import type { TreeRoot } from '../tree/build.ts';
import { newChunks } from '../tree/new-chunks.ts';
import type { OpenRemote } from './remotes.ts';
import type { Repository } from './repository.ts';
import { loadVersion, type Version } from './versions.ts';

/** Packs and what they hold, counted while they arrive. */
export class TransferCount {
  packs = 0;
  blocks = 0;
  bytes = 0;

  add(pack: PackIndex): void {
    this.packs++;
    this.blocks += pack.chunks.length;
    this.bytes += pack.sizeBytes;
  }
}

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
  const sent = await alreadySent(repository, remote, chunksThere);
  const sink = new PackSink(remote.store, {
    index: sent,
    source: repository.chunks,
    random: repository.random,
    clock: repository.clock,
    signal: repository.signal,
    onPack: (pack) => {
      count.add(pack);
      catalogue.transaction(() => catalogue.remotes.addSentPack(remote.url, pack.name, pack.sizeBytes));
    },
  });
  try {
    await copyChunks({
      from: new EveryChunk(repository),
      to: sink,
      wanted: chunksOf(repository, versions, held),
      alreadyThere: (hash) => sent.has(hash),
      depthThere: async (hash, reading) => sent.find(hash)?.frame.depth ?? chunksThere.depthOf(hash, reading),
      progress: repository.progress,
      signal: repository.signal,
    });
    await sink.finish();
  } catch (error) {
    await sink.abort();
    if (isUttrError(error, 'missing-chunk')) throw notAllHere(remote, error);
    throw error;
  }
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
): Promise<MemoryChunkIndex & ChunkIndex> {
  const index = new MemoryChunkIndex();
  for (const { pack, sizeBytes } of repository.catalogue.remotes.sentPacks(remote.url)) {
    const stat = await remote.store.stat(pack, { signal: repository.signal });
    if (stat?.sizeBytes === sizeBytes) index.add(await chunks.packIndex(pack));
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
    for (const [place, tree] of placesOf(version.manifest)) {
      const from = bases.map((base) => placesOf(base).get(place)).filter((root) => root !== undefined);
      yield* newChunks(repository.chunks, from, tree);
    }
    yield [{ hash: version.hash, kind: 'node' }];
  }
}

function placesOf(manifest: Manifest): Map<string, TreeRoot> {
  const places = new Map<string, TreeRoot>(
    Object.entries(manifest.sides).map(([side, tree]) => [`side ${side}`, tree]),
  );
  places.set('unlabelled', manifest.unlabelled).set('retired', manifest.retired);
  if (manifest.changes.list !== null) places.set('changes', manifest.changes.list);
  return places;
}

/** Every tree of a version: what a store must hold for it. */
export function treesOf(manifest: Manifest): TreeRoot[] {
  return [...placesOf(manifest).values()];
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
