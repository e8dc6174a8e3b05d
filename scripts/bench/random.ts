/** Chance that can be had again: each row draws from a state of its own. */

/** What rows are for: a batch of seed 1 has nothing in common with the dataset of seed 1. */
const FAMILIES = { dataset: 0x5eed, batch: 0xba7c4, relabels: 0x1abe1, grammar: 0x6a33a } as const;
export type Family = keyof typeof FAMILIES;

/** sfc32 by Chris Doty-Humphrey, restarted for each row from its own state. */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 0;

  restart(family: Family, seed: number, index: number): void {
    this.#a = seed | 0;
    this.#b = index | 0;
    this.#c = FAMILIES[family];
    this.#counter = 1;
    for (let round = 0; round < 12; round += 1) this.#next();
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    return Math.floor((this.#next() / 2 ** 32) * limit);
  }

  pick<T>(items: ArrayLike<T>): T {
    return items[this.below(items.length)] as T;
  }

  /** Picks early items more often: some words are commoner than others. */
  pickSkewed<T>(items: ArrayLike<T>): T {
    const share = this.#next() / 2 ** 32;
    return items[Math.floor(share * share * items.length)] as T;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}
