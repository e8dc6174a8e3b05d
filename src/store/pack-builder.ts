import { assert } from '../base/errors.ts';
import { HASH_BYTES, sha256Of, SHORT_NAME_BYTES, type ShortName } from '../base/hash.ts';
import {
  encodeFooter,
  PACK_HEADER,
  PACK_LIMIT_BYTES,
  PACK_TRAILER_BYTES,
  type PackChunk,
  type PackFrame,
  type PackIndex,
} from './pack.ts';

/** A compressed frame on its way into a pack. */
export interface EncodedFrame {
  readonly stored: Buffer;
  readonly depth: number;
  readonly dictionary: readonly ShortName[];
  /** The chunks of the frame, end to end. */
  readonly chunks: readonly { readonly name: ShortName; readonly length: number }[];
}

/** At most so many bytes of footer belong to a frame, a chunk, and a dictionary chunk. */
const FRAME_ENTRY_BYTES = 4 + 4 + 1;
const CHUNK_ENTRY_BYTES = 4 + SHORT_NAME_BYTES;
const REFERENCE_BYTES = 4 + SHORT_NAME_BYTES;
/** Header, trailer, counts and the digest of the body. */
const OUTER_BYTES = PACK_HEADER.length + 3 * 4 + HASH_BYTES + PACK_TRAILER_BYTES;

const LARGE_BYTES = 4 * 2 ** 20;
const KEPT_BYTES = 32 * 2 ** 20;

/** Collects the frames of one pack in memory. */
export class PackBuilder {
  readonly #parts: Buffer[] = [PACK_HEADER];
  readonly #frames: PackFrame[] = [];
  readonly #chunks: PackChunk[] = [];
  readonly #names = new Set<ShortName>();
  #end = PACK_HEADER.length;
  #footerBytes = OUTER_BYTES;
  /** Dictionary chunks that are not in this pack. */
  readonly #foreign = new Set<ShortName>();

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  /** The pack will have at most this many bytes. */
  get sizeBytes(): number {
    return this.#end + this.#footerBytes;
  }

  /** Whether a dictionary chunk of this pack lies in another one. */
  needs(other: PackBuilder): boolean {
    return [...this.#foreign].some((name) => other.#names.has(name));
  }

  fits(frame: EncodedFrame): boolean {
    return this.sizeBytes + frame.stored.length + footerBytesOf(frame) <= PACK_LIMIT_BYTES;
  }

  add(frame: EncodedFrame): void {
    assert(this.fits(frame), 'a frame fits into the pack it is added to');
    let rawBytes = 0;
    const firstChunk = this.#chunks.length;
    for (const name of frame.dictionary) {
      if (!this.#names.has(name)) this.#foreign.add(name);
    }
    for (const { name, length } of frame.chunks) {
      this.#chunks.push({ name, frame: this.#frames.length, offset: rawBytes, length });
      this.#names.add(name);
      rawBytes += length;
    }
    const { stored, depth, dictionary, chunks } = frame;
    this.#frames.push({
      // The name is given when the pack is whole.
      pack: '',
      offset: this.#end,
      storedBytes: stored.length,
      rawBytes,
      depth,
      dictionary,
      firstChunk,
      chunkCount: chunks.length,
    });
    this.#parts.push(stored);
    this.#end += stored.length;
    this.#footerBytes += footerBytesOf(frame);
  }

  /** The bytes of the pack, which are given away, and what its footer says. */
  finish(name: string): { bytes: Buffer; index: PackIndex } {
    const frames = this.#frames.map((frame) => ({ ...frame, pack: name }));
    const columns = { bodyHash: sha256Of(this.#parts), frames, chunks: this.#chunks };
    this.#parts.push(encodeFooter(columns));
    const bytes = joinedApart(this.#parts.splice(0));
    return { bytes, index: { name, sizeBytes: bytes.length, ...columns } };
  }
}

/**
 * The parts end to end, in memory that goes back to the system when it is let go: glibc keeps blocks below 32 MiB for
 * later, and packs are a little smaller. Memory that is not written to is not taken.
 */
function joinedApart(parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length < LARGE_BYTES) return Buffer.concat(parts, length);
  const bytes = Buffer.allocUnsafeSlow(Math.max(length, KEPT_BYTES + 1));
  let at = 0;
  for (const part of parts) at += part.copy(bytes, at);
  return bytes.subarray(0, length);
}

function footerBytesOf(frame: EncodedFrame): number {
  return FRAME_ENTRY_BYTES + frame.chunks.length * CHUNK_ENTRY_BYTES + frame.dictionary.length * REFERENCE_BYTES;
}
