/**
 * One kind of chunk on its way into packs: deltas are tried against what they replace, the rest is gathered
 * into shared frames.
 *
 * Work is taken in batches, one at a time; the frames of a batch are put in the order of its chunks. So the packs do
 * not depend on where batches end or what compresses them.
 */
import { assert } from '../base/errors.ts';
import { shortName, type Hash, type ShortName } from '../base/hash.ts';
import type { UlidSource } from '../base/ulid.ts';
import type { ChunkIndex, ChunkLocation } from './chunk-index.ts';
import type { ChunkSource, ChunkWrite } from './chunks.ts';
import {
  DEPTH_LIMIT,
  DICTIONARY_CHUNKS_LIMIT,
  DICTIONARY_LIMIT_BYTES,
  type Effort,
  FRAME_TARGET_BYTES,
  isUsableDictionary,
  WHOLE_FRAME_TARGET_BYTES,
} from './frame.ts';
import type { Compress, FrameJob } from './frame-job.ts';
import type { EncodedFrame } from './pack-builder.ts';
import { PackWriter, type PackQueue } from './pack-writer.ts';
import type { PackKind } from './pack.ts';

/** Raw bytes, and chunks, that make a batch. */
const BATCH_BYTES = 2 * 2 ** 20;
const BATCH_CHUNKS = 512;
/** How deltas of one kind of chunk are made. */
interface DeltaRules {
  /** Neighbours that share a frame. */
  readonly chunks: number;
  /** Whether they share one only if they take the place of the same chunks, so that no read costs more by it. */
  readonly isOverlapOnly: boolean;
  readonly effort: Effort;
  /** A delta must be at most this share of the full frame, or reading its dictionary is not worth it. */
  readonly share: number;
}

/**
 * Leaves are read one by one, from anywhere. Nodes are read with their neighbours, and mostly consist of names,
 * which do not shrink: what is new in them is much even where little else changed.
 */
const DELTA_RULES: Readonly<Record<PackKind, DeltaRules>> = {
  d: { chunks: 8, isOverlapOnly: true, effort: 'fast', share: 0.5 },
  m: { chunks: 8, isOverlapOnly: false, effort: 'dense', share: 0.8 },
};

type Step = ChunkWrite | EncodedFrame | 'cut';

/** Neighbours that are compressed together, each against what it replaces. */
interface DeltaGroup {
  /** Position of the first. */
  readonly first: number;
  readonly chunks: ChunkWrite[];
  readonly dictionary: Set<ShortName>;
}

/** Where replaced chunks lie; undefined for those that are not in the store. */
type Known = ReadonlyMap<ShortName, ChunkLocation | undefined>;

export interface PackLaneOptions {
  readonly kind: PackKind;
  readonly names: UlidSource;
  readonly queue: PackQueue;
  readonly index: ChunkIndex;
  readonly source: Pick<ChunkSource, 'getMany'>;
  readonly compress: Compress;
}

export class PackLane {
  readonly #rules: DeltaRules;
  readonly #index: ChunkIndex;
  readonly #source: Pick<ChunkSource, 'getMany'>;
  readonly #compress: Compress;
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
    this.#rules = DELTA_RULES[options.kind];
    this.#index = options.index;
    this.#source = options.source;
    this.#compress = options.compress;
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
    const inDeltas = new Set([...deltas.values()].flatMap(({ chunks }) => chunks.map(({ name }) => name)));
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
      const frame = 'stored' in step ? step : deltas.get(position);
      if (frame !== undefined) {
        // A dictionary must lie before the frame that needs it.
        if (this.#gathered.some(({ hash }) => frame.dictionary.includes(shortName(hash)))) closeGathered();
        frames.push(frame);
        continue;
      }
      const chunk = step as ChunkWrite;
      if (inDeltas.has(shortName(chunk.hash))) continue;
      const isWhole = chunk.reading === 'whole';
      const target = isWhole ? WHOLE_FRAME_TARGET_BYTES : FRAME_TARGET_BYTES;
      const isOther = this.#gathered[0] !== undefined && isWhole !== (this.#gathered[0].reading === 'whole');
      if (isOther || this.#gatheredBytes + chunk.bytes.length > 2 * target) closeGathered();
      this.#gathered.push(chunk);
      this.#gatheredBytes += chunk.bytes.length;
      if (this.#gatheredBytes >= target) closeGathered();
    }
    await this.#write(frames);
  }

  async #write(frames: readonly (EncodedFrame | ChunkWrite[] | 'cut')[]): Promise<void> {
    const gathered = frames.filter((frame): frame is ChunkWrite[] => Array.isArray(frame));
    const stored = await this.#compress(gathered.map(fullJob));
    let next = 0;
    for (const frame of frames) {
      if (frame === 'cut') await this.#writer.roll();
      else if (!Array.isArray(frame)) await this.#writer.add(frame);
      else await this.#writer.add(fullFrame(frame, stored[next++] as Buffer));
    }
  }

