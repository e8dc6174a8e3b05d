/**
 * One kind of chunk on its way into packs: deltas are tried against what they replace, the rest is gathered
 * into shared frames.
 *
 * Work is taken in batches, one at a time, each compressed on the pool; the frames of a batch are put in the
 * order of its chunks. So the packs do not depend on where batches end or which compression is ready first.
 */
import { assert } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import { mapLimited } from '../base/parallel.ts';
import type { UlidSource } from '../base/ulid.ts';
import type { ChunkIndex } from './chunk-index.ts';
import type { ChunkSource, ChunkWrite } from './chunks.ts';
import {
  compressFrame,
  DEPTH_LIMIT,
  DICTIONARY_CHUNKS_LIMIT,
  DICTIONARY_LIMIT_BYTES,
  FRAME_TARGET_BYTES,
  isUsableDictionary,
} from './frame.ts';
import type { EncodedFrame } from './pack-builder.ts';
import { PackWriter, type PackQueue } from './pack-writer.ts';
import type { PackKind } from './pack.ts';

/** Raw bytes, and chunks, that make a batch: enough frames to keep the pool busy. */
const BATCH_BYTES = 2 * 2 ** 20;
const BATCH_CHUNKS = 512;
const MAX_IN_FLIGHT = 4;
/** A delta must be at most this share of the full frame, or reading its dictionary is not worth it. */
const DELTA_SHARE = 0.5;

type Step = ChunkWrite | EncodedFrame | 'cut';

export interface PackLaneOptions {
  readonly kind: PackKind;
  readonly names: UlidSource;
  readonly queue: PackQueue;
  readonly index: ChunkIndex;
  readonly source: Pick<ChunkSource, 'getMany'>;
  readonly maxInFlight?: number | undefined;
}

export class PackLane {
  readonly #index: ChunkIndex;
  readonly #source: Pick<ChunkSource, 'getMany'>;
  readonly #maxInFlight: number;
  readonly #writer: PackWriter;
  #steps: Step[] = [];
  #stepBytes = 0;
  /** Chunks waiting for neighbours to share a frame with. */
  #gathered: ChunkWrite[] = [];
  #gatheredBytes = 0;
  #isAborted = false;
  #worked: Promise<void> = Promise.resolve();
  #workedBefore: Promise<void> = Promise.resolve();

  constructor(options: PackLaneOptions) {
    this.#index = options.index;
    this.#source = options.source;
    this.#maxInFlight = options.maxInFlight ?? MAX_IN_FLIGHT;
    this.#writer = new PackWriter(options.kind, options.names, options.queue);
  }

  put(chunk: ChunkWrite): void {
    this.#push(chunk, chunk.bytes.length);
  }

  /** Takes a frame as it is. Each of its dictionary chunks must be in the store or come before it here (P7). */
  copy(frame: EncodedFrame): void {
    this.#push(frame, frame.stored.length);
  }

  /** What comes after goes to another pack. */
  cut(): void {
    this.#push('cut', 0);
  }

  /** Waits until at most one batch is being worked on. @throws what went wrong with any batch before */
  async drain(): Promise<void> {
    await this.#workedBefore;
  }

  /** Puts the last pack in the queue. */
  async finish(): Promise<void> {
    this.cut();
    this.#startBatch();
    await this.#worked;
  }

  /** Drops what has not been begun and waits for the rest. */
  async abort(): Promise<void> {
    this.#isAborted = true;
    await this.#worked.catch(() => {});
  }

  #push(step: Step, bytes: number): void {
    this.#steps.push(step);
    this.#stepBytes += bytes;
    if (this.#stepBytes >= BATCH_BYTES || this.#steps.length >= BATCH_CHUNKS) this.#startBatch();
  }

