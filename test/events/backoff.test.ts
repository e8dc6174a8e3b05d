/** E7: how long a failed delivery waits, and when it is given up. */
import { describe, expect, test } from 'vitest';
import { backoffMs, DEFAULT_RETRY_FOR_MS, nextAttemptMs, RETRY_AFTER_LIMIT_MS } from '../../src/events/backoff.ts';
import { constantRandom } from './doubles.ts';

const SHORTEST = constantRandom(0);
const LONGEST = constantRandom(255);
const HOUR_MS = 3_600_000;

describe('backoffMs', () => {
  test('E7: the bound doubles from 1 s to 1 h and stays there', () => {
    const bounds = [1, 2, 3, 4, 12, 13, 14, 1000].map((attempts) => backoffMs(attempts, LONGEST));
    expect(bounds).toEqual([1000, 2000, 4000, 8000, 2_048_000, HOUR_MS, HOUR_MS, HOUR_MS]);
  });

  test('E7: the jitter is full: any wait from 1 ms to the bound', () => {
    expect([1, 5, 1000].map((attempts) => backoffMs(attempts, SHORTEST))).toEqual([1, 1, 1]);
    expect(backoffMs(5, constantRandom(128))).toBe(8032);
  });
});

describe('nextAttemptMs', () => {
  const failed = {
    attempts: 1,
    firstAtMs: 0,
    endedAtMs: 500,
    retryAfterMs: undefined,
    retryForMs: DEFAULT_RETRY_FOR_MS,
  };

  test('E7: a wait that the receiver asked for is kept to', () => {
    expect(nextAttemptMs({ ...failed, retryAfterMs: 90_000 }, LONGEST)).toBe(90_500);
    expect(nextAttemptMs({ ...failed, retryAfterMs: 10 }, LONGEST)).toBe(1500);
  });

  test('E7: no receiver may put a delivery off for more than a day', () => {
    expect(nextAttemptMs({ ...failed, retryAfterMs: 1e12 }, LONGEST)).toBe(500 + RETRY_AFTER_LIMIT_MS);
  });

  test('E7: after 24 hours a delivery is dead, and not a moment before', () => {
    const day = { ...failed, attempts: 30 };
    expect(nextAttemptMs({ ...day, endedAtMs: 24 * HOUR_MS - 1 }, SHORTEST)).toBe(24 * HOUR_MS);
    expect(nextAttemptMs({ ...day, endedAtMs: 24 * HOUR_MS }, SHORTEST)).toBeUndefined();
  });

  test('E7: two attempts are not enough to give up, however far apart', () => {
    const late = { ...failed, endedAtMs: 100 * HOUR_MS };
    expect(nextAttemptMs({ ...late, attempts: 2 }, SHORTEST)).toBeDefined();
    expect(nextAttemptMs({ ...late, attempts: 3 }, SHORTEST)).toBeUndefined();
  });
});
