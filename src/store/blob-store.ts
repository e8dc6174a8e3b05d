import type { CallOptions } from '../base/ports.ts';

/** Bytes `[start, end)`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface BlobStat {
  readonly name: string;
  readonly sizeBytes: number;
}

/** A movable blob (a head) with the tag that a later `replace` must name. */
export interface TaggedBlob {
  readonly bytes: Buffer;
  readonly tag: string;
}

/**
 * Named blobs: the one seam under packs. Names are `/`-separated ASCII segments without `.` and `..`.
 *
 * All methods may be called concurrently. Errors: `blob-not-found`, `head-moved`, and of kind unavailable
 * (`remote-unreachable`, `access-denied`, `disk-full`, `io-failed`), never a library's own.
 * Contract: test/contract/blob-store.ts.
 */
export interface BlobStore {
  readonly supports: {
    /** Whether `create` and `replace` are atomic between several writers. */
    readonly conditionalPut: boolean;
  };
  /** Where it is, for messages: a path or URL without credentials. */
  readonly url: string;
  /** Writes all of `bytes` or nothing, durably, and checks the size. Putting again overwrites. */
  put(name: string, bytes: Uint8Array, options?: CallOptions): Promise<void>;
  /** Writes only if the name is free. @returns false, having written nothing, when it is taken. */
  create(name: string, bytes: Uint8Array, options?: CallOptions): Promise<boolean>;
  /**
   * Moves a head: writes only if its tag is still `expected` (undefined: only if it is absent).
   * @returns the new tag. @throws head-moved
   */
  replace(name: string, expected: string | undefined, bytes: Uint8Array, options?: CallOptions): Promise<string>;
  /** The whole blob by default. A range must lie within the blob. @throws blob-not-found */
  get(name: string, range?: ByteRange, options?: CallOptions): Promise<Buffer>;
  /** A small blob with its tag; undefined when absent. */
  read(name: string, options?: CallOptions): Promise<TaggedBlob | undefined>;
  /** undefined when absent. */
  stat(name: string, options?: CallOptions): Promise<BlobStat | undefined>;
  /** Blobs whose name starts with `prefix`, in ascending UTF-8 order. */
  list(prefix: string, options?: CallOptions): AsyncIterable<BlobStat>;
  /** Removes the blob; removing an absent one is a no-op. */
  delete(name: string, options?: CallOptions): Promise<void>;
  close(): Promise<void>;
}
