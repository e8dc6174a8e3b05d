/**
 * Reads the footers of packs that lie in a blob store.
 */
import type { BlobStore } from './blob-store.ts';
import { type OnRead, readRange } from './frame-ranges.ts';
import {
  badPack,
  decodeFooterOf,
  footerLength,
  PACK_HEADER,
  PACK_LIMIT_BYTES,
  PACK_TRAILER_BYTES,
  type PackIndex,
} from './pack.ts';

/** Read at once from the end of a pack: the footer of a pack of up to about 1,900 chunks. */
const TAIL_BYTES = 64 * 2 ** 10;

export interface ReadFooterOptions {
  readonly onRead?: OnRead | undefined;
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
  options.onRead?.(name, start, tail);
  const length = footerLength(name, tail);
  if (length > sizeBytes) throw badPack(name, 'its footer is longer than the pack');
  if (length <= tail.length) return tail.subarray(tail.length - length);
  const head = await readRange(store, name, { start: sizeBytes - length, end: start }, options.signal);
  options.onRead?.(name, sizeBytes - length, head);
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

/** Packs whose footers stay decoded: callers that walk frames come back to the same few. */
const RECENT_PACKS = 8;

/** What the footers of the packs used last say. */
export class RecentPacks {
  readonly #read: (pack: string) => Promise<PackIndex>;
  readonly #packs = new Map<string, PackIndex>();

  constructor(read: (pack: string) => Promise<PackIndex>) {
    this.#read = read;
  }

  async get(name: string): Promise<PackIndex> {
    const pack = this.#packs.get(name) ?? (await this.#read(name));
    this.#packs.delete(name);
    this.#packs.set(name, pack);
    const [oldest] = this.#packs.keys();
    if (this.#packs.size > RECENT_PACKS && oldest !== undefined) this.#packs.delete(oldest);
    return pack;
  }
}
