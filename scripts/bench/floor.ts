/**
 * The least that storing a file takes: each of two threads reads every other piece of it, hashes it with SHA-256 and
 * compresses it with zstd at level 3. Nothing is understood, sorted or written.
 *
 *   node scripts/bench/floor.ts rows.jsonl
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { Worker, workerData } from 'node:worker_threads';
import { constants, zstdCompressSync } from 'node:zlib';

const THREADS = 2;
/** Larger pieces take no less time for a byte. */
const PIECE_BYTES = 1 << 20;

interface Share {
  readonly path: string;
  readonly thread: number;
}

function work({ path, thread }: Share): void {
  const file = openSync(path, 'r');
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  for (let at = thread * PIECE_BYTES; ; at += THREADS * PIECE_BYTES) {
    const length = readSync(file, piece, 0, PIECE_BYTES, at);
    if (length === 0) break;
    hash.update(piece.subarray(0, length));
    zstdCompressSync(piece.subarray(0, length), { params: { [constants.ZSTD_c_compressionLevel]: 3 } });
  }
  closeSync(file);
  hash.digest();
}

if (workerData === null) {
  const [, , path = ''] = process.argv;
  for (let thread = 1; thread < THREADS; thread++) {
    const worker = new Worker(import.meta.filename, { workerData: { path, thread } satisfies Share });
    // A share that is not done makes the figure worthless.
    worker.on('error', (error) => {
      throw error;
    });
  }
  work({ path, thread: 0 });
} else {
  work(workerData as Share);
}
