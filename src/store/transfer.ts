/**
 * Copies chunks between stores, either way: deltas as they are, full frames where most of one is wanted, the rest
 * in new frames.
 *
 * A frame that has a dictionary is copied as it is only if the other store has the dictionary or gets it before,
 * and its depth is raised where that store has the dictionary deeper (P7). The source checks each frame
 * before it is sent on.
 */
import { assert, throwIfAborted, UttrError } from '../base/errors.ts';
import { sha256, shortName, type Hash, type ShortName } from '../base/hash.ts';
import type { CallOptions } from '../base/ports.ts';
import { frameKey, type FrameLocation } from './chunk-index.ts';
import type { ChunkReading } from './chunks.ts';
import { openingBytes, type FrameSource, type WholeFrame } from './frame-reader.ts';
import { DEPTH_LIMIT } from './frame.ts';
import type { PackSink } from './pack-sink.ts';
import { packKind, type PackIndex, type PackKind } from './pack.ts';

/** Memory for the frames in hand at a time. */
const ROUND_LIMIT_BYTES = 16 * 2 ** 20;
/** A full frame is copied as it is when at least this share of its raw bytes is wanted. */
const WANTED_SHARE = 0.5;
/** The same where the copy is to be as small as if it were made anew. */
const WANTED_SHARE_ALONE = 0.9;

export interface CopyOptions extends CallOptions {
  readonly from: FrameSource;
  /** Writes into the other store; the caller finishes it. Its `onPack` makes a copy resumable pack by pack. */
  readonly to: PackSink;
  /** A chunk before those that were made from it keeps their deltas small. */
  readonly wanted: AsyncIterable<readonly WantedChunk[]>;
  /** Those of the chunks that the other store has. */
  readonly alreadyThere: (names: readonly ShortName[]) => ReadonlySet<ShortName>;
  /** Depth of the chunk's frame in the other store; undefined when it is not there. */
  readonly depthThere: (name: ShortName, reading: ChunkReading) => number | undefined | Promise<number | undefined>;
  /** Whether no frame may need another: then what is stored as a delta is compressed anew. */
  readonly alone?: boolean;
}

export interface WantedChunk {
  readonly hash: Hash | ShortName;
  readonly kind: 'leaf' | 'node';
}

export interface CopySummary {
  /** Chunks that were wanted and were not there. */
  readonly chunks: number;
  readonly copiedFrames: number;
  /** Chunks put into new frames. */
  readonly recompressedChunks: number;
}

/** A frame of the source and what is wanted of it. */
interface WantedFrame {
  readonly location: FrameLocation;
  readonly kind: PackKind;
  readonly names: ShortName[];
  wantedBytes: number;
}

/** A round on its way: what the source reads while the round before it is put. */
interface Reading {
  readonly moves: readonly Move[];
  readonly frames: Promise<readonly WholeFrame[]>;
  readonly chunks: Promise<readonly Buffer[]>;
}

/** A decision: `depth` is that of the frame in the other store; undefined: compress the chunks anew. */
interface Move {
  readonly frame: WantedFrame;
  readonly depth: number | undefined;
}

/**
 * Copies the wanted chunks that are not there.
 *
 * @throws missing-chunk when the source lacks one; errors of both stores. The caller then aborts `to`.
 */
export async function copyChunks(options: CopyOptions): Promise<CopySummary> {
  const copy = new Copy(options);
  try {
    for await (const batch of options.wanted) await copy.add(batch);
    await copy.end();
  } finally {
    await copy.settle();
  }
  return copy.summary;
}

/** Copies into a store: the packs are finished, or those that nobody was told of are removed. @throws as copyChunks */
export async function copyToEnd(options: CopyOptions): Promise<readonly PackIndex[]> {
  const { to } = options;
  try {
    await copyChunks(options);
    return await to.finish();
  } catch (error) {
    await to.abort();
    throw error;
  }
}

class Copy {
  readonly #options: CopyOptions;
  /** Depths, in the other store, of the chunks that are about to be put there. */
  readonly #depths: Readonly<Record<PackKind, Map<ShortName, number>>> = { d: new Map(), m: new Map() };
  /** Of the frames that are about to be copied, by frameKey. */
  readonly #copying = new Map<string, number>();
  #reading: Reading | undefined;
  #settled: Promise<unknown> = Promise.resolve();
  #chunks = 0;
  #copiedFrames = 0;
  #recompressedChunks = 0;

  constructor(options: CopyOptions) {
    this.#options = options;
  }

