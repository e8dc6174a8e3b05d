import { describe, expect, test } from 'vitest';
import { RangeCache } from '../../src/store/range-cache.ts';

const BYTES = Buffer.from('0123456789');

describe('RangeCache', () => {
  test('gives any part of a range that was read, and nothing that goes beyond it', () => {
    const cache = new RangeCache(100);
    cache.put('a', 50, BYTES);
    const asked = [
      [50, 60],
      [52, 55],
      [49, 55],
      [55, 61],
      [40, 70],
    ] as const;
    expect(asked.map(([start, end]) => cache.get('a', start, end)?.toString())).toEqual([
      '0123456789',
      '234',
      undefined,
      undefined,
      undefined,
    ]);
    expect(cache.get('b', 52, 55)).toBeUndefined();
  });

  test('drops the ranges not used for the longest time', () => {
    const cache = new RangeCache(25);
    for (const pack of ['a', 'b']) cache.put(pack, 0, BYTES);
    expect(cache.get('a', 0, 10)).toEqual(BYTES);
    cache.put('c', 0, BYTES);
    expect(['a', 'b', 'c'].map((pack) => cache.get(pack, 0, 10) !== undefined)).toEqual([true, false, true]);
  });

  test('keeps no range above its limit, and none once it is cleared', () => {
    const cache = new RangeCache(12);
    cache.put('a', 0, Buffer.alloc(13));
    expect(cache.get('a', 0, 1)).toBeUndefined();
    cache.put('a', 0, BYTES);
    cache.clear();
    expect(cache.get('a', 0, 1)).toBeUndefined();
    cache.put('b', 0, BYTES);
    expect(cache.get('b', 0, 10)).toEqual(BYTES);
  });
});
