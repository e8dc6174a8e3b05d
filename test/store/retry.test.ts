import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ConcurrencyLimit } from '../../src/store/concurrency-limit.ts';
import { Patience, type RetryLimits } from '../../src/store/retry.ts';

const LIMITS: RetryLimits = {
  baseMs: 1,
  capMs: 4,
  budgetMs: 10_000,
  tries: { throttled: Infinity, transient: 3, unreachable: 2, doubtful: 1, final: 0 },
};

const random = { bytes: (count: number) => new Uint8Array(count).fill(128) };

async function pausesOf(kind: 'transient' | 'unreachable' | 'doubtful' | 'final'): Promise<number> {
  const patience = new Patience(LIMITS, random, undefined);
  let pauses = 0;
  while (await patience.pause(kind)) pauses += 1;
  return pauses;
}

describe('Patience', () => {
  test.each([
    ['transient', 3],
    ['unreachable', 2],
    ['doubtful', 1],
    ['final', 0],
  ] as const)('a %s failure is tried again %i times', async (kind, count) => {
    expect(await pausesOf(kind)).toBe(count);
  });

  test('throttling is waited out until the budget of time is used up', async () => {
    const patience = new Patience({ ...LIMITS, budgetMs: 60 }, random, undefined);
    let pauses = 0;
    while (await patience.pause('throttled')) pauses += 1;
    expect(pauses).toBeGreaterThan(5);
  });

  test('a pause that the budget does not allow is not begun', async () => {
    const patience = new Patience({ ...LIMITS, capMs: 60_000, budgetMs: 100 }, random, undefined);
    expect(await patience.pause('throttled', 60_000)).toBe(false);
  });

  test('progress makes the failures before it not count', async () => {
    const patience = new Patience(LIMITS, random, undefined);
    for (let step = 0; step < 20; step += 1) {
      expect(await patience.pause('transient')).toBe(true);
      patience.progressed();
      expect(patience.failures).toBe(0);
    }
  });

  test('a pause ends with aborted as soon as the signal fires', async () => {
    const control = new AbortController();
    const patience = new Patience({ ...LIMITS, capMs: 60_000, budgetMs: 600_000 }, random, control.signal);
    const pause = patience.pause('throttled', 60_000);
    control.abort();
    await expect(pause).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('ConcurrencyLimit', () => {
  test('no more than the limit go at once, in the order in which they came', async () => {
    const limit = new ConcurrencyLimit(3);
    const order: number[] = [];
    let active = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const slot = await limit.acquire();
        order.push(index);
        active += 1;
        most = Math.max(most, active);
        await sleep(1);
        active -= 1;
        slot.release(false);
      }),
    );
    expect(most).toBe(3);
    expect(order).toEqual(Array.from({ length: 12 }, (_, index) => index));
  });

  test('a wave of refusals halves the limit once', async () => {
    const limit = new ConcurrencyLimit(16);
    const wave = await Promise.all(Array.from({ length: 16 }, async () => limit.acquire()));
    for (const slot of wave) slot.release(true);
    expect(limit.limit).toBe(8);
    (await limit.acquire()).release(true);
    expect(limit.limit).toBe(4);
  });

  test('the limit never falls below one', async () => {
    const limit = new ConcurrencyLimit(4);
    for (let step = 0; step < 10; step += 1) (await limit.acquire()).release(true);
    expect(limit.limit).toBe(1);
    (await limit.acquire()).release(false);
  });

  test('the limit rises by one for each round that passes, up to its maximum', async () => {
    const limit = new ConcurrencyLimit(8);
    (await limit.acquire()).release(true);
    expect(limit.limit).toBe(4);
    for (let step = 0; step < 4; step += 1) (await limit.acquire()).release(false);
    expect(limit.limit).toBe(5);
    for (let step = 0; step < 100; step += 1) (await limit.acquire()).release(false);
    expect(limit.limit).toBe(8);
  });

  test('who gives up waiting leaves the queue to the others', async () => {
    const limit = new ConcurrencyLimit(1);
    const first = await limit.acquire();
    const control = new AbortController();
    const second = limit.acquire(control.signal);
    const third = limit.acquire();
    control.abort();
    await expect(second).rejects.toMatchObject({ code: 'aborted' });
    first.release(false);
    (await third).release(false);
    (await limit.acquire()).release(false);
  });

  test('a signal that has fired gets no place', async () => {
    const limit = new ConcurrencyLimit(1);
    await expect(limit.acquire(AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    (await limit.acquire()).release(false);
  });
});
