/** What the tests of packs and chunks share: a store in a Map, seeded chance, a clock that stands still. */
import type { Hash } from '../../src/base/hash.ts';
import { sha256 } from '../../src/base/hash.ts';
import type { Clock, Random } from '../../src/base/ports.ts';
import { UttrError } from '../../src/base/errors.ts';
import type { BlobStore, ByteRange } from '../../src/store/blob-store.ts';
import type { ChunkWrite } from '../../src/store/chunks.ts';
import { ChunkStore } from '../../src/store/chunk-store.ts';
import { MemoryChunkIndex } from '../../src/store/memory-chunk-index.ts';
import { PackSink, type PackSinkOptions } from '../../src/store/pack-sink.ts';
import type { PackIndex } from '../../src/store/pack.ts';

/** Blobs in a Map, with what was asked of it; only what packs need. */
export class MapStore implements BlobStore {
  readonly supports = { conditionalPut: true };
  readonly url: string;
  readonly blobs = new Map<string, Buffer>();
  /** Every range read, in order. */
  readonly reads: { readonly name: string; readonly range: ByteRange | undefined }[] = [];
  /** Stands in for a store that answers wrongly. */
  tamper: (name: string, bytes: Buffer, range: ByteRange | undefined) => Buffer = (_, bytes) => bytes;
  /** Stands in for a store that refuses to write. */
  beforePut: (name: string) => Promise<void> = async () => {};

  constructor(url = 'memory:store') {
    this.url = url;
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    await this.beforePut(name);
    this.blobs.set(name, Buffer.from(bytes));
  }

  async create(name: string, bytes: Uint8Array): Promise<boolean> {
    if (this.blobs.has(name)) return false;
    await this.put(name, bytes);
    return true;
  }

  async replace(): Promise<string> {
    throw new UttrError('internal', 'packs are not replaced');
  }

  async get(name: string, range?: ByteRange): Promise<Buffer> {
    this.reads.push({ name, range });
    const blob = this.blobs.get(name);
    if (blob === undefined) throw new UttrError('blob-not-found', `${name} is absent`);
    return this.tamper(name, Buffer.from(blob.subarray(range?.start, range?.end)), range);
  }

  async read(): Promise<undefined> {
    return undefined;
  }

  async stat(name: string): Promise<{ name: string; sizeBytes: number } | undefined> {
    const blob = this.blobs.get(name);
    return blob === undefined ? undefined : { name, sizeBytes: blob.length };
  }

  async *list(prefix: string): AsyncIterable<{ name: string; sizeBytes: number }> {
    for (const name of [...this.blobs.keys()].filter((key) => key.startsWith(prefix)).sort()) {
      yield { name, sizeBytes: (this.blobs.get(name) as Buffer).length };
    }
  }

  async delete(name: string): Promise<void> {
    this.blobs.delete(name);
  }

  async close(): Promise<void> {}
}

/** Repeatable bytes (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b_79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
  return { bytes: (count) => Uint8Array.from({ length: count }, () => next() & 0xff) };
}

/** Goes on one second at each look. */
export function tickingClock(startMs = Date.UTC(2026, 0, 1)): Clock {
  let now = startMs;
  return {
    now: () => {
      now += 1000;
      return new Date(now);
    },
  };
}

export function chunkOf(bytes: Buffer | string, replaces: readonly Hash[] = []): ChunkWrite {
  const buffer = Buffer.from(bytes);
  return { hash: sha256(buffer), bytes: buffer, replaces };
}

const WORDS =
  'please book cancel my the a flight card to from account balance weather in what is tomorrow transfer'.split(' ');

/** A leaf of about 8 KiB of utterances, in its lines. */
export function leafLines(random: Random, records = 100): string[] {
  return Array.from({ length: records }, (_, row) => {
    const words = [...random.bytes(9)].map((byte) => WORDS[byte % WORDS.length] as string).join(' ');
    const intent = `intent_${(random.bytes(1)[0] ?? 0) % 40}`;
    return `${String(row).padStart(4, '0')} ${words}\t\t{"intent":"${intent}","text":"${words}"}\n`;
  });
}

/** A local store with its index and reader, as a repository has it. */
export class TestRepository {
  readonly store: MapStore;
  readonly index = new MemoryChunkIndex();
  readonly random: Random;
  readonly clock: Clock;
  readonly packs: PackIndex[] = [];

  constructor(store = new MapStore(), seed = 1) {
    this.store = store;
    this.random = seededRandom(seed);
    this.clock = tickingClock();
  }

  /** A reader with empty caches. */
  reader(options: { fallback?: ChunkStore } = {}): ChunkStore {
    return new ChunkStore(this.store, { index: this.index, ...options });
  }

  sink(options: Partial<PackSinkOptions> = {}): PackSink {
    const { index, random, clock } = this;
    return new PackSink(this.store, { index, source: this.reader(), random, clock, ...options });
  }

  record(packs: readonly PackIndex[]): void {
    for (const pack of packs) {
      this.index.add(pack);
      this.packs.push(pack);
    }
  }

  /** Puts leaves and records their packs. */
  async putLeaves(chunks: readonly ChunkWrite[]): Promise<PackIndex[]> {
    const sink = this.sink();
    for (const chunk of chunks) sink.leaf(chunk);
    const packs = await sink.finish();
    this.record(packs);
    return packs;
  }
}
