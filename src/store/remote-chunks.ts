import { UttrError } from '../base/errors.ts';
import type { Hash, ShortName } from '../base/hash.ts';
import type { BlobStore } from './blob-store.ts';
import { frameKey, type ChunkLocation, type FrameLocation } from './chunk-index.ts';
import type { CheckFrames } from './frame-job.ts';
import { missingChunk } from './chunk-store.ts';
import type { ChunkReading } from './chunks.ts';
import { ByteCache } from './frame-cache.ts';
import type { OnRead } from './frame-ranges.ts';
import { FrameReader, type FrameReaderOptions, type FrameSource, type WholeFrame } from './frame-reader.ts';
import { chunksOf, frameAt, packKind, type PackIndex } from './pack.ts';
import { RangeCache } from './range-cache.ts';
import { RemoteFooters, type FooterCache } from './remote-footers.ts';
import type { WantedChunk } from './transfer.ts';

const FRAME_CACHE_BYTES = 32 * 2 ** 20;
const CHUNK_CACHE_BYTES = 16 * 2 ** 20;
const RANGE_CACHE_BYTES = 32 * 2 ** 20;
/** Raw bytes of frames whose check is worth the start of a thread, some 40 ms. */
const CHECK_ASIDE_BYTES = 8 * 2 ** 20;

export interface RemoteChunksOptions {
  readonly footers?: FooterCache | undefined;
  /** Chunks that need not be read from the remote to serve as dictionaries. */
  readonly atHand?: FrameReaderOptions['atHand'];
  /** Starts a thread that checks frames, or gives the one that runs. */
  readonly startChecking?: (() => Promise<CheckFrames>) | undefined;
  /** Stored bytes of fetched frames to keep for `keptChunks`; 0, the default, keeps none. */
  readonly keepBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads chunks from a remote, each checked against its name: finds them by the footers of its packs, fetches
 * merged ranges of frames, several at once.
 *
 * Errors name the pack and the remote: `wrong-answer` for short answers and damaged footers, `bad-checksum` for
 * damaged frames. Buffers that were handed out are shared with the cache: read only.
 */
export class RemoteChunks implements FrameSource {
  readonly #store: BlobStore;
  readonly #footers: RemoteFooters;
  readonly #reader: FrameReader;
  readonly #chunks = new ByteCache(CHUNK_CACHE_BYTES);
  /** What lies between the frames of a request, or before a footer, is often wanted next. */
  readonly #ranges = new RangeCache(RANGE_CACHE_BYTES);
  readonly #kept = new Map<string, { readonly frame: FrameLocation; readonly stored: Buffer }>();
  readonly #startChecking: RemoteChunksOptions['startChecking'];
  #keptBytes = 0;
  #requests = 0;
  #bytes = 0;

