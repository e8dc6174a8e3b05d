/** Precision, recall and F1 of labels, from how often each label was predicted for which. */

/** How often each true label (row) was predicted as each label (column): `cells[truth * labels + predicted]`. */
export interface Confusion {
  readonly labels: number;
  readonly cells: Float64Array;
}

export interface LabelScores {
  /** Rows whose true label it is, whose predicted label it is, and both. */
  readonly support: number;
  readonly predicted: number;
  readonly correct: number;
  /** In [0, 1]; 0 where it was never predicted, or never true. */
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export interface Scores {
  /** Rows. */
  readonly rows: number;
  readonly correct: number;
  /** In [0, 1]; of no row, 0. */
  readonly accuracy: number;
  /** The mean of F1 over the labels that are true for at least one row. */
  readonly macroF1: number;
  /** The same, weighted by support. */
  readonly weightedF1: number;
  /** By label. */
  readonly labels: readonly LabelScores[];
}

/** `counts[at] += by`, which a typed array makes awkward to say. */
export function addTo(counts: Float64Array, at: number, by = 1): void {
  counts[at] = (counts[at] as number) + by;
}

export function scoresOf({ labels, cells }: Confusion): Scores {
  const support = new Float64Array(labels);
  const predicted = new Float64Array(labels);
  for (let truth = 0; truth < labels; truth += 1) {
    for (let label = 0; label < labels; label += 1) {
      const count = cells[truth * labels + label] as number;
      addTo(support, truth, count);
      addTo(predicted, label, count);
    }
  }
  return scoresFrom(
    support,
    predicted,
    Float64Array.from(support, (_, label) => cells[label * labels + label] as number),
  );
}

/** The same from the margins and the diagonal, which is all that these scores need. */
export function scoresFrom(support: Float64Array, predicted: Float64Array, correct: Float64Array): Scores {
  const labels = Array.from(support, (count, label) =>
    labelScores(count, predicted[label] as number, correct[label] as number),
  );
  const rows = sum(support);
  const right = sum(correct);
  const present = labels.filter((label) => label.support > 0);
  const total = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
  return {
    rows,
    correct: right,
    accuracy: ratio(right, rows),
    macroF1: ratio(total(present.map(({ f1 }) => f1)), present.length),
    weightedF1: ratio(total(present.map(({ f1, support: weight }) => f1 * weight)), rows),
    labels,
  };
}

export function labelScores(support: number, predicted: number, correct: number): LabelScores {
  return {
    support,
    predicted,
    correct,
    precision: ratio(correct, predicted),
    recall: ratio(correct, support),
    f1: ratio(2 * correct, support + predicted),
  };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function sum(values: Float64Array): number {
  let all = 0;
  for (const value of values) all += value;
  return all;
}
