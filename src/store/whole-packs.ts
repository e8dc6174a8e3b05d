/**
 * Packs read as a whole, to copy frames out of them: the digest of a pack proves all of its frames at once, for a
 * small part of what opening them takes.
 */
import { isUttrError } from '../base/errors.ts';
import type { BlobStore } from './blob-store.ts';
import type { FrameLocation } from './chunk-index.ts';
import { openingBytes, type WholeFrame } from './frame-reader.ts';
import { checkPack } from './pack-verify.ts';
import { chunksOf, frameAt, packKind, type PackIndex, type PackKind } from './pack.ts';

/** How many times as long opening and checking a raw byte takes as reading and hashing a stored one, about. */
const OPENING_COST = 2;

/** A pack whose bytes are those of its digest. */
interface WholePack {
  readonly index: PackIndex;
  readonly bytes: Buffer;
}

export class WholePacks {
  readonly #store: BlobStore;
  readonly #signal: AbortSignal | undefined;
  /** The last of each kind: copies take the frames of one pack after the other. */
  readonly #last = new Map<PackKind | undefined, { readonly name: string; readonly whole: Promise<WholePack> }>();

  constructor(store: BlobStore, signal: AbortSignal | undefined) {
    this.#store = store;
    this.#signal = signal;
  }

  /**
   * Frames of one pack, in the order asked; undefined where opening them costs less than reading all of the pack, and
   * where anything is wrong with it: what that is, and whether it concerns these frames, is seen by opening them.
   */
  async frames(pack: string, wanted: readonly FrameLocation[]): Promise<WholeFrame[] | undefined> {
    try {
      const whole = await this.#read(pack, wanted);
      return whole === undefined ? undefined : wanted.map((location) => frameOf(whole, location));
    } catch (error) {
      if (isUttrError(error, 'bad-pack', 'format-too-new', 'blob-not-found')) return undefined;
      throw error;
    }
  }

  async #read(name: string, wanted: readonly FrameLocation[]): Promise<WholePack | undefined> {
    if (!this.#isLast(name)) {
      const sizeBytes = (await this.#store.stat(name, { signal: this.#signal }))?.sizeBytes ?? Infinity;
      const opening = wanted.reduce((sum, frame) => sum + openingBytes(frame), 0);
      if (opening * OPENING_COST < sizeBytes) return undefined;
      // Another call may have begun meanwhile.
      if (!this.#isLast(name)) this.#last.set(packKind(name), { name, whole: this.#load(name) });
    }
    return this.#last.get(packKind(name))?.whole;
  }

  #isLast(name: string): boolean {
    return this.#last.get(packKind(name))?.name === name;
  }

  async #load(name: string): Promise<WholePack> {
    const bytes = await this.#store.get(name, undefined, { signal: this.#signal });
    return { index: checkPack(name, bytes), bytes };
  }
}

/** @throws bad-pack when the index at hand says something else of the frame than the pack itself */
function frameOf({ index, bytes }: WholePack, location: FrameLocation): WholeFrame {
  const frame = frameAt(index, location);
  const { offset, storedBytes } = frame;
  return { location, stored: bytes.subarray(offset, offset + storedBytes), chunks: chunksOf(index, frame) };
}
