/** Whether a model that says it is 80 % sure is right four times out of five. */
import { addTo } from './scores.ts';

const BINS = 10;

export interface CalibrationBin {
  /** Scores from `from` (not included, but in the first bin) to `to`. */
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  /** Means over the rows, in [0, 1]; 0 where there is none. */
  readonly confidence: number;
  readonly accuracy: number;
}

export interface Calibration {
  readonly rows: number;
  /** Expected calibration error: how far confidence and accuracy are apart in a bin, weighted by rows; in [0, 1]. */
  readonly expectedError: number;
  /** The bin in which they are furthest apart. */
  readonly maximumError: number;
  /** Mean of (score - right)^2 over the rows, `right` being 0 or 1. */
  readonly brier: number;
  readonly bins: readonly CalibrationBin[];
}

/**
 * @param scores of the predicted labels, in [0, 1]
 * @param right whether each of them is the true one, 0 or 1
 * @returns undefined where there is no row
 * @see C. Guo et al., "On calibration of modern neural networks", ICML 2017
 */
export function calibrationOf(scores: Float64Array, right: Uint8Array): Calibration | undefined {
  const rows = scores.length;
  if (rows === 0) return undefined;
  const counts = new Float64Array(BINS);
  const confidences = new Float64Array(BINS);
  const hits = new Float64Array(BINS);
  let squares = 0;
  for (const [row, score] of scores.entries()) {
    const bin = Math.min(BINS - 1, Math.max(0, Math.ceil(score * BINS) - 1));
    const hit = right[row] as number;
    addTo(counts, bin);
    addTo(confidences, bin, score);
    addTo(hits, bin, hit);
    squares += (score - hit) ** 2;
  }
  const mean = (sum: number | undefined, count: number): number => (count === 0 ? 0 : (sum ?? 0) / count);
  const bins = Array.from(counts, (count, bin) => ({
    from: bin / BINS,
    to: (bin + 1) / BINS,
    rows: count,
    confidence: mean(confidences[bin], count),
    accuracy: mean(hits[bin], count),
  }));
  const gaps = bins.map(({ confidence, accuracy }) => Math.abs(confidence - accuracy));
  return {
    rows,
    expectedError: bins.reduce((sum, bin, at) => sum + (bin.rows / rows) * (gaps[at] as number), 0),
    maximumError: Math.max(...gaps),
    brier: squares / rows,
    bins,
  };
}
