import { expect, test } from 'vitest';
import { calibrationOf } from '../../src/evaluation/calibration.ts';
import { EntityCounts } from '../../src/evaluation/entities.ts';
import { scoresOf } from '../../src/evaluation/scores.ts';

test('three labels give the precision, recall and F1 that one computes by hand', () => {
  // Rows: truth a (4): a a b c; truth b (2): b b; truth c (0); predicted c once.
  const cells = Float64Array.of(2, 1, 1, 0, 2, 0, 0, 0, 0);
  const scores = scoresOf({ labels: 3, cells });
  expect([scores.rows, scores.correct, scores.accuracy]).toEqual([6, 4, 4 / 6]);
  const [a, b, c] = scores.labels;
  expect([a?.precision, a?.recall, a?.f1]).toEqual([1, 0.5, 4 / 6]);
  expect([b?.precision, b?.recall, b?.f1]).toEqual([2 / 3, 1, 4 / 5]);
  expect([c?.precision, c?.recall, c?.f1, c?.support]).toEqual([0, 0, 0, 0]);
  // The label without rows is left out of the mean.
  expect(scores.macroF1).toBeCloseTo((4 / 6 + 4 / 5) / 2, 15);
  expect(scores.weightedF1).toBeCloseTo((4 * (4 / 6) + 2 * (4 / 5)) / 6, 15);
});

test('of no row, every score is 0', () => {
  const { accuracy, macroF1, weightedF1 } = scoresOf({ labels: 0, cells: new Float64Array(0) });
  expect([accuracy, macroF1, weightedF1]).toEqual([0, 0, 0]);
});

test('an entity counts where start, end, type and role agree, and once', () => {
  const counts = new EntityCounts();
  const city = { start: 0, end: 5, type: 'city', role: 'from' };
  counts.add([city, { start: 8, end: 9, type: 'date' }], [city, city, { start: 8, end: 10, type: 'date' }]);
  counts.add([{ ...city, role: 'to' }], [city]);
  counts.add([], [{ start: 0, end: 1, type: 'new' }]);
  const scores = counts.scores();
  expect([scores.support, scores.predicted, scores.correct]).toEqual([3, 5, 1]);
  expect(scores.f1).toBeCloseTo(2 / 8, 15);
  expect(Object.entries(scores.types).map(([type, { f1 }]) => [type, f1])).toEqual([
    ['city', 2 / 5],
    ['date', 0],
    ['new', 0],
  ]);
});

test('calibration compares confidence with accuracy in ten bins', () => {
  const calibration = calibrationOf(Float64Array.of(0.9, 0.9, 0.85, 0.85, 0.1, 0), Uint8Array.of(1, 0, 1, 1, 0, 0));
  // Scores of 0.85 and 0.9 share a bin, 0 and 0.1 another.
  expect(calibration?.bins.filter(({ rows }) => rows > 0).map(({ rows, accuracy }) => [rows, accuracy])).toEqual([
    [2, 0],
    [4, 0.75],
  ]);
  expect(calibration?.expectedError).toBeCloseTo((2 / 6) * 0.05 + (4 / 6) * 0.125, 12);
  expect(calibration?.maximumError).toBeCloseTo(0.125, 12);
  expect(calibration?.brier).toBeCloseTo((0.01 + 0.81 + 0.0225 * 2 + 0.01 + 0) / 6, 12);
  expect(calibrationOf(new Float64Array(0), new Uint8Array(0))).toBeUndefined();
});
