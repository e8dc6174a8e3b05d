/**
 * Frames: one zstd frame over the bytes of one or more neighbouring chunks, end to end.
 *
 * A full frame has the content size in its header, a content checksum at its end, and no dictionary id; `zstd -d`
 * reads it. A delta is a frame with a dictionary: raw content, the bytes of other chunks, end to end. It has no
 * checksum, since each chunk is held against its name, and lacks the header, which its raw length gives: the magic
 * number, the descriptor of a single segment, the content size in 1, 2 or 4 bytes; with it, `zstd -D` reads it.
 * Of a delta of 40 bytes these would be eleven more. Bytes that look like a trained dictionary (magic EC30A437)
 * would be taken for one, so they never are a dictionary.
 *
 * Measured on 23,700 utterances in 336 leaves of 8 KiB, level 3: a leaf in a frame of its own shrinks to 1/5.0,
 * frames of 32, 64, 128 and 256 KiB to 1/5.7, 1/5.9, 1/6.0 and 1/6.3. 32 KiB is taken: larger frames save 4
 * to 10 % and make the read of one leaf 2 to 8 times as long (64 KiB take 63 µs, 32 KiB 32 µs, 8 KiB 20 µs). One row changed in a leaf, against the old leaf:
 * 60 bytes at level 3, 39 at level 7, 37 at level 19, so leaves are compressed at level 8. Nodes are full of
 * hexadecimal digits, in which greedy levels see matches that do not pay: 57 deltas of 8 nodes take 93 KB at level
 * 7, 88 at level 12, 76 at level 16.
 */
import { constants, zstdCompressSync, zstdDecompressSync, type ZstdOptions } from 'node:zlib';
import { UttrError } from '../base/errors.ts';

/** No chunk and no frame has more raw bytes; checked before memory is allocated for one. */
export const FRAME_RAW_LIMIT_BYTES = 16 * 2 ** 20;
/** Raw bytes gathered in one frame when chunks are written in bulk. */
export const FRAME_TARGET_BYTES = 32 * 2 ** 10;
/** The same for chunks that are read as a whole. */
export const WHOLE_FRAME_TARGET_BYTES = 256 * 2 ** 10;
/** Frames that must be read to read one chunk: at most this many besides its own. */
export const DEPTH_LIMIT = 16;
export const DICTIONARY_CHUNKS_LIMIT = 8;
/** Raw bytes of a dictionary; a writer drops the chunks that do not fit. */
export const DICTIONARY_LIMIT_BYTES = 256 * 2 ** 10;

const ZSTD_MAGIC = 0x28b5_2ffd;
const DICTIONARY_MAGIC = 0x37a4_30ec;
/** Of a frame's descriptor. */
const CHECKSUM_FLAG = 0x04;
/** zlib refuses output chunks smaller than this. */
const LEAST_OUTPUT_BYTES = 64;

/** Tells whether zstd takes these bytes as raw content. */
export function isUsableDictionary(bytes: Buffer): boolean {
  return bytes.length < 4 || bytes.readUInt32BE(0) !== DICTIONARY_MAGIC;
}

/** 'dense' is for metadata: little of it, kept for ever and read from afar. */
export type Effort = 'fast' | 'dense';

/** Dense at level 15 would be 4 % smaller and take ten times as long (measured on lists of 1,000 changes). */
const FULL_PARAMETERS = {
  fast: { [constants.ZSTD_c_compressionLevel]: 3 },
  dense: { [constants.ZSTD_c_compressionLevel]: 10, [constants.ZSTD_c_minMatch]: 5 },
} as const;

/**
 * Deltas of nodes are names, which never match by chance: looking for matches of six bytes and more finds nearly what
 * level 16 finds, in a tenth of its time (measured on the nodes of 1,000 rows added to a million).
 */
const DELTA_PARAMETERS = {
  // The strategy that level 8 has for larger input: as small, in three quarters of the time.
  fast: { [constants.ZSTD_c_compressionLevel]: 8, [constants.ZSTD_c_strategy]: constants.ZSTD_lazy2 },
  dense: { [constants.ZSTD_c_compressionLevel]: 10, [constants.ZSTD_c_minMatch]: 6 },
} as const;

/** Compresses `raw` on its own. */
export function compressFrame(raw: Buffer, effort: Effort = 'fast'): Buffer {
  return compress(raw, {
    params: { ...FULL_PARAMETERS[effort], [constants.ZSTD_c_checksumFlag]: 1 },
  });
}

/**
 * Compresses `raw` against `dictionary`; without the header, see above.
 *
 * @returns undefined where zstd wants another header, because `raw` is larger than its window.
 */
export function compressDelta(raw: Buffer, dictionary: Buffer, effort: Effort = 'fast'): Buffer | undefined {
  const params = { ...DELTA_PARAMETERS[effort], [constants.ZSTD_c_checksumFlag]: 0 };
  // Most deltas have some tens of bytes: zlib's customary 16 KiB of fresh memory for each would be felt.
  const frame = compress(raw, { params, dictionary, chunkSize: Math.max(1024, raw.length >> 4) });
  const header = deltaHeader(raw.length);
  return frame.subarray(0, header.length).equals(header) ? frame.subarray(header.length) : undefined;
}

/**
 * On this thread: through Node's pool the same frames cost more than three times the processor time (streams and
 * contexts for each), measured on frames of 64 KiB.
 */
