import type { Hash, ShortName } from '../base/hash.ts';

/** What is known of chunks that are to be read. */
export interface ChunkReading {
  /** They are leaves, which lie in packs of their own: otherwise those are searched last. */
  readonly leaves?: boolean;
  /**
   * They are of a scan and will not be asked for again, so nothing is kept; what is returned may be a view of a
   * larger buffer and must be let go soon.
   */
  readonly once?: boolean;
  /** So many more will be asked for that another thread is worth its start, some 20 ms. */
  readonly bulk?: boolean;
}

/** Reads chunks by name, of which the first half will do. Every chunk returned has been checked against its name. */
export interface ChunkSource {
  /** @throws missing-chunk, bad-checksum, bad-pack; errors of the remote for a lazy source. */
  get(name: Hash | ShortName, reading?: ChunkReading): Promise<Buffer>;
  /**
   * Several chunks at once, in the order asked; neighbours in one frame are read once, remote ranges are merged.
   * Callers keep a call to at most a few thousand chunks.
   */
  getMany(names: readonly (Hash | ShortName)[], reading?: ChunkReading): Promise<Buffer[]>;
}

/** What the tree hands over to be stored. */
export interface ChunkWrite {
  readonly hash: Hash;
  readonly bytes: Buffer;
  /** Chunks this one takes the place of, oldest neighbours first: the dictionary to compress it against. */
  readonly replaces: readonly Hash[];
  /** The bytes of `replaces`, where they are at hand; valid until the chunk is stored. */
  readonly replaced?: readonly Buffer[];
  /**
   * How it will be read, which decides with what it shares a frame: 'alone', with none where that is small;
   * 'whole', with all its neighbours, many in a frame. Left out: a few neighbours are read along.
   */
  readonly reading?: 'alone' | 'whole';
}

/**
 * Takes chunks to be stored. `leaf` and `node` are synchronous: compression and writing happen behind them;
 * callers await `drain` now and then (the tree does so after every few chunks), which bounds what is in flight.
 */
export interface ChunkSink {
  leaf(chunk: ChunkWrite): void;
  node(chunk: ChunkWrite): void;
  drain(): Promise<void>;
}

/** The same chunks, of trees whose leaves lie in packs of nodes. */
export function amongNodes(source: ChunkSource): ChunkSource {
  return {
    get: (name, reading) => source.get(name, { ...reading, leaves: false }),
    getMany: (names, reading) => source.getMany(names, { ...reading, leaves: false }),
  };
}