  constructor(store: BlobStore, options: RemoteChunksOptions = {}) {
    const { footers, atHand, keepBytes = 0, signal } = options;
    const onRead: OnRead = (pack, start, bytes) => {
      this.#requests += 1;
      this.#bytes += bytes.length;
      this.#ranges.put(pack, start, bytes);
    };
    this.#store = store;
    this.#startChecking = options.startChecking;
    this.#footers = new RemoteFooters(store, { cache: footers, onRead, signal });
    this.#reader = new FrameReader({
      store,
      locate: (names, how) => this.#footers.locate(names, how),
      elsewhere: async (names) => this.#fail(names[0] as ShortName),
      atHand,
      cacheBytes: FRAME_CACHE_BYTES,
      kept: (frame) => {
        const kept = this.#kept.get(frameKey(frame))?.stored;
        if (kept !== undefined) return kept;
        const read = this.#ranges.get(frame.pack, frame.offset, frame.offset + frame.storedBytes);
        if (read !== undefined) this.#keep(frame, read, keepBytes);
        return read;
      },
      onFrame: (frame, stored) => this.#keep(frame, stored, keepBytes),
      onRead,
      signal,
    });
  }

  /** What was read so far, footers included; listings are not counted. */
  get traffic(): { readonly requests: number; readonly bytes: number } {
    return { requests: this.#requests, bytes: this.#bytes };
  }

  async get(name: Hash | ShortName, reading?: ChunkReading): Promise<Buffer> {
    const [chunk] = await this.getMany([name], reading);
    return chunk as Buffer;
  }

  async getMany(names: readonly (Hash | ShortName)[], reading?: ChunkReading): Promise<Buffer[]> {
    const found = new Map<string, Buffer>();
    for (const name of names) {
      const cached = this.#chunks.get(name);
      if (cached !== undefined) found.set(name, cached);
    }
    const absent = [...new Set(names)].filter((name) => !found.has(name));
    const locations = await this.#footers.locate(absent, reading);
    const located = absent.map((name, position) => {
      const location = locations[position];
      return location === undefined ? this.#fail(name) : { name, location };
    });
    const chunks = await this.#fresh(this.#reader.readChunks(located));
    for (const [position, { name }] of located.entries()) {
      const chunk = chunks[position] as Buffer;
      found.set(name, chunk);
      this.#chunks.put(name, chunk);
    }
    return names.map((name) => found.get(name) as Buffer);
  }

  /** Has searches begin with the packs of these ULIDs. */
  beginWith(isLikely: (ulid: string) => boolean): void {
    this.#footers.beginWith(isLikely);
  }

  locate(names: readonly (Hash | ShortName)[], reading?: ChunkReading): Promise<(ChunkLocation | undefined)[]> {
    return this.#footers.locate(names, reading);
  }

  async readFrames(frames: readonly FrameLocation[]): Promise<WholeFrame[]> {
    const check = rawBytesOf(frames) < CHECK_ASIDE_BYTES ? undefined : await this.#startChecking?.();
    return this.#fresh(this.#reader.readWholeFrames(frames, (pack) => this.#footers.read(pack), check));
  }

  /** What the footer of one pack says. @throws wrong-answer when the remote has no such pack */
  packIndex(pack: string): Promise<PackIndex> {
    return this.#footers.read(pack);
  }

  /** Depth of the frame that holds a chunk; undefined when the remote did not hold it when its packs were listed. */
  async depthOf(name: Hash | ShortName): Promise<number | undefined> {
    const [location] = await this.#footers.locate([name], { asListed: true });
    return location?.frame.depth;
  }

  /** As `depthOf`, in the packs that searches begin with. */
  async likelyDepthOf(name: ShortName, reading: ChunkReading): Promise<number | undefined> {
    const [location] = await this.#footers.locate([name], { ...reading, asListed: true, likelyOnly: true });
    return location?.frame.depth;
  }

  /** The chunks of all frames fetched and kept: copying them from here to a local store reads nothing again. */
  async keptChunks(): Promise<WantedChunk[]> {
    const kept: WantedChunk[] = [];
    for (const { frame } of this.#kept.values()) {
      const pack = await this.#footers.read(frame.pack);
      const kind = packKind(frame.pack) === 'd' ? 'leaf' : 'node';
      for (const { name } of chunksOf(pack, frameAt(pack, frame))) kept.push({ hash: name, kind });
    }
    return kept;
  }

  /** Lets go of the kept frames, once they were copied. */
  forgetKept(): void {
    this.#kept.clear();
    this.#keptBytes = 0;
  }

  /** What was read before may be what is wrong: after a failure, all is read again. */
  async #fresh<T>(reading: Promise<T>): Promise<T> {
    try {
      return await reading;
    } catch (error) {
      this.#ranges.clear();
      this.forgetKept();
      throw error;
    }
  }

  #keep(frame: FrameLocation, stored: Buffer, limitBytes: number): void {
    if (this.#keptBytes + stored.length > limitBytes) return;
    // A copy: the frame may be a small part of a large answer.
    this.#kept.set(frameKey(frame), { frame, stored: Buffer.from(stored) });
    this.#keptBytes += stored.length;
  }

  #fail(name: Hash | ShortName): never {
    const error = missingChunk(name, this.#store.url);
    const { damage } = this.#footers;
    if (damage instanceof UttrError) throw damage;
    throw error;
  }
}

function rawBytesOf(frames: readonly FrameLocation[]): number {
  return frames.reduce((sum, frame) => sum + frame.rawBytes, 0);
}
