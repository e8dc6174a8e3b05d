/**
 * Packs, format 1: many chunks in one immutable blob.
 *
 *   pack    = header frame* footer trailer
 *   header  = "uttrpak" | u8 format version = 1                                             8 bytes
 *   frame   = one zstd frame over one or more neighbouring chunks, end to end               see frame.ts
 *   footer  = varint frames F | varint chunks C | varint outside dictionary chunks E
 *           | SHA-256 of all bytes before the footer                                        32 bytes
 *           | F × frame entry
 *           | C × varint raw length of the chunk
 *           | C × short name of the chunk                                                   16 bytes each
 *           | E × short name of an outside dictionary chunk                                 16 bytes each
 *   frame entry = varint stored length | varint 2 × chunks of the frame + (dictionary ? 1 : 0)
 *           | with a dictionary: varint (dictionary chunks − 1) × 16 + depth − 1 | one reference each
 *   reference = varint: 0 the next outside chunk not referred to before, 2k + 1 outside chunk k once more,
 *           2k + 2 the chunk of this pack that is k + 1 places before the first one of this frame
 *   trailer = SHA-256 of the footer (32 bytes) | u32 length of the footer | "uttrend" | u8 format version = 1
 *                                                                                           44 bytes
 *
 * Integers are big-endian; a varint is LEB128 in its shortest form. Offsets are not stored: frames lie end to
 * end from byte 8 on, and the chunks of a frame fill its raw bytes end to end, both in the order listed. So
 * there is nothing to overlap and nothing to point outside. A short name is the first 16 bytes of the SHA-256 of
 * the chunk's raw bytes. A delta of one row costs 16 bytes of chunk name, 16 bytes of dictionary chunk name, about
 * 6 bytes of columns and about 35 bytes of frame. The dictionary chunk of another pack is named, not given by pack
 * and number: collection rewrites packs, and a name never moves.
 *
 * P1  A pack is written whole under a fresh ULID and never changes; its name is never reused.
 * P2  The trailer comes last and gives the footer's length and digest: a pack cut short at any byte has no
 *     valid trailer, and a footer is checked before it is used.
 * P3  Header, frames, footer and trailer fill the pack without a gap, and the footer holds the digest of what
 *     lies before it: every change of any byte is found without decompressing.
 * P4  Counts and lengths in a footer are checked against the bytes at hand before anything is allocated by
 *     them, numbers have one encoding, and no byte is left over.
 * P5  A reference to a chunk of the same pack points to an earlier frame.
 * P6  Every chunk is checked against its name after decompression, on every read. What is copied without being
 *     read is checked by the digest of its pack.
 * P7  When a pack is written to a store, each dictionary chunk of a frame is in an earlier frame of that pack or
 *     already in the store, at a depth less than the frame's. Depth is at most 16.
 * P8  Leaves are in packs named `packs/d/<ulid>`; nodes and manifests in `packs/m/<ulid>`.
 * P9  A short name finds a chunk, the whole name proves it: who asks by the whole name gets bytes that have all of
 *     it, or an error. That two chunks share a short name by chance is out of reach (among 10^12 chunks: once in
 *     10^14 stores); on purpose it takes 2^64 attempts and yields an error, never other bytes.
 */
import { ByteReader, ByteWriter } from '../base/codec.ts';
import { assert, UttrError } from '../base/errors.ts';
import {
  HASH_BYTES,
  hashFromBytes,
  hashToBytes,
  sha256Bytes,
  SHORT_NAME_BYTES,
  shortNameFromBytes,
  shortNameToBytes,
  type Hash,
  type ShortName,
} from '../base/hash.ts';
import { isUlid } from '../base/ulid.ts';
import type { FrameLocation } from './chunk-index.ts';
import { DEPTH_LIMIT, DICTIONARY_CHUNKS_LIMIT, FRAME_RAW_LIMIT_BYTES } from './frame.ts';

/** 'd': leaves. 'm': nodes, manifests and lists of changes. */
export type PackKind = 'd' | 'm';

export const PACK_HEADER = Buffer.from('uttrpak\u0001', 'latin1');
export const PACK_TRAILER_BYTES = 44;
/** No pack is larger; readers refuse what claims to be. */
export const PACK_LIMIT_BYTES = 64 * 2 ** 20;

const TRAILER_MAGIC = Buffer.from('uttrend\u0001', 'latin1');
const MAGIC_BYTES = 7;
const PACK_NAME = /^packs\/([dm])\/([^/]+)$/u;

/** A frame and the run of `PackIndex.chunks` that it holds. */
export interface PackFrame extends FrameLocation {
  readonly firstChunk: number;
  readonly chunkCount: number;
}

