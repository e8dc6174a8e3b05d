/** Random numbers for resampling: fast, and the same for the same seed on every machine. */

/** Uniform in [0, 1), 32 bits. @see C. Doty-Humphrey, PractRand: the generator sfc32 */
export function uniform(seed: number): () => number {
  let [a, b, c, counter] = [0, seed | 0, 0x9e3779b9 | 0, 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let round = 0; round < 15; round += 1) next();
  return next;
}

/** Above this mean, inversion takes too many steps. */
const INVERSION_MEAN = 10;

/**
 * A draw from the binomial distribution: by inversion where the mean is small, else by transformed rejection.
 *
 * @param trials a whole number, at least 0
 * @param probability in [0, 1]
 * @see W. Hörmann, "The generation of binomial random variates", Journal of Statistical Computation and Simulation 46
 *   (1993), algorithm BTRS
 */
export function binomial(random: () => number, trials: number, probability: number): number {
  if (probability > 0.5) return trials - binomial(random, trials, 1 - probability);
  if (trials <= 0 || probability <= 0) return 0;
  return trials * probability < INVERSION_MEAN
    ? byInversion(random, trials, probability)
    : byRejection(random, trials, probability);
}

function byInversion(random: () => number, trials: number, probability: number): number {
  const odds = probability / (1 - probability);
  for (;;) {
    let left = random();
    let mass = Math.exp(trials * Math.log1p(-probability));
    for (let successes = 0; successes <= trials; successes += 1) {
      if (left < mass) return successes;
      left -= mass;
      mass *= (odds * (trials - successes)) / (successes + 1);
    }
    // Rounding left a remainder beyond the last outcome.
  }
}

function byRejection(random: () => number, trials: number, probability: number): number {
  const deviation = Math.sqrt(trials * probability * (1 - probability));
  const b = 1.15 + 2.53 * deviation;
  const a = -0.0873 + 0.0248 * b + 0.01 * probability;
  const c = trials * probability + 0.5;
  const squeeze = 0.92 - 4.2 / b;
  const alpha = (2.83 + 5.1 / b) * deviation;
  const mode = Math.floor((trials + 1) * probability);
  const odds = probability / (1 - probability);
  for (;;) {
    const u = random() - 0.5;
    const v = random();
    const distance = 0.5 - Math.abs(u);
    const successes = Math.floor(((2 * a) / distance + b) * u + c);
    if (distance >= 0.07 && v <= squeeze) return successes;
    if (successes < 0 || successes > trials) continue;
    const bound =
      (mode + 0.5) * Math.log((mode + 1) / (odds * (trials - mode + 1))) +
      (trials + 1) * Math.log((trials - mode + 1) / (trials - successes + 1)) +
      (successes + 0.5) * Math.log((odds * (trials - successes + 1)) / (successes + 1)) +
      tailOfStirling(mode) +
      tailOfStirling(trials - mode) -
      tailOfStirling(successes) -
      tailOfStirling(trials - successes);
    if (Math.log((v * alpha) / (a / (distance * distance) + b)) <= bound) return successes;
  }
}

const SMALL_TAILS = [
  0.08106146679532726, 0.0413406959554093, 0.02767792568499834, 0.02079067210376509, 0.01664469118982119,
  0.01387612882307075, 0.01189670994589177, 0.01041126526197209, 0.009255462182712733, 0.008330563433362871,
];

/** What Stirling's formula lacks of log k!. */
function tailOfStirling(k: number): number {
  if (k < SMALL_TAILS.length) return SMALL_TAILS[k] as number;
  const square = (k + 1) * (k + 1);
  return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1);
}
