import { throwIfAborted } from '../../src/base/errors.ts';
import { sha256 } from '../../src/base/hash.ts';
import type { CallOptions } from '../../src/base/ports.ts';
import {
  badRange,
  blobNotFound,
  checkBlobName,
  checkBlobPrefix,
  checkRange,
  headMoved,
  type BlobStat,
  type BlobStore,
  type ByteRange,
  type TaggedBlob,
} from '../../src/store/blob-store.ts';

/** A store in memory: the reference implementation of the contract, as plain as can be. */
export class MemoryBlobStore implements BlobStore {
  readonly supports: { readonly conditionalPut: boolean };
  readonly url: string;
  /** What is stored; tests may look inside and damage it. */
  readonly blobs = new Map<string, Buffer>();

  constructor(options: { readonly conditionalPut?: boolean; readonly url?: string } = {}) {
    this.supports = { conditionalPut: options.conditionalPut ?? true };
    this.url = options.url ?? 'memory:';
  }

  async put(name: string, bytes: Uint8Array, options?: CallOptions): Promise<void> {
    checkBlobName(name);
    throwIfAborted(options?.signal);
    this.blobs.set(name, Buffer.from(bytes));
  }

  async create(name: string, bytes: Uint8Array, options?: CallOptions): Promise<boolean> {
    checkBlobName(name);
    throwIfAborted(options?.signal);
    if (this.blobs.has(name)) return false;
    this.blobs.set(name, Buffer.from(bytes));
    return true;
  }

  async replace(name: string, expected: string | undefined, bytes: Uint8Array, options?: CallOptions): Promise<string> {
    checkBlobName(name);
    throwIfAborted(options?.signal);
    const present = this.blobs.get(name);
    if ((present === undefined ? undefined : sha256(present)) !== expected) throw headMoved(name, this.url);
    this.blobs.set(name, Buffer.from(bytes));
    return sha256(bytes);
  }

  async get(name: string, range?: ByteRange, options?: CallOptions): Promise<Buffer> {
    checkBlobName(name);
    checkRange(name, range);
    throwIfAborted(options?.signal);
    const bytes = this.blobs.get(name);
    if (bytes === undefined) throw blobNotFound(name, this.url);
    if (range !== undefined && range.end > bytes.length) throw badRange(name, range, bytes.length);
    return Buffer.from(bytes.subarray(range?.start, range?.end));
  }

  async read(name: string, options?: CallOptions): Promise<TaggedBlob | undefined> {
    checkBlobName(name);
    throwIfAborted(options?.signal);
    const bytes = this.blobs.get(name);
    return bytes === undefined ? undefined : { bytes: Buffer.from(bytes), tag: sha256(bytes) };
  }

  async stat(name: string, options?: CallOptions): Promise<BlobStat | undefined> {
    checkBlobName(name);
    throwIfAborted(options?.signal);
    const bytes = this.blobs.get(name);
    return bytes === undefined ? undefined : { name, sizeBytes: bytes.length };
  }

  async *list(prefix: string, options?: CallOptions): AsyncGenerator<BlobStat> {
    checkBlobPrefix(prefix);
    throwIfAborted(options?.signal);
    for (const name of [...this.blobs.keys()].filter((key) => key.startsWith(prefix)).sort()) {
      throwIfAborted(options?.signal);
      const bytes = this.blobs.get(name);
      if (bytes !== undefined) yield { name, sizeBytes: bytes.length };
    }
  }

  async delete(name: string, options?: CallOptions): Promise<void> {
    checkBlobName(name);
    throwIfAborted(options?.signal);
    this.blobs.delete(name);
  }

  async close(): Promise<void> {}
}