  get summary(): CopySummary {
    const [chunks, copiedFrames, recompressedChunks] = [this.#chunks, this.#copiedFrames, this.#recompressedChunks];
    return { chunks, copiedFrames, recompressedChunks };
  }

  async add(chunks: readonly WantedChunk[]): Promise<void> {
    const { alreadyThere, to, progress, signal } = this.#options;
    const names = new Set(chunks.map(({ hash }) => shortName(hash)));
    const here = [...names].filter((name) => !to.holds(name) && !this.#isOnItsWay(name));
    const there = alreadyThere(here);
    const absent = here.filter((name) => !there.has(name));
    const leaves = chunks.every(({ kind }) => kind === 'leaf');
    let round: Move[] = [];
    let bytes = 0;
    for (const frame of await this.#group(absent, { leaves })) {
      throwIfAborted(signal);
      if (this.#isCopied(frame)) continue;
      if (bytes + openingBytes(frame.location) > ROUND_LIMIT_BYTES) {
        await this.#move(round);
        [round, bytes] = [[], 0];
      }
      round.push(await this.#decide(frame));
      bytes += openingBytes(frame.location);
    }
    await this.#move(round);
    this.#chunks += absent.length;
    progress?.update('copying', this.#chunks, undefined, 'chunks');
  }

  /** The frames of the chunks, in the order asked, but each after the frames that hold its dictionary. */
  async #group(names: readonly ShortName[], reading: ChunkReading): Promise<WantedFrame[]> {
    const locations = await this.#options.from.locate(names, reading);
    const frames = new Map<string, WantedFrame>();
    const frameOf = new Map<ShortName, WantedFrame>();
    for (const [position, name] of names.entries()) {
      const location = locations[position];
      if (location === undefined) {
        throw new UttrError('missing-chunk', `chunk ${name} is not where it should be copied from`, {
          details: { chunk: name },
          hint: 'run `uttr fsck` on the store it is copied from',
        });
      }
      const key = frameKey(location.frame);
      const kind = packKind(location.frame.pack);
      assert(kind !== undefined, 'a pack has the name of one');
      const frame = frames.get(key) ?? { location: location.frame, kind, names: [], wantedBytes: 0 };
      frame.names.push(name);
      frame.wantedBytes += location.length;
      frames.set(key, frame);
      frameOf.set(name, frame);
    }
    const entered = new Set<WantedFrame>();
    const ordered: WantedFrame[] = [];
    const place = (frame: WantedFrame, depth: number): void => {
      if (entered.has(frame) || depth > DEPTH_LIMIT) return;
      entered.add(frame);
      for (const name of frame.location.dictionary) {
        const needed = frameOf.get(name);
        if (needed !== undefined) place(needed, depth + 1);
      }
      ordered.push(frame);
    };
    for (const frame of frames.values()) place(frame, 0);
    return ordered;
  }

  async #decide(frame: WantedFrame): Promise<Move> {
    const depth = await this.#depthOfCopy(frame);
    for (const name of frame.names) this.#depths[frame.kind].set(name, depth ?? 0);
    if (depth !== undefined) this.#copying.set(frameKey(frame.location), depth);
    return { frame, depth };
  }

  /** Whether the frame was copied, or is about to be, for the sake of other chunks. */
  #isCopied({ location, kind, names }: WantedFrame): boolean {
    // Put since the chunks were asked for, with a round that was on its way then.
    if (names.every((name) => this.#options.to.holds(name))) return true;
    const depth = this.#copying.get(frameKey(location));
    if (depth === undefined) return false;
    for (const name of names) this.#depths[kind].set(name, depth);
    return true;
  }

  /** Depth of the frame in the other store; undefined when it must not be copied as it is. */
  async #depthOfCopy({ location, kind, wantedBytes }: WantedFrame): Promise<number | undefined> {
    const { to, depthThere, alone = false } = this.#options;
    // A delta is small, and what shares it was written with it: most likely it is wanted next.
    const share = location.depth === 0 ? (alone ? WANTED_SHARE_ALONE : WANTED_SHARE) : 0;
    if (wantedBytes < location.rawBytes * share || (alone && location.depth > 0)) return undefined;
    // Not less than here, so that wherever a reader has a dictionary from that did for this one, it will do there.
    let { depth } = location;
    for (const name of location.dictionary) {
      const there =
        this.#depths[kind].get(name) ?? to.depthOf(kind, name) ?? (await depthThere(name, { leaves: kind === 'd' }));
      if (there === undefined) return undefined;
      depth = Math.max(depth, there + 1);
    }
    return depth > DEPTH_LIMIT ? undefined : depth;
  }

  #isOnItsWay(name: ShortName): boolean {
    return this.#depths.d.has(name) || this.#depths.m.has(name);
  }

  /** Has a round read, and puts the one before it meanwhile. */
  async #move(moves: readonly Move[]): Promise<void> {
    const { from } = this.#options;
    const copied = moves.filter(({ depth }) => depth !== undefined).map(({ frame }) => frame.location);
    const anew = moves.filter(({ depth }) => depth === undefined).flatMap(({ frame }) => frame.names);
    const frames = from.readFrames(copied);
    // One after the other: much of what is compressed anew was read along with the frames.
    const reading = { moves, frames, chunks: frames.then(() => from.getMany(anew)) };
    // A failure is thrown when it is this round's turn.
    this.#settled = Promise.allSettled([this.#settled, reading.frames, reading.chunks]).then(() => {});
    const before = this.#reading;
    this.#reading = reading;
    if (before !== undefined) await this.#put(before);
  }

  /** Puts the last round. */
  async end(): Promise<void> {
    if (this.#reading !== undefined) await this.#put(this.#reading);
    this.#reading = undefined;
  }

  /** Waits for what is being read: after a failure, nobody does. */
  async settle(): Promise<void> {
    await this.#settled;
  }

  async #put({ moves, ...reading }: Reading): Promise<void> {
    const { to } = this.#options;
    const frames = (await reading.frames).values();
    const fresh = (await reading.chunks).values();
    for (const { frame, depth } of moves) {
      // From here on the sink knows the chunks.
      const depths = this.#depths[frame.kind];
      if (depth === undefined) {
        for (const name of frame.names) {
          const bytes = fresh.next().value as Buffer;
          to.put(frame.kind, { hash: sha256(bytes), bytes, replaces: [] });
          depths.delete(name);
        }
        this.#recompressedChunks += frame.names.length;
        continue;
      }
      const whole = frames.next().value;
      assert(whole !== undefined, 'each frame asked for was read');
      const { stored, location, chunks } = whole;
      to.copy(frame.kind, { stored, depth, dictionary: location.dictionary, chunks });
      for (const { name } of chunks) depths.delete(name);
      this.#copying.delete(frameKey(location));
      this.#copiedFrames += 1;
    }
    await to.drain();
  }
}
