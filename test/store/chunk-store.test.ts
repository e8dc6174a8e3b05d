import { describe, expect, test } from 'vitest';
import { sha256, shortName, type Hash, type ShortName } from '../../src/base/hash.ts';
import type { ChunkIndex } from '../../src/store/chunk-index.ts';
import { ChunkStore } from '../../src/store/chunk-store.ts';
import type { ChunkWrite } from '../../src/store/chunks.ts';
import { FrameThread } from '../../src/store/frame-thread.ts';
import { DEPTH_LIMIT, FRAME_RAW_LIMIT_BYTES } from '../../src/store/frame.ts';
import { type Compress, compressHere } from '../../src/store/frame-job.ts';
import { MemoryChunkIndex } from '../../src/store/memory-chunk-index.ts';
import type { EncodedFrame } from '../../src/store/pack-builder.ts';
import { packKind, type PackFrame, type PackIndex } from '../../src/store/pack.ts';
import { chunkOf, editLeaf, leafHistory, manyLeaves, seededRandom, TestRepository } from './chunk-fixtures.ts';

const namesOf = (pack: PackIndex): ShortName[] => pack.chunks.map(({ name }) => name);
const chunkCountsOf = (packs: readonly PackIndex[]): number[] =>
  packs.flatMap((pack) => pack.frames).map((frame) => frame.chunkCount);
const depthsOf = (packs: readonly PackIndex[]): number[] => packs.flatMap((pack) => pack.frames).map((f) => f.depth);

/** An index that claims to know every chunk. */
const indexWith = (find: ChunkIndex['find']): ChunkIndex => ({
  find,
  findMany: (names) => names.map((name) => find(name)),
  has: () => true,
});

