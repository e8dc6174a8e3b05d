/** Whether one model is right where the other is wrong more often than chance explains. */

/**
 * McNemar's test on the rows about which two models differ, exact and two-sided: the binomial test of `onlyFirst`
 * successes in `onlyFirst + onlySecond` trials with probability 1/2.
 *
 * @param onlyFirst rows that only the first model has right
 * @param onlySecond rows that only the second model has right
 * @returns the p-value in (0, 1]; 1 where they differ nowhere
 * @see Q. McNemar, "Note on the sampling error of the difference between correlated proportions", Psychometrika 12 (1947)
 */
export function mcnemarExact(onlyFirst: number, onlySecond: number): number {
  const trials = onlyFirst + onlySecond;
  const tail = Math.min(onlyFirst, onlySecond);
  if (trials === 0) return 1;
  // Terms in proportion to the one in the middle, from there down: no factorial is ever formed.
  const middle = Math.floor(trials / 2);
  let term = 1;
  let below = 0;
  let within = middle <= tail ? 1 : 0;
  for (let successes = middle; successes > 0; successes -= 1) {
    term *= successes / (trials - successes + 1);
    below += term;
    if (successes - 1 <= tail) within += term;
    if (term === 0) break;
  }
  const total = trials % 2 === 0 ? 2 * below + 1 : 2 * (below + 1);
  return Math.min(1, (2 * within) / total);
}
