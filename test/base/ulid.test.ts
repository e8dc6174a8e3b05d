import { describe, expect, test } from 'vitest';
import { isUlid, UlidSource } from '../../src/base/ulid.ts';

const source = (times: readonly number[], fill: number): UlidSource => {
  const left = [...times];
  return new UlidSource(
    { now: () => new Date(left.shift() ?? 0) },
    { bytes: (count) => new Uint8Array(count).fill(fill) },
  );
};

describe('UlidSource', () => {
  test('the time of the specification’s example gives its first ten characters', () => {
    expect(source([1_469_918_176_385], 0).next()).toBe('01ARYZ6S410000000000000000');
  });

  test('the largest ULID is the one of the specification', () => {
    expect(source([2 ** 48 - 1], 0xff).next()).toBe('7ZZZZZZZZZZZZZZZZZZZZZZZZZ');
  });

  test('ULIDs ascend while the clock stands still, goes back or runs out of random bits', () => {
    for (const fill of [0, 0xff]) {
      const ulids = source([5, 5, 5, 3, 1, 9, 9], fill);
      const names = Array.from({ length: 7 }, () => ulids.next());
      expect(names).toEqual([...new Set(names)].sort());
      expect(names.every((name) => isUlid(name))).toBe(true);
    }
  });

  test('only the upper-case form of 26 characters is a ULID', () => {
    expect(isUlid('01ARYZ6S410000000000000000')).toBe(true);
    expect(isUlid('01aryz6s410000000000000000')).toBe(false);
    expect(isUlid('01ARYZ6S41000000000000000')).toBe(false);
    expect(isUlid('81ARYZ6S410000000000000000')).toBe(false);
    expect(isUlid('01ARYZ6S41000000000000000U')).toBe(false);
  });
});