describe('ChunkStore', () => {
  test('chunks put are read back, in any order and more than once', async () => {
    const repository = new TestRepository();
    const chunks = manyLeaves(40);
    await repository.putLeaves(chunks);
    const asked = [...chunks.toReversed(), ...chunks.slice(0, 3)];
    const read = await repository.reader().getMany(asked.map(({ hash }) => hash));
    expect(read.map((bytes) => sha256(bytes))).toEqual(asked.map(({ hash }) => hash));
    const reader = repository.reader();
    for (const { hash, bytes } of chunks) expect(await reader.get(hash)).toEqual(bytes);
  });

  test('neighbours are read with one request, and a chunk read before with none', async () => {
    const repository = new TestRepository();
    const chunks = manyLeaves(40);
    await repository.putLeaves(chunks);
    const reader = repository.reader();
    repository.store.calls.length = 0;
    await reader.getMany(chunks.map(({ hash }) => hash));
    expect(repository.store.calls).toHaveLength(1);
    for (const { hash } of chunks) await reader.get(hash);
    expect(repository.store.calls).toHaveLength(1);
  });

  test('a chunk in no pack fails with missing-chunk and its name', async () => {
    const { hash } = chunkOf('never put');
    await expect(new TestRepository().reader().get(hash)).rejects.toMatchObject({
      code: 'missing-chunk',
      message: expect.stringContaining(hash) as string,
    });
  });

  test('chunks that the index does not know come from the fallback', async () => {
    const [here, far] = [new TestRepository(), new TestRepository('memory:far')];
    const [a, b] = [chunkOf('a'), chunkOf('b')];
    await here.putLeaves([a]);
    await far.putLeaves([b]);
    const reader = here.reader({ fallback: far.reader() });
    expect(await reader.getMany([b.hash, a.hash, b.hash])).toEqual([b.bytes, a.bytes, b.bytes]);
  });

  test('in bulk, another thread opens frames: the same bytes, and the same errors', async () => {
    const repository = new TestRepository();
    const old = manyLeaves(60);
    const packs = [
      ...(await repository.putLeaves(old)),
      ...(await repository.putLeaves(old.map((leaf, row) => editLeaf(leaf, row, 'moved')))),
    ];
    const names = packs.flatMap(namesOf);
    const expected = await repository.reader().getMany(names);
    const thread = new FrameThread();
    let asked = 0;
    const reader = (): ChunkStore =>
      repository.reader({
        startOpening: async () => {
          asked++;
          return thread.open;
        },
      });
    expect(await reader().getMany(names, { once: true, bulk: true })).toEqual(expected);
    expect(asked).toBe(1);
    expect(await reader().getMany(names, { once: true })).toEqual(expected);
    expect(asked).toBe(1);
    const [pack] = packs as [PackIndex];
    const bytes = repository.packBytes(pack);
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
    await repository.memory.put(pack.name, bytes);
    const [here, aside] = await Promise.allSettled([
      repository.reader().getMany(names),
      reader().getMany(names, { bulk: true }),
    ]);
    expect(here).toMatchObject({ status: 'rejected', reason: { code: 'bad-checksum', details: { pack: pack.name } } });
    expect(aside).toEqual(here);
    await thread.close();
    const late = repository.reader({ startOpening: async () => thread.open });
    const second = packs.at(-1) as PackIndex;
    expect(second.name).not.toBe(pack.name);
    await expect(late.getMany(namesOf(second), { bulk: true })).rejects.toMatchObject({ code: 'bad-checksum' });
  });

  test('with tiny caches the same bytes are read', async () => {
    const repository = new TestRepository();
    const states = leafHistory(20);
    for (const state of states) await repository.putLeaves([state]);
    const reader = repository.reader({ frameCacheBytes: 0, chunkCacheBytes: 0 });
    expect(await reader.getMany(states.map(({ hash }) => hash))).toEqual(states.map(({ bytes }) => bytes));
  });

  test('an index whose dictionaries go round in a circle is refused, not followed for ever', async () => {
    const repository = new TestRepository();
    const [first, second] = leafHistory(1);
    await repository.putLeaves([first as ChunkWrite]);
    await repository.putLeaves([second as ChunkWrite]);
    const location = repository.index.find((second as ChunkWrite).hash);
    const circle = indexWith(() => location);
    const reader = new ChunkStore(repository.store, circle);
    await expect(reader.get((second as ChunkWrite).hash)).rejects.toMatchObject({ code: 'bad-pack' });
  });

  test('a chunk that would need a gigabyte of dictionaries is refused before anything is read', async () => {
    const repository = new TestRepository();
    const names = Array.from({ length: 80 }, (_, number) => shortName(chunkOf(`dictionary ${number}`).hash));
    const index = indexWith((name) => {
      const number = names.indexOf(shortName(name));
      const dictionary = names.slice(8 * number + 8, 8 * number + 16);
      const frame = { pack: 'packs/d/x', offset: number + 10, storedBytes: 1, rawBytes: FRAME_RAW_LIMIT_BYTES };
      return { frame: { ...frame, depth: 1, dictionary }, offset: 0, length: 1 };
    });
    const reader = new ChunkStore(repository.store, index);
    await expect(reader.get(chunkOf('bomb').hash)).rejects.toMatchObject({ code: 'bad-pack' });
    expect(repository.store.calls).toEqual([]);
  });

  test('an index that points elsewhere never yields wrong bytes', async () => {
    const repository = new TestRepository();
    const chunks = manyLeaves(20);
    await repository.putLeaves(chunks);
    const [a, b] = chunks as [ChunkWrite, ChunkWrite];
    const swapped = indexWith((name) => repository.index.find(name === a.hash ? b.hash : a.hash));
    const reader = new ChunkStore(repository.store, swapped);
    await expect(reader.get(a.hash)).rejects.toMatchObject({ code: 'bad-checksum' });
  });

  test('half of a name finds a chunk, and all that is asked for is proved (P9)', async () => {
    const repository = new TestRepository();
    const { hash, bytes } = chunkOf('asked for');
    await repository.putLeaves([chunkOf('other'), { hash, bytes, replaces: [] }]);
    expect(await repository.reader().get(shortName(hash))).toEqual(bytes);
    const lookalike = (hash.slice(0, 32) + '0'.repeat(32)) as Hash;
    expect(repository.index.has(lookalike)).toBe(true);
    await expect(repository.reader().get(lookalike)).rejects.toMatchObject({ code: 'bad-checksum' });
  });

  test('short answers, flipped bits and lost packs are errors that name the pack', async () => {
    const repository = new TestRepository('memory:shelf');
    const chunks = manyLeaves(9);
    const [pack] = await repository.putLeaves(chunks);
    const name = (pack as PackIndex).name;
    const { hash } = chunks[0] as ChunkWrite;
    for (const [kind, code] of [
      ['shorten', 'wrong-answer'],
      ['flip', 'bad-checksum'],
      ['hide', 'bad-pack'],
    ] as const) {
      repository.store.inject({ kind, method: 'get' });
      await expect(repository.reader().get(hash)).rejects.toMatchObject({
        code,
        message: expect.stringContaining(name) as string,
      });
    }
    expect(await repository.reader().get(hash)).toEqual((chunks[0] as ChunkWrite).bytes);
  });
});

