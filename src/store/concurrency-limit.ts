/**
 * How many requests go to a remote at once: additive increase, multiplicative decrease, as TCP does it.
 */
import { throwIfAborted } from '../base/errors.ts';

/** A place taken in a ConcurrencyLimit, to be given back once. */
export interface Slot {
  /** @param throttled whether the server asked for fewer requests. */
  release(throttled: boolean): void;
}

/**
 * Lets through so many at once; halves that number when the server asks for fewer,
 * and raises it by one each time that as many have passed in a row.
 */
export class ConcurrencyLimit {
  readonly #max: number;
  #limit: number;
  #passed = 0;
  #active = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(max: number) {
    this.#max = max;
    this.#limit = max;
  }

  /** How many may go at once, at present. */
  get limit(): number {
    return this.#limit;
  }

  /** Waits for a place, first come, first served. @throws aborted */
  async acquire(signal?: AbortSignal): Promise<Slot> {
    throwIfAborted(signal);
    if (this.#active < this.#limit && this.#waiting.length === 0) this.#active += 1;
    else await this.#turn(signal);
    // A wave of refusals to requests that left together is one refusal: only the first of them halves.
    const limitAtStart = this.#limit;
    return { release: (throttled) => this.#release(throttled, limitAtStart) };
  }

  #release(throttled: boolean, limitAtStart: number): void {
    this.#active -= 1;
    if (throttled) {
      if (this.#limit >= limitAtStart) this.#limit = Math.max(1, Math.floor(this.#limit / 2));
      this.#passed = 0;
    } else if (this.#limit < this.#max) {
      this.#passed += 1;
      if (this.#passed >= this.#limit) {
        this.#limit += 1;
        this.#passed = 0;
      }
    }
    this.#admit();
  }

  /** Gives free places to those who wait. A place counts as taken from here on, before its taker runs. */
  #admit(): void {
    while (this.#active < this.#limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#active += 1;
      next();
    }
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    const leave = (): void => {
      const place = this.#waiting.indexOf(resolve);
      if (place >= 0) this.#waiting.splice(place, 1);
      try {
        throwIfAborted(signal);
      } catch (error) {
        reject(error);
      }
    };
    signal?.addEventListener('abort', leave, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }
}
