/**
 * When a failed delivery is tried again.
 *
 * E7  Waits double from 1 s to 1 h with full jitter; a receiver's Retry-After is kept to. A delivery is dead once
 *     24 hours (or the sink's `retryFor`) have passed since its first attempt and at least 3 attempts failed;
 *     then it is listed and holds nothing back.
 *
 * Three attempts at least, because nothing need be running between two commands: a sink that was down on
 * Friday evening and on Monday morning has been tried twice, not for three days.
 */
import type { Random } from '../base/ports.ts';

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 3_600_000;

/** A Retry-After longer than this is cut: no receiver may park an event for ever. */
export const RETRY_AFTER_LIMIT_MS = 86_400_000;

export const DEFAULT_RETRY_FOR_MS = 86_400_000;

const FEWEST_ATTEMPTS = 3;

/** How long to wait after the `attempts`-th attempt (1 for the first) failed: 1 ms to the doubled bound. */
export function backoffMs(attempts: number, random: Random): number {
  // 2^12 s is over an hour, so larger exponents change nothing and cannot overflow.
  const boundMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempts - 1, 12));
  const share = Buffer.from(random.bytes(4)).readUInt32BE() / 2 ** 32;
  return 1 + Math.floor(share * boundMs);
}

export interface FailedAttempt {
  /** Attempts that failed, this one included. */
  readonly attempts: number;
  readonly firstAtMs: number;
  readonly endedAtMs: number;
  readonly retryAfterMs: number | undefined;
  readonly retryForMs: number;
}

/** The moment of the next attempt; undefined when there is to be none. */
export function nextAttemptMs(failed: FailedAttempt, random: Random): number | undefined {
  const triedForMs = failed.endedAtMs - failed.firstAtMs;
  if (triedForMs >= failed.retryForMs && failed.attempts >= FEWEST_ATTEMPTS) return undefined;
  const askedMs = Math.min(RETRY_AFTER_LIMIT_MS, failed.retryAfterMs ?? 0);
  return failed.endedAtMs + Math.max(askedMs, backoffMs(failed.attempts, random));
}
