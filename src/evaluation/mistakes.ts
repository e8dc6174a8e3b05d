/**
 * What a model said of every row, kept as its mistakes alone: the version knows the true labels, so that all else is
 * known with them. Rows are numbered in the order of the side's tree.
 */
export interface Mistakes {
  /** Labels that were predicted wrongly, each once. */
  readonly labels: readonly string[];
  /** How far each row with a mistake is from the one before, the first from row -1. */
  readonly steps: readonly number[];
  /** Of each, the index in `labels` of what was predicted. */
  readonly predicted: readonly number[];
}

/** Gathers mistakes, row by row. */
export class MistakeList {
  readonly #labels = new Map<string, number>();
  readonly #steps: number[] = [];
  readonly #predicted: number[] = [];
  #row = -1;
  #last = -1;

  add(truth: string, predicted: string): void {
    this.#row += 1;
    if (truth === predicted) return;
    let label = this.#labels.get(predicted);
    if (label === undefined) this.#labels.set(predicted, (label = this.#labels.size));
    this.#steps.push(this.#row - this.#last);
    this.#predicted.push(label);
    this.#last = this.#row;
  }

  finish(): Mistakes {
    return { labels: [...this.#labels.keys()], steps: this.#steps, predicted: this.#predicted };
  }
}

/** Gives back, row by row, what was predicted. */
export class Predicted {
  readonly #mistakes: Mistakes;
  #row = -1;
  #next = 0;
  #nextRow: number;

  constructor(mistakes: Mistakes) {
    this.#mistakes = mistakes;
    this.#nextRow = -1 + (mistakes.steps[0] ?? Infinity);
  }

  /** @param truth of the next row */
  next(truth: string): string {
    this.#row += 1;
    if (this.#row !== this.#nextRow) return truth;
    const { labels, steps, predicted } = this.#mistakes;
    const label = labels[predicted[this.#next] as number] as string;
    this.#next += 1;
    this.#nextRow += steps[this.#next] ?? Infinity;
    return label;
  }
}
