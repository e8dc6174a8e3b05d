import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted } from '../../src/base/errors.ts';
import type { CallOptions } from '../../src/base/ports.ts';
import type { BlobStat, BlobStore, ByteRange, TaggedBlob } from '../../src/store/blob-store.ts';

/** Wraps a store so that every call takes a while, and counts how many are under way at once. */
export class SlowBlobStore implements BlobStore {
  readonly inner: BlobStore;
  /** Waited before each call. */
  delayMs: number;
  /** The most calls that were ever under way together. */
  peakInFlight = 0;
  #inFlight = 0;

  constructor(inner: BlobStore, delayMs: number) {
    this.inner = inner;
    this.delayMs = delayMs;
  }

  get supports(): BlobStore['supports'] {
    return this.inner.supports;
  }

  get url(): string {
    return this.inner.url;
  }

  async put(name: string, bytes: Uint8Array, options?: CallOptions): Promise<void> {
    return this.#slowly(options, async () => this.inner.put(name, bytes, options));
  }

  async create(name: string, bytes: Uint8Array, options?: CallOptions): Promise<boolean> {
    return this.#slowly(options, async () => this.inner.create(name, bytes, options));
  }

  async replace(name: string, expected: string | undefined, bytes: Uint8Array, options?: CallOptions): Promise<string> {
    return this.#slowly(options, async () => this.inner.replace(name, expected, bytes, options));
  }

  async get(name: string, range?: ByteRange, options?: CallOptions): Promise<Buffer> {
    return this.#slowly(options, async () => this.inner.get(name, range, options));
  }

  async read(name: string, options?: CallOptions): Promise<TaggedBlob | undefined> {
    return this.#slowly(options, async () => this.inner.read(name, options));
  }

  async stat(name: string, options?: CallOptions): Promise<BlobStat | undefined> {
    return this.#slowly(options, async () => this.inner.stat(name, options));
  }

  async *list(prefix: string, options?: CallOptions): AsyncGenerator<BlobStat> {
    await this.#pause(options);
    yield* this.inner.list(prefix, options);
  }

  async delete(name: string, options?: CallOptions): Promise<void> {
    return this.#slowly(options, async () => this.inner.delete(name, options));
  }

  async close(): Promise<void> {
    await this.inner.close();
  }

  async #slowly<T>(options: CallOptions | undefined, call: () => Promise<T>): Promise<T> {
    this.#inFlight += 1;
    this.peakInFlight = Math.max(this.peakInFlight, this.#inFlight);
    try {
      await this.#pause(options);
      return await call();
    } finally {
      this.#inFlight -= 1;
    }
  }

  async #pause(options: CallOptions | undefined): Promise<void> {
    const signal = options?.signal;
    throwIfAborted(signal);
    await sleep(this.delayMs, undefined, signal === undefined ? {} : { signal }).catch(() => throwIfAborted(signal));
  }
}