  #startBatch(): void {
    const steps = this.#steps;
    this.#steps = [];
    this.#stepBytes = 0;
    this.#workedBefore = this.#worked;
    this.#worked = this.#worked.then(() => this.#work(steps));
    // The failure is thrown by the next drain or finish.
    this.#worked.catch(() => {});
  }

  async #work(steps: readonly Step[]): Promise<void> {
    if (this.#isAborted) return;
    const deltas = await this.#encodeDeltas(steps);
    const frames: (EncodedFrame | ChunkWrite[] | 'cut')[] = [];
    const closeGathered = (): void => {
      if (this.#gathered.length > 0) frames.push(this.#gathered);
      this.#gathered = [];
      this.#gatheredBytes = 0;
    };
    for (const [position, step] of steps.entries()) {
      if (step === 'cut') {
        closeGathered();
        frames.push('cut');
        continue;
      }
      const frame = 'stored' in step ? step : deltas[position];
      if (frame !== undefined) {
        // A dictionary must lie before the frame that needs it.
        if (this.#gathered.some(({ hash }) => frame.dictionary.includes(hash))) closeGathered();
        frames.push(frame);
        continue;
      }
      const chunk = step as ChunkWrite;
      if (this.#gatheredBytes + chunk.bytes.length > 2 * FRAME_TARGET_BYTES) closeGathered();
      this.#gathered.push(chunk);
      this.#gatheredBytes += chunk.bytes.length;
      if (this.#gatheredBytes >= FRAME_TARGET_BYTES) closeGathered();
    }
    await this.#write(frames);
  }

  async #write(frames: readonly (EncodedFrame | ChunkWrite[] | 'cut')[]): Promise<void> {
    const encoded = await mapLimited(frames, this.#maxInFlight, async (frame) =>
      Array.isArray(frame) ? encodeFull(frame) : frame,
    );
    for (const frame of encoded) {
      if (frame === 'cut') await this.#writer.roll();
      else await this.#writer.add(frame);
    }
  }

  /** For each step, its delta frame if one is worth it. */
  async #encodeDeltas(steps: readonly Step[]): Promise<(EncodedFrame | undefined)[]> {
    const plans = steps.map((step) => (step === 'cut' || 'stored' in step ? [] : this.#dictionaryFor(step)));
    const hashes = [...new Set(plans.flat())];
    if (hashes.length === 0) return [];
    const read = await this.#source.getMany(hashes);
    const bytesOf = new Map(hashes.map((hash, position) => [hash, read[position] as Buffer]));
    return mapLimited(plans, this.#maxInFlight, async (dictionary, position) => {
      if (dictionary.length === 0) return undefined;
      return this.#encodeDelta(steps[position] as ChunkWrite, dictionary, bytesOf);
    });
  }

  /** The chunks to compress against: only such as are in the store already, or the frame could outlive them. */
  #dictionaryFor(chunk: ChunkWrite): Hash[] {
    const dictionary: Hash[] = [];
    let bytes = 0;
    for (const hash of new Set(chunk.replaces)) {
      const location = this.#index.find(hash);
      if (location === undefined || bytes + location.length > DICTIONARY_LIMIT_BYTES) continue;
      if (location.frame.depth >= DEPTH_LIMIT) return [];
      bytes += location.length;
      dictionary.push(hash);
      if (dictionary.length === DICTIONARY_CHUNKS_LIMIT) break;
    }
    return dictionary;
  }

  async #encodeDelta(
    chunk: ChunkWrite,
    dictionary: readonly Hash[],
    bytesOf: ReadonlyMap<Hash, Buffer>,
  ): Promise<EncodedFrame | undefined> {
    const raw = Buffer.concat(dictionary.map((hash) => bytesOf.get(hash) as Buffer));
    if (!isUsableDictionary(raw)) return undefined;
    const [stored, full] = [await compressFrame(chunk.bytes, raw), await compressFrame(chunk.bytes)];
    if (stored.length > full.length * DELTA_SHARE) return undefined;
    const depths = dictionary.map((hash) => this.#index.find(hash)?.frame.depth ?? 0);
    return {
      stored,
      depth: 1 + Math.max(...depths),
      dictionary,
      chunks: [{ hash: chunk.hash, length: chunk.bytes.length }],
    };
  }
}

async function encodeFull(chunks: readonly ChunkWrite[]): Promise<EncodedFrame> {
  assert(chunks.length > 0, 'a frame holds a chunk');
  const stored = await compressFrame(Buffer.concat(chunks.map(({ bytes }) => bytes)));
  return {
    stored,
    depth: 0,
    dictionary: [],
    chunks: chunks.map(({ hash, bytes }) => ({ hash, length: bytes.length })),
  };
}
