/**
 * Where each chunk lies. The catalogue keeps this index for local packs, MemoryChunkIndex for remote ones;
 * either way it is derived: the footers of the packs hold all of it.
 */
import type { Hash, ShortName } from '../base/hash.ts';

/** One frame of one pack; see pack.ts. */
export interface FrameLocation {
  /** Name of the blob that holds it. */
  readonly pack: string;
  /** First byte of the frame in the pack. */
  readonly offset: number;
  readonly storedBytes: number;
  readonly rawBytes: number;
  /** 0: compressed on its own; else one more than the greatest depth among its dictionary chunks. */
  readonly depth: number;
  /** Chunks whose bytes, in this order, are the dictionary it was compressed against. */
  readonly dictionary: readonly ShortName[];
}

export interface ChunkLocation {
  readonly frame: FrameLocation;
  /** First byte of the chunk in the raw frame. */
  readonly offset: number;
  readonly length: number;
}

/**
 * Finds chunks by name; only the first half of a name counts (P9). Where several packs hold a chunk, `find` gives a location of the least depth: every
 * frame was written when each of its dictionary chunks had a shallower location, so following the least
 * depth always ends (invariant P7).
 */
export interface ChunkIndex {
  find(name: Hash | ShortName): ChunkLocation | undefined;
  /** The same for many, in the order asked; for less than so many calls of `find` where the index is a database. */
  findMany(names: readonly (Hash | ShortName)[]): (ChunkLocation | undefined)[];
  has(name: Hash | ShortName): boolean;
}

/** Those of the names that the index knows. */
export function namesIn(index: Pick<ChunkIndex, 'findMany'>, names: readonly ShortName[]): Set<ShortName> {
  const found = index.findMany(names);
  return new Set(names.filter((_, position) => found[position] !== undefined));
}

/** Names a frame within a process. */
export function frameKey(frame: FrameLocation): string {
  let key = frameKeys.get(frame);
  if (key === undefined) {
    key = `${frame.pack}@${frame.offset}`;
    frameKeys.set(frame, key);
  }
  return key;
}

/** A frame is asked for its key again and again; making the string, and hashing it, takes longer than finding it. */
const frameKeys = new WeakMap<FrameLocation, string>();
