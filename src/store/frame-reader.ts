/**
 * Reads chunks out of frames: finds the frames of their dictionaries too, reads all of them in one round of
 * merged ranges, decompresses them in the order they need each other, and checks each chunk against its name.
 *
 * Used by the local store and by remotes; they differ in how a chunk is located.
 */
import { UttrError } from '../base/errors.ts';
import { sha256, type Hash, type ShortName } from '../base/hash.ts';
import type { BlobStore } from './blob-store.ts';
import { frameKey, type ChunkLocation, type FrameLocation } from './chunk-index.ts';
import type { ChunkReading, ChunkSource } from './chunks.ts';
import { ByteCache } from './frame-cache.ts';
import { type OnRead, readFrames } from './frame-ranges.ts';
import type { CheckFrames, ExpectedChunk, OpenFrames } from './frame-job.ts';
import { decompressFrame, DEPTH_LIMIT, FRAME_RAW_LIMIT_BYTES, FRAME_TARGET_BYTES } from './frame.ts';
import { badPack, chunksOf, frameAt, packKind, type PackChunk, type PackIndex } from './pack.ts';

/** Memory for the frames that one round of reading opens. */
const ROUND_LIMIT_BYTES = 64 * 2 ** 20;
/** A round that would take more than this, dictionaries included, is the work of somebody who means harm. */
const PLAN_LIMIT_BYTES = 2 ** 30;
/** Writers keep to DEPTH_LIMIT; a chain found longer, as two stores' packs came together, is still read. */
const CHAIN_LIMIT = 2 * DEPTH_LIMIT;

/** A frame to be copied, as it is stored: checked by the digest of its pack, or each chunk against its name. */
export interface WholeFrame {
  readonly location: FrameLocation;
  readonly stored: Buffer;
  readonly chunks: readonly PackChunk[];
}

/** Chunks that can also be had as the frames they lie in. */
export interface FrameSource extends ChunkSource {
  locate(names: readonly (Hash | ShortName)[], reading?: ChunkReading): Promise<readonly (ChunkLocation | undefined)[]>;
  /** The frames, in the order asked; callers bound their size. */
  readFrames(frames: readonly FrameLocation[]): Promise<WholeFrame[]>;
}

/** A chunk that was asked for, and where it lies. */
export interface LocatedChunk {
  readonly name: Hash | ShortName;
  readonly location: ChunkLocation;
}

/** Which of the places of chunks are of use, and where to look first. */
export interface LocateOptions extends Pick<ChunkReading, 'leaves'> {
  /** For each chunk, the depth that its frame should be less than; a deeper one is given where no other is known. */
  readonly depths?: readonly number[] | undefined;
}

/** Where chunks lie; undefined for those that are in no pack known here. */
export type Locate = (
  names: readonly ShortName[],
  options: LocateOptions,
) => Promise<readonly (ChunkLocation | undefined)[]>;

export interface FrameReaderOptions {
  readonly store: Pick<BlobStore, 'get' | 'url' | 'requestCostBytes'>;
  readonly locate: Locate;
  /** Reads chunks that `locate` does not know, or fails with missing-chunk. */
  readonly elsewhere: (names: readonly ShortName[]) => Promise<Buffer[]>;
  /** Dictionary chunks that need not be read from the store, those among the given ones that are at hand. */
  readonly atHand?: ((names: readonly ShortName[]) => Promise<ReadonlyMap<ShortName, Buffer>>) | undefined;
  /** For the cache of raw frames. */
  readonly cacheBytes: number;
  /** Stored bytes of a frame that are at hand already. */
  readonly kept?: (frame: FrameLocation) => Buffer | undefined;
  /** Told of each frame fetched, but for those that are copied as a whole. */
  readonly onFrame?: (frame: FrameLocation, stored: Buffer) => void;
  readonly onRead?: OnRead;
  readonly signal?: AbortSignal | undefined;
}

/** Frames to open and what their dictionaries are made of. */
interface Plan {
  readonly frames: Map<string, FrameLocation>;
  /** Frames that were in the cache. */
  readonly raw: Map<string, Buffer>;
  readonly dictionaryChunks: Map<ShortName, ChunkLocation | Buffer>;
}

/** Another thread that opens frames, and what it is to check in them. */
interface Aside {
  readonly open: OpenFrames;
  /** By frameKey. */
  readonly expected: ReadonlyMap<string, readonly ExpectedChunk[]>;
  /** Takes the keys of frames whose chunks were checked. */
  readonly checked: Set<string>;
}

export class FrameReader {
  readonly #options: FrameReaderOptions;
  readonly #cache: ByteCache;

  constructor(options: FrameReaderOptions) {
    this.#options = options;
    this.#cache = new ByteCache(options.cacheBytes);
  }

