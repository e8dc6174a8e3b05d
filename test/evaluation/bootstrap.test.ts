import { describe, expect, test } from 'vitest';
import { bootstrapScores, type GroupedRows, type ScoreIntervals } from '../../src/evaluation/bootstrap.ts';
import { wilsonInterval } from '../../src/evaluation/intervals.ts';
import { binomial, uniform } from '../../src/evaluation/random.ts';
import { addTo, scoresFrom } from '../../src/evaluation/scores.ts';

const rowsOf = (rows: readonly (readonly [group: number, truth: number, predicted: number])[]): GroupedRows => ({
  labels: 3,
  groups: Int32Array.from(rows, ([group]) => group),
  truth: Int32Array.from(rows, ([, truth]) => truth),
  predicted: Int32Array.from(rows, ([, , predicted]) => predicted),
});

describe('binomial draws', () => {
  test.each([
    [5, 0.3],
    [40, 0.5],
    [1000, 0.002],
    [1000, 0.4],
    [1_000_000, 0.97],
  ])('of %i trials with probability %f have its mean and variance', (trials, probability) => {
    const random = uniform(7);
    const draws = Array.from({ length: 20_000 }, () => binomial(random, trials, probability));
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
    const expected = trials * probability * (1 - probability);
    expect(Math.abs(mean - trials * probability)).toBeLessThan(4 * Math.sqrt(expected / draws.length));
    expect(Math.abs(variance / expected - 1)).toBeLessThan(0.05);
    expect(draws.every((draw) => Number.isInteger(draw) && draw >= 0 && draw <= trials)).toBe(true);
  });

  test('outcomes come as often as the distribution says (chi-squared, 20 and 100 trials)', () => {
    for (const [trials, probability] of [
      [20, 0.35],
      [100, 0.35],
    ] as const) {
      const random = uniform(3);
      const counts = new Float64Array(trials + 1);
      const draws = 200_000;
      for (let draw = 0; draw < draws; draw += 1) addTo(counts, binomial(random, trials, probability));
      let mass = (1 - probability) ** trials;
      let squares = 0;
      let cells = 0;
      for (let k = 0; k <= trials; k += 1) {
        const expected = mass * draws;
        if (expected >= 10) {
          squares += ((counts[k] as number) - expected) ** 2 / expected;
          cells += 1;
        }
        mass *= ((probability / (1 - probability)) * (trials - k)) / (k + 1);
      }
      // The mean of the distribution is its degrees of freedom, its deviation the root of twice as many.
      expect(squares).toBeLessThan(cells + 4 * Math.sqrt(2 * cells));
    }
  });
});

describe('intervals of scores', () => {
  test('are those of drawing groups one by one', () => {
    const random = uniform(5);
    const rows: (readonly [number, number, number])[] = [];
    for (let group = 0; group < 300; group += 1) {
      const truth = Math.floor(random() * 3);
      for (let row = 0; row <= group % 3; row += 1) {
        rows.push([group, truth, random() < 0.75 ? truth : Math.floor(random() * 3)]);
      }
    }
    const grouped = Map.groupBy(rows, ([group]) => group);
    const plain: number[] = [];
    for (let replicate = 0; replicate < 4000; replicate += 1) {
      const margins = [new Float64Array(3), new Float64Array(3), new Float64Array(3)] as const;
      for (let draw = 0; draw < 300; draw += 1) {
        for (const [, truth, predicted] of grouped.get(Math.floor(random() * 300)) ?? []) {
          addTo(margins[0], truth);
          addTo(margins[1], predicted);
          if (truth === predicted) addTo(margins[2], truth);
        }
      }
      plain.push(scoresFrom(...margins).macroF1);
    }
    plain.sort((a, b) => a - b);
    const interval = bootstrapScores(rowsOf(rows), 4000);
    expect(interval?.macroF1[0]).toBeCloseTo(plain[100] as number, 2);
    expect(interval?.macroF1[1]).toBeCloseTo(plain[3899] as number, 2);
  });

  test('of rows that are groups of their own, accuracy has the interval of a proportion', () => {
    const rows = rowsOf(Array.from({ length: 2000 }, (_, row) => [row, 0, row % 10 === 0 ? 1 : 0] as const));
    const [low, high] = (bootstrapScores(rows) as ScoreIntervals).accuracy;
    const [wilsonLow, wilsonHigh] = wilsonInterval(1800, 2000);
    expect(Math.abs(low - wilsonLow)).toBeLessThan(0.004);
    expect(Math.abs(high - wilsonHigh)).toBeLessThan(0.004);
  });

  test('groups of ten equal rows give an interval some three times as wide as ten groups each', () => {
    const width = (size: number): number => {
      const rows = rowsOf(
        Array.from({ length: 5000 }, (_, row) => [Math.floor(row / size), 0, Math.floor(row / 10) % 10 === 0 ? 1 : 0]),
      );
      const [low, high] = (bootstrapScores(rows) as ScoreIntervals).accuracy;
      return high - low;
    };
    expect(width(10) / width(1)).toBeGreaterThan(2.5);
    expect(width(10) / width(1)).toBeLessThan(4);
  });

  test('the same rows give the same intervals; no row gives none; a label without rows has none', () => {
    const rows = rowsOf([
      [0, 0, 0],
      [1, 0, 1],
      [2, 1, 1],
    ]);
    const intervals = bootstrapScores(rows);
    expect(bootstrapScores(rows)).toEqual(intervals);
    expect(intervals?.f1[2]).toBeUndefined();
    expect(intervals?.f1[0]).toBeDefined();
    expect(bootstrapScores(rowsOf([]))).toBeUndefined();
  });
});
