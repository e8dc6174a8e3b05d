import type { Hash } from '../base/hash.ts';

/** Reads chunks by name. Every chunk returned has been checked against its name. */
export interface ChunkSource {
  /** @throws missing-chunk, bad-checksum, bad-pack; errors of the remote for a lazy source. */
  get(hash: Hash): Promise<Buffer>;
  /**
   * Several chunks at once, in the order asked; neighbours in one frame are read once, remote ranges are merged.
   * Callers keep a call to at most a few thousand chunks.
   */
  getMany(hashes: readonly Hash[]): Promise<Buffer[]>;
}

/** What the tree hands over to be stored. */
export interface ChunkWrite {
  readonly hash: Hash;
  readonly bytes: Buffer;
  /** Chunks this one takes the place of, oldest neighbours first: the dictionary to compress it against. */
  readonly replaces: readonly Hash[];
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
