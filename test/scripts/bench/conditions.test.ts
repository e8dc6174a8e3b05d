import { describe, expect, test } from 'vitest';
import { describeRows, parseTicks, readTicks, shareOfOthers } from '../../../scripts/bench/conditions.ts';
import { makeCorpus } from '../../../scripts/bench/corpus.ts';
import { disturbance, QuietRuns } from '../../../scripts/bench/quiet.ts';

const MACHINE = 'cpu  1000 20 300 7000 80 5 15 30 400 1\ncpu0 1 1 1 1 1 1 1 1 1 1\n';
/** A process whose name does its best to be misread. */
const SELF = '42 (node 1 2) x) S 1 42 42 0 -1 4194304 9 9 0 0 100 20 300 40 20 0 11 0 12345 0 0\n';

describe('CPU time', () => {
  test('is that of the machine, and that of this process with its children', () => {
    expect(parseTicks(MACHINE, SELF)).toStrictEqual({ total: 8450, busy: 1370, own: 460 });
  });

  test('of a machine that does not tell is an error', () => {
    expect(() => parseTicks('', SELF)).toThrow('cannot be read');
    expect(() => parseTicks(MACHINE, '')).toThrow('cannot be read');
  });

  test('of this machine can be read, and only grows', () => {
    const before = readTicks();
    const after = readTicks();
    expect(after.total).toBeGreaterThanOrEqual(before.total);
    expect(before.busy).toBeGreaterThanOrEqual(before.own);
  });

  test('of others is what is busy and not ours', () => {
    const before = { total: 1000, busy: 500, own: 100 };
    expect(shareOfOthers(before, { total: 1200, busy: 620, own: 200 })).toBe(0.1);
    expect(shareOfOthers(before, before)).toBe(0);
    expect(shareOfOthers(before, { total: 1200, busy: 600, own: 210 })).toBe(0);
  });

  test('of others counts as nothing below what the clock can tell', () => {
    const before = { total: 0, busy: 0, own: 0 };
    expect(disturbance(before, { total: 20, busy: 13, own: 10 })).toBe(0);
    expect(disturbance(before, { total: 20, busy: 15, own: 10 })).toBe(0.25);
  });
});

test('rows of real utterances are said to be such, and whose they are', () => {
  expect(describeRows(20_000, undefined)).toBe('20,000 rows');
  const corpus = makeCorpus('CLINC150', []);
  expect(describeRows(1e6, corpus)).toBe('1,000,000 rows of real utterances with variations (CLINC150)');
});

describe('a quiet run', () => {
  test('is prepared before each attempt, and gives a result of one of them', async () => {
    const quiet = new QuietRuns({ patienceMs: 0, attempts: 3 });
    const order: string[] = [];
    const result = await quiet.run(
      async () => order.push('work'),
      () => void order.push('before'),
    );
    expect(order.slice(0, 2)).toStrictEqual(['before', 'work']);
    expect(order.filter((step) => step === 'work').length).toBe(order.length / 2);
    expect(result).toBeLessThanOrEqual(order.length);
  });

  test('tells the share of others once', async () => {
    const quiet = new QuietRuns({ patienceMs: 0, attempts: 1 });
    await quiet.run(async () => undefined);
    expect(quiet.takeLargestShare()).toBeLessThanOrEqual(1);
    expect(quiet.takeLargestShare()).toBe(0);
  });

  test('needs an attempt', async () => {
    await expect(new QuietRuns({ patienceMs: 0, attempts: 0 }).run(async () => 1)).rejects.toThrow(RangeError);
  });
});
