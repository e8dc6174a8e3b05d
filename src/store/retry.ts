/**
 * How long to go on after failures of a remote, and how long to wait in between.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted } from '../base/errors.ts';
import type { Random } from '../base/ports.ts';

/**
 * What a failure says about trying again:
 *
 * - `throttled`: the server asks for fewer requests; waiting helps, for minutes if need be.
 * - `transient`: a connection was cut, or the server stumbled; the next try may well pass.
 * - `unreachable`: nobody answers at that address; a few tries, for a network that just comes up.
 * - `doubtful`: the answer was no answer of such a server; once more, in case something in between hiccupped.
 * - `final`: the same request will fail the same way.
 */
export type FailureKind = 'throttled' | 'transient' | 'unreachable' | 'doubtful' | 'final';

export interface RetryLimits {
  /** The first pause; each further one is up to twice as long. */
  readonly baseMs: number;
  /** The longest pause. */
  readonly capMs: number;
  /** Pauses and tries together never begin after this much time without progress. */
  readonly budgetMs: number;
  /** How often each kind of failure is tried again in a row. */
  readonly tries: Readonly<Record<FailureKind, number>>;
}

export const RETRY_LIMITS: RetryLimits = {
  baseMs: 200,
  capMs: 20_000,
  budgetMs: 300_000,
  tries: { throttled: Infinity, transient: 6, unreachable: 3, doubtful: 2, final: 0 },
};

/** Counts the failures of one call, and waits between its tries. */
export class Patience {
  readonly #limits: RetryLimits;
  readonly #random: Random;
  readonly #signal: AbortSignal | undefined;
  #began = performance.now();
  #failures = 0;
  #failuresByKind = new Map<FailureKind, number>();

  constructor(limits: RetryLimits, random: Random, signal: AbortSignal | undefined) {
    this.#limits = limits;
    this.#random = random;
    this.#signal = signal;
  }

  /** Failures since the last progress. */
  get failures(): number {
    return this.#failures;
  }

  /** The call got further: what failed before no longer counts. */
  progressed(): void {
    this.#began = performance.now();
    this.#failures = 0;
    this.#failuresByKind.clear();
  }

  /**
   * Waits before the next try.
   *
   * @param askedMs the pause that the server asked for, if it did.
   * @returns false at once when there should be no next try. @throws aborted
   */
  async pause(kind: FailureKind, askedMs = 0): Promise<boolean> {
    const { baseMs, capMs, budgetMs, tries } = this.#limits;
    const ofKind = (this.#failuresByKind.get(kind) ?? 0) + 1;
    this.#failuresByKind.set(kind, ofKind);
    this.#failures += 1;
    if (ofKind > tries[kind]) return false;
    const full = Math.min(capMs, Math.max(askedMs, baseMs * 2 ** (this.#failures - 1)));
    // Between half and all of it, so that clients which failed together do not come back together.
    const delayMs = full * (0.5 + (this.#random.bytes(1)[0] as number) / 510);
    if (performance.now() - this.#began + delayMs > budgetMs) return false;
    await sleepUnlessAborted(delayMs, this.#signal);
    return true;
  }
}

async function sleepUnlessAborted(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  throwIfAborted(signal);
  try {
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
  } catch {
    throwIfAborted(signal);
  }
}
