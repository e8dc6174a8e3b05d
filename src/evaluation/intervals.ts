/** Confidence intervals in closed form. */

/** Both ends, in the unit of the estimate. */
export type Interval = readonly [low: number, high: number];

/** The 0.975 quantile of the standard normal distribution: intervals are of 95 %. */
export const Z_95 = 1.959963984540054;

/**
 * Wilson's score interval of a proportion, without continuity correction.
 *
 * @param successes of `trials`; both whole numbers, `trials` at least 1
 * @returns both ends in [0, 1]
 * @see E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927)
 */
export function wilsonInterval(successes: number, trials: number, z = Z_95): Interval {
  if (!(trials >= 1) || successes < 0 || successes > trials) {
    throw new RangeError(`${successes} of ${trials} is not a proportion`);
  }
  const share = successes / trials;
  const z2 = z * z;
  const centre = (share + z2 / (2 * trials)) / (1 + z2 / trials);
  const half = (z / (1 + z2 / trials)) * Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials * trials));
  // At the ends the formula gives exactly 0 and 1; rounding must not pass them.
  return [successes === 0 ? 0 : Math.max(0, centre - half), successes === trials ? 1 : Math.min(1, centre + half)];
}

/**
 * The percentile interval of bootstrap replicates, with linear interpolation between the neighbours.
 *
 * @param replicates one value a replicate, at least one; sorted in place
 * @see B. Efron and R. Tibshirani, "An introduction to the bootstrap" (1993), chapter 13
 */
export function percentileInterval(replicates: Float64Array, tail = 0.025): Interval {
  if (replicates.length === 0) throw new RangeError('no replicates, no interval');
  replicates.sort();
  return [quantile(replicates, tail), quantile(replicates, 1 - tail)];
}

function quantile(sorted: Float64Array, at: number): number {
  const position = at * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (position - below);
}