  /**
   * The chunks, in the order asked, each checked against its name; in memory of its own, but for those read once.
   *
   * @param open has frames opened by another thread.
   */
  async readChunks(wanted: readonly LocatedChunk[], reading?: ChunkReading, open?: OpenFrames): Promise<Buffer[]> {
    const found: Buffer[] = [];
    for (const round of this.#rounds(wanted)) {
      const checked = new Set<string>();
      const aside =
        open === undefined ? undefined : { open, expected: expectedChunks(wanted, round.positions), checked };
      const raw = await this.#openFrames(round.frames, undefined, aside);
      for (const position of round.positions) {
        const { name, location } = wanted[position] as LocatedChunk;
        const key = frameKey(location.frame);
        const frame = raw.get(key) as Buffer;
        const bytes = checked.has(key)
          ? sliceChunk(frame, location)
          : checkedChunk(frame, name, location, this.#options.store.url);
        found[position] = reading?.once === true ? bytes : Buffer.copyBytesFrom(bytes);
      }
    }
    return found;
  }

  /**
   * Stored bytes of the frames, by frameKey.
   *
   * @param onFrame told of each frame fetched.
   */
  async #fetchFrames(
    frames: readonly FrameLocation[],
    onFrame?: FrameReaderOptions['onFrame'],
  ): Promise<Map<string, Buffer>> {
    const { store, kept, onRead, signal } = this.#options;
    const stored = new Map<string, Buffer>();
    const absent: FrameLocation[] = [];
    for (const frame of frames) {
      const bytes = kept?.(frame);
      if (bytes === undefined) absent.push(frame);
      else stored.set(frameKey(frame), bytes);
    }
    if (absent.length === 0) return stored;
    const fetched = await readFrames(store, absent, onRead, signal);
    for (const frame of absent) {
      const bytes = fetched.get(frameKey(frame)) as Buffer;
      stored.set(frameKey(frame), bytes);
      onFrame?.(frame, bytes);
    }
    return stored;
  }

