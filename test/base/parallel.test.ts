import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { mapLimited } from '../../src/base/parallel.ts';

describe('mapLimited', () => {
  test('gives results in the order of the items, whichever is ready first', async () => {
    const turns = [5, 1, 3, 0, 2];
    const results = await mapLimited(turns, 3, async (count, position) => {
      for (let left = count; left > 0; left -= 1) await turn();
      return [position, count];
    });
    expect(results).toEqual(turns.map((count, position) => [position, count]));
  });

  test('runs no more than the limit at a time', async () => {
    let running = 0;
    let peak = 0;
    await mapLimited(Array.from({ length: 20 }), 4, async () => {
      running += 1;
      peak = Math.max(peak, running);
      await turn();
      running -= 1;
    });
    expect(peak).toBe(4);
  });

  test('after a failure starts nothing more, and fails only when all that ran have ended', async () => {
    const ended: number[] = [];
    const running = mapLimited([0, 1, 2, 3, 4], 2, async (item) => {
      if (item === 0) throw new Error('first');
      await turn();
      ended.push(item);
    });
    await expect(running).rejects.toThrow('first');
    expect(ended).toEqual([1]);
  });

  test('of no items makes no results', async () => {
    expect(await mapLimited([], 3, async () => 1)).toEqual([]);
  });
});
