/**
 * Chunks that one command has read and the next will read again, side by side in a file: reading them there costs a
 * fraction of finding and decompressing them in packs.
 *
 *   file = entry*
 *   entry = SHA-256 (32 bytes), length (4 bytes, little-endian), bytes
 *
 * A file may be cut short, stale or gone: whoever reads a chunk from it holds it against its name.
 */
import { closeSync, fstatSync, openSync, writevSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { HASH_BYTES, hashFromBytes, type Hash } from '../base/hash.ts';

const HEADER_BYTES = HASH_BYTES + 4;

/**
 * Writes chunks to a file until it has a number of bytes. Nothing is flushed to the disk, and a file system without
 * room is no failure: then the chunks are read where they lie.
 */
export class ChunkFileWriter {
  readonly #limitBytes: number;
  readonly #path: string;
  readonly #known = new Set<Hash>();
  #file: number | undefined;
  #bytes = 0;

  /** Goes on at the end of the file at `path`; makes it with the first chunk. */
  constructor(path: string, limitBytes: number) {
    this.#path = path;
    this.#limitBytes = limitBytes;
  }

  /** Bytes that are no longer valid after the call may be given. */
  add(chunks: Iterable<readonly [Hash, Buffer]>): void {
    attempt(() => {
      this.#open();
    });
    const parts: Buffer[] = [];
    for (const [hash, bytes] of chunks) {
      const size = HEADER_BYTES + bytes.length;
      if (this.#known.has(hash) || this.#bytes + size > this.#limitBytes) continue;
      this.#known.add(hash);
      this.#bytes += size;
      const header = Buffer.allocUnsafe(HEADER_BYTES);
      header.write(hash, 'hex');
      header.writeUInt32LE(bytes.length, HASH_BYTES);
      parts.push(header, bytes);
    }
    const file = this.#file;
    if (file !== undefined && parts.length > 0) attempt(() => writevSync(file, parts));
  }

  #open(): void {
    if (this.#file !== undefined) return;
    this.#file = openSync(this.#path, 'a');
    this.#bytes = fstatSync(this.#file).size;
  }

  close(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) attempt(() => closeSync(file));
  }
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // What was not written is read elsewhere.
  }
}

/** The chunks of a file by name, unchecked; none where the file is gone. */
export async function readChunkFile(path: string): Promise<Map<Hash, Buffer>> {
  const found = new Map<Hash, Buffer>();
  const file = await readFile(path).catch(() => Buffer.alloc(0));
  for (let at = 0; at + HEADER_BYTES <= file.length;) {
    const start = at + HEADER_BYTES;
    const end = start + file.readUInt32LE(at + HASH_BYTES);
    if (end > file.length) break;
    found.set(hashFromBytes(file.subarray(at, at + HASH_BYTES)), file.subarray(start, end));
    at = end;
  }
  return found;
}
