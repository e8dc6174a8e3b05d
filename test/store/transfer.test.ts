import { describe, expect, test } from 'vitest';
import { shortName, type Hash, type ShortName } from '../../src/base/hash.ts';
import { namesIn } from '../../src/store/chunk-index.ts';
import type { ChunkWrite } from '../../src/store/chunks.ts';
import { DEPTH_LIMIT } from '../../src/store/frame.ts';
import { verifyPack } from '../../src/store/pack-verify.ts';
import { packKind, type PackFrame, type PackIndex } from '../../src/store/pack.ts';
import { RemoteChunks } from '../../src/store/remote-chunks.ts';
import { copyChunks, type CopySummary, type WantedChunk } from '../../src/store/transfer.ts';
import type { FrameSource } from '../../src/store/frame-reader.ts';
import { SlowBlobStore } from '../doubles/slow-blob-store.ts';
import { chunkOf, editLeaf, leafHistory, manyLeaves, TestRepository } from './chunk-fixtures.ts';

const hashesOf = (chunks: readonly ChunkWrite[]): Hash[] => chunks.map(({ hash }) => hash);

const asLeaves = (chunks: readonly ChunkWrite[]): WantedChunk[] => chunks.map(({ hash }) => ({ hash, kind: 'leaf' }));

async function* batches(...lists: readonly (readonly ChunkWrite[])[]): AsyncIterable<WantedChunk[]> {
  for (const list of lists) yield asLeaves(list);
}

/** Copies and records, as a repository does. */
async function copy(
  from: FrameSource,
  to: TestRepository,
  ...lists: readonly (readonly ChunkWrite[])[]
): Promise<CopySummary> {
  const sink = to.sink();
  const summary = await copyChunks({
    from,
    to: sink,
    wanted: batches(...lists),
    alreadyThere: (names) => namesIn(to.index, names),
    depthThere: (hash) => to.index.find(hash)?.frame.depth,
  });
  to.record(await sink.finish());
  return summary;
}

const framesOf = (repository: TestRepository): PackFrame[] => repository.packs.flatMap((pack) => pack.frames);

/** Everything in the store is sound by itself, and dictionaries are shallower than what needs them (P7). */
async function expectClosed(repository: TestRepository): Promise<void> {
  for (const pack of repository.packs) {
    await verifyPack(pack.name, repository.packBytes(pack), repository.reader());
    for (const { dictionary, depth } of pack.frames) {
      for (const hash of dictionary) {
        expect(repository.index.find(hash)?.frame.depth).toBeLessThan(depth);
      }
    }
  }
}

async function expectReadable(repository: TestRepository, chunks: readonly ChunkWrite[]): Promise<void> {
  const read = await new RemoteChunks(repository.store).getMany(hashesOf(chunks));
  expect(read.every((bytes, position) => bytes.equals((chunks[position] as ChunkWrite).bytes))).toBe(true);
}

