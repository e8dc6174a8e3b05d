import { describe, expect, test } from 'vitest';
import { sha256, shortName } from '../../src/base/hash.ts';
import type { ChunkWrite } from '../../src/store/chunks.ts';
import { MERGE_GAP_BYTES, mergeFrames, RANGE_LIMIT_BYTES } from '../../src/store/frame-ranges.ts';
import type { PackIndex } from '../../src/store/pack.ts';
import type { CheckFrames } from '../../src/store/frame-job.ts';
import { FrameThread } from '../../src/store/frame-thread.ts';
import { RemoteChunks } from '../../src/store/remote-chunks.ts';
import type { FooterCache } from '../../src/store/remote-footers.ts';
import { SlowBlobStore } from '../doubles/slow-blob-store.ts';
import { ballast, chunkOf, editLeaf, leafHistory, manyLeaves, TestRepository } from './chunk-fixtures.ts';

const URL = 'memory:remote';

class MapFooterCache implements FooterCache {
  readonly footers = new Map<string, Buffer>();
  get(pack: string): Buffer | undefined {
    return this.footers.get(pack);
  }
  put(pack: string, bytes: Buffer): void {
    this.footers.set(pack, bytes);
  }
}

/** A remote that got its leaves and a node in several pushes. */
async function pushedRemote(): Promise<{ remote: TestRepository; leaves: ChunkWrite[]; nodes: ChunkWrite[] }> {
  const remote = new TestRepository(URL);
  const leaves: ChunkWrite[] = [];
  const nodes: ChunkWrite[] = [];
  for (let push = 0; push < 5; push += 1) {
    const sink = remote.sink();
    for (const leaf of manyLeaves(10, push)) {
      sink.leaf(leaf);
      leaves.push(leaf);
    }
    const node = chunkOf(`node ${push}`);
    sink.node(node);
    nodes.push(node);
    sink.leaf(ballast(2 * push));
    sink.node(ballast(2 * push + 1));
    remote.record(await sink.finish());
  }
  remote.store.calls.length = 0;
  return { remote, leaves, nodes };
}