function compress(raw: Buffer, { params, ...rest }: ZstdOptions): Buffer {
  const options: ZstdOptions = {
    params: { ...params, [constants.ZSTD_c_contentSizeFlag]: 1, [constants.ZSTD_c_dictIDFlag]: 0 },
    pledgedSrcSize: raw.length,
    ...rest,
  };
  let frame: Buffer;
  try {
    frame = zstdCompressSync(raw, options);
  } catch (error) {
    throw new UttrError('internal', 'cannot compress a frame', { cause: error });
  }
  // Where a frame exactly fills the memory that zlib has set aside, Node asks zstd for more, and it adds an empty frame
  // (https://github.com/denoland/deno/issues/36688 tells of Node's).
  return frame.subarray(0, frameEnd(frame));
}

/** The header that a delta lacks: one segment of `rawBytes` bytes, no checksum. */
function deltaHeader(rawBytes: number): Buffer {
  const header = Buffer.alloc(9);
  header.writeUInt32BE(ZSTD_MAGIC);
  if (rawBytes < 256) {
    header[4] = 0x20;
    header[5] = rawBytes;
    return header.subarray(0, 6);
  }
  if (rawBytes < 65_536 + 256) {
    header[4] = 0x60;
    header.writeUInt16LE(rawBytes - 256, 5);
    return header.subarray(0, 7);
  }
  header[4] = 0xa0;
  header.writeUInt32LE(rawBytes, 5);
  return header;
}

/** How to decompress a frame. */
export interface DecompressOptions {
  readonly dictionary?: Buffer | undefined;
}

/**
 * Decompresses a frame that must have exactly `rawBytes` raw bytes and end where `stored` ends.
 *
 * The bytes still have to be checked against the names of their chunks.
 *
 * @throws bad-chunk
 */
export function decompressFrame(stored: Buffer, rawBytes: number, how: DecompressOptions): Buffer {
  const isDelta = how.dictionary !== undefined;
  const frame = isDelta ? Buffer.concat([deltaHeader(rawBytes), stored]) : stored;
  checkFrame(frame, rawBytes, isDelta);
  const options = decompressOptions(rawBytes, how.dictionary);
  let raw: Buffer;
  try {
    raw = zstdDecompressSync(frame, options);
  } catch (error) {
    throw badFrame('does not decompress', error);
  }
  if (raw.length !== rawBytes) throw badFrame(`has ${raw.length} raw bytes, not ${rawBytes}`);
  return raw;
}

function decompressOptions(rawBytes: number, dictionary: Buffer | undefined): ZstdOptions {
  const size = Math.max(rawBytes, LEAST_OUTPUT_BYTES);
  return { maxOutputLength: size, chunkSize: size, ...(dictionary === undefined ? {} : { dictionary }) };
}

/**
 * Checks the outer form of a zstd frame without decompressing it: the content size it declares, and that its
 * blocks and checksum, which deltas lack, end at the last byte (zlib would ignore what follows).
 *
 * @throws bad-chunk
 * @see RFC 8878, section 3.1.1
 */
export function checkFrame(stored: Buffer, rawBytes: number, isDelta: boolean): void {
  if (stored.length < 6 || stored.readUInt32BE(0) !== ZSTD_MAGIC) throw badFrame('does not begin like one of zstd');
  const descriptor = stored[4] as number;
  const hasChecksum = (descriptor & CHECKSUM_FLAG) !== 0;
  if (hasChecksum === isDelta) throw badFrame(isDelta ? 'has a checksum' : 'lacks a checksum');
  if ((descriptor & 0x0b) !== 0) throw badFrame('has a dictionary id');
  if (readContentSize(stored, headerEnd(descriptor)) !== rawBytes) {
    throw badFrame(`does not declare ${rawBytes} raw bytes`);
  }
  const end = frameEnd(stored);
  if (end !== stored.length) throw badFrame(`has ${stored.length} bytes but ends at ${end}`);
}

/** Where the first frame ends by what its blocks say, be that beyond the bytes that are there. */
function frameEnd(frame: Buffer): number {
  const descriptor = frame[4] as number;
  let at = headerEnd(descriptor);
  for (let last = false; !last;) {
    if (at + 3 > frame.length) throw badFrame('is cut short');
    const header = frame.readUIntLE(at, 3);
    last = (header & 1) === 1;
    const isRunLength = ((header >> 1) & 3) === 1;
    at += 3 + (isRunLength ? 1 : header >> 3);
  }
  return (descriptor & CHECKSUM_FLAG) === 0 ? at : at + 4;
}

/** Where the header of a frame ends: 4 bytes magic, the descriptor, perhaps the window, the content size. */
function headerEnd(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  return (isSingleSegment ? 5 : 6) + contentSizeBytes(descriptor);
}

function contentSizeBytes(descriptor: number): number {
  if (descriptor >> 6 > 0) return 2 ** (descriptor >> 6);
  return (descriptor & 0x20) === 0 ? 0 : 1;
}

function readContentSize(stored: Buffer, headerEnds: number): number {
  const sizeBytes = contentSizeBytes(stored[4] as number);
  if (sizeBytes === 0 || headerEnds > stored.length) return -1;
  const at = headerEnds - sizeBytes;
  if (sizeBytes === 8) return Number(stored.readBigUInt64LE(at));
  // A size of two bytes counts from 256.
  return stored.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}

function badFrame(problem: string, cause?: unknown): UttrError {
  return new UttrError('bad-chunk', `a compressed frame ${problem}`, { cause });
}
