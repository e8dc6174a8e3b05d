/**
 * Compresses chunks into frames and writes them as packs.
 *
 * Leaves go to 'd' packs, nodes and manifests to 'm' packs. What comes out depends only on what was put, in
 * which order, and on the index: never on which compression ended first.
 */
import { throwIfAborted, UttrError } from '../base/errors.ts';
import { sha256, shortName, type Hash, type ShortName } from '../base/hash.ts';
import type { Clock, Random } from '../base/ports.ts';
import { UlidSource } from '../base/ulid.ts';
import type { BlobStore } from './blob-store.ts';
import type { ChunkIndex } from './chunk-index.ts';
import type { ChunkSink, ChunkSource, ChunkWrite } from './chunks.ts';
import { FRAME_RAW_LIMIT_BYTES } from './frame.ts';
import { type Compress, compressHere } from './frame-job.ts';
import type { EncodedFrame } from './pack-builder.ts';
import { PackLane } from './pack-lane.ts';
import { PackQueue } from './pack-writer.ts';
import type { PackIndex, PackKind } from './pack.ts';

export interface PackSinkOptions {
  /** The chunks that the store has: they are not written again, and only they serve as dictionaries. */
  readonly index: ChunkIndex;
  /** Reads the chunks of `index`. */
  readonly source: Pick<ChunkSource, 'getMany'>;
  readonly random: Random;
  readonly clock: Clock;
  /** By default frames are compressed on this thread. */
  readonly compress?: Compress | undefined;
  /** Told of each pack once it and all before it are durable; such packs survive `abort`. */
  readonly onPack?: ((index: PackIndex) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Chunks looked for in the store together. */
const WAITING_CHUNKS = 64;

/** Where the tree puts its chunks. Use once: put, then `finish` or `abort`. */
export class PackSink implements ChunkSink {
  readonly #index: ChunkIndex;
  readonly #signal: AbortSignal | undefined;
  readonly #queue: PackQueue;
  readonly #lanes: Readonly<Record<PackKind, PackLane>>;
  /** Chunks put here that nobody has looked for in the store: one question is asked for many. */
  readonly #waiting = new Map<ShortName, { readonly kind: PackKind; readonly chunk: ChunkWrite }>();
  /** Chunks put here, which the index does not know yet, with the depth of their frame where that is known. */
  readonly #known: Readonly<Record<PackKind, Map<ShortName, number | undefined>>> = { d: new Map(), m: new Map() };

  constructor(store: BlobStore, options: PackSinkOptions) {
    const { index, source, compress = compressHere, signal } = options;
    this.#index = index;
    this.#signal = signal;
    const queue = new PackQueue(store, options.onPack, { signal });
    const names = new UlidSource(options.clock, options.random);
    const lane = (kind: PackKind): PackLane => new PackLane({ kind, names, queue, index, source, compress });
    this.#queue = queue;
    this.#lanes = { d: lane('d'), m: lane('m') };
  }

  leaf(chunk: ChunkWrite): void {
    this.put('d', chunk);
  }

  node(chunk: ChunkWrite): void {
    this.put('m', chunk);
  }

  /** Puts a manifest or another document that is read alone; gives its name. */
  meta(bytes: Buffer, replaces: readonly Hash[] = []): Hash {
    const hash = sha256(bytes);
    this.put('m', { hash, bytes, replaces, reading: 'alone' });
    return hash;
  }

  /** Puts a chunk into packs of the given kind unless the store has it. @throws bad-chunk when it is too large */
  put(kind: PackKind, chunk: ChunkWrite): void {
    const { hash, bytes } = chunk;
    if (this.holds(hash)) return;
    if (bytes.length > FRAME_RAW_LIMIT_BYTES) {
      throw new UttrError('bad-chunk', `a chunk of ${bytes.length} bytes is too large to be stored`, {
        details: { chunk: hash, bytes: bytes.length, limit: FRAME_RAW_LIMIT_BYTES },
      });
    }
    const name = shortName(hash);
    this.#waiting.set(name, { kind, chunk });
    if (this.#waiting.size >= WAITING_CHUNKS) this.#passOn();
  }

  /** Hands over what waits and the store has not. */
  #passOn(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    const found = this.#index.findMany(waiting.map(([name]) => name));
    for (const [position, [name, { kind, chunk }]] of waiting.entries()) {
      if (found[position] !== undefined) continue;
      this.#known[kind].set(name, chunk.replaces.length === 0 ? 0 : undefined);
      this.#lanes[kind].put(chunk);
    }
  }

  /**
   * Takes a compressed frame as it is. Each of its dictionary chunks must be in the store already, at a depth less
   * than the frame's, or have been put here before in packs of the same kind.
   */
  copy(kind: PackKind, frame: EncodedFrame): void {
    this.#passOn();
    for (const { name } of frame.chunks) this.#known[kind].set(name, frame.depth);
    this.#lanes[kind].copy(frame);
  }

  /** Whether a chunk was put here. */
  holds(chunk: Hash | ShortName): boolean {
    const name = shortName(chunk);
    return this.#known.d.has(name) || this.#known.m.has(name) || this.#waiting.has(name);
  }

  /** Depth of the frame of a chunk put here in packs of the given kind; undefined when that is not known. */
  depthOf(kind: PackKind, name: ShortName): number | undefined {
    this.#passOn();
    return this.#known[kind].get(name);
  }

  /** Begins another pack of leaves, so that what follows can be fetched without what came before. */
  cut(): void {
    this.#passOn();
    this.#lanes.d.cut();
  }

  async drain(): Promise<void> {
    throwIfAborted(this.#signal);
    this.#passOn();
    await Promise.all([this.#lanes.d.drain(), this.#lanes.m.drain()]);
  }

  /** Writes what is left; gives the indexes of all packs, to be recorded before anything refers to them. */
  async finish(): Promise<PackIndex[]> {
    throwIfAborted(this.#signal);
    this.#passOn();
    await Promise.all([this.#lanes.d.finish(), this.#lanes.m.finish()]);
    return this.#queue.finish();
  }

  /** Ends without result: removes the packs written, except those that `onPack` was told of. */
  async abort(): Promise<void> {
    await Promise.all([this.#lanes.d.abort(), this.#lanes.m.abort()]);
    await this.#queue.abort();
  }
}