describe('RemoteChunks', () => {
  test('finds every chunk by the footers alone', async () => {
    const { remote, leaves, nodes } = await pushedRemote();
    const chunks = [...leaves, ...nodes];
    const read = await new RemoteChunks(remote.store).getMany(chunks.map(({ hash }) => hash));
    expect(read.map((bytes) => sha256(bytes))).toEqual(chunks.map(({ hash }) => hash));
  });

  test('reads the newest footers first and no more than needed', async () => {
    const { remote, nodes } = await pushedRemote();
    const chunks = new RemoteChunks(remote.store);
    await chunks.get((nodes[4] as ChunkWrite).hash);
    expect(remote.store.transcript.map((call) => call.slice(0, 12))).toEqual([
      'list packs/m',
      'get packs/m/',
      'get packs/m/',
    ]);
    expect(chunks.traffic.requests).toBe(2);
  });

  test('with a cache of footers, a second command reads none again', async () => {
    const { remote, leaves } = await pushedRemote();
    const cache = new MapFooterCache();
    const { hash } = leaves[0] as ChunkWrite;
    await new RemoteChunks(remote.store, { footers: cache }).get(hash);
    const second = new RemoteChunks(remote.store, { footers: cache });
    await second.get(hash);
    expect(second.traffic.requests).toBe(1);
  });

  test('a damaged footer in the cache is read again', async () => {
    const { remote, leaves } = await pushedRemote();
    const cache = new MapFooterCache();
    const { hash, bytes } = leaves[0] as ChunkWrite;
    await new RemoteChunks(remote.store, { footers: cache }).get(hash);
    for (const footer of cache.footers.values()) footer[0] = (footer[0] as number) ^ 1;
    expect(await new RemoteChunks(remote.store, { footers: cache }).get(hash)).toEqual(bytes);
    await new RemoteChunks(remote.store, { footers: cache }).get(hash);
  });

  test('finds what was pushed after it listed the packs', async () => {
    const { remote, nodes } = await pushedRemote();
    const chunks = new RemoteChunks(remote.store);
    await chunks.get((nodes[0] as ChunkWrite).hash);
    const late = chunkOf('late');
    await remote.putLeaves([late]);
    expect(await chunks.get(late.hash)).toEqual(late.bytes);
  });

  test('follows dictionaries across packs, all of them read in one round', async () => {
    const remote = new TestRepository(URL);
    const states = leafHistory(16);
    for (const [seed, state] of states.entries()) await remote.putLeaves([state, ballast(seed)]);
    const last = states.at(-1) as ChunkWrite;
    const slow = new SlowBlobStore(remote.memory, 1);
    expect(await new RemoteChunks(slow).get(last.hash)).toEqual(last.bytes);
    expect(slow.peakInFlight).toBe(8);
  });

  test('a chunk pushed twice, each time against the other, is read from where that ends (P7)', async () => {
    const [a, b] = leafHistory(1) as [ChunkWrite, ChunkWrite];
    const [one, other] = [new TestRepository(URL, 1), new TestRepository(URL, 2)];
    for (const chunk of [a, b]) await one.putLeaves([chunk]);
    await other.putLeaves([{ ...b, replaces: [] }]);
    await other.putLeaves([{ ...a, replaces: [b.hash] }]);
    for (const [name, bytes] of other.memory.blobs) one.memory.blobs.set(name, bytes);
    for (const chunk of [a, b]) expect(await new RemoteChunks(one.store).get(chunk.hash)).toEqual(chunk.bytes);
  });

  test('an absent chunk fails with missing-chunk that names it and the remote', async () => {
    const { remote } = await pushedRemote();
    const { hash } = chunkOf('absent');
    await expect(new RemoteChunks(remote.store).get(hash)).rejects.toMatchObject({
      code: 'missing-chunk',
      details: { chunk: hash, store: URL },
    });
  });

  test.for([
    ['flip', 'bad-checksum'],
    ['shorten', 'wrong-answer'],
  ] as const)('a frame answered wrongly (%s) fails with %s and the names of pack and remote', async ([kind, code]) => {
    const { remote, leaves } = await pushedRemote();
    const chunks = new RemoteChunks(remote.store);
    const { hash, bytes } = leaves[0] as ChunkWrite;
    await chunks.locate([hash]);
    remote.store.inject({ kind, method: 'get' });
    await expect(chunks.get(hash)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/packs\/d\/.*|memory:remote.*/u) as string,
      details: { pack: remote.index.find(hash)?.frame.pack, store: URL },
    });
    expect(await chunks.get(hash)).toEqual(bytes);
  });

  test('a damaged footer fails with wrong-answer only for chunks found nowhere else', async () => {
    const { remote, leaves, nodes } = await pushedRemote();
    const newest = remote.packs.filter(({ name }) => name.startsWith('packs/d/')).at(-1) as PackIndex;
    const damaged = Buffer.from(remote.packBytes(newest));
    damaged[damaged.length - 60] = (damaged[damaged.length - 60] as number) ^ 1;
    remote.memory.blobs.set(newest.name, damaged);
    const chunks = new RemoteChunks(remote.store);
    expect(await chunks.get((nodes[0] as ChunkWrite).hash)).toBeDefined();
    expect(await chunks.get((leaves[0] as ChunkWrite).hash)).toBeDefined();
    await expect(chunks.get((leaves[49] as ChunkWrite).hash)).rejects.toMatchObject({
      code: 'wrong-answer',
      details: { pack: newest.name, store: URL },
    });
  });

  test('a remote that cannot be reached is an error now, and no chunk is missed later', async () => {
    const { remote, leaves } = await pushedRemote();
    const chunks = new RemoteChunks(remote.store);
    const { hash, bytes } = leaves[0] as ChunkWrite;
    for (const after of [0, 1, 3, 5]) {
      remote.store.inject({ kind: 'fail', method: 'get', after });
      await expect(chunks.get(hash)).rejects.toMatchObject({ code: 'remote-unreachable' });
    }
    remote.store.heal();
    expect(await chunks.get(hash)).toEqual(bytes);
  });

  test('other blobs beside the packs are passed over', async () => {
    const { remote, leaves } = await pushedRemote();
    remote.memory.blobs.set('packs/d/README', Buffer.from('not a pack'));
    expect(await new RemoteChunks(remote.store).get((leaves[0] as ChunkWrite).hash)).toBeDefined();
  });

  test('kept frames are not fetched again', async () => {
    const { remote, leaves } = await pushedRemote();
    const chunks = new RemoteChunks(remote.store, { keepBytes: 2 ** 20 });
    const { hash } = leaves[0] as ChunkWrite;
    await chunks.get(hash);
    const kept = (await chunks.keptChunks()).map((chunk) => chunk.hash);
    expect(kept).toContain(shortName(hash));
    expect(kept.length).toBeGreaterThan(1);
    const { requests } = chunks.traffic;
    const frame = (await chunks.locate([hash]))[0]?.frame;
    if (frame === undefined) throw new Error('the chunk is there');
    expect((await chunks.readFrames([frame]))[0]?.chunks.map((chunk) => chunk.name)).toEqual(kept);
    expect(chunks.traffic.requests).toBe(requests);
    chunks.forgetKept();
    expect(await chunks.keptChunks()).toEqual([]);
  });

  test('of many frames, another thread checks those that stand alone: the same frames, and the same errors', async () => {
    const remote = new TestRepository('memory:remote');
    const leaves = manyLeaves(1100);
    const packs = [
      ...(await remote.putLeaves(leaves)),
      ...(await remote.putLeaves(leaves.slice(0, 5).map((leaf, row) => editLeaf(leaf, row, 'moved')))),
    ];
    const frames = packs.flatMap((pack) => pack.frames);
    const thread = new FrameThread();
    const checked: number[] = [];
    const startChecking = async (): Promise<CheckFrames> => async (jobs) => {
      checked.push(jobs.length);
      return thread.check(jobs);
    };
    const aside = (): RemoteChunks => new RemoteChunks(remote.store, { startChecking });
    const expected = await new RemoteChunks(remote.store).readFrames(frames);
    expect(await aside().readFrames(frames)).toEqual(expected);
    expect(checked).toEqual([frames.filter(({ depth }) => depth === 0).length]);
    expect(await aside().readFrames(frames.slice(-5))).toEqual(expected.slice(-5));
    expect(checked).toHaveLength(1);
    const pack = packs[0] as PackIndex;
    const bytes = remote.packBytes(pack);
    bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000);
    const [here, there] = await Promise.allSettled([
      new RemoteChunks(remote.store).readFrames(frames),
      aside().readFrames(frames),
    ]);
    expect(here).toMatchObject({ status: 'rejected', reason: { code: 'bad-checksum', details: { pack: pack.name } } });
    expect(there).toEqual(here);
    await thread.close();
  });

  test('the depth of a chunk is that of its frame, undefined when it is absent', async () => {
    const remote = new TestRepository(URL);
    const states = leafHistory(2);
    for (const state of states) await remote.putLeaves([state]);
    const chunks = new RemoteChunks(remote.store);
    const hashes = [...states.map(({ hash }) => hash), chunkOf('absent').hash];
    expect(await Promise.all(hashes.map((hash) => chunks.depthOf(hash)))).toEqual([0, 1, 2, undefined]);
    const lists = remote.store.transcript.filter((call) => call.startsWith('list'));
    expect(lists).toHaveLength(2);
  });

  test('the index of one pack is read without listing the others', async () => {
    const { remote } = await pushedRemote();
    const [pack] = remote.packs as [PackIndex];
    const chunks = new RemoteChunks(remote.store);
    expect(await chunks.packIndex(pack.name)).toEqual(pack);
    expect(remote.store.transcript).toEqual([`stat ${pack.name}`, `get ${pack.name}`]);
    await expect(chunks.packIndex('packs/d/01KDVDH3G8KDVDH3G8KDVDH3G8')).rejects.toMatchObject({
      code: 'wrong-answer',
    });
  });

  test('edits are read against leaves of older packs', async () => {
    const remote = new TestRepository(URL);
    const leaves = manyLeaves(20);
    await remote.putLeaves([...leaves, ballast(1)]);
    const edits = leaves.map((leaf) => editLeaf(leaf, 3, 'changed'));
    await remote.putLeaves([...edits, ballast(2)]);
    const chunks = new RemoteChunks(remote.store);
    expect(await chunks.getMany(edits.map(({ hash }) => hash))).toEqual(edits.map(({ bytes }) => bytes));
    // Two footers, and one range in either pack.
    expect(chunks.traffic.requests).toBe(4);
  });

  test('what came along with a footer is not read again', async () => {
    const remote = new TestRepository(URL);
    const leaves = manyLeaves(20);
    await remote.putLeaves(leaves);
    const chunks = new RemoteChunks(remote.store);
    expect(await chunks.getMany(leaves.map(({ hash }) => hash))).toEqual(leaves.map(({ bytes }) => bytes));
    expect(chunks.traffic.requests).toBe(1);
  });

  test('leaves are looked for in packs of leaves alone, as long as these have them', async () => {
    const { remote, leaves, nodes } = await pushedRemote();
    const chunks = new RemoteChunks(remote.store);
    await chunks.get((leaves[0] as ChunkWrite).hash, { leaves: true });
    expect(remote.store.transcript.filter((call) => call.includes('packs/m'))).toEqual([]);
    // A hint that is wrong costs time and nothing else.
    expect(await chunks.get((nodes[0] as ChunkWrite).hash, { leaves: true })).toEqual((nodes[0] as ChunkWrite).bytes);
  });

  test('a search begins with the packs it is told of, and goes on with the others', async () => {
    const { remote, leaves } = await pushedRemote();
    const first = remote.packs.find(({ name }) => name.startsWith('packs/d/')) as PackIndex;
    const chunks = new RemoteChunks(remote.store);
    chunks.beginWith((ulid) => first.name.endsWith(ulid));
    const depthOf = (at: number): Promise<number | undefined> =>
      chunks.likelyDepthOf(shortName((leaves[at] as ChunkWrite).hash), { leaves: true });
    expect([await depthOf(0), await depthOf(49)]).toEqual([0, undefined]);
    expect(remote.store.transcript).toEqual(['list packs/d/', `get ${first.name}`, 'list packs/m/']);
    expect(await chunks.get((leaves[49] as ChunkWrite).hash, { leaves: true })).toEqual(
      (leaves[49] as ChunkWrite).bytes,
    );
    // It is known now, but still not in a pack that counts.
    expect(await depthOf(49)).toBeUndefined();
  });

  test('dictionaries that are at hand are not read from the remote', async () => {
    const remote = new TestRepository(URL);
    const [old, edited] = leafHistory(1) as [ChunkWrite, ChunkWrite];
    await remote.putLeaves([old]);
    const [pack] = await remote.putLeaves([edited]);
    remote.store.calls.length = 0;
    const atHand = new Map([[shortName(old.hash), old.bytes]]);
    const chunks = new RemoteChunks(remote.store, { atHand: async () => atHand });
    expect(await chunks.get(edited.hash, { leaves: true })).toEqual(edited.bytes);
    expect(remote.store.transcript.filter((call) => call.startsWith('get'))).toEqual([`get ${pack?.name}`]);
  });
});

