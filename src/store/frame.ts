/**
 * Frames: one zstd frame over the bytes of one or more neighbouring chunks, end to end.
 *
 * A frame has the content size in its header, a content checksum at its end, and no dictionary id; `zstd -d`
 * reads it. Its dictionary, if any, is raw content: the bytes of other chunks, end to end (`zstd -D` reads that
 * too). Bytes that look like a trained dictionary (magic EC30A437) would be taken for one, so they never are
 * a dictionary.
 *
 * Measured on 23,700 utterances in 336 leaves of 8 KiB, level 3: a leaf in a frame of its own shrinks to 1/5.0,
 * frames of 32, 64, 128 and 256 KiB to 1/5.7, 1/5.9, 1/6.0 and 1/6.3. 64 KiB is taken: larger frames save 1 to
 * 6 % and make the read of one leaf 2 to 4 times as long. One row changed in a leaf, against the old leaf:
 * 60 bytes at level 3, 39 at level 7, 37 at level 19, so deltas are compressed at level 7.
 */
import { constants, zstdCompress, zstdDecompress, zstdDecompressSync, type ZstdOptions } from 'node:zlib';
import { UttrError } from '../base/errors.ts';

/** No chunk and no frame has more raw bytes; checked before memory is allocated for one. */
export const FRAME_RAW_LIMIT_BYTES = 16 * 2 ** 20;
/** Raw bytes gathered in one frame when chunks are written in bulk. */
export const FRAME_TARGET_BYTES = 64 * 2 ** 10;
/** Frames that must be read to read one chunk: at most this many besides its own. */
export const DEPTH_LIMIT = 16;
export const DICTIONARY_CHUNKS_LIMIT = 8;
/** Raw bytes of a dictionary; a writer drops the chunks that do not fit. */
export const DICTIONARY_LIMIT_BYTES = 256 * 2 ** 10;

const LEVEL = 3;
const DELTA_LEVEL = 7;
const ZSTD_MAGIC = 0x28b5_2ffd;
const DICTIONARY_MAGIC = 0x37a4_30ec;
/** zlib refuses output chunks smaller than this. */
const LEAST_OUTPUT_BYTES = 64;
/** Tells whether zstd takes these bytes as raw content. */
export function isUsableDictionary(bytes: Buffer): boolean {
  return bytes.length < 4 || bytes.readUInt32BE(0) !== DICTIONARY_MAGIC;
}

/** Compresses `raw` on a thread of the pool, against `dictionary` if there is one. */
export function compressFrame(raw: Buffer, dictionary?: Buffer): Promise<Buffer> {
  const options: ZstdOptions = {
    params: {
      [constants.ZSTD_c_compressionLevel]: dictionary === undefined ? LEVEL : DELTA_LEVEL,
      [constants.ZSTD_c_checksumFlag]: 1,
      [constants.ZSTD_c_contentSizeFlag]: 1,
      [constants.ZSTD_c_dictIDFlag]: 0,
    },
    pledgedSrcSize: raw.length,
    ...(dictionary === undefined ? {} : { dictionary }),
  };
  return new Promise((resolve, reject) => {
    zstdCompress(raw, options, (error, stored) => {
      if (error === null) resolve(stored);
      else reject(new UttrError('internal', 'cannot compress a frame', { cause: error }));
    });
  });
}

/** How to decompress a frame. */
export interface DecompressOptions {
  readonly dictionary?: Buffer | undefined;
  /** On a thread of the pool: the better choice when several frames are decompressed at a time. */
  readonly onPool: boolean;
}

/**
 * Decompresses a frame that must have exactly `rawBytes` raw bytes and end where `stored` ends.
 *
 * The bytes still have to be checked against the names of their chunks.
 *
 * @throws bad-chunk
 */
export async function decompressFrame(stored: Buffer, rawBytes: number, how: DecompressOptions): Promise<Buffer> {
  checkFrame(stored, rawBytes);
  const options = decompressOptions(rawBytes, how.dictionary);
  const raw = await new Promise<Buffer>((resolve, reject) => {
    if (!how.onPool) resolve(zstdDecompressSync(stored, options));
    else zstdDecompress(stored, options, (error, bytes) => (error === null ? resolve(bytes) : reject(error)));
  }).catch((error: unknown) => {
    throw badFrame('does not decompress', error);
  });
  if (raw.length !== rawBytes) throw badFrame(`has ${raw.length} raw bytes, not ${rawBytes}`);
  return raw;
}

function decompressOptions(rawBytes: number, dictionary: Buffer | undefined): ZstdOptions {
  const size = Math.max(rawBytes, LEAST_OUTPUT_BYTES);
  return { maxOutputLength: size, chunkSize: size, ...(dictionary === undefined ? {} : { dictionary }) };
}

/**
 * Checks the outer form of a zstd frame without decompressing it: the content size it declares, and that its
 * blocks and checksum end at the last byte (zlib would ignore what follows).
 *
 * @throws bad-chunk
 * @see RFC 8878, section 3.1.1
 */
export function checkFrame(stored: Buffer, rawBytes: number): void {
  if (stored.length < 6 || stored.readUInt32BE(0) !== ZSTD_MAGIC) throw badFrame('does not begin like one of zstd');
  const descriptor = stored[4] as number;
  const singleSegment = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 0x04) !== 0;
  if (!hasChecksum || (descriptor & 0x0b) !== 0) throw badFrame('lacks a checksum or has a dictionary id');
  const sizeBytes = descriptor >> 6 === 0 ? (singleSegment ? 1 : 0) : 2 ** (descriptor >> 6);
  let at = singleSegment ? 5 : 6;
  if (sizeBytes === 0 || readContentSize(stored, at, sizeBytes) !== rawBytes) {
    throw badFrame(`does not declare ${rawBytes} raw bytes`);
  }
  at += sizeBytes;
  for (let last = false; !last;) {
    if (at + 3 > stored.length) throw badFrame('is cut short');
    const header = stored.readUIntLE(at, 3);
    last = (header & 1) === 1;
    const isRunLength = ((header >> 1) & 3) === 1;
    at += 3 + (isRunLength ? 1 : header >> 3);
  }
  if (at + 4 !== stored.length) throw badFrame(`has ${stored.length} bytes but ends at ${at + 4}`);
}

function readContentSize(stored: Buffer, at: number, sizeBytes: number): number {
  if (at + sizeBytes > stored.length) return -1;
  if (sizeBytes === 8) return Number(stored.readBigUInt64LE(at));
  // A size of two bytes counts from 256.
  return stored.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}

function badFrame(problem: string, cause?: unknown): UttrError {
  return new UttrError('bad-chunk', `a compressed frame ${problem}`, { cause });
}