describe('copyChunks', () => {
  test('copies whole frames as they are', async () => {
    const [here, there] = [new TestRepository('memory:here'), new TestRepository('memory:there', 2)];
    const leaves = manyLeaves(100);
    await here.putLeaves(leaves);
    const summary = await copy(here.reader(), there, leaves);
    expect(summary).toEqual({ chunks: 100, copiedFrames: framesOf(here).length, recompressedChunks: 0 });
    expect(framesOf(there).map((frame) => frame.storedBytes)).toEqual(framesOf(here).map((frame) => frame.storedBytes));
    await expectReadable(there, leaves);
    await expectClosed(there);
  });

  test('works from a remote as well', async () => {
    const [remote, here] = [new TestRepository('memory:remote'), new TestRepository('memory:here', 2)];
    const leaves = manyLeaves(50);
    await remote.putLeaves(leaves);
    expect(await copy(new RemoteChunks(remote.store), here, leaves)).toMatchObject({ chunks: 50 });
    await expectReadable(here, leaves);
  });

  test('compresses anew what is less than half of a frame', async () => {
    const [here, there] = [new TestRepository('memory:here'), new TestRepository('memory:there', 2)];
    const leaves = manyLeaves(64);
    await here.putLeaves(leaves);
    const few = leaves.filter((_, number) => number % 8 === 3);
    const summary = await copy(here.reader(), there, few);
    expect(summary).toEqual({ chunks: 8, copiedFrames: 0, recompressedChunks: 8 });
    expect(there.packs.flatMap((pack) => pack.chunks)).toHaveLength(8);
    await expectReadable(there, few);
  });

  test('does not send what is there, nor anything twice', async () => {
    const [here, there] = [new TestRepository('memory:here'), new TestRepository('memory:there', 2)];
    const leaves = manyLeaves(30);
    await here.putLeaves(leaves);
    await copy(here.reader(), there, leaves.slice(0, 16), leaves.slice(0, 16));
    const sent = there.packs.length;
    expect(await copy(here.reader(), there, leaves.slice(0, 16))).toMatchObject({ chunks: 0 });
    expect(there.packs).toHaveLength(sent);
  });

  test('a delta is copied as it is when its dictionary is there or comes with it, in any order', async () => {
    const states = leafHistory(DEPTH_LIMIT);
    const here = new TestRepository('memory:here');
    for (const state of states) await here.putLeaves([state]);
    for (const lists of [[states], [states.toReversed()], states.map((state) => [state])]) {
      const there = new TestRepository('memory:there', 2);
      const summary = await copy(here.reader(), there, ...lists);
      expect(summary.recompressedChunks).toBe(0);
      expect(framesOf(there).map(({ depth }) => depth)).toEqual(states.map((_, depth) => depth));
      await expectReadable(there, states);
      await expectClosed(there);
    }
  });

  test('a delta whose dictionary is not there is sent in full (dictionary closure)', async () => {
    const [here, there] = [new TestRepository('memory:here'), new TestRepository('memory:there', 2)];
    const states = leafHistory(5);
    for (const state of states) await here.putLeaves([state]);
    const last = states.slice(-1);
    expect(await copy(here.reader(), there, last)).toEqual({ chunks: 1, copiedFrames: 0, recompressedChunks: 1 });
    expect(framesOf(there).map(({ dictionary }) => dictionary)).toEqual([[]]);
    await expectReadable(there, last);
  });

  test('depth is what it was or what the other store makes it, whichever is more, and never exceeds 16 (P7)', async () => {
    const states = leafHistory(30);
    const there = new TestRepository('memory:there');
    for (const state of states.slice(0, 13)) await there.putLeaves([state]);
    // A clone that holds one state only goes on from there, so its own chain begins at 0.
    const clone = new TestRepository('memory:clone', 2);
    await copy(new RemoteChunks(there.store), clone, states.slice(12, 13));
    for (const state of states.slice(13, 24)) await clone.putLeaves([state]);
    expect(clone.index.find((states[23] as ChunkWrite).hash)?.frame.depth).toBe(11);

    await copy(clone.reader(), there, states.slice(13, 24));
    const depths = states.slice(0, 24).map(({ hash }) => there.index.find(hash)?.frame.depth);
    expect(depths.slice(12)).toEqual([12, 13, 14, 15, 16, 0, 6, 7, 8, 9, 10, 11]);
    await expectReadable(there, states.slice(0, 24));
    await expectClosed(there);
  });

  test('a delta that neighbours share goes as it is, even where one of them is wanted first', async () => {
    const [here, there] = [new TestRepository('memory:here'), new TestRepository('memory:there', 2)];
    const old = manyLeaves(8);
    const next = old.map((leaf, row) => editLeaf(leaf, row, 'changed'));
    for (const nodes of [old, next]) {
      const sink = here.sink();
      for (const node of nodes) sink.node(node);
      here.record(await sink.finish());
    }
    await copy(here.reader(), there, old);
    const [first, ...others] = next as [ChunkWrite, ...ChunkWrite[]];
    const summary = await copy(here.reader(), there, [first], others);
    expect(summary).toMatchObject({ copiedFrames: 1, recompressedChunks: 0 });
    await expectReadable(there, next);
    await expectClosed(there);
  });

  test('leaves and nodes stay in packs of their own kind (P8)', async () => {
    const [here, there] = [new TestRepository('memory:here'), new TestRepository('memory:there', 2)];
    const [leaf, node] = [chunkOf('leaf'), chunkOf('node')];
    const sink = here.sink();
    sink.leaf(leaf);
    sink.node(node);
    here.record(await sink.finish());
    await copy(here.reader(), there, [node, leaf]);
    const kinds = there.packs.map((pack) => [packKind(pack.name), pack.chunks.map(({ name }) => name)]);
    expect(new Map(kinds as [string, ShortName[]][])).toEqual(
      new Map([
        ['m', [shortName(node.hash)]],
        ['d', [shortName(leaf.hash)]],
      ]),
    );
  });

  test('copied alone, no frame needs another, and none has much that is not wanted', async () => {
    const [here, there] = [new TestRepository('memory:here'), new TestRepository('memory:there', 2)];
    const leaves = manyLeaves(40);
    await here.putLeaves(leaves);
    const edits = leaves.slice(0, 10).map((leaf) => editLeaf(leaf, 3, 'changed'));
    await here.putLeaves(edits);
    const wanted = [...edits, ...leaves.slice(10)];
    const sink = there.sink();
    await copyChunks({
      from: here.reader(),
      to: sink,
      wanted: batches(wanted),
      alreadyThere: () => new Set(),
      depthThere: () => undefined,
      alone: true,
    });
    there.record(await sink.finish());
    expect(framesOf(there).filter(({ depth }) => depth > 0)).toEqual([]);
    const [rawThere, rawWanted] = [
      framesOf(there).reduce((sum, { rawBytes }) => sum + rawBytes, 0),
      wanted.reduce((sum, { bytes }) => sum + bytes.length, 0),
    ];
    expect(rawThere).toBeLessThanOrEqual(rawWanted / 0.9);
    await expectReadable(there, wanted);
  });

  test('the frames that a partial read fetched are copied without reading them again', async () => {
    const [remote, here] = [new TestRepository('memory:remote'), new TestRepository('memory:here', 2)];
    const leaves = manyLeaves(40);
    await remote.putLeaves(leaves);
    const chunks = new RemoteChunks(remote.store, { keepBytes: 2 ** 20 });
    await chunks.get((leaves[0] as ChunkWrite).hash);
    const { requests } = chunks.traffic;
    const kept = await chunks.keptChunks();
    const wanted = leaves.filter(({ hash }) => kept.some((chunk) => chunk.hash === shortName(hash)));
    await copy(chunks, here, wanted);
    expect(chunks.traffic.requests).toBe(requests);
    await expectReadable(here, wanted);
  });

  test('a frame whose chunks are asked for in parts is copied once', async () => {
    const [here, there] = [new TestRepository('memory:here'), new TestRepository('memory:there', 2)];
    const leaves = manyLeaves(12);
    const [pack] = (await here.putLeaves(leaves)) as [PackIndex];
    // Each part begins with the last chunk of the frame that the part before has most of.
    const ends = pack.frames.map(({ firstChunk, chunkCount }) => firstChunk + chunkCount - 1);
    const parts = [...ends, leaves.length].map((end, position) => leaves.slice(ends[position - 1] ?? 0, end));
    const summary = await copy(here.reader(), there, ...parts);
    expect(summary).toEqual({ chunks: leaves.length, copiedFrames: pack.frames.length, recompressedChunks: 0 });
    const stored = (frames: readonly PackFrame[]): number[] => frames.map(({ storedBytes }) => storedBytes);
    expect(stored(framesOf(there))).toEqual(stored(pack.frames));
  });

  test('a frame is copied once, also where the rest of it is asked for after rounds in between', async () => {
    const [here, there] = [new TestRepository('memory:here'), new TestRepository('memory:there', 2)];
    const old = manyLeaves(4);
    const next = old.map((node, row) => editLeaf(node, row, 'changed'));
    const large = Array.from({ length: 20 }, (_, number) => chunkOf(Buffer.alloc(1_000_000, `${number} `)));
    await here.putLeaves(large);
    for (const nodes of [old, next]) {
      const sink = here.sink();
      for (const node of nodes) sink.node(node);
      here.record(await sink.finish());
    }
    await copy(here.reader(), there, old, next.slice(0, 2), [...large, ...next.slice(2)]);
    const names = there.packs.flatMap((pack) => pack.chunks.map(({ name }) => name));
    expect([new Set(names).size, names.length]).toEqual([28, 28]);
  });

  test('nothing of a remote pack is read twice, of whatever frames most is wanted and of which a little', async () => {
    const [there, here] = [new TestRepository('memory:there'), new TestRepository('memory:here', 2)];
    const leaves = manyLeaves(200);
    const [pack] = (await there.putLeaves(leaves)) as [PackIndex];
    // Of every third frame, one chunk only.
    const wanted = pack.frames.flatMap(({ firstChunk, chunkCount }, frame) =>
      leaves.slice(firstChunk, firstChunk + (frame % 3 === 0 ? 1 : chunkCount)),
    );
    const summary = await copy(new RemoteChunks(new SlowBlobStore(there.store, 5)), here, wanted);
    expect(summary.copiedFrames).toBeGreaterThan(20);
    expect(summary.recompressedChunks).toBeGreaterThan(10);
    const read = there.store.calls
      .filter(({ method }) => method === 'get')
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    // But for what came along with the footer.
    expect(read).toBeLessThan(pack.sizeBytes + 2 ** 16);
    await expectReadable(here, wanted);
  });

  test('a chunk that the source lacks fails with missing-chunk', async () => {
    const [here, there] = [new TestRepository('memory:here'), new TestRepository('memory:there', 2)];
    const absent = chunkOf('absent');
    await expect(copy(here.reader(), there, [absent])).rejects.toMatchObject({
      code: 'missing-chunk',
      details: { chunk: shortName(absent.hash) },
    });
  });

  test('a damaged frame is never sent on', async () => {
    const [here, there] = [new TestRepository('memory:here'), new TestRepository('memory:there', 2)];
    const leaves = manyLeaves(8);
    const [pack] = await here.putLeaves(leaves);
    const bytes = here.packBytes(pack as PackIndex);
    bytes[300] = (bytes[300] as number) ^ 4;
    await expect(copy(here.reader(), there, leaves)).rejects.toMatchObject({ code: 'bad-checksum' });
    expect(there.memory.blobs.size).toBe(0);
  });

  test('a copy that broke off goes on after the packs it was told of', async () => {
    const [here, there] = [new TestRepository('memory:here'), new TestRepository('memory:there', 2)];
    const leaves = manyLeaves(64);
    await here.putLeaves(leaves);
    const parts = [leaves.slice(0, 32), leaves.slice(32)] as const;
    const run = async (): Promise<number> => {
      const sink = there.sink({ onPack: (pack) => there.record([pack]) });
      let chunks = 0;
      try {
        for (const part of parts) {
          ({ chunks } = await copyChunks({
            from: here.reader(),
            to: sink,
            wanted: batches(part),
            alreadyThere: (names) => namesIn(there.index, names),
            depthThere: (hash) => there.index.find(hash)?.frame.depth,
          }));
          sink.cut();
        }
        await sink.finish();
      } catch (error) {
        await sink.abort();
        throw error;
      }
      return chunks;
    };
    there.store.inject({ kind: 'fail', method: 'put', after: 1 });
    await expect(run()).rejects.toMatchObject({ code: 'remote-unreachable' });
    expect(there.packs).toHaveLength(1);
    expect(await run()).toBe(31);
    await expectReadable(there, leaves);
  });

  test('an interrupted copy ends with aborted', async () => {
    const [here, there] = [new TestRepository('memory:here'), new TestRepository('memory:there', 2)];
    const leaves = manyLeaves(4);
    await here.putLeaves(leaves);
    const copying = copyChunks({
      from: here.reader(),
      to: there.sink(),
      wanted: batches(leaves),
      alreadyThere: () => new Set(),
      depthThere: () => undefined,
      signal: AbortSignal.abort(),
    });
    await expect(copying).rejects.toMatchObject({ code: 'aborted' });
  });
});
