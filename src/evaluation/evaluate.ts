/** An evaluation: what a model said of the test side, row by row, summed up in figures with their intervals. */
import type { FeatureValue } from '../records/record.ts';
import { bootstrapScores } from './bootstrap.ts';
import { type Calibration, calibrationOf } from './calibration.ts';
import { EntityCounts, type EntityScores, type Span } from './entities.ts';
import { type Interval, wilsonInterval } from './intervals.ts';
import { type LabelScores, scoresOf } from './scores.ts';

/** One row of the test side, with what the model said of it. */
export interface EvaluatedRow {
  /** Names of labels; several at once are one name. */
  readonly truth: string;
  readonly predicted: string;
  /** The same for rows that are alike; rows of a group come one after the other. */
  readonly group: string;
  /** Of the predicted label, in [0, 1]. */
  readonly score?: number | undefined;
  /** Present where the model predicts entities at all. */
  readonly entities?: { readonly truth: readonly Span[]; readonly predicted: readonly Span[] } | undefined;
  /** What slices are made by: role, location, language. */
  readonly features: Readonly<Record<string, FeatureValue>>;
}

/** A figure in [0, 1] and its interval of 95 %. */
export interface Estimate {
  readonly value: number;
  readonly interval: Interval;
}

export interface IntentScores extends LabelScores {
  /** Wilson; undefined where no row of the test side has the intent. */
  readonly recallInterval: Interval | undefined;
  /** Bootstrap over groups; as above. */
  readonly f1Interval: Interval | undefined;
}

export interface SliceScores {
  readonly rows: number;
  readonly correct: number;
  readonly accuracy: Estimate;
}

export interface Evaluation {
  readonly rows: number;
  readonly groups: number;
  readonly correct: number;
  /** Wilson. */
  readonly accuracy: Estimate;
  /** Bootstrap over groups; the mean over the intents that the test side has. */
  readonly macroF1: Estimate;
  readonly weightedF1: Estimate;
  readonly intents: Readonly<Record<string, IntentScores>>;
  /** Intents that were predicted but that no row of the test side has: not in the mean. */
  readonly intentsWithoutRows: number;
  /** The commonest first. */
  readonly confusions: readonly { readonly truth: string; readonly predicted: string; readonly rows: number }[];
  readonly entities: EntityScores | undefined;
  readonly calibration: Calibration | undefined;
  /** Feature, value, scores; a feature with more values than SLICE_LIMIT is an identifier, and left out. */
  readonly slices: Readonly<Record<string, Readonly<Record<string, SliceScores>>>>;
}

export const SLICE_LIMIT = 50;
const CONFUSION_LIMIT = 50;

interface SliceCounts {
  rows: number;
  correct: number;
}

/** Gathers rows, one at a time, in little memory; `finish` makes the evaluation of them. */
export class Evaluator {
  readonly #labels = new Map<string, number>();
  readonly #truth: number[] = [];
  readonly #predicted: number[] = [];
  readonly #groups: number[] = [];
  readonly #scores: number[] = [];
  readonly #right: number[] = [];
  readonly #entities = new EntityCounts();
  readonly #slices = new Map<string, Map<string, SliceCounts>>();
  #hasEntities = false;
  #lastGroup: string | undefined;
  #groupCount = 0;