  /**
   * Raw bytes of the frames, by frameKey, not yet checked against the names of their chunks.
   *
   * @param stored frames already fetched, by frameKey.
   */
  async #openFrames(
    frames: readonly FrameLocation[],
    stored: ReadonlyMap<string, Buffer> = new Map(),
    aside?: Aside,
  ): Promise<Map<string, Buffer>> {
    const plan = await this.#plan(frames);
    const absent = [...plan.frames.values()].filter((frame) => !stored.has(frameKey(frame)));
    const fetched = await this.#fetchFrames(absent, this.#options.onFrame);
    const storedOf = (frame: FrameLocation): Buffer => {
      const key = frameKey(frame);
      return (stored.get(key) ?? fetched.get(key)) as Buffer;
    };
    for (const rank of rankFrames(plan)) {
      const opened = aside === undefined ? undefined : await openAside(rank, storedOf, plan, aside);
      for (const frame of rank) {
        const key = frameKey(frame);
        // What the other thread did not open is opened here, which says what is wrong with it.
        const raw = opened?.get(key) ?? this.#open(frame, storedOf(frame), plan);
        plan.raw.set(key, raw);
        this.#cache.put(key, raw);
      }
    }
    return plan.raw;
  }

  /**
   * Whole frames, of which each chunk has been checked.
   *
   * @param packIndex reads the footer of a pack.
   * @param check has frames that stand alone checked by another thread.
   */
  async readWholeFrames(
    frames: readonly FrameLocation[],
    packIndex: (pack: string) => Promise<PackIndex>,
    check?: CheckFrames,
  ): Promise<WholeFrame[]> {
    const stored = await this.#fetchFrames(frames);
    const packs = new Map<string, PackIndex>();
    for (const { pack } of frames) if (!packs.has(pack)) packs.set(pack, await packIndex(pack));
    const whole = frames.map((location) => {
      const pack = packs.get(location.pack) as PackIndex;
      const chunks = chunksOf(pack, frameAt(pack, location));
      return { location, stored: stored.get(frameKey(location)) as Buffer, chunks };
    });
    const unchecked = check === undefined ? whole : await withoutSound(whole, check);
    const raws = await this.#openFrames(
      unchecked.map(({ location }) => location),
      stored,
    );
    for (const { location, chunks } of unchecked) {
      const raw = raws.get(frameKey(location)) as Buffer;
      for (const { name, offset, length } of chunks) {
        checkedChunk(raw, name, { frame: location, offset, length }, this.#options.store.url);
      }
    }
    return whole;
  }

  /** Frames to open at a time, in the order they lie, with the positions of the chunks they hold. */
  #rounds(wanted: readonly LocatedChunk[]): { frames: FrameLocation[]; positions: number[] }[] {
    const frames = new Map<string, FrameLocation>();
    const positions = new Map<string, number[]>();
    for (const [position, { location }] of wanted.entries()) {
      const key = frameKey(location.frame);
      frames.set(key, location.frame);
      const list = positions.get(key);
      if (list === undefined) positions.set(key, [position]);
      else list.push(position);
    }
    return divideFrames([...frames.values()].sort(comparePlaces)).map((part) => ({
      frames: part,
      positions: part.flatMap((frame) => positions.get(frameKey(frame)) ?? []),
    }));
  }

  /** Finds, level by level, the frames that hold the dictionaries. */
  async #plan(frames: readonly FrameLocation[]): Promise<Plan> {
    const plan: Plan = { frames: new Map(), raw: new Map(), dictionaryChunks: new Map() };
    let level = this.#takeNew(plan, frames);
    let bytes = 0;
    for (let step = 0; level.length > 0; step += 1) {
      for (const { rawBytes } of level) bytes += rawBytes;
      const { pack } = level[0] as FrameLocation;
      if (step > CHAIN_LIMIT) throw badPack(pack, 'a chain of dictionaries is too long');
      if (bytes > PLAN_LIMIT_BYTES) throw badPack(pack, 'dictionaries take too much memory');
      const needed = new Map<ShortName, number>();
      for (const { dictionary, depth } of level) {
        for (const name of dictionary) {
          if (plan.dictionaryChunks.has(name)) continue;
          needed.set(name, Math.min(depth, needed.get(name) ?? depth));
        }
      }
      // Leaves are made from leaves, nodes from nodes.
      const leaves = packKind(pack) === 'd';
      level = this.#takeNew(plan, await this.#locateDictionaries(plan, needed, leaves));
    }
    return plan;
  }

  #takeNew(plan: Plan, frames: readonly FrameLocation[]): FrameLocation[] {
    const fresh: FrameLocation[] = [];
    for (const frame of frames) {
      const key = frameKey(frame);
      if (plan.frames.has(key) || plan.raw.has(key)) continue;
      const raw = this.#cache.get(key);
      if (raw !== undefined) {
        plan.raw.set(key, raw);
      } else {
        plan.frames.set(key, frame);
        fresh.push(frame);
      }
    }
    return fresh;
  }

  /** @param needed chunks, each with the least depth of the frames that need it. */
  async #locateDictionaries(
    plan: Plan,
    needed: ReadonlyMap<ShortName, number>,
    leaves: boolean,
  ): Promise<FrameLocation[]> {
    if (needed.size === 0) return [];
    const atHand = await this.#options.atHand?.([...needed.keys()]);
    for (const [name, bytes] of atHand ?? []) plan.dictionaryChunks.set(name, bytes);
    const names = [...needed.keys()].filter((name) => atHand?.has(name) !== true);
    if (names.length === 0) return [];
    const depths = names.map((name) => needed.get(name) as number);
    const locations = await this.#options.locate(names, { depths, leaves });
    const frames: FrameLocation[] = [];
    const absent: ShortName[] = [];
    for (const [position, name] of names.entries()) {
      const location = locations[position];
      if (location === undefined) {
        absent.push(name);
      } else {
        plan.dictionaryChunks.set(name, location);
        frames.push(location.frame);
      }
    }
    if (absent.length > 0) {
      const chunks = await this.#options.elsewhere(absent);
      for (const [position, name] of absent.entries()) plan.dictionaryChunks.set(name, chunks[position] as Buffer);
    }
    return frames;
  }

  #open(frame: FrameLocation, stored: Buffer, plan: Plan): Buffer {
    const dictionary = dictionaryOf(frame, plan);
    try {
      return decompressFrame(stored, frame.rawBytes, { dictionary });
    } catch (error) {
      const where = `at byte ${frame.offset} of pack ${frame.pack} of ${this.#options.store.url}`;
      throw new UttrError('bad-checksum', `the frame ${where} is damaged`, {
        details: { pack: frame.pack, store: this.#options.store.url, offset: frame.offset },
        hint: 'run `uttr fsck`; restore the pack from a remote or a backup',
        cause: error,
      });
    }
  }
}

/** About how many bytes it takes to open a frame, those of its chain of dictionaries included. */
export function openingBytes(frame: FrameLocation): number {
  if (frame.depth === 0) return frame.rawBytes;
  // Deltas hold one chunk each; chains end in shared frames.
  return frame.rawBytes * (frame.depth + 1) + 2 * FRAME_TARGET_BYTES * frame.dictionary.length;
}

