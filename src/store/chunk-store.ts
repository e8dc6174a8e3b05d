import { UttrError } from '../base/errors.ts';
import type { Hash, ShortName } from '../base/hash.ts';
import type { BlobStore } from './blob-store.ts';
import type { ChunkIndex, ChunkLocation, FrameLocation } from './chunk-index.ts';
import type { ChunkReading, ChunkSource } from './chunks.ts';
import type { OpenFrames } from './frame-job.ts';
import { ByteCache } from './frame-cache.ts';
import { FrameReader, type FrameSource, type LocatedChunk, type WholeFrame } from './frame-reader.ts';
import { readFooter, RecentPacks } from './pack-reader.ts';
import { badPack, type PackIndex } from './pack.ts';
import { WholePacks } from './whole-packs.ts';

const FRAME_CACHE_BYTES = 32 * 2 ** 20;
const CHUNK_CACHE_BYTES = 16 * 2 ** 20;

export interface ChunkStoreOptions {
  /** Asked for chunks that the index does not know: a remote, for a repository that holds a part. */
  readonly fallback?: ChunkSource | undefined;
  readonly frameCacheBytes?: number | undefined;
  readonly chunkCacheBytes?: number | undefined;
  /** Starts a thread that opens frames, or gives the one that runs. */
  readonly startOpening?: (() => Promise<OpenFrames>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads chunks from the packs of a store whose index is at hand, each checked against its name.
 *
 * Buffers that were handed out are shared with the cache: read only.
 */
export class ChunkStore implements FrameSource {
  readonly #store: BlobStore;
  readonly #index: ChunkIndex;
  readonly #fallback: ChunkSource | undefined;
  readonly #reader: FrameReader;
  readonly #chunks: ByteCache;
  readonly #packs: RecentPacks;
  readonly #wholePacks: WholePacks;
  readonly #startOpening: (() => Promise<OpenFrames>) | undefined;

  constructor(store: BlobStore, index: ChunkIndex, options: ChunkStoreOptions = {}) {
    const { fallback, signal } = options;
    this.#store = store;
    this.#index = index;
    this.#fallback = fallback;
    this.#startOpening = options.startOpening;
    this.#chunks = new ByteCache(options.chunkCacheBytes ?? CHUNK_CACHE_BYTES);
    this.#packs = new RecentPacks((pack) => this.#readPackIndex(pack));
    this.#wholePacks = new WholePacks(store, signal);
    this.#reader = new FrameReader({
      store,
      locate: (names) => this.locate(names),
      elsewhere: (names) => this.#getElsewhere(names),
      cacheBytes: options.frameCacheBytes ?? FRAME_CACHE_BYTES,
      signal,
    });
  }

  async get(name: Hash | ShortName, reading?: ChunkReading): Promise<Buffer> {
    const cached = this.#chunks.get(name);
    if (cached !== undefined) return cached;
    const [chunk] = await this.getMany([name], reading);
    return chunk as Buffer;
  }

  async getMany(names: readonly (Hash | ShortName)[], reading?: ChunkReading): Promise<Buffer[]> {
    const found = new Map<string, Buffer>();
    const uncached: (Hash | ShortName)[] = [];
    const located: LocatedChunk[] = [];
    const absent: (Hash | ShortName)[] = [];
    for (const name of new Set(names)) {
      const cached = this.#chunks.get(name);
      if (cached === undefined) uncached.push(name);
      else found.set(name, cached);
    }
    for (const [position, location] of this.#index.findMany(uncached).entries()) {
      const name = uncached[position] as Hash | ShortName;
      if (location === undefined) absent.push(name);
      else located.push({ name, location });
    }
    const open = reading?.bulk === true ? await this.#startOpening?.() : undefined;
    const chunks = await this.#reader.readChunks(located, reading, open);
    for (const [position, { name }] of located.entries()) {
      const chunk = chunks[position] as Buffer;
      if (reading?.once === true) found.set(name, chunk);
      else this.#keep(found, name, chunk);
    }
    if (absent.length > 0) {
      const others = await this.#getElsewhere(absent, reading);
      for (const [position, name] of absent.entries()) this.#keep(found, name, others[position] as Buffer);
    }
    return names.map((name) => found.get(name) as Buffer);
  }

  async locate(names: readonly (Hash | ShortName)[]): Promise<(ChunkLocation | undefined)[]> {
    return this.#index.findMany(names);
  }

  async readFrames(frames: readonly FrameLocation[]): Promise<WholeFrame[]> {
    const whole = new Map<FrameLocation, WholeFrame>();
    const others: FrameLocation[] = [];
    for (const [name, wanted] of Map.groupBy(frames, ({ pack }) => pack)) {
      const copies = await this.#wholePacks.frames(name, wanted);
      if (copies === undefined) others.push(...wanted);
      else for (const frame of copies) whole.set(frame.location, frame);
    }
    const opened = await this.#reader.readWholeFrames(others, (pack) => this.#packs.get(pack));
    for (const [position, frame] of others.entries()) whole.set(frame, opened[position] as WholeFrame);
    return frames.map((frame) => whole.get(frame) as WholeFrame);
  }

  #keep(found: Map<string, Buffer>, name: Hash | ShortName, chunk: Buffer): void {
    found.set(name, chunk);
    this.#chunks.put(name, chunk);
  }

  async #getElsewhere(names: readonly (Hash | ShortName)[], reading?: ChunkReading): Promise<Buffer[]> {
    if (this.#fallback !== undefined) return this.#fallback.getMany(names, reading);
    throw missingChunk(names[0] as Hash | ShortName, this.#store.url);
  }

  async #readPackIndex(pack: string): Promise<PackIndex> {
    const stat = await this.#store.stat(pack);
    if (stat === undefined) throw badPack(pack, `it is not in ${this.#store.url} any more`);
    return readFooter(this.#store, pack, stat.sizeBytes);
  }
}

/** The error for a chunk that no pack of a store holds. */
export function missingChunk(name: Hash | ShortName, url: string): UttrError {
  return new UttrError('missing-chunk', `chunk ${name} is in no pack of ${url}`, {
    details: { chunk: name, store: url },
    hint: 'run `uttr fsck`; fetch the chunk from a remote or a backup',
  });
}