  add(row: EvaluatedRow): void {
    const right = row.truth === row.predicted;
    this.#truth.push(this.#labelOf(row.truth));
    this.#predicted.push(this.#labelOf(row.predicted));
    if (row.group !== this.#lastGroup) this.#groupCount += 1;
    this.#lastGroup = row.group;
    this.#groups.push(this.#groupCount);
    if (row.score !== undefined) {
      this.#scores.push(row.score);
      this.#right.push(right ? 1 : 0);
    }
    if (row.entities !== undefined) {
      this.#hasEntities = true;
      this.#entities.add(row.entities.truth, row.entities.predicted);
    }
    for (const [feature, value] of Object.entries(row.features)) this.#slice(feature, String(value), right);
  }

  /** @throws RangeError where no row was added */
  finish(): Evaluation {
    const names = [...this.#labels.keys()];
    const labels = names.length;
    const truth = Int32Array.from(this.#truth);
    const predicted = Int32Array.from(this.#predicted);
    const pairs = pairsOf(truth, predicted, labels);
    const cells = new Float64Array(labels * labels);
    for (const [pair, rows] of pairs) cells[pair] = rows;
    const scores = scoresOf({ labels, cells });
    const intervals = bootstrapScores({ labels, truth, predicted, groups: Int32Array.from(this.#groups) });
    if (intervals === undefined) throw new RangeError('no row was evaluated');
    const intents = names.map((name, label) => {
      const figures = scores.labels[label] as LabelScores;
      const { support, correct } = figures;
      const recallInterval = support === 0 ? undefined : wilsonInterval(correct, support);
      return [name, { ...figures, recallInterval, f1Interval: intervals.f1[label] }] as const;
    });
    return {
      rows: scores.rows,
      groups: this.#groupCount,
      correct: scores.correct,
      accuracy: { value: scores.accuracy, interval: wilsonInterval(scores.correct, scores.rows) },
      macroF1: { value: scores.macroF1, interval: intervals.macroF1 },
      weightedF1: { value: scores.weightedF1, interval: intervals.weightedF1 },
      intents: Object.fromEntries(intents.sort(([a], [b]) => byName(a, b))),
      intentsWithoutRows: scores.labels.filter(({ support }) => support === 0).length,
      confusions: [...pairs]
        .map(([pair, rows]) => ({
          truth: names[Math.floor(pair / labels)] as string,
          predicted: names[pair % labels] as string,
          rows,
        }))
        .filter((pair) => pair.truth !== pair.predicted)
        .sort((a, b) => b.rows - a.rows || byName(a.truth, b.truth) || byName(a.predicted, b.predicted))
        .slice(0, CONFUSION_LIMIT),
      entities: this.#hasEntities ? this.#entities.scores() : undefined,
      calibration: calibrationOf(Float64Array.from(this.#scores), Uint8Array.from(this.#right)),
      slices: this.#sliceScores(),
    };
  }

  #labelOf(name: string): number {
    let label = this.#labels.get(name);
    if (label === undefined) this.#labels.set(name, (label = this.#labels.size));
    return label;
  }

  #slice(feature: string, value: string, right: boolean): void {
    let values = this.#slices.get(feature);
    if (values === undefined) this.#slices.set(feature, (values = new Map()));
    // One more than the limit says that there are too many.
    if (values.size > SLICE_LIMIT) return;
    const counts = values.get(value) ?? { rows: 0, correct: 0 };
    counts.rows += 1;
    if (right) counts.correct += 1;
    values.set(value, counts);
  }

  #sliceScores(): Evaluation['slices'] {
    const features = [...this.#slices]
      .filter(([, values]) => values.size <= SLICE_LIMIT)
      .sort(([a], [b]) => byName(a, b))
      .map(([feature, values]) => {
        const slices = [...values]
          .sort(([a], [b]) => byName(a, b))
          .map(([value, { rows, correct }]) => {
            const accuracy = { value: correct / rows, interval: wilsonInterval(correct, rows) };
            return [value, { rows, correct, accuracy }] as const;
          });
        return [feature, Object.fromEntries(slices)] as const;
      });
    return Object.fromEntries(features);
  }
}

/** Rows by `truth * labels + predicted`. */
function pairsOf(truth: Int32Array, predicted: Int32Array, labels: number): Map<number, number> {
  const pairs = new Map<number, number>();
  for (const [row, label] of truth.entries()) {
    const pair = label * labels + (predicted[row] as number);
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  return pairs;
}

function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
