/**
 * How far scores would vary over test sets like this one: the percentile bootstrap over groups.
 *
 * Groups are drawn, not rows: the rows of a group are alike, so they do not count as so many independent ones. Groups
 * that add the same cells to the confusion cannot be told apart by any score, so drawing n groups with replacement is
 * drawing how many there are of each kind: a multinomial, made of one binomial a kind. That is exact, and its cost
 * follows the kinds, of which there are few, not the rows.
 */
import { type Interval, percentileInterval } from './intervals.ts';
import { binomial, uniform } from './random.ts';
import { addTo, scoresFrom } from './scores.ts';

/** Of the fixed seed: the same rows give the same intervals. */
const SEED = 0x75747472;
const REPLICATES = 1000;

/** Rows, as parallel arrays: labels are numbers below `labels`, groups any numbers that tell them apart. */
export interface GroupedRows {
  readonly labels: number;
  readonly truth: Int32Array;
  readonly predicted: Int32Array;
  /** Ascending: the rows of a group stand together. */
  readonly groups: Int32Array;
}

export interface ScoreIntervals {
  readonly accuracy: Interval;
  readonly macroF1: Interval;
  readonly weightedF1: Interval;
  /** Of F1, by label; undefined for a label that is true for no row. */
  readonly f1: readonly (Interval | undefined)[];
}

/** Groups with the same cells: (truth, predicted) pairs, flat, and how many groups have them. */
interface Kind {
  readonly pairs: readonly number[];
  count: number;
}

/** Intervals of 95 %; undefined where there is no row. */
export function bootstrapScores(rows: GroupedRows, replicates = REPLICATES): ScoreIntervals | undefined {
  const kinds = kindsOf(rows);
  const groups = kinds.reduce((sum, { count }) => sum + count, 0);
  if (groups === 0) return undefined;
  const { labels } = rows;
  const random = uniform(SEED);
  const values = (): Float64Array => new Float64Array(replicates);
  const [accuracy, macroF1, weightedF1] = [values(), values(), values()];
  const f1 = Array.from({ length: labels }, values);
  for (let replicate = 0; replicate < replicates; replicate += 1) {
    const [support, predicted, correct] = drawMargins(kinds, groups, labels, random);
    const scores = scoresFrom(support, predicted, correct);
    accuracy[replicate] = scores.accuracy;
    macroF1[replicate] = scores.macroF1;
    weightedF1[replicate] = scores.weightedF1;
    for (let label = 0; label < labels; label += 1) {
      (f1[label] as Float64Array)[replicate] = (scores.labels[label] as { f1: number }).f1;
    }
  }
  const present = new Set(rows.truth);
  return {
    accuracy: percentileInterval(accuracy),
    macroF1: percentileInterval(macroF1),
    weightedF1: percentileInterval(weightedF1),
    f1: f1.map((drawn, label) => (present.has(label) ? percentileInterval(drawn) : undefined)),
  };
}

/** The commonest kinds first: then few of the groups are left for the many rare ones. */
function kindsOf({ labels, truth, predicted, groups }: GroupedRows): readonly Kind[] {
  const kinds = new Map<number | string, Kind>();
  for (let from = 0, to = 0; from < groups.length; from = to) {
    while (to < groups.length && groups[to] === groups[from]) to += 1;
    const cells: number[] = [];
    for (let row = from; row < to; row += 1) cells.push((truth[row] as number) * labels + (predicted[row] as number));
    // Most groups have one row: their cell is their name.
    const name = cells.length === 1 ? (cells[0] as number) : cells.sort((a, b) => a - b).join(' ');
    const kind = kinds.get(name);
    if (kind !== undefined) kind.count += 1;
    else kinds.set(name, { pairs: cells.flatMap((cell) => [Math.floor(cell / labels), cell % labels]), count: 1 });
  }
  return [...kinds.values()].sort((a, b) => b.count - a.count);
}

function drawMargins(
  kinds: readonly Kind[],
  groups: number,
  labels: number,
  random: () => number,
): readonly [support: Float64Array, predicted: Float64Array, correct: Float64Array] {
  const [support, predicted, correct] = [new Float64Array(labels), new Float64Array(labels), new Float64Array(labels)];
  let toDraw = groups;
  let left = groups;
  for (const { pairs, count } of kinds) {
    if (toDraw === 0) break;
    const drawn = count === left ? toDraw : binomial(random, toDraw, count / left);
    toDraw -= drawn;
    left -= count;
    if (drawn === 0) continue;
    for (let at = 0; at < pairs.length; at += 2) {
      const [truth, label] = [pairs[at] as number, pairs[at + 1] as number];
      addTo(support, truth, drawn);
      addTo(predicted, label, drawn);
      if (truth === label) addTo(correct, truth, drawn);
    }
  }
  return [support, predicted, correct];
}
