/** What the tests of packs and chunks share: seeded chance, leaves, a store with its index. */
import { sha256, type Hash } from '../../src/base/hash.ts';
import type { Clock, Random } from '../../src/base/ports.ts';
import type { ChunkWrite } from '../../src/store/chunks.ts';
import { ChunkStore, type ChunkStoreOptions } from '../../src/store/chunk-store.ts';
import { MemoryChunkIndex } from '../../src/store/memory-chunk-index.ts';
import { PackSink, type PackSinkOptions } from '../../src/store/pack-sink.ts';
import type { PackIndex } from '../../src/store/pack.ts';
import { FaultyBlobStore } from '../doubles/faulty-blob-store.ts';
import { MemoryBlobStore } from '../doubles/memory-blob-store.ts';

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
  readonly memory: MemoryBlobStore;
  readonly store: FaultyBlobStore;
  readonly index = new MemoryChunkIndex();
  readonly random: Random;
  readonly clock: Clock;
  readonly packs: PackIndex[] = [];

  constructor(url = 'memory:local', seed = 1) {
    this.memory = new MemoryBlobStore({ url });
    this.store = new FaultyBlobStore(this.memory);
    this.random = seededRandom(seed);
    this.clock = tickingClock();
  }

  /** A reader with empty caches. */
  reader(options: ChunkStoreOptions = {}): ChunkStore {
    return new ChunkStore(this.store, this.index, options);
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

  /** The bytes of a pack. */
  packBytes(pack: PackIndex): Buffer {
    return this.memory.blobs.get(pack.name) as Buffer;
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

/** A chunk that fills what is read of a pack with its footer: what was put before it takes a request of its own. */
export function ballast(seed: number): ChunkWrite {
  return chunkOf(Buffer.from(seededRandom(seed).bytes(80_000)));
}

/** `count` leaves of about 8 KiB. */
export function manyLeaves(count: number, seed = 7): ChunkWrite[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => chunkOf(leafLines(random).join('')));
}

/** The leaf with one row's intent changed, to be stored against it. */
export function editLeaf(leaf: ChunkWrite, row: number, intent: string): ChunkWrite {
  const lines = leaf.bytes.toString().split('\n');
  lines[row] = (lines[row] as string).replace(/"intent":"[^"]+"/u, `"intent":"${intent}"`);
  return chunkOf(lines.join('\n'), [leaf.hash]);
}

/** A leaf and its next `count` states, each stored against the one before. */
export function leafHistory(count: number, seed = 11): ChunkWrite[] {
  const states = manyLeaves(1, seed);
  for (let step = 0; step < count; step += 1) {
    states.push(editLeaf(states[step] as ChunkWrite, (step * 7) % 100, `changed_${step}`));
  }
  return states;
}
