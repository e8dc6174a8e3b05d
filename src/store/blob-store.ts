import { UttrError } from '../base/errors.ts';
import type { CallOptions } from '../base/ports.ts';

/** Longest name of a blob (S3's limit). */
export const NAME_LIMIT_BYTES = 1024;

/** Longest part between two slashes (the limit of file systems). */
const SEGMENT_LIMIT_BYTES = 255;

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
 * Named blobs: the one seam under packs.
 *
 * Names are `/`-separated segments of printable ASCII without `\`, at most 1,024 bytes (255 a segment); a segment is
 * neither empty nor `.` nor `..` and does not begin with `.uttr-`. No name may be the folder of another (`a` and `a/b`).
 *
 * All methods may be called concurrently. A blob that is moved with `replace` is never `put`: only `create` and
 * `replace` are atomic with each other. Two heads never hold equal bytes (each carries a random id), so a tag may be
 * made of the bytes alone.
 *
 * Errors: `blob-not-found`, `head-moved`, `wrong-answer` (a blob shorter than the range asked for, a server that does
 * not speak S3), `aborted`, `bad-option` for a bad name, and of kind unavailable (`remote-unreachable`,
 * `access-denied`, `disk-full`, `io-failed`), never a library's own.
 * Contract: test/contract/blob-store.ts.
 */
export interface BlobStore {
  readonly supports: {
    /** Whether `create` and `replace` are atomic between several writers. */
    readonly conditionalPut: boolean;
  };
  /** Where it is, for messages: a path or URL without credentials. */
  readonly url: string;
  /** Reading so many bytes for nothing costs about as much as one more request; by default as to an object store. */
  readonly requestCostBytes?: number;
  /** Writes all of `bytes` or nothing, durably, and checks the size. Putting again overwrites. */
  put(name: string, bytes: Uint8Array, options?: CallOptions): Promise<void>;
  /** Writes only if the name is free. @returns false, having written nothing, when it is taken. */
  create(name: string, bytes: Uint8Array, options?: CallOptions): Promise<boolean>;
  /**
   * Moves a head: writes only if its tag is still `expected` (undefined: only if it is absent).
   * @returns the new tag. @throws head-moved
   */
  replace(name: string, expected: string | undefined, bytes: Uint8Array, options?: CallOptions): Promise<string>;
  /** The whole blob by default. A range must lie within the blob. @throws blob-not-found, wrong-answer */
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

/** Whether a store takes `name`; see BlobStore. */
export function isBlobName(name: string): boolean {
  if (name.length > NAME_LIMIT_BYTES || !/^[\x20-\x5b\x5d-\x7e]+$/u.test(name)) return false;
  return name.split('/').every(isSegment);
}

/** @throws bad-option */
export function checkBlobName(name: string): void {
  if (!isBlobName(name)) throw badName(name);
}

/** A prefix is the beginning of a name: empty, or cut anywhere. @throws bad-option */
export function checkBlobPrefix(prefix: string): void {
  // Its last segment may be cut short; any letter completes it.
  if (prefix !== '' && !isBlobName(`${prefix}x`)) throw badName(prefix);
}

/** @throws internal for a range that is no range: the caller's mistake, wherever the blob ends. */
export function checkRange(name: string, range: ByteRange | undefined): void {
  if (range === undefined) return;
  const { start, end } = range;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new UttrError('internal', `no range of ${name}: ${start} to ${end}`, { hint: 'this is a bug in uttr' });
  }
}

export function blobNotFound(name: string, url: string): UttrError {
  return new UttrError('blob-not-found', `${name} is not in ${url}`, { details: { name, url } });
}

export function headMoved(name: string, url: string): UttrError {
  return new UttrError('head-moved', `somebody else moved ${name} in ${url}`, {
    details: { name, url },
    hint: 'fetch the new state, then try again',
  });
}

/** The blob ends before the range does: it was cut short, or it is not the blob the reader thinks. */
export function badRange(name: string, range: ByteRange, sizeBytes: number): UttrError {
  const message = `${name} has only ${sizeBytes} bytes; ${range.start} to ${range.end} were asked for`;
  return new UttrError('wrong-answer', message, {
    details: { name, start: range.start, end: range.end, sizeBytes },
    hint: 'the blob may be damaged: run uttr fsck',
  });
}

function isSegment(segment: string): boolean {
  const isPath = segment === '' || segment === '.' || segment === '..';
  return !isPath && segment.length <= SEGMENT_LIMIT_BYTES && !segment.startsWith('.uttr-');
}

function badName(name: string): UttrError {
  const shown = JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
  return new UttrError('bad-option', `not a name for a blob: ${shown}`, {
    hint: 'names are printable ASCII, parts separated by "/", at most 1,024 bytes',
  });
}