  /** Delta frames, where they are worth it, by the position of their first chunk among the steps. */
  async #encodeDeltas(steps: readonly Step[]): Promise<Map<number, EncodedFrame>> {
    const known = this.#locateReplaced(steps);
    const groups = this.#groupDeltas(steps, known);
    const bytesOf = bytesAtHand(steps);
    const names = [...new Set(groups.flatMap(({ dictionary }) => [...dictionary]))].filter(
      (name) => !bytesOf.has(name),
    );
    // By their whole names, as whoever made the new chunks has read them: then they are at hand.
    const whole = new Map(steps.flatMap(replacedBy).map((hash) => [shortName(hash), hash]));
    const read = await this.#source.getMany(names.map((name) => whole.get(name) ?? name));
    for (const [position, name] of names.entries()) bytesOf.set(name, read[position] as Buffer);
    const possible = groups.flatMap((group) => {
      const job = this.#deltaJob(group, bytesOf);
      return job === undefined ? [] : [{ group, job }];
    });
    const stored = await this.#compress(possible.map(({ job }) => job));
    const deltas = new Map<number, EncodedFrame>();
    for (const [position, { group }] of possible.entries()) {
      const bytes = stored[position];
      if (bytes !== undefined) deltas.set(group.first, deltaFrame(group, bytes, known));
    }
    return deltas;
  }

  /** Where the chunks lie that others replace. */
  #locateReplaced(steps: readonly Step[]): Known {
    const names = [...new Set(steps.flatMap(replacedBy).map((hash) => shortName(hash)))];
    if (names.length === 0) return new Map();
    const locations = this.#index.findMany(names);
    return new Map(names.map((name, position) => [name, locations[position]]));
  }

  #groupDeltas(steps: readonly Step[], known: Known): DeltaGroup[] {
    const groups: DeltaGroup[] = [];
    let open: DeltaGroup | undefined;
    for (const [position, step] of steps.entries()) {
      const chunk = step === 'cut' || 'stored' in step ? undefined : step;
      const dictionary = chunk === undefined ? [] : dictionaryFor(chunk, known);
      if (chunk === undefined || dictionary.length === 0) {
        open = undefined;
        continue;
      }
      if (open === undefined || chunk.reading === 'alone' || !this.#hasRoom(open, dictionary, known)) {
        open = { first: position, chunks: [], dictionary: new Set() };
        groups.push(open);
      }
      open.chunks.push(chunk);
      for (const name of dictionary) open.dictionary.add(name);
      if (chunk.reading === 'alone') open = undefined;
    }
    return groups;
  }

  #hasRoom(group: DeltaGroup, dictionary: readonly ShortName[], known: Known): boolean {
    const { chunks, isOverlapOnly } = this.#rules;
    if (group.chunks.length >= chunks) return false;
    if (isOverlapOnly && !dictionary.some((name) => group.dictionary.has(name))) return false;
    const names = new Set([...group.dictionary, ...dictionary]);
    let bytes = 0;
    for (const name of names) bytes += known.get(name)?.length ?? 0;
    return names.size <= DICTIONARY_CHUNKS_LIMIT && bytes <= DICTIONARY_LIMIT_BYTES;
  }

  #deltaJob(group: DeltaGroup, bytesOf: ReadonlyMap<ShortName, Buffer>): FrameJob | undefined {
    const dictionary = joined([...group.dictionary].map((name) => bytesOf.get(name) as Buffer));
    if (!isUsableDictionary(dictionary)) return undefined;
    const { effort, share } = this.#rules;
    return { raw: joined(group.chunks.map(({ bytes }) => bytes)), effort, dictionary, share };
  }
}

function deltaFrame({ chunks, dictionary }: DeltaGroup, stored: Buffer, known: Known): EncodedFrame {
  const names = [...dictionary];
  const depths = names.map((name) => known.get(name)?.frame.depth ?? 0);
  return { stored, depth: 1 + Math.max(...depths), dictionary: names, chunks: chunks.map(chunkEntry) };
}

/** Replaced chunks that came along with those that replace them. */
function bytesAtHand(steps: readonly Step[]): Map<ShortName, Buffer> {
  const bytesOf = new Map<ShortName, Buffer>();
  for (const step of steps) {
    if (step === 'cut' || 'stored' in step) continue;
    for (const [position, bytes] of step.replaced?.entries() ?? []) {
      bytesOf.set(shortName(step.replaces[position] as Hash), bytes);
    }
  }
  return bytesOf;
}

/** End to end; most often there is one part, and no need for a copy. */
function joined(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

function replacedBy(step: Step): readonly Hash[] {
  return step === 'cut' || 'stored' in step ? [] : step.replaces;
}

/** The chunks to compress against: only such as are in the store already, or the frame could outlive them. */
function dictionaryFor(chunk: ChunkWrite, known: Known): ShortName[] {
  const dictionary: ShortName[] = [];
  let bytes = 0;
  for (const name of new Set(chunk.replaces.map((hash) => shortName(hash)))) {
    const location = known.get(name);
    if (location === undefined || bytes + location.length > DICTIONARY_LIMIT_BYTES) continue;
    if (location.frame.depth >= DEPTH_LIMIT) return [];
    bytes += location.length;
    dictionary.push(name);
    if (dictionary.length === DICTIONARY_CHUNKS_LIMIT) break;
  }
  return dictionary;
}

function fullJob(chunks: readonly ChunkWrite[]): FrameJob {
  assert(chunks.length > 0, 'a frame holds a chunk');
  const raw = joined(chunks.map(({ bytes }) => bytes));
  return { raw, effort: chunks[0]?.reading === 'whole' ? 'dense' : 'fast' };
}

function fullFrame(chunks: readonly ChunkWrite[], stored: Buffer): EncodedFrame {
  return { stored, depth: 0, dictionary: [], chunks: chunks.map(chunkEntry) };
}

function chunkEntry({ hash, bytes }: ChunkWrite): { readonly name: ShortName; readonly length: number } {
  return { name: shortName(hash), length: bytes.length };
}
