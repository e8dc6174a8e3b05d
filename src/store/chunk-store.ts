import { UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { BlobStore } from './blob-store.ts';
import type { ChunkIndex, ChunkLocation, FrameLocation } from './chunk-index.ts';
import type { ChunkSource } from './chunks.ts';
import { ByteCache } from './frame-cache.ts';
import { FrameReader, type FrameSource, type LocatedChunk, type WholeFrame } from './frame-reader.ts';
import { readFooter, RecentPacks } from './pack-reader.ts';
import { badPack, type PackIndex } from './pack.ts';

const FRAME_CACHE_BYTES = 32 * 2 ** 20;
const CHUNK_CACHE_BYTES = 16 * 2 ** 20;

export interface ChunkStoreOptions {
  /** Asked for chunks that the index does not know: a remote, for a repository that holds a part. */
  readonly fallback?: ChunkSource | undefined;
  readonly frameCacheBytes?: number | undefined;
  readonly chunkCacheBytes?: number | undefined;
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

  constructor(store: BlobStore, index: ChunkIndex, options: ChunkStoreOptions = {}) {
    const { fallback, signal } = options;
    this.#store = store;
    this.#index = index;
    this.#fallback = fallback;
    this.#chunks = new ByteCache(options.chunkCacheBytes ?? CHUNK_CACHE_BYTES);
    this.#packs = new RecentPacks((pack) => this.#readPackIndex(pack));
    this.#reader = new FrameReader({
      store,
      locate: (hashes) => this.locate(hashes),
      elsewhere: (hashes) => this.#getElsewhere(hashes),
      cacheBytes: options.frameCacheBytes ?? FRAME_CACHE_BYTES,
      signal,
    });
  }

  async get(hash: Hash): Promise<Buffer> {
    const cached = this.#chunks.get(hash);
    if (cached !== undefined) return cached;
    const [chunk] = await this.getMany([hash]);
    return chunk as Buffer;
  }

  async getMany(hashes: readonly Hash[]): Promise<Buffer[]> {
    const found = new Map<Hash, Buffer>();
    const located: LocatedChunk[] = [];
    const absent: Hash[] = [];
    for (const hash of new Set(hashes)) {
      const cached = this.#chunks.get(hash);
      const location = cached === undefined ? this.#index.find(hash) : undefined;
      if (cached !== undefined) found.set(hash, cached);
      else if (location !== undefined) located.push({ hash, location });
      else absent.push(hash);
    }
    const chunks = await this.#reader.readChunks(located);
    for (const [position, { hash }] of located.entries()) this.#keep(found, hash, chunks[position] as Buffer);
    if (absent.length > 0) {
      const others = await this.#getElsewhere(absent);
      for (const [position, hash] of absent.entries()) this.#keep(found, hash, others[position] as Buffer);
    }
    return hashes.map((hash) => found.get(hash) as Buffer);
  }

  async locate(hashes: readonly Hash[]): Promise<(ChunkLocation | undefined)[]> {
    return hashes.map((hash) => this.#index.find(hash));
  }

  readFrames(frames: readonly FrameLocation[]): Promise<WholeFrame[]> {
    return this.#reader.readWholeFrames(frames, (pack) => this.#packs.get(pack));
  }

  #keep(found: Map<Hash, Buffer>, hash: Hash, chunk: Buffer): void {
    found.set(hash, chunk);
    this.#chunks.put(hash, chunk);
  }

  async #getElsewhere(hashes: readonly Hash[]): Promise<Buffer[]> {
    if (this.#fallback !== undefined) return this.#fallback.getMany(hashes);
    throw missingChunk(hashes[0] as Hash, this.#store.url);
  }

  async #readPackIndex(pack: string): Promise<PackIndex> {
    const stat = await this.#store.stat(pack);
    if (stat === undefined) throw badPack(pack, `it is not in ${this.#store.url} any more`);
    return readFooter(this.#store, pack, stat.sizeBytes);
  }
}

/** The error for a chunk that no pack of a store holds. */
export function missingChunk(hash: Hash, url: string): UttrError {
  return new UttrError('missing-chunk', `chunk ${hash} is in no pack of ${url}`, {
    details: { chunk: hash, store: url },
    hint: 'run `uttr fsck`; fetch the chunk from a remote or a backup',
  });
}
