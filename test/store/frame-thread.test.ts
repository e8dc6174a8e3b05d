import { describe, expect, test } from 'vitest';
import { CompressThread } from '../../src/store/compress-thread.ts';
import { compressHere, type FrameJob } from '../../src/store/frame-job.ts';
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
    const thread = new CompressThread();
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
    const thread = new CompressThread();
    const underWay = thread.compress(jobs);
    await thread.close();
    expect(await underWay).toEqual(expected);
    expect(await thread.compress(jobs)).toEqual(expected);
  });
});
