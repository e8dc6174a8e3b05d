import { UttrError } from '../../src/base/errors.ts';
import type { CallOptions } from '../../src/base/ports.ts';
import type { BlobStat, BlobStore, ByteRange, TaggedBlob } from '../../src/store/blob-store.ts';

export type BlobStoreMethod = 'put' | 'create' | 'replace' | 'get' | 'read' | 'stat' | 'list' | 'delete';

/**
 * What goes wrong with a call:
 *
 * - `fail`: nothing happens, and the call fails (with `error`, or `remote-unreachable`).
 * - `lose-answer`: the call does its work, and fails all the same.
 * - `drop`: a write or delete claims success, but does nothing.
 * - `flip`: one bit of what is read, or of what is written, is another.
 * - `shorten`: what is read, or what is written, lacks its last byte.
 * - `hide`: reads find nothing, and a list is empty, as in a store that is slow to agree.
 */
export type FaultKind = 'fail' | 'lose-answer' | 'drop' | 'flip' | 'shorten' | 'hide';

export interface Fault {
  readonly kind: FaultKind;
  /** Only this method, or one of these; every method by default. */
  readonly method?: BlobStoreMethod | readonly BlobStoreMethod[];
  /** Only names (or prefixes, for list) that match. */
  readonly name?: RegExp | string;
  /** How many matching calls pass unharmed first; none by default. */
  readonly after?: number;
  /** How many calls it hits; 1 by default, Infinity for all. */
  readonly times?: number;
  /** What a failing call throws. */
  readonly error?: UttrError;
}

export interface BlobStoreCall {
  readonly method: BlobStoreMethod;
  readonly name: string;
  /** Bytes sent, or bytes got, where the call got so far. */
  sizeBytes: number;
  fault?: FaultKind;
}

interface ArmedFault extends Fault {
  passes: number;
  left: number;
}

/** Wraps a store, writes down every call in order, and spoils those that a test picks with `inject`. */
export class FaultyBlobStore implements BlobStore {
  readonly inner: BlobStore;
  /** Every call, in the order in which they began. */
  readonly calls: BlobStoreCall[] = [];
  #faults: ArmedFault[] = [];

  constructor(inner: BlobStore) {
    this.inner = inner;
  }

  get supports(): BlobStore['supports'] {
    return this.inner.supports;
  }

  get url(): string {
    return this.inner.url;
  }

  /** Arms a fault. Of several that match a call, the one injected first strikes. */
  inject(fault: Fault): this {
    this.#faults.push({ ...fault, passes: fault.after ?? 0, left: fault.times ?? 1 });
    return this;
  }

  /** Ends all faults. */
  heal(): void {
    this.#faults = [];
  }

  /** The calls as `put packs/d/x`, for comparing orders. */
  get transcript(): string[] {
    return this.calls.map(({ method, name }) => `${method} ${name}`);
  }

  async put(name: string, bytes: Uint8Array, options?: CallOptions): Promise<void> {
    await this.#write('put', name, bytes, undefined, async (sent) => this.inner.put(name, sent, options));
  }

  async create(name: string, bytes: Uint8Array, options?: CallOptions): Promise<boolean> {
    return this.#write('create', name, bytes, true, async (sent) => this.inner.create(name, sent, options));
  }

  async replace(name: string, expected: string | undefined, bytes: Uint8Array, options?: CallOptions): Promise<string> {
    return this.#write('replace', name, bytes, 'dropped', async (sent) =>
      this.inner.replace(name, expected, sent, options),
    );
  }

  async get(name: string, range?: ByteRange, options?: CallOptions): Promise<Buffer> {
    const call = this.#begin('get', name);
    if (call.fault === 'hide') throw new UttrError('blob-not-found', `${name} is hidden`);
    const bytes = spoil(await this.inner.get(name, range, options), call.fault);
    call.sizeBytes = bytes.length;
    return afterwards(call, bytes);
  }

  async read(name: string, options?: CallOptions): Promise<TaggedBlob | undefined> {
    const call = this.#begin('read', name);
    const found = await this.inner.read(name, options);
    if (found === undefined || call.fault === 'hide') return afterwards(call, undefined);
    call.sizeBytes = found.bytes.length;
    return afterwards(call, { ...found, bytes: spoil(found.bytes, call.fault) });
  }

  async stat(name: string, options?: CallOptions): Promise<BlobStat | undefined> {
    const call = this.#begin('stat', name);
    const found = await this.inner.stat(name, options);
    if (found === undefined || call.fault === 'hide') return afterwards(call, undefined);
    const missing = call.fault === 'shorten' ? 1 : 0;
    return afterwards(call, { ...found, sizeBytes: found.sizeBytes - missing });
  }

  async *list(prefix: string, options?: CallOptions): AsyncGenerator<BlobStat> {
    const call = this.#begin('list', prefix);
    if (call.fault === 'hide') return;
    yield* this.inner.list(prefix, options);
    afterwards(call, undefined);
  }

  async delete(name: string, options?: CallOptions): Promise<void> {
    const call = this.#begin('delete', name);
    if (call.fault !== 'drop') await this.inner.delete(name, options);
    afterwards(call, undefined);
  }

  async close(): Promise<void> {
    await this.inner.close();
  }

  #begin(method: BlobStoreMethod, name: string): BlobStoreCall {
    const fault = this.#strike(method, name);
    const call: BlobStoreCall = { method, name, sizeBytes: 0 };
    if (fault !== undefined) call.fault = fault.kind;
    this.calls.push(call);
    if (fault?.kind === 'fail') throw fault.error ?? unreachable(call);
    return call;
  }

  #strike(method: BlobStoreMethod, name: string): Fault | undefined {
    for (const fault of this.#faults) {
      if (fault.left <= 0 || !matches(fault, method, name)) continue;
      if (fault.passes > 0) {
        fault.passes -= 1;
        continue;
      }
      fault.left -= 1;
      return fault;
    }
    return undefined;
  }

  async #write<T>(
    method: BlobStoreMethod,
    name: string,
    bytes: Uint8Array,
    dropped: T,
    send: (bytes: Uint8Array) => Promise<T>,
  ): Promise<T> {
    const call = this.#begin(method, name);
    call.sizeBytes = bytes.length;
    const result = call.fault === 'drop' ? dropped : await send(spoil(Buffer.from(bytes), call.fault));
    return afterwards(call, result);
  }
}

function matches(fault: Fault, method: BlobStoreMethod, name: string): boolean {
  const methods = fault.method === undefined ? undefined : [fault.method].flat();
  if (methods !== undefined && !methods.includes(method)) return false;
  if (fault.name === undefined) return true;
  return typeof fault.name === 'string' ? fault.name === name : fault.name.test(name);
}

function spoil(bytes: Buffer, fault: FaultKind | undefined): Buffer {
  if (fault === 'shorten') return bytes.subarray(0, -1);
  if (fault !== 'flip' || bytes.length === 0) return bytes;
  const flipped = Buffer.from(bytes);
  const middle = flipped.length >> 1;
  flipped.writeUInt8(flipped.readUInt8(middle) ^ 1, middle);
  return flipped;
}

function afterwards<T>(call: BlobStoreCall, result: T): T {
  if (call.fault === 'lose-answer') throw unreachable(call);
  return result;
}

function unreachable({ method, name, fault }: BlobStoreCall): UttrError {
  return new UttrError('remote-unreachable', `${method} ${name}: ${fault ?? ''} by request of a test`);
}
