/**
 * Two evaluations side by side: what the model changed, on the rows that both test sides have, and what the data
 * changed, which is the rest.
 */
import { type Interval, wilsonInterval } from './intervals.ts';
import { mcnemarExact } from './mcnemar.ts';

/** A share of rows that are right, with Wilson's interval; undefined of no row. */
export interface Share {
  readonly rows: number;
  readonly correct: number;
  readonly accuracy: number | undefined;
  readonly interval: Interval | undefined;
}

/** Two models on the same rows. */
export interface Paired {
  readonly rows: number;
  readonly before: Share;
  readonly after: Share;
  /** Rows that only the first, or only the second, has right. */
  readonly onlyBefore: number;
  readonly onlyAfter: number;
  /** McNemar, exact, two-sided. */
  readonly p: number;
}

export interface Comparison {
  /** All rows of each test side. */
  readonly before: Share;
  readonly after: Share;
  /** Rows with the same label on both test sides. */
  readonly common: Paired;
  /** Rows that only the second test side has. */
  readonly added: Share;
  /** Rows that only the first has. */
  readonly gone: Share;
  /** Rows of both whose label was changed in between. */
  readonly relabelled: number;
  /** `model + data` is the whole difference of accuracies; in [-1, 1], undefined where a side or the common part is empty. */
  readonly change: { readonly whole: number; readonly model: number; readonly data: number } | undefined;
  /** Of the common rows, by their intent. */
  readonly intents: Readonly<Record<string, Paired>>;
}

/** A row of a test side, with what a model said of it. */
export interface JudgedRow {
  readonly truth: string;
  readonly predicted: string;
}

interface Counts {
  rows: number;
  correct: number;
}

interface PairCounts {
  rows: number;
  both: number;
  onlyBefore: number;
  onlyAfter: number;
}

/** Adds up rows of two test sides; each row is given once, with both judgements where both sides have it. */
export class Comparer {
  readonly #before: Counts = { rows: 0, correct: 0 };
  readonly #after: Counts = { rows: 0, correct: 0 };
  readonly #added: Counts = { rows: 0, correct: 0 };
  readonly #gone: Counts = { rows: 0, correct: 0 };
  readonly #common: PairCounts = { rows: 0, both: 0, onlyBefore: 0, onlyAfter: 0 };
  readonly #intents = new Map<string, PairCounts>();
  #relabelled = 0;

  add(before: JudgedRow | undefined, after: JudgedRow | undefined): void {
    if (before !== undefined) count(this.#before, before);
    if (after !== undefined) count(this.#after, after);
    if (before === undefined || after === undefined) {
      if (after !== undefined) count(this.#added, after);
      if (before !== undefined) count(this.#gone, before);
      return;
    }
    if (before.truth !== after.truth) {
      this.#relabelled += 1;
      return;
    }
    let intent = this.#intents.get(after.truth);
    if (intent === undefined) {
      intent = { rows: 0, both: 0, onlyBefore: 0, onlyAfter: 0 };
      this.#intents.set(after.truth, intent);
    }
    const was = before.predicted === before.truth;
    const is = after.predicted === after.truth;
    for (const counts of [this.#common, intent]) {
      counts.rows += 1;
      if (was && is) counts.both += 1;
      else if (was) counts.onlyBefore += 1;
      else if (is) counts.onlyAfter += 1;
    }
  }

  finish(): Comparison {
    const [before, after, common] = [shareOf(this.#before), shareOf(this.#after), pairedOf(this.#common)];
    const intents = [...this.#intents].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      before,
      after,
      common,
      added: shareOf(this.#added),
      gone: shareOf(this.#gone),
      relabelled: this.#relabelled,
      change: changeOf(before, after, common),
      intents: Object.fromEntries(intents.map(([name, counts]) => [name, pairedOf(counts)])),
    };
  }
}

function changeOf(before: Share, after: Share, common: Paired): Comparison['change'] {
  const [from, to] = [before.accuracy, after.accuracy];
  const [was, is] = [common.before.accuracy, common.after.accuracy];
  if (from === undefined || to === undefined || was === undefined || is === undefined) return undefined;
  const [whole, model] = [to - from, is - was];
  return { whole, model, data: whole - model };
}

function count(counts: Counts, { truth, predicted }: JudgedRow): void {
  counts.rows += 1;
  if (truth === predicted) counts.correct += 1;
}

function shareOf({ rows, correct }: Counts): Share {
  if (rows === 0) return { rows, correct, accuracy: undefined, interval: undefined };
  return { rows, correct, accuracy: correct / rows, interval: wilsonInterval(correct, rows) };
}

function pairedOf({ rows, both, onlyBefore, onlyAfter }: PairCounts): Paired {
  return {
    rows,
    before: shareOf({ rows, correct: both + onlyBefore }),
    after: shareOf({ rows, correct: both + onlyAfter }),
    onlyBefore,
    onlyAfter,
    p: mcnemarExact(onlyBefore, onlyAfter),
  };
}
