/** Items taken one by one from batches that are read when they are needed; only `fill` waits. */
export class BatchCursor<T> {
  readonly #batches: AsyncGenerator<readonly T[]>;
  #batch: readonly T[] = [];
  #at = 0;
  #isAtEnd = false;

  constructor(batches: AsyncGenerator<readonly T[]>) {
    this.#batches = batches;
  }

  /** The item it stands at; undefined at the end, or where `needsFill` says so. */
  get head(): T | undefined {
    return this.#batch[this.#at];
  }

  /** Whether `fill` must be called before `head` means anything. */
  get needsFill(): boolean {
    return !this.#isAtEnd && this.#at >= this.#batch.length;
  }

  advance(): void {
    this.#at++;
  }

  async fill(): Promise<void> {
    while (this.needsFill) {
      const { value, done } = await this.#batches.next();
      this.#at = 0;
      this.#batch = done === true ? [] : value;
      this.#isAtEnd = done === true;
    }
  }
}
