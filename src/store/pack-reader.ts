/**
 * Reads the footers of packs that lie in a blob store, and checks whole packs.
 */
import { sha256 } from '../base/hash.ts';
import type { BlobStore } from './blob-store.ts';
import { readRange } from './frame-ranges.ts';
import {
  badPack,
  checkHeader,
  decodeFooter,
  footerLength,
  PACK_HEADER,
  PACK_LIMIT_BYTES,
  PACK_TRAILER_BYTES,
  type PackIndex,
} from './pack.ts';

/** Read at once from the end of a pack: the footer of a pack of up to about 1,900 chunks. */
const TAIL_BYTES = 64 * 2 ** 10;

export interface ReadFooterOptions {
  readonly onRead?: ((bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Footer and trailer of a pack, not yet checked: one range read, two for a long footer. @throws bad-pack */
export async function readFooterBytes(
  store: BlobStore,
  name: string,
  sizeBytes: number,
  options: ReadFooterOptions = {},
): Promise<Buffer> {
  if (sizeBytes > PACK_LIMIT_BYTES) throw badPack(name, `it has ${sizeBytes} bytes, more than a pack may`);
  if (sizeBytes < PACK_HEADER.length + PACK_TRAILER_BYTES) throw badPack(name, 'it is too short to be a pack');
  const start = Math.max(0, sizeBytes - TAIL_BYTES);
  const tail = await readRange(store, name, { start, end: sizeBytes }, options.signal);
  options.onRead?.(tail.length);
  const length = footerLength(name, tail);
  if (length > sizeBytes) throw badPack(name, 'its footer is longer than the pack');
  if (length <= tail.length) return tail.subarray(tail.length - length);
  const head = await readRange(store, name, { start: sizeBytes - length, end: start }, options.signal);
  options.onRead?.(head.length);
  return Buffer.concat([head, tail]);
}

/** What the footer of a pack says. @throws bad-pack, format-too-new, wrong-answer, errors of the store */
export async function readFooter(
  store: BlobStore,
  name: string,
  sizeBytes: number,
  options: ReadFooterOptions = {},
): Promise<PackIndex> {
  return decodeFooterOf(name, sizeBytes, await readFooterBytes(store, name, sizeBytes, options));
}

/** Decodes the footer of a pack that has `sizeBytes` bytes. @throws bad-pack, format-too-new */
export function decodeFooterOf(name: string, sizeBytes: number, footer: Buffer): PackIndex {
  const index = decodeFooter(name, footer);
  if (index.sizeBytes === sizeBytes) return index;
  throw badPack(name, `it has ${sizeBytes} bytes, but its footer tells of ${index.sizeBytes}`);
}

/** Checks a whole pack except the raw bytes of its chunks: finds any change of any byte. @throws bad-pack */
export function checkPack(name: string, bytes: Buffer): PackIndex {
  checkHeader(name, bytes);
  const length = footerLength(name, bytes);
  if (length > bytes.length - PACK_HEADER.length) throw badPack(name, 'its footer is longer than the pack');
  const index = decodeFooterOf(name, bytes.length, bytes.subarray(bytes.length - length));
  if (sha256(bytes.subarray(0, bytes.length - length)) !== index.bodyHash) throw badPack(name, 'a frame is damaged');
  return index;
}