/** Divides frames, in their order, into parts that can be opened at a time. */
export function divideFrames<Frame extends FrameLocation>(frames: readonly Frame[]): Frame[][] {
  const parts: Frame[][] = [];
  let bytes = Infinity;
  for (const frame of frames) {
    if (bytes + openingBytes(frame) > ROUND_LIMIT_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(frame);
    bytes += openingBytes(frame);
  }
  return parts;
}

function comparePlaces(a: FrameLocation, b: FrameLocation): number {
  if (a.pack === b.pack) return a.offset - b.offset;
  return a.pack < b.pack ? -1 : 1;
}

/** Frames in groups, each needing dictionaries only from the groups before it. */
function rankFrames(plan: Plan): FrameLocation[][] {
  const ranks = new Map<string, number>();
  const visiting = new Set<string>();
  const rankOf = (frame: FrameLocation): number => {
    const key = frameKey(frame);
    if (plan.raw.has(key)) return -1;
    const known = ranks.get(key);
    if (known !== undefined) return known;
    if (visiting.has(key) || visiting.size > CHAIN_LIMIT) {
      throw badPack(frame.pack, 'a frame needs itself as its dictionary');
    }
    visiting.add(key);
    let rank = 0;
    for (const name of frame.dictionary) {
      const part = plan.dictionaryChunks.get(name);
      if (part !== undefined && !Buffer.isBuffer(part)) rank = Math.max(rank, rankOf(part.frame) + 1);
    }
    visiting.delete(key);
    ranks.set(key, rank);
    return rank;
  };
  const groups: FrameLocation[][] = [];
  for (const frame of plan.frames.values()) (groups[rankOf(frame)] ??= []).push(frame);
  return groups;
}

/** Raw bytes by frameKey, of those frames that another thread could open. */
async function openAside(
  frames: readonly FrameLocation[],
  storedOf: (frame: FrameLocation) => Buffer,
  plan: Plan,
  { open, expected, checked }: Aside,
): Promise<Map<string, Buffer>> {
  const jobs = frames.map((frame) => ({
    stored: storedOf(frame),
    rawBytes: frame.rawBytes,
    dictionary: dictionaryOf(frame, plan),
    chunks: expected.get(frameKey(frame)) ?? [],
  }));
  const opened = new Map<string, Buffer>();
  for (const [position, raw] of (await open(jobs)).entries()) {
    if (raw === undefined) continue;
    const key = frameKey(frames[position] as FrameLocation);
    opened.set(key, raw);
    checked.add(key);
  }
  return opened;
}

/** The frames that another thread has not found to be sound: deltas, and damaged ones. */
async function withoutSound(frames: readonly WholeFrame[], check: CheckFrames): Promise<WholeFrame[]> {
  const { alone = [], deltas = [] } = Object.groupBy(frames, ({ location }) =>
    location.depth === 0 ? 'alone' : 'deltas',
  );
  const sound = await check(
    alone.map(({ location, stored, chunks }) => ({ stored, rawBytes: location.rawBytes, chunks })),
  );
  return [...deltas, ...alone.filter((_, position) => sound[position] !== true)];
}

/** What is wanted of each frame, by frameKey. */
function expectedChunks(wanted: readonly LocatedChunk[], positions: readonly number[]): Map<string, ExpectedChunk[]> {
  const expected = new Map<string, ExpectedChunk[]>();
  for (const position of positions) {
    const { name, location } = wanted[position] as LocatedChunk;
    const key = frameKey(location.frame);
    const chunk = { name, offset: location.offset, length: location.length };
    const list = expected.get(key);
    if (list === undefined) expected.set(key, [chunk]);
    else list.push(chunk);
  }
  return expected;
}

/** undefined for a frame that stands alone. */
function dictionaryOf(frame: FrameLocation, plan: Plan): Buffer | undefined {
  if (frame.dictionary.length === 0) return undefined;
  const parts: Buffer[] = [];
  let bytes = 0;
  for (const name of frame.dictionary) {
    const part = plan.dictionaryChunks.get(name) as ChunkLocation | Buffer;
    const chunk = Buffer.isBuffer(part) ? part : sliceChunk(plan.raw.get(frameKey(part.frame)) as Buffer, part);
    bytes += chunk.length;
    if (bytes > FRAME_RAW_LIMIT_BYTES) throw badPack(frame.pack, 'a dictionary is too large');
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

function sliceChunk(raw: Buffer, location: ChunkLocation): Buffer {
  const chunk = raw.subarray(location.offset, location.offset + location.length);
  if (chunk.length !== location.length) throw badPack(location.frame.pack, 'a chunk lies outside its frame');
  return chunk;
}

/** A chunk within its raw frame, held against all of the name that is known. @throws bad-checksum */
function checkedChunk(raw: Buffer, name: Hash | ShortName, location: ChunkLocation, url: string): Buffer {
  const bytes = sliceChunk(raw, location);
  if (sha256(bytes).startsWith(name)) return bytes;
  const { pack } = location.frame;
  throw new UttrError('bad-checksum', `chunk ${name} in pack ${pack} of ${url} has other bytes than its name says`, {
    details: { chunk: name, pack, store: url },
    hint: 'run `uttr fsck`; restore the pack from a remote or a backup',
  });
}
