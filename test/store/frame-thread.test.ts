import { describe, expect, test } from 'vitest';
import { FrameThread } from '../../src/store/frame-thread.ts';
import { compressDelta, compressFrame } from '../../src/store/frame.ts';
import { compressHere, type FrameJob, type OpenJob } from '../../src/store/frame-job.ts';
import { shortName } from '../../src/base/hash.ts';
import { editLeaf, manyLeaves } from './chunk-fixtures.ts';

/** Deltas of which each is worth it or not, and frames that stand alone. */
function someJobs(): FrameJob[] {
  const leaves = manyLeaves(12);
  return leaves.flatMap((leaf, row) => [
    { raw: leaf.bytes, effort: row % 2 === 0 ? ('fast' as const) : ('dense' as const) },
    { raw: editLeaf(leaf, row, 'moved').bytes, effort: 'fast', dictionary: leaf.bytes, share: 0.5 },
    { raw: manyLeaves(1, 100 + row)[0]?.bytes as Buffer, effort: 'dense', dictionary: leaf.bytes, share: 0.01 },
  ]);
}

describe('a thread that compresses', () => {
  test('gives what this one would, in the order of the jobs', async () => {
    const jobs = someJobs();
    const expected = await compressHere(jobs);
    expect(expected).toContain(undefined);
    const thread = new FrameThread();
    const [first, second, none] = await Promise.all([
      thread.compress(jobs),
      thread.compress(jobs.toReversed()),
      thread.compress([]),
    ]);
    await thread.close();
    expect(first).toEqual(expected);
    expect(second).toEqual(expected.toReversed());
    expect(none).toEqual([]);
  });

  test('leaves its work to this one when it ends', async () => {
    const jobs = someJobs();
    const expected = await compressHere(jobs);
    const thread = new FrameThread();
    const underWay = thread.compress(jobs);
    await thread.close();
    expect(await underWay).toEqual(expected);
    expect(await thread.compress(jobs)).toEqual(expected);
  });
});

/** Frames of two leaves, and deltas against one. */
function framesToOpen(): { readonly jobs: OpenJob[]; readonly raws: Buffer[] } {
  const jobs: OpenJob[] = [];
  const raws: Buffer[] = [];
  const leaves = manyLeaves(12);
  for (const [row, a] of leaves.entries()) {
    const b = editLeaf(a, row, 'moved');
    const raw = Buffer.concat([a.bytes, b.bytes]);
    const places = [
      { name: a.hash, offset: 0, length: a.bytes.length },
      { name: shortName(b.hash), offset: a.bytes.length, length: b.bytes.length },
    ];
    jobs.push({ stored: compressFrame(raw), rawBytes: raw.length, chunks: places });
    raws.push(raw);
    const delta = compressDelta(b.bytes, a.bytes) as Buffer;
    const chunks = [{ name: b.hash, offset: 0, length: b.bytes.length }];
    jobs.push({ stored: delta, rawBytes: b.bytes.length, dictionary: a.bytes, chunks });
    raws.push(b.bytes);
  }
  return { jobs, raws };
}

describe('a thread that opens frames', () => {
  test('gives their raw bytes, in the order of the jobs', async () => {
    const { jobs, raws } = framesToOpen();
    const thread = new FrameThread();
    const [first, second, none] = await Promise.all([
      thread.open(jobs),
      thread.open(jobs.toReversed()),
      thread.open([]),
    ]);
    await thread.close();
    expect(first).toEqual(raws);
    expect(second).toEqual(raws.toReversed());
    expect(none).toEqual([]);
  });

  test('says of each frame whether it is sound, where only that is asked', async () => {
    const { jobs } = framesToOpen();
    const [first] = jobs as [OpenJob];
    const thread = new FrameThread();
    const wrong = { ...first, chunks: first.chunks.map((chunk) => ({ ...chunk, offset: 1 })) };
    expect(await thread.check([...jobs, wrong])).toEqual([...jobs.map(() => true), false]);
    await thread.close();
    expect(await thread.check(jobs)).toEqual(jobs.map(() => false));
  });

  test('gives nothing for a frame that is damaged, or does not hold a chunk of that name', async () => {
    const { jobs, raws } = framesToOpen();
    const [full, delta] = jobs as [OpenJob, OpenJob];
    const flipped = Buffer.from(full.stored);
    flipped.writeUInt8(flipped.readUInt8(20) ^ 4, 20);
    const [a] = full.chunks;
    const thread = new FrameThread();
    const opened = await thread.open([
      { ...full, stored: flipped },
      { ...full, rawBytes: full.rawBytes + 1 },
      { ...full, chunks: [{ ...(a as (typeof full.chunks)[number]), offset: 1 }] },
      { ...delta, dictionary: Buffer.concat([delta.dictionary as Buffer, Buffer.from('x')]) },
      full,
    ]);
    await thread.close();
    expect(opened).toEqual([undefined, undefined, undefined, undefined, raws[0]]);
  });

  test('gives nothing once it has ended', async () => {
    const { jobs } = framesToOpen();
    const thread = new FrameThread();
    await thread.close();
    expect(await thread.open(jobs)).toEqual(jobs.map(() => undefined));
  });
});
