/** What came of texts that recur in row after row, such as names and labels. */
import { apart } from '../base/own-memory.ts';

/** A file may have a new one in each row. */
const LIMIT = 1000;

/** A few texts, each with what is known of it; all are forgotten when there are too many. */
export class RecentTexts<Known> {
  readonly #known = new Map<string, Known>();

  get(text: string): Known | undefined {
    return this.#known.get(text);
  }

  set(text: string, known: Known): void {
    if (this.#known.size === LIMIT) this.#known.clear();
    this.#known.set(apart(text), known);
  }
}
