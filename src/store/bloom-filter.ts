/**
 * A Bloom filter in a file, in blocks: it knows of most things that are not in a set that they are not, by reading 64
 * bytes for each. What it says is in the set may not be.
 *
 *   file   = header block*
 *   header = "uttr bloom 1" LF NUL NUL NUL, number of blocks (4 bytes), CRC-32 of the 20 bytes before (4 bytes)
 *   block  = 480 bits, CRC-32 of them (4 bytes)                              numbers are little-endian
 *
 * A thing is known by a hash of 32 bits. It chooses the block, `floor(hash * blocks / 2^32)`, and eight bits of it:
 * `x = hash`, then eight times `x = (x * 0x915f77f5 + 0x9e3779b1) mod 2^32`, bit `floor(floor(x / 2^16) * 480 / 2^16)`.
 *
 * N3  Whatever was added is found: a block that is damaged or cannot be read has everything in it.
 *
 * @see Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters (2007)
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';

const MAGIC = Buffer.from('uttr bloom 1\n\0\0\0', 'latin1');
const HEADER_BYTES = MAGIC.length + 8;
const BLOCK_BYTES = 64;
const BITS_BYTES = BLOCK_BYTES - 4;
const BLOCK_BITS = 8 * BITS_BYTES;
const BITS_PER_THING = 8;
/** One thing in a hundred and fifty that are not in the set is taken for one that is (measured). */
const BLOCK_BITS_PER_THING = 12;

/** Fills a filter in memory. */
export class BloomBuilder {
  readonly #bytes: Buffer;
  readonly #blocks: number;

  private constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#blocks = (bytes.length - HEADER_BYTES) / BLOCK_BYTES;
  }

  /** @param capacity things for which it is large enough; with more of them it is wrong more often. */
  static empty(capacity: number): BloomBuilder {
    const blocks = Math.max(1, Math.ceil((capacity * BLOCK_BITS_PER_THING) / BLOCK_BITS));
    const bytes = Buffer.alloc(HEADER_BYTES + blocks * BLOCK_BYTES);
    MAGIC.copy(bytes);
    bytes.writeUInt32LE(blocks, MAGIC.length);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, MAGIC.length + 4)), MAGIC.length + 4);
    return new BloomBuilder(bytes);
  }

  /** Goes on with the filter of a file; undefined where that is not whole. */
  static read(path: string): BloomBuilder | undefined {
    try {
      const bytes = readFileSync(path);
      if (blocksOf(bytes, bytes.length) === undefined) return undefined;
      for (let at = HEADER_BYTES; at < bytes.length; at += BLOCK_BYTES) {
        if (!isWhole(bytes.subarray(at, at + BLOCK_BYTES))) return undefined;
      }
      return new BloomBuilder(bytes);
    } catch {
      return undefined;
    }
  }

  add(hash: number): void {
    const bytes = this.#bytes;
    const start = HEADER_BYTES + BLOCK_BYTES * blockOf(hash, this.#blocks);
    let x = hash;
    for (let round = 0; round < BITS_PER_THING; round++) {
      x = step(x);
      const bit = bitOf(x);
      const at = start + (bit >>> 3);
      bytes[at] = (bytes[at] as number) | (1 << (bit & 7));
    }
  }

  /** The file. */
  finish(): Buffer {
    for (let at = HEADER_BYTES; at < this.#bytes.length; at += BLOCK_BYTES) {
      this.#bytes.writeUInt32LE(crc32(this.#bytes.subarray(at, at + BITS_BYTES)), at + BITS_BYTES);
    }
    return this.#bytes;
  }
}

/** A filter that is read where it lies. */
export class BloomFile {
  readonly #file: number;
  readonly #blocks: number;
  readonly #block = Buffer.alloc(BLOCK_BYTES);

  private constructor(file: number, blocks: number) {
    this.#file = file;
    this.#blocks = blocks;
  }

  /** undefined where there is no such file, or another one. */
  static open(path: string): BloomFile | undefined {
    let file: number | undefined;
    try {
      file = openSync(path, 'r');
      const header = Buffer.alloc(HEADER_BYTES);
      readSync(file, header, 0, HEADER_BYTES, 0);
      const blocks = blocksOf(header, fstatSync(file).size);
      if (blocks !== undefined) return new BloomFile(file, blocks);
    } catch {
      // As good as no file.
    }
    if (file !== undefined) closeSync(file);
    return undefined;
  }

  /** false: it is not in the set. */
  mayHave(hash: number): boolean {
    const block = this.#block;
    try {
      const position = HEADER_BYTES + BLOCK_BYTES * blockOf(hash, this.#blocks);
      if (readSync(this.#file, block, 0, BLOCK_BYTES, position) < BLOCK_BYTES || !isWhole(block)) return true;
    } catch {
      return true;
    }
    let x = hash;
    for (let round = 0; round < BITS_PER_THING; round++) {
      x = step(x);
      const bit = bitOf(x);
      if (((block[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return false;
    }
    return true;
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Blocks of a file that begins so and has this size; undefined where that is no filter. */
function blocksOf(header: Buffer, sizeBytes: number): number | undefined {
  if (header.length < HEADER_BYTES || !header.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const blocks = header.readUInt32LE(MAGIC.length);
  const checksum = crc32(header.subarray(0, MAGIC.length + 4));
  if (header.readUInt32LE(MAGIC.length + 4) !== checksum) return undefined;
  return blocks > 0 && sizeBytes === HEADER_BYTES + blocks * BLOCK_BYTES ? blocks : undefined;
}

function isWhole(block: Buffer): boolean {
  return block.readUInt32LE(BITS_BYTES) === crc32(block.subarray(0, BITS_BYTES));
}

/** Beyond 2^21 blocks the product is rounded: always in the same way, so N3 holds. */
function blockOf(hash: number, blocks: number): number {
  return Math.min(blocks - 1, Math.floor((hash * blocks) / 0x1_0000_0000));
}

function step(x: number): number {
  return (Math.imul(x, 0x915f77f5) + 0x9e3779b1) | 0;
}

function bitOf(x: number): number {
  return ((x >>> 16) * BLOCK_BITS) >>> 16;
}
