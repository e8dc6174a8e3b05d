/**
 * Keeps measurements apart from what else runs on the machine: waits for a quiet moment before each run, and takes a
 * run again when others worked during it. What was taken after all is told, not hidden.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type CpuTicks, readTicks, shareOfOthers } from './conditions.ts';

export interface QuietOptions {
  /** Time to wait for quiet moments, and to repeat runs, until `takeLargestShare` is called. */
  readonly patienceMs: number;
  /** How often a run is taken at most, until one is undisturbed. */
  readonly attempts: number;
}

/** Less than this share of the machine for others is quiet. */
const QUIET_SHARE = 0.05;
/** The clock of /proc ticks 100 times a second: a short run may look disturbed by that alone. */
const LEAST_TICKS = 4;
const LOOK_MS = 250;

/** What came of work, and the share others had meanwhile. */
interface Attempt<T> {
  readonly result: T;
  readonly share: number;
  readonly wallMs: number;
}

export class QuietRuns {
  readonly #options: QuietOptions;
  #shares: number[] = [];
  #patienceMs: number;

  constructor(options: QuietOptions) {
    this.#options = options;
    this.#patienceMs = options.patienceMs;
  }

  /**
   * Does `work`, again if it was disturbed, and returns what came of the least disturbed time.
   *
   * @param before puts the state back before each attempt; may disturb.
   */
  async run<T>(work: () => Promise<T>, before?: () => Promise<unknown> | void): Promise<T> {
    let best: Attempt<T> | undefined;
    for (let attempt = 0; attempt < this.#options.attempts; attempt += 1) {
      await before?.();
      const taken = await this.#attempt(work);
      if (best === undefined || taken.share < best.share) best = taken;
      if (taken.share < QUIET_SHARE || this.#patienceMs <= 0) break;
      this.#patienceMs -= taken.wallMs;
    }
    if (best === undefined) throw new RangeError('a run needs at least one attempt');
    this.#shares.push(best.share);
    return best.result;
  }

  /** As `run`, of work that cannot be done again: it counts also where it was disturbed. */
  async once<T>(work: () => Promise<T>): Promise<T> {
    const { result, share } = await this.#attempt(work);
    this.#shares.push(share);
    return result;
  }

  /** The largest share others had in a run since the last call. */
  takeLargestShare(): number {
    const largest = Math.max(0, ...this.#shares);
    this.#shares = [];
    this.#patienceMs = this.#options.patienceMs;
    return largest;
  }

  async #attempt<T>(work: () => Promise<T>): Promise<Attempt<T>> {
    await this.#waitForQuiet();
    const startMs = performance.now();
    const start = readTicks();
    const result = await work();
    return { result, share: disturbance(start, readTicks()), wallMs: performance.now() - startMs };
  }

  async #waitForQuiet(): Promise<void> {
    while (this.#patienceMs > 0) {
      const before = readTicks();
      await sleep(LOOK_MS);
      if (disturbance(before, readTicks()) < QUIET_SHARE) return;
      this.#patienceMs -= LOOK_MS;
    }
  }
}

/** Share of others in the CPU time, 0 where it is too little to be told from the coarseness of the clock. */
export function disturbance(before: CpuTicks, after: CpuTicks): number {
  const share = shareOfOthers(before, after);
  return share * (after.total - before.total) < LEAST_TICKS ? 0 : share;
}