export interface PackChunk {
  readonly name: ShortName;
  /** Which of `PackIndex.frames`. */
  readonly frame: number;
  /** First byte of the chunk in the raw frame. */
  readonly offset: number;
  readonly length: number;
}

/** What a footer says: where each chunk of the pack lies. */
export interface PackIndex {
  readonly name: string;
  readonly sizeBytes: number;
  /** SHA-256 over the header and the frames. */
  readonly bodyHash: Hash;
  readonly frames: readonly PackFrame[];
  readonly chunks: readonly PackChunk[];
}

/** Name of the blob of a pack. */
export function packName(kind: PackKind, ulid: string): string {
  return `packs/${kind}/${ulid}`;
}

/** The ULID in the name of a pack. */
export function packUlid(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** Kind of a pack by its name; undefined when no pack can have this name. */
export function packKind(name: string): PackKind | undefined {
  const match = PACK_NAME.exec(name);
  return match !== null && isUlid(match[2] as string) ? (match[1] as PackKind) : undefined;
}

/** Footer and trailer of a pack whose frames end where `pack.sizeBytes` of them leave off. */
export function encodeFooter(pack: Omit<PackIndex, 'name' | 'sizeBytes'>): Buffer {
  const outside = new Map<ShortName, number>();
  const inside = new Map<ShortName, InsideChunk>();
  const entries = new ByteWriter();
  for (const frame of pack.frames) {
    assert(frame.chunkCount > 0, 'a frame holds a chunk');
    encodeFrame(entries, frame, inside, outside);
    for (let chunk = frame.firstChunk; chunk < frame.firstChunk + frame.chunkCount; chunk += 1) {
      const { name } = pack.chunks[chunk] as PackChunk;
      if (frame.depth < (inside.get(name)?.depth ?? Infinity)) inside.set(name, { number: chunk, depth: frame.depth });
    }
  }
  const footer = new ByteWriter();
  footer.varint(pack.frames.length);
  footer.varint(pack.chunks.length);
  footer.varint(outside.size);
  footer.bytes(hashToBytes(pack.bodyHash));
  footer.bytes(entries.finish());
  for (const chunk of pack.chunks) footer.varint(chunk.length);
  for (const chunk of pack.chunks) footer.bytes(shortNameToBytes(chunk.name));
  for (const name of outside.keys()) footer.bytes(shortNameToBytes(name));
  const bytes = footer.finish();
  footer.bytes(sha256Bytes(bytes));
  footer.u32(bytes.length);
  footer.bytes(TRAILER_MAGIC);
  return footer.finish();
}

interface InsideChunk {
  readonly number: number;
  readonly depth: number;
}

function encodeFrame(
  out: ByteWriter,
  frame: PackFrame,
  inside: ReadonlyMap<ShortName, InsideChunk>,
  outside: Map<ShortName, number>,
): void {
  const { dictionary, depth } = frame;
  assert(depth <= DEPTH_LIMIT && depth > 0 === dictionary.length > 0, 'depth 0 means no dictionary');
  assert(dictionary.length <= DICTIONARY_CHUNKS_LIMIT, 'a dictionary has few chunks');
  out.varint(frame.storedBytes);
  out.varint(frame.chunkCount * 2 + (depth > 0 ? 1 : 0));
  if (depth > 0) out.varint((dictionary.length - 1) * DEPTH_LIMIT + depth - 1);
  for (const name of dictionary) {
    const chunk = inside.get(name);
    const number = outside.get(name);
    if (chunk !== undefined && chunk.depth < depth) out.varint((frame.firstChunk - chunk.number - 1) * 2 + 2);
    else if (number !== undefined) out.varint(number * 2 + 1);
    else {
      outside.set(name, outside.size);
      out.varint(0);
    }
  }
}

/** Length of footer and trailer together, from the last bytes of a pack. @throws bad-pack, format-too-new */
export function footerLength(name: string, tail: Buffer): number {
  if (tail.length < PACK_TRAILER_BYTES) throw badPack(name, 'is too short to be a pack');
  const magic = tail.subarray(tail.length - TRAILER_MAGIC.length);
  checkMagic(name, magic, TRAILER_MAGIC, 'its end is missing or damaged');
  return tail.readUInt32BE(tail.length - TRAILER_MAGIC.length - 4) + PACK_TRAILER_BYTES;
}

/** Checks the first bytes of a pack. @throws bad-pack, format-too-new */
export function checkHeader(name: string, bytes: Buffer): void {
  checkMagic(name, bytes.subarray(0, PACK_HEADER.length), PACK_HEADER, 'it does not begin like a pack');
}

function checkMagic(name: string, found: Buffer, expected: Buffer, problem: string): void {
  if (found.equals(expected)) return;
  const sameWord = found.subarray(0, MAGIC_BYTES).equals(expected.subarray(0, MAGIC_BYTES));
  if (sameWord && (found[MAGIC_BYTES] ?? 0) > 1) {
    throw new UttrError('format-too-new', `pack ${name} has format ${found[MAGIC_BYTES]}; this uttr knows format 1`, {
      details: { pack: name },
      hint: 'use a newer uttr',
    });
  }
  throw badPack(name, problem);
}

/**
 * Reads footer and trailer, which `bytes` must be exactly; the digest is checked first.
 *
 * @throws bad-pack, format-too-new
 */
export function decodeFooter(name: string, bytes: Buffer): PackIndex {
  if (footerLength(name, bytes) !== bytes.length) throw badPack(name, 'its footer has another length than it says');
  const footer = bytes.subarray(0, bytes.length - PACK_TRAILER_BYTES);
  const digest = bytes.subarray(footer.length, footer.length + HASH_BYTES);
  if (!sha256Bytes(footer).equals(digest)) throw badPack(name, 'its footer is damaged');

  const reader = new ByteReader(footer, 'bad-pack', `footer of pack ${name}`);
  // The least a frame, a chunk and a dictionary chunk can take bounds how many there are (P4).
  const frameCount = reader.varint(Math.floor(footer.length / 2), 'number of frames');
  const chunkCount = reader.varint(Math.floor(footer.length / (SHORT_NAME_BYTES + 1)), 'number of chunks');
  const outsideCount = reader.varint(Math.floor(footer.length / SHORT_NAME_BYTES), 'number of dictionary chunks');
  const bodyHash = hashFromBytes(reader.bytes(HASH_BYTES));
  const entries = decodeEntries(reader, frameCount, chunkCount, outsideCount);
  const lengths = Array.from({ length: chunkCount }, () => reader.varint(FRAME_RAW_LIMIT_BYTES, 'length of a chunk'));
  const names = Array.from({ length: chunkCount }, () => readName(reader));
  const outside = Array.from({ length: outsideCount }, () => readName(reader));
  reader.end();

  const placed = placeFrames(name, reader, { entries, lengths, names, outside });
  const sizeBytes = placed.end + bytes.length;
  if (sizeBytes > PACK_LIMIT_BYTES) throw badPack(name, `it says it has ${sizeBytes} bytes, more than a pack may`);
  return { name, sizeBytes, bodyHash, frames: placed.frames, chunks: placed.chunks };
}

function readName(reader: ByteReader): ShortName {
  return shortNameFromBytes(reader.bytes(SHORT_NAME_BYTES));
}

/** Decodes the footer of a pack that has `sizeBytes` bytes. @throws bad-pack, format-too-new */
export function decodeFooterOf(name: string, sizeBytes: number, footer: Buffer): PackIndex {
  const index = decodeFooter(name, footer);
  if (index.sizeBytes === sizeBytes) return index;
  throw badPack(name, `it has ${sizeBytes} bytes, but its footer tells of ${index.sizeBytes}`);
}

interface FrameEntry {
  readonly storedBytes: number;
  readonly chunkCount: number;
  readonly depth: number;
  readonly references: readonly number[];
}

function decodeEntries(reader: ByteReader, frameCount: number, chunkCount: number, outsideCount: number): FrameEntry[] {
  const referenceLimit = 2 * Math.max(chunkCount, outsideCount);
  const entries: FrameEntry[] = [];
  let chunks = 0;
  for (let number = 0; number < frameCount; number += 1) {
    const storedBytes = reader.varint(PACK_LIMIT_BYTES, 'length of a frame');
    if (storedBytes === 0) reader.fail('a frame has no bytes');
    const head = reader.varint(2 * (chunkCount - chunks) + 1, 'chunks of a frame');
    const count = Math.floor(head / 2);
    if (count === 0) reader.fail('a frame has no chunk');
    chunks += count;
    if (head % 2 === 0) {
      entries.push({ storedBytes, chunkCount: count, depth: 0, references: [] });
      continue;
    }
    const shape = reader.varint(DICTIONARY_CHUNKS_LIMIT * DEPTH_LIMIT - 1, 'size and depth of a dictionary');
    const size = Math.floor(shape / DEPTH_LIMIT) + 1;
    const references = Array.from({ length: size }, () => reader.varint(referenceLimit, 'a reference'));
    entries.push({ storedBytes, chunkCount: count, depth: (shape % DEPTH_LIMIT) + 1, references });
  }
  if (chunks !== chunkCount) reader.fail(`its frames have ${chunks} chunks, not ${chunkCount}`);
  return entries;
}

interface FooterColumns {
  readonly entries: readonly FrameEntry[];
  readonly lengths: readonly number[];
  readonly names: readonly ShortName[];
  readonly outside: readonly ShortName[];
}

function placeFrames(
  name: string,
  reader: ByteReader,
  columns: FooterColumns,
): { frames: PackFrame[]; chunks: PackChunk[]; end: number } {
  const frames: PackFrame[] = [];
  const chunks: PackChunk[] = [];
  const references = new ReferenceReader(reader, columns, frames, chunks);
  let end = PACK_HEADER.length;
  for (const entry of columns.entries) {
    const { storedBytes, chunkCount, depth } = entry;
    const firstChunk = chunks.length;
    const dictionary = entry.references.map((reference) => references.resolve(reference, firstChunk, depth));
    let rawBytes = 0;
    for (let chunk = firstChunk; chunk < firstChunk + chunkCount; chunk += 1) {
      const length = columns.lengths[chunk] as number;
      chunks.push({ name: columns.names[chunk] as ShortName, frame: frames.length, offset: rawBytes, length });
      rawBytes += length;
    }
    if (rawBytes > FRAME_RAW_LIMIT_BYTES) reader.fail(`a frame has ${rawBytes} raw bytes`);
    frames.push({ pack: name, offset: end, storedBytes, rawBytes, depth, dictionary, firstChunk, chunkCount });
    end += storedBytes;
  }
  references.end();
  return { frames, chunks, end };
}

/** Turns references into chunk names; outside chunks must be referred to in the order they are listed. */
class ReferenceReader {
  readonly #reader: ByteReader;
  readonly #columns: FooterColumns;
  readonly #frames: readonly PackFrame[];
  readonly #chunks: readonly PackChunk[];
  #outsideUsed = 0;

  constructor(reader: ByteReader, columns: FooterColumns, frames: readonly PackFrame[], chunks: readonly PackChunk[]) {
    this.#reader = reader;
    this.#columns = columns;
    this.#frames = frames;
    this.#chunks = chunks;
  }

  resolve(reference: number, firstChunk: number, depth: number): ShortName {
    if (reference > 0 && reference % 2 === 0) {
      const chunk = this.#chunks[firstChunk - reference / 2];
      if (chunk === undefined) return this.#reader.fail('a reference to a chunk before the first');
      if ((this.#frames[chunk.frame] as PackFrame).depth >= depth) {
        this.#reader.fail('a dictionary chunk is not shallower than the frame that needs it');
      }
      return chunk.name;
    }
    const number = reference === 0 ? this.#outsideUsed : (reference - 1) / 2;
    if (reference === 0) this.#outsideUsed += 1;
    else if (number >= this.#outsideUsed) this.#reader.fail('a reference to a dictionary chunk not named before');
    return this.#columns.outside[number] ?? this.#reader.fail('a reference to no dictionary chunk');
  }

  end(): void {
    if (this.#outsideUsed !== this.#columns.outside.length) this.#reader.fail('a dictionary chunk nobody refers to');
  }
}

/** What a pack itself says of a frame. @throws bad-pack when that is not what an index says of it */
export function frameAt(pack: PackIndex, location: FrameLocation): PackFrame {
  let low = 0;
  let high = pack.frames.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((pack.frames[middle] as PackFrame).offset < location.offset) low = middle + 1;
    else high = middle;
  }
  const frame = pack.frames[low];
  if (frame !== undefined && isSamePlace(frame, location)) return frame;
  throw badPack(pack.name, `it has no such frame at byte ${location.offset}`);
}

function isSamePlace(a: FrameLocation, b: FrameLocation): boolean {
  return (
    a.offset === b.offset &&
    a.storedBytes === b.storedBytes &&
    a.rawBytes === b.rawBytes &&
    a.depth === b.depth &&
    a.dictionary.join() === b.dictionary.join()
  );
}

/** The chunks of a frame of the pack. */
export function chunksOf(pack: PackIndex, { firstChunk, chunkCount }: PackFrame): readonly PackChunk[] {
  return pack.chunks.slice(firstChunk, firstChunk + chunkCount);
}

/** An error about a damaged pack. */
export function badPack(name: string, problem: string, cause?: unknown): UttrError {
  return new UttrError('bad-pack', `pack ${name}: ${problem}`, {
    details: { pack: name },
    hint: 'run `uttr fsck`; restore the pack from a remote or a backup',
    cause,
  });
}