describe('PackSink', () => {
  test('1,000 changed rows in as many leaves cost less than 90 bytes each, footer included', async () => {
    const repository = new TestRepository();
    const before = manyLeaves(1000);
    await repository.putLeaves(before);
    const packs = await repository.putLeaves(before.map((leaf, row) => editLeaf(leaf, row % 100, 'card_arrival')));
    const sizeBytes = packs.reduce((sum, pack) => sum + pack.sizeBytes, 0);
    expect(sizeBytes / 1000).toBeLessThan(90);
    expect(new Set(depthsOf(packs))).toEqual(new Set([1]));
  });

  test('leaves go to data packs, nodes and documents to metadata packs (P8)', async () => {
    const repository = new TestRepository();
    const sink = repository.sink();
    const leaf = chunkOf('leaf');
    const node = chunkOf('node');
    sink.leaf(leaf);
    sink.node(node);
    const manifest = sink.meta(Buffer.from('manifest'));
    const packs = await sink.finish();
    const names = new Map(packs.map((pack) => [packKind(pack.name), namesOf(pack)]));
    expect(names).toEqual(
      new Map([
        ['d', [shortName(leaf.hash)]],
        ['m', [node.hash, manifest].map(shortName)],
      ]),
    );
  });

  test('a chunk is written once, and not at all if the store has it', async () => {
    const repository = new TestRepository();
    const [a, b] = [chunkOf('a'), chunkOf('b')];
    await repository.putLeaves([a, a]);
    expect(repository.packs.flatMap((pack) => pack.chunks)).toHaveLength(1);
    const packs = await repository.putLeaves([a, b]);
    expect(packs.flatMap(namesOf)).toEqual([shortName(b.hash)]);
    expect(await repository.putLeaves([a, b])).toEqual([]);
  });

  test('a chain of deltas is at most 16 deep, then a full frame follows (P7)', async () => {
    const repository = new TestRepository();
    const states = leafHistory(40);
    const depths: number[] = [];
    for (const state of states) depths.push(...depthsOf(await repository.putLeaves([state])));
    expect(depths.slice(0, 19)).toEqual([...Array.from({ length: DEPTH_LIMIT + 1 }, (_, depth) => depth), 0, 1]);
    expect(Math.max(...depths)).toBe(DEPTH_LIMIT);
    const read = await repository.reader().getMany(states.map(({ hash }) => hash));
    expect(read).toEqual(states.map(({ bytes }) => bytes));
  });

  test('a delta larger than half the full frame is not used', async () => {
    const repository = new TestRepository();
    const [old, other] = manyLeaves(2) as [ChunkWrite, ChunkWrite];
    await repository.putLeaves([old]);
    const packs = await repository.putLeaves([{ ...other, replaces: [old.hash] }]);
    expect(depthsOf(packs)).toEqual([0]);
  });

  test('several replaced chunks make one dictionary, in the order given', async () => {
    const repository = new TestRepository();
    const old = manyLeaves(2) as [ChunkWrite, ChunkWrite];
    await repository.putLeaves(old);
    const merged = chunkOf(Buffer.concat([old[0].bytes.subarray(4000), old[1].bytes.subarray(0, 4000)]));
    const replaces = [old[0].hash, old[1].hash];
    const [pack] = await repository.putLeaves([{ ...merged, replaces }]);
    expect((pack as PackIndex).frames[0]).toMatchObject({ depth: 1, dictionary: replaces.map(shortName) });
    expect(await repository.reader().get(merged.hash)).toEqual(merged.bytes);
  });

  test('neighbouring nodes share a delta, a manifest and far leaves have one each', async () => {
    const repository = new TestRepository();
    const old = manyLeaves(20);
    const next = old.map((leaf, row) => editLeaf(leaf, row, 'changed'));
    const put = async (chunks: readonly ChunkWrite[]): Promise<PackIndex[]> => {
      const sink = repository.sink();
      for (const chunk of chunks) sink.node(chunk);
      const manifest = chunks.at(-1) as ChunkWrite;
      sink.meta(Buffer.concat([manifest.bytes, Buffer.from('manifest')]), manifest.replaces);
      const packs = await sink.finish();
      repository.record(packs);
      return packs;
    };
    await put(old);
    expect(chunkCountsOf(await put(next))).toEqual([8, 8, 4, 1]);
    expect(await repository.reader().getMany(next.map(({ hash }) => hash))).toEqual(next.map(({ bytes }) => bytes));
    const leaves = new TestRepository();
    await leaves.putLeaves(old);
    expect(chunkCountsOf(await leaves.putLeaves(next))).toEqual(old.map(() => 1));
  });

  test('leaves share a delta where they take the place of the same leaves', async () => {
    const repository = new TestRepository();
    const old = manyLeaves(3) as [ChunkWrite, ChunkWrite, ChunkWrite];
    await repository.putLeaves(old);
    const [a, b, c] = old;
    const halves = [
      chunkOf(a.bytes.subarray(0, 4000), [a.hash]),
      chunkOf(Buffer.concat([a.bytes.subarray(4000), b.bytes.subarray(0, 4000)]), [a.hash, b.hash]),
      chunkOf(b.bytes.subarray(4000), [b.hash]),
      chunkOf(c.bytes.subarray(4000), [c.hash]),
    ];
    expect(chunkCountsOf(await repository.putLeaves(halves))).toEqual([3, 1]);
    expect(await repository.reader().getMany(halves.map(({ hash }) => hash))).toEqual(halves.map(({ bytes }) => bytes));
  });

  test('chunks that are read as a whole share large frames, apart from the others', async () => {
    const repository = new TestRepository();
    const sink = repository.sink();
    const chunks = manyLeaves(30);
    for (const [position, chunk] of chunks.entries()) sink.node(position < 5 ? chunk : { ...chunk, reading: 'whole' });
    const packs = await sink.finish();
    expect(chunkCountsOf(packs)).toEqual([3, 2, 19, 6]);
  });

  test('a chunk that the index does not know is never a dictionary (P7)', async () => {
    const [here, far] = [new TestRepository(), new TestRepository('memory:far')];
    const [old, next] = leafHistory(1) as [ChunkWrite, ChunkWrite];
    await far.putLeaves([old]);
    const sink = here.sink({ source: here.reader({ fallback: far.reader() }) });
    sink.leaf(next);
    expect(depthsOf(await sink.finish())).toEqual([0]);
  });

  test('bytes that zstd would take for a trained dictionary are not used as one', async () => {
    const repository = new TestRepository();
    const magic = Buffer.from('37a430ec', 'hex');
    const old = chunkOf(Buffer.concat([magic, (manyLeaves(1)[0] as ChunkWrite).bytes]));
    const next = chunkOf(Buffer.concat([old.bytes, Buffer.from('more')]), [old.hash]);
    await repository.putLeaves([old]);
    expect(depthsOf(await repository.putLeaves([next]))).toEqual([0]);
    expect(await repository.reader().get(next.hash)).toEqual(next.bytes);
  });

  test('the packs depend on the order of the chunks only, not on drains or the thread that compresses', async () => {
    const old = manyLeaves(60);
    const chunks = [...old.map((leaf, row) => editLeaf(leaf, row, 'moved')), ...manyLeaves(500, 99)];
    const run = async (compress: Compress, drainEvery: number): Promise<Buffer[]> => {
      const repository = new TestRepository();
      await repository.putLeaves(old);
      const sink = repository.sink({ compress });
      for (const [position, chunk] of chunks.entries()) {
        sink.leaf(chunk);
        if (position % drainEvery === 0) await sink.drain();
      }
      return (await sink.finish()).map((pack) => repository.packBytes(pack));
    };
    const expected = await run(compressHere, 1);
    expect(await run(compressHere, 1000)).toEqual(expected);
    const thread = new FrameThread();
    expect(await run(thread.compress, 7)).toEqual(expected);
    expect(await run(thread.compress, 1000)).toEqual(expected);
    await thread.close();
  });

  test('after a cut, leaves lie in another pack', async () => {
    const repository = new TestRepository();
    const sink = repository.sink();
    const [a, b] = [chunkOf('train'), chunkOf('test')];
    sink.leaf(a);
    sink.cut();
    sink.leaf(b);
    const packs = await sink.finish();
    expect(packs.map(namesOf)).toEqual([[shortName(a.hash)], [shortName(b.hash)]]);
  });

  test('no pack is larger than the limit, however large its chunks', async () => {
    const repository = new TestRepository();
    const random = seededRandom(3);
    const block = Buffer.from(random.bytes(2 ** 20));
    const chunks = Array.from({ length: 6 }, (_, number) => {
      // Noise that zstd cannot shrink: each copy is scrambled in its own way.
      const noise = Buffer.concat(Array.from({ length: 12 }, () => block));
      for (let at = 0; at < noise.length; at += 4)
        noise.writeInt32LE(Math.imul(noise.readInt32LE(at) ^ at, 2 * number + 77), at);
      return chunkOf(noise);
    });
    const packs = await repository.putLeaves(chunks);
    expect(packs.length).toBeGreaterThan(1);
    expect(Math.max(...packs.map((pack) => pack.sizeBytes))).toBeLessThanOrEqual(64 * 2 ** 20);
    const last = chunks.at(-1) as ChunkWrite;
    expect((await repository.reader().get(last.hash)).equals(last.bytes)).toBe(true);
  });

  test('a chunk above the limit is refused when it is put', () => {
    const bytes = Buffer.alloc(FRAME_RAW_LIMIT_BYTES + 1);
    expect(() => new TestRepository().sink().leaf(chunkOf(bytes))).toThrow(
      expect.objectContaining({ code: 'bad-chunk' }),
    );
  });

  test('an empty chunk is a chunk', async () => {
    const repository = new TestRepository();
    const empty = chunkOf('');
    await repository.putLeaves([empty]);
    expect(await repository.reader().get(empty.hash)).toEqual(empty.bytes);
  });

  test('a failed write fails the finish, and abort leaves no pack', async () => {
    const repository = new TestRepository();
    const sink = repository.sink();
    sink.leaf(chunkOf('a'));
    sink.cut();
    sink.leaf(chunkOf('b'));
    repository.store.inject({ kind: 'fail', method: 'put', after: 1 });
    await expect(sink.finish()).rejects.toMatchObject({ code: 'remote-unreachable' });
    expect(repository.memory.blobs.size).toBe(1);
    await sink.abort();
    expect(repository.memory.blobs.size).toBe(0);
  });

  test('a delta against a chunk of the store waits for no other pack, and abort removes it', async () => {
    const repository = new TestRepository();
    const [old, next] = leafHistory(1) as [ChunkWrite, ChunkWrite];
    await repository.putLeaves([old]);
    const sink = repository.sink();
    sink.leaf(chunkOf('another'));
    sink.cut();
    sink.leaf(next);
    repository.store.inject({ kind: 'fail', method: 'put' });
    await expect(sink.finish()).rejects.toMatchObject({ code: 'remote-unreachable' });
    expect(repository.memory.blobs.size).toBe(2);
    await sink.abort();
    expect(repository.memory.blobs.size).toBe(1);
  });

  test('a chunk that cannot be read for a dictionary fails the drain or the finish, not the process', async () => {
    const repository = new TestRepository();
    const [old, next] = leafHistory(1) as [ChunkWrite, ChunkWrite];
    await repository.putLeaves([old]);
    repository.store.inject({ kind: 'fail', method: 'get' });
    const sink = repository.sink();
    sink.leaf(next);
    await expect(sink.finish()).rejects.toMatchObject({ code: 'remote-unreachable' });
    await sink.abort();
  });

  test('an aborted signal ends the drain', async () => {
    const sink = new TestRepository().sink({ signal: AbortSignal.abort() });
    await expect(sink.drain()).rejects.toMatchObject({ code: 'aborted' });
  });

  describe('given a delta as it is', () => {
    /** A leaf, and the delta of its next state as another store holds it. */
    const delta = async (): Promise<{ old: ChunkWrite; next: ChunkWrite; frame: EncodedFrame }> => {
      const [old, next] = leafHistory(1) as [ChunkWrite, ChunkWrite];
      const far = new TestRepository('memory:far');
      await far.putLeaves([old]);
      const [pack] = (await far.putLeaves([next])) as [PackIndex];
      const { offset, storedBytes } = pack.frames[0] as PackFrame;
      const stored = far.packBytes(pack).subarray(offset, offset + storedBytes);
      const chunks = [{ name: shortName(next.hash), length: next.bytes.length }];
      return { old, next, frame: { stored, depth: 1, dictionary: [shortName(old.hash)], chunks } };
    };

    test('its dictionary lies in an earlier frame, even if it was still being gathered (P5)', async () => {
      const { old, next, frame } = await delta();
      const repository = new TestRepository();
      const sink = repository.sink();
      sink.leaf(old);
      sink.copy('d', frame);
      const packs = await sink.finish();
      repository.record(packs);
      expect(packs.map(namesOf)).toEqual([[old.hash, next.hash].map(shortName)]);
      expect(await repository.reader().get(next.hash)).toEqual(next.bytes);
    });

    test('a pack that needs others is written after them, or not at all (P7)', async () => {
      const { old, frame } = await delta();
      const repository = new TestRepository();
      const told: string[] = [];
      const sink = repository.sink({ onPack: (pack) => told.push(pack.name) });
      sink.leaf(old);
      sink.cut();
      sink.copy('d', frame);
      repository.store.inject({ kind: 'fail', method: 'put' });
      await expect(sink.finish()).rejects.toMatchObject({ code: 'remote-unreachable' });
      expect(repository.memory.blobs.size).toBe(0);
      expect(told).toEqual([]);
    });
  });
});

describe('MemoryChunkIndex', () => {
  test('of several locations the shallowest is found, whatever the order of the packs (P7)', async () => {
    const states = leafHistory(2) as [ChunkWrite, ChunkWrite, ChunkWrite];
    const chained = new TestRepository();
    for (const state of states) await chained.putLeaves([state]);
    const full = new TestRepository('memory:full', 2);
    await full.putLeaves([{ ...states[2], replaces: [] }]);
    for (const packs of [
      [...chained.packs, ...full.packs],
      [...full.packs, ...chained.packs],
    ]) {
      const index = new MemoryChunkIndex();
      for (const pack of packs) index.add(pack);
      expect(index.find(states[2].hash)?.frame).toMatchObject({ depth: 0, pack: full.packs[0]?.name });
    }
  });
});

test('pack names ascend with time', async () => {
  const repository = new TestRepository();
  const names: string[] = [];
  for (const text of ['a', 'b', 'c'])
    names.push(...(await repository.putLeaves([chunkOf(text)])).map(({ name }) => name));
  expect(names).toEqual(names.toSorted());
});