describe('mergeFrames', () => {
  const frame = (pack: string, offset: number, storedBytes: number) => ({
    pack,
    offset,
    storedBytes,
    rawBytes: 1,
    depth: 0,
    dictionary: [],
  });
  const spans = (...frames: ReturnType<typeof frame>[]): [string, number, number][] =>
    mergeFrames(frames).map(({ pack, start, end }) => [pack, start, end]);

  test('joins neighbours over a small gap, not over a large one', () => {
    expect(spans(frame('p', 8, 100), frame('p', 108 + MERGE_GAP_BYTES, 50))).toEqual([['p', 8, 158 + MERGE_GAP_BYTES]]);
    expect(spans(frame('p', 8, 100), frame('p', 109 + MERGE_GAP_BYTES, 50))).toHaveLength(2);
  });

  test('a store whose requests cost little is asked for little between them', () => {
    const frames = [frame('p', 8, 100), frame('p', 128, 50), frame('p', 300, 50)];
    expect(mergeFrames(frames, 20).map(({ start, end }) => [start, end])).toEqual([
      [8, 178],
      [300, 350],
    ]);
  });

  test('never makes a range of more than 16 MiB out of several frames', () => {
    const half = RANGE_LIMIT_BYTES / 2;
    expect(spans(frame('p', 8, half), frame('p', 8 + half, half))).toHaveLength(1);
    expect(spans(frame('p', 8, half), frame('p', 8 + half, half + 1))).toHaveLength(2);
  });

  test('keeps packs apart and takes frames in any order', () => {
    expect(spans(frame('q', 50, 10), frame('p', 20, 10), frame('q', 8, 10))).toEqual([
      ['q', 8, 60],
      ['p', 20, 30],
    ]);
  });
});
