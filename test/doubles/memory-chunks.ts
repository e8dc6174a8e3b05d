import { UttrError } from '../../src/base/errors.ts';
import { sha256, type Hash } from '../../src/base/hash.ts';
import type { ChunkSink, ChunkSource, ChunkWrite } from '../../src/store/chunks.ts';

export type ChunkKind = 'leaf' | 'node';

/** A chunk as it was put, in the order of putting. */
export interface PutChunk {
  readonly hash: Hash;
  readonly kind: ChunkKind;
  readonly replaces: readonly Hash[];
}

/** Chunks in memory: a source and a sink that check every name and count what is asked of them. */
export class MemoryChunks implements ChunkSource, ChunkSink {
  readonly #chunks = new Map<Hash, { readonly bytes: Buffer; readonly kind: ChunkKind }>();
  /** All that was put since the last `forget`, repeats too. */
  puts: PutChunk[] = [];
  /** Chunks read since the last `forget`, by kind, and the calls it took. */
  reads = { leaf: 0, node: 0, calls: 0 };
  drains = 0;

  get size(): number {
    return this.#chunks.size;
  }

  get hashes(): Hash[] {
    return [...this.#chunks.keys()];
  }

  leaf(chunk: ChunkWrite): void {
    this.#put(chunk, 'leaf');
  }

  node(chunk: ChunkWrite): void {
    this.#put(chunk, 'node');
  }

  drain(): Promise<void> {
    this.drains++;
    return Promise.resolve();
  }

  get(hash: Hash): Promise<Buffer> {
    this.reads.calls++;
    return new Promise((resolve) => {
      resolve(this.#read(hash));
    });
  }

  getMany(hashes: readonly Hash[]): Promise<Buffer[]> {
    this.reads.calls++;
    return new Promise((resolve) => {
      resolve(hashes.map((hash) => this.#read(hash)));
    });
  }

  /** Starts counting anew. */
  forget(): void {
    this.puts = [];
    this.reads = { leaf: 0, node: 0, calls: 0 };
    this.drains = 0;
  }

  has(hash: Hash): boolean {
    return this.#chunks.has(hash);
  }

  kindOf(hash: Hash): ChunkKind | undefined {
    return this.#chunks.get(hash)?.kind;
  }

  /** Loses a chunk. */
  delete(hash: Hash): void {
    this.#chunks.delete(hash);
  }

  /** Stores bytes under a name that is not theirs; reading them fails with bad-checksum. */
  corrupt(hash: Hash, bytes: Buffer): void {
    this.#chunks.set(hash, { bytes, kind: this.kindOf(hash) ?? 'leaf' });
  }

  #put(chunk: ChunkWrite, kind: ChunkKind): void {
    if (sha256(chunk.bytes) !== chunk.hash)
      throw new UttrError('internal', `${kind} ${chunk.hash} is put under a wrong name`);
    this.puts.push({ hash: chunk.hash, kind, replaces: chunk.replaces });
    this.#chunks.set(chunk.hash, { bytes: Buffer.from(chunk.bytes), kind });
  }

  #read(hash: Hash): Buffer {
    const chunk = this.#chunks.get(hash);
    if (chunk === undefined) throw new UttrError('missing-chunk', `chunk ${hash} is missing`);
    this.reads[chunk.kind]++;
    if (sha256(chunk.bytes) !== hash) throw new UttrError('bad-checksum', `chunk ${hash} does not match its name`);
    return chunk.bytes;
  }
}
