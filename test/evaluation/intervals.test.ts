import { describe, expect, test } from 'vitest';
import { percentileInterval, wilsonInterval } from '../../src/evaluation/intervals.ts';

describe("Wilson's interval", () => {
  // R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I.
  test.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %i of %i is as published', (successes, trials, low, high) => {
    const interval = wilsonInterval(successes, trials);
    expect(interval[0]).toBeCloseTo(low, 4);
    expect(interval[1]).toBeCloseTo(high, 4);
  });

  test('of ten right answers in ten begins at 0.72', () => {
    expect(wilsonInterval(10, 10)[0]).toBeCloseTo(0.722, 3);
    expect(wilsonInterval(10, 10)[1]).toBe(1);
  });

  test.each([
    [0, 0],
    [3, 2],
    [-1, 2],
  ])('%i of %i is refused', (successes, trials) => {
    expect(() => wilsonInterval(successes, trials)).toThrow(RangeError);
  });
});

describe('the percentile interval', () => {
  test('interpolates between neighbours', () => {
    expect(percentileInterval(Float64Array.from({ length: 101 }, (_, index) => 100 - index))).toEqual([2.5, 97.5]);
    expect(percentileInterval(Float64Array.of(3))).toEqual([3, 3]);
    expect(() => percentileInterval(new Float64Array(0))).toThrow(RangeError);
  });
});
