import { expect, test } from 'vitest';
import { mcnemarExact } from '../../src/evaluation/mcnemar.ts';

/** Binomial coefficients as whole numbers, as the definition says. */
function byDefinition(first: number, second: number): number {
  const trials = BigInt(first + second);
  let coefficient = 1n;
  let within = 0n;
  for (let k = 0n; k <= BigInt(Math.min(first, second)); k += 1n) {
    within += coefficient;
    coefficient = (coefficient * (trials - k)) / (k + 1n);
  }
  const scaled = (2n * within * 10n ** 30n) / 2n ** trials;
  return Math.min(1, Number(scaled) / 1e30);
}

test.each([
  [5, 0, 0.0625],
  [6, 0, 0.03125],
  [10, 2, 0.03857421875],
  [0, 0, 1],
  [7, 7, 1],
])('%i against %i discordant rows: p = %f', (first, second, p) => {
  expect(mcnemarExact(first, second)).toBeCloseTo(p, 12);
  expect(mcnemarExact(second, first)).toBeCloseTo(p, 12);
});

test('agrees with the definition in whole numbers, for all pairs up to 40', () => {
  for (let first = 0; first <= 40; first += 1) {
    for (let second = 0; second <= 40; second += 1) {
      expect(Math.abs(mcnemarExact(first, second) - byDefinition(first, second))).toBeLessThan(1e-12);
    }
  }
});

test('a million rows overflow nothing', () => {
  expect(mcnemarExact(500_000, 500_000)).toBe(1);
  expect(mcnemarExact(501_000, 499_000)).toBeCloseTo(0.0456, 3);
  expect(mcnemarExact(1_000_000, 0)).toBe(0);
});
