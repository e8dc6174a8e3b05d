/**
 * Writes finished packs: a few at a time, but each pack that needs chunks of one before it only after that one and all
 * before it are durable (P7), and told to the caller in the order they were made. A process that ends in
 * between leaves packs that can be read, or none.
 */
import { throwIfAborted } from '../base/errors.ts';
import type { CallOptions } from '../base/ports.ts';
import type { UlidSource } from '../base/ulid.ts';
import type { BlobStore } from './blob-store.ts';
import { PackBuilder, type EncodedFrame } from './pack-builder.ts';
import { packName, type PackIndex, type PackKind } from './pack.ts';

/** A pack this large is closed. */
export const PACK_TARGET_BYTES = 32 * 2 ** 20;
/** Packs being written at the same time; each is in memory until it is durable. */
const PACKS_IN_FLIGHT = 2;

/** Puts packs into a store, shared by the writers of both kinds. */
export class PackQueue {
  readonly #store: BlobStore;
  readonly #onPack: ((index: PackIndex) => void) | undefined;
  readonly #options: CallOptions;
  readonly #inFlight = new Set<Promise<void>>();
  /** Packs begun that are not durable, those that could not be written among them. */
  readonly #unsure = new Set<PackBuilder>();
  readonly #durable: PackIndex[] = [];
  /** Packs begun that the caller does not know of yet. */
  readonly #untold = new Set<string>();
  #told: Promise<void> = Promise.resolve();

  constructor(store: BlobStore, onPack?: (index: PackIndex) => void, options: CallOptions = {}) {
    this.#store = store;
    this.#onPack = onPack;
    this.#options = options;
  }

  /** Starts to write a pack; waits first until few are being written. */
  async put(pack: PackBuilder, name: string): Promise<void> {
    throwIfAborted(this.#options.signal);
    while (this.#inFlight.size >= PACKS_IN_FLIGHT) await Promise.race(this.#inFlight);
    // Fails if an earlier pack did: this one must not come to lie there without it.
    if ([...this.#unsure].some((other) => pack.needs(other))) await this.#told;
    const { bytes, index } = pack.finish(name);
    this.#untold.add(name);
    this.#unsure.add(pack);
    const written = this.#store.put(name, bytes, this.#options);
    const earlier = this.#told;
    this.#told = written.then(async () => {
      await earlier;
      this.#unsure.delete(pack);
      this.#durable.push(index);
      if (this.#onPack === undefined) return;
      this.#untold.delete(name);
      this.#onPack(index);
    });
    const ended = this.#told.catch(() => {}).then(() => void this.#inFlight.delete(ended));
    this.#inFlight.add(ended);
  }

  /** Waits for all packs; gives their indexes in the order they were put. */
  async finish(): Promise<PackIndex[]> {
    await this.#told;
    this.#untold.clear();
    return [...this.#durable];
  }

  /** Waits for what is being written, then removes the packs the caller was not told of. */
  async abort(): Promise<void> {
    await Promise.all(this.#inFlight);
    for (const name of this.#untold) {
      // What cannot be removed now is found by the sweep: nothing refers to it.
      await this.#store.delete(name).catch(() => {});
    }
  }
}

/** Fills packs of one kind with frames, in the order they come. */
export class PackWriter {
  readonly #kind: PackKind;
  readonly #names: UlidSource;
  readonly #queue: PackQueue;
  #pack = new PackBuilder();

  constructor(kind: PackKind, names: UlidSource, queue: PackQueue) {
    this.#kind = kind;
    this.#names = names;
    this.#queue = queue;
  }

  async add(frame: EncodedFrame): Promise<void> {
    if (this.#pack.sizeBytes >= PACK_TARGET_BYTES || !this.#pack.fits(frame)) await this.roll();
    this.#pack.add(frame);
  }

  /** Closes the pack, so that the next frame begins another one. */
  async roll(): Promise<void> {
    if (this.#pack.isEmpty) return;
    const pack = this.#pack;
    this.#pack = new PackBuilder();
    await this.#queue.put(pack, packName(this.#kind, this.#names.next()));
  }
}
