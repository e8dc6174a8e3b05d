/**
 * Delivery over a real catalogue: order and blocking (E4), claims (E5), crashes (E6), retries (E7), trust (E8).
 *
 * A crash is a hook that throws at a named point: nothing after it runs, as when the process ends. The next
 * delivery is another process, with its own connection to the same file.
 */
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type CrashPoint, setCrashHook } from '../../src/base/crash-points.ts';
import { UttrError } from '../../src/base/errors.ts';
import { type Db, openDatabase } from '../../src/catalogue/database.ts';
import { appendEvents, CatalogueOutbox } from '../../src/catalogue/outbox.ts';
import { type DeliverOptions, deliverPending } from '../../src/events/deliver.ts';
import { describeDelivery } from '../../src/events/delivery-report.ts';
import type { Outbox } from '../../src/events/outbox.ts';
import type { DeliveryOutcome, Sink } from '../../src/events/sinks/sink.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';
import { constantRandom, event, ManualClock, ScriptedSink } from './doubles.ts';

const HOUR_MS = 3_600_000;
const FAILED: DeliveryOutcome = { kind: 'failed', reason: 'the receiver answered 500' };

let path: string;
let db: Db;
let outbox: Outbox;
let clock: ManualClock;
let sink: ScriptedSink;

beforeEach(() => {
  path = join(temporaryDirectory(), 'catalogue.db');
  db = openDatabase(path);
  onTestFinished(() => void db.close());
  outbox = new CatalogueOutbox(db);
  clock = new ManualClock();
  sink = new ScriptedSink();
});

function append(numbers: readonly number[], dataset = 'support', sinks: readonly string[] = [sink.name]): void {
  const events = numbers.map((number) => event(number, dataset));
  appendEvents(db, events, sinks, clock.now().getTime());
}

function deliver(overrides: Partial<DeliverOptions> = {}) {
  return deliverPending({
    outbox,
    sinks: [sink],
    clock,
    random: constantRandom(255),
    trustAll: true,
    wait: async (delayMs) => clock.advance(delayMs),
    ...overrides,
  });
}

const ids = (numbers: readonly number[], dataset = 'support') => numbers.map((number) => event(number, dataset).id);

describe('order', () => {
  test('E4: the events of a dataset are sent in the order they were written', async () => {
    append([3, 1, 2]);
    const report = await deliver();
    expect(sink.ids).toEqual(ids([3, 1, 2]));
    expect(report.delivered.map((key) => key.event)).toEqual(ids([3, 1, 2]));
    expect(report.left).toEqual([]);
  });

  test('E4: a failed event holds back the later ones of its dataset, and no other dataset', async () => {
    append([0, 1]);
    append([0, 1], 'billing');
    sink.answers.push(FAILED);
    const report = await deliver();
    expect(sink.ids).toEqual([...ids([0]), ...ids([0, 1], 'billing')]);
    expect(report.left).toMatchObject([{ sink: 'ci', reason: 'waiting', count: 2 }]);

    clock.advance(HOUR_MS);
    await deliver();
    expect(sink.ids.slice(3)).toEqual(ids([0, 1]));
  });

  test('E4: a sink that fails holds back no other sink', async () => {
    const other = new ScriptedSink('other');
    append([0, 1], 'support', ['ci', 'other']);
    sink.answers.push(FAILED);
    await deliver({ sinks: [sink, other] });
    expect(other.ids).toEqual(ids([0, 1]));
    expect(sink.ids).toEqual(ids([0]));
  });

  test('a sink that hangs delays no other sink', async () => {
    const other = new ScriptedSink('other');
    append([0], 'support', ['ci', 'other']);
    const { promise, resolve } = Promise.withResolvers<DeliveryOutcome>();
    sink.answers.push(() => promise);
    const end = deliver({ sinks: [sink, other] });
    await vi.waitFor(() => expect(other.ids).toEqual(ids([0])));
    resolve({ kind: 'delivered' });
    expect((await end).delivered).toHaveLength(2);
  });
});

describe('retries', () => {
  test('E7: without a time budget everything due is tried once', async () => {
    append([0]);
    sink.answers.push(FAILED, FAILED);
    const report = await deliver({ random: constantRandom(0) });
    expect(sink.ids).toEqual(ids([0]));
    expect(report.failed).toMatchObject([{ attempts: 1, reason: 'the receiver answered 500' }]);
  });

  test('E7: within a time budget retries are waited for, and what succeeds at last is no failure', async () => {
    append([0, 1]);
    sink.answers.push(FAILED, FAILED);
    const report = await deliver({ timeBudgetMs: 10_000 });
    expect(sink.ids).toEqual(ids([0, 0, 0, 1]));
    expect(report).toMatchObject({ failed: [], left: [], delivered: [{}, {}] });
  });

  test('E7: a time budget is never overrun by waiting', async () => {
    append([0]);
    sink.answers.push(FAILED, FAILED, FAILED, FAILED, FAILED);
    const startMs = clock.now().getTime();
    // Waits of 1, 2 and 4 s; the next one, 8 s, would end after the budget.
    const report = await deliver({ timeBudgetMs: 10_000 });
    expect(sink.received).toHaveLength(4);
    expect(clock.now().getTime() - startMs).toBe(7000);
    expect(report.left).toMatchObject([{ reason: 'waiting', count: 1 }]);
  });

  test('E7: no attempt begins once the time budget is spent', async () => {
    append([0, 1]);
    sink.answers.push(async () => {
      clock.advance(5000);
      return { kind: 'delivered' };
    });
    const report = await deliver({ timeBudgetMs: 5000 });
    expect(sink.ids).toEqual(ids([0]));
    expect(report.left).toMatchObject([{ reason: 'no-time', count: 1 }]);
  });

  test('E7: an event is not sent before the receiver said to come back', async () => {
    append([0]);
    sink.answers.push({ kind: 'failed', reason: 'the receiver answered 429', retryAfterMs: 90_000 });
    await deliver();
    clock.advance(89_999);
    await deliver();
    expect(sink.received).toHaveLength(1);
    clock.advance(1);
    await deliver();
    expect(sink.received).toHaveLength(2);
  });

  test('E7: after 24 hours of failures an event is dead, listed, and out of the way of the next', async () => {
    append([0, 1]);
    sink.answers.push(...Array.from({ length: 34 }, () => FAILED));
    for (let hour = 0; hour < 23; hour++) {
      await deliver();
      clock.advance(HOUR_MS);
    }
    expect(outbox.list({ state: 'dead' })).toEqual([]);
    await deliver();
    clock.advance(HOUR_MS);
    sink.answers.length = 1;
    const report = await deliver();
    expect(report.failed).toMatchObject([{ event: event(0).id, attempts: 25, nextAtMs: undefined }]);
    expect(report.delivered).toMatchObject([{ event: event(1).id }]);
    expect(outbox.list({ state: 'dead' }).map((listed) => listed.event.id)).toEqual(ids([0]));
    expect(describeDelivery(report, clock.now().getTime())).toEqual([
      '1 event delivered to ci.',
      `Event ${event(0).id} for ci is given up after 25 attempts: the receiver answered 500.`,
    ]);
  });

  test('a dead event that is retried gets a fresh 24 hours', async () => {
    append([0]);
    sink.answers.push(FAILED, FAILED, FAILED, FAILED);
    for (let day = 0; day < 3; day++) {
      await deliver();
      clock.advance(24 * HOUR_MS);
    }
    expect(outbox.list({ state: 'dead' })).toHaveLength(1);
    expect(outbox.retry('dead', clock.now().getTime())).toBe(1);
    await deliver();
    expect(outbox.list()[0]?.deliveries).toMatchObject([{ state: 'pending', attempts: 1 }]);
    clock.advance(HOUR_MS);
    expect((await deliver()).delivered).toHaveLength(1);
  });

  test('a clock that was far ahead blocks nothing once it is right again', async () => {
    append([0]);
    clock.advance(1000 * 24 * HOUR_MS);
    sink.answers.push(FAILED);
    await deliver();
    clock.advance(-1000 * 24 * HOUR_MS);
    expect((await deliver()).delivered).toHaveLength(1);
  });
});

describe('refusals', () => {
  test('E8: a sink without trust gets nothing until this machine trusts it', async () => {
    append([0, 1]);
    const report = await deliver({ trustAll: false });
    expect(sink.received).toEqual([]);
    expect(report.left).toMatchObject([
      { sink: 'ci', reason: 'not-trusted', count: 2, hint: expect.stringContaining('uttr events trust') as string },
    ]);
    outbox.trust([sink.fingerprint], clock.now().getTime());
    expect((await deliver({ trustAll: false })).delivered).toHaveLength(2);
  });

  test('E8: a receiver that is gone disables the sink, and its events stay until they are retried', async () => {
    append([0, 1]);
    sink.answers.push({ kind: 'gone', reason: 'the receiver answered 410' });
    const report = await deliver({ timeBudgetMs: 60_000 });
    expect(report.left).toMatchObject([{ reason: 'disabled', count: 2, detail: 'the receiver answered 410' }]);
    clock.advance(HOUR_MS);
    await deliver();
    expect(sink.ids).toEqual(ids([0]));
    outbox.retry('all', clock.now().getTime());
    await deliver();
    expect(sink.ids).toEqual(ids([0, 0, 1]));
  });

  test('a sink that is not ready keeps its events, and no attempt is counted', async () => {
    append([0, 1]);
    sink.answers.push({ kind: 'unready', reason: 'HOOK is not set', hint: 'set HOOK' });
    const report = await deliver({ timeBudgetMs: 60_000 });
    expect(report.left).toMatchObject([{ reason: 'not-ready', count: 2, detail: 'HOOK is not set', hint: 'set HOOK' }]);
    expect(outbox.pending()).toMatchObject([{ attempts: 0, claimedBy: undefined }, { attempts: 0 }]);
    expect((await deliver()).delivered).toHaveLength(2);
  });

  test('events for a sink that is no longer configured stay, and are reported', async () => {
    append([0], 'support', ['old']);
    const report = await deliver();
    expect(report.left).toMatchObject([{ sink: 'old', reason: 'not-configured', count: 1 }]);
    expect(describeDelivery(report, 0)).toEqual(['1 event for old is kept: uttr.json has no sink "old".']);
  });

  test('a sink that throws is a failed attempt', async () => {
    append([0]);
    sink.answers.push(() => Promise.reject(new Error('unexpected')));
    expect((await deliver()).failed).toMatchObject([{ reason: 'unexpected' }]);
  });
});

describe('claims', () => {
  test('E5: what one process is sending, another does not send', async () => {
    append([0, 1]);
    const { promise, resolve } = Promise.withResolvers<DeliveryOutcome>();
    sink.answers.push(() => promise);
    const first = deliver();
    await vi.waitFor(() => expect(sink.received).toHaveLength(1));
    const report = await deliver({ timeBudgetMs: 5000 });
    expect(report).toMatchObject({ delivered: [], left: [{ reason: 'claimed', count: 2 }] });
    resolve({ kind: 'delivered' });
    await first;
    expect(sink.ids).toEqual(ids([0, 1]));
  });

  test('E5: a claim is kept for as long as its process gives signs of life', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    append([0]);
    const { promise, resolve } = Promise.withResolvers<DeliveryOutcome>();
    sink.answers.push(() => promise);
    const first = deliver();
    await vi.waitFor(() => expect(sink.received).toHaveLength(1));
    for (let minute = 0; minute < 120; minute++) {
      clock.advance(30_000);
      vi.advanceTimersByTime(30_000);
      expect((await deliver()).left).toMatchObject([{ reason: 'claimed' }]);
    }
    resolve({ kind: 'delivered' });
    await first;
    expect(sink.received).toHaveLength(1);
  });

  test('E5: an outcome of a claim that was lost does not undo what the next one did', async () => {
    append([0]);
    sink.answers.push(async () => {
      // This process sleeps past its lease while another one delivers.
      clock.advance(2 * 60_000);
      await deliver();
      return FAILED;
    });
    await deliver();
    expect(outbox.list()[0]?.deliveries).toMatchObject([{ state: 'delivered', attempts: 1 }]);
  });

  test('an interruption gives the event back as it was', async () => {
    append([0]);
    const controller = new AbortController();
    sink.answers.push(async () => {
      controller.abort();
      throw new UttrError('aborted', 'interrupted');
    });
    await expect(deliver({ signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
    expect(outbox.pending()).toMatchObject([{ attempts: 0, claimedBy: undefined }]);
    expect((await deliver()).delivered).toHaveLength(1);
  });

  test('an interruption ends the wait for a retry', async () => {
    append([0]);
    sink.answers.push(FAILED);
    const controller = new AbortController();
    const end = deliver({
      signal: controller.signal,
      timeBudgetMs: 60_000,
      wait: (_delayMs, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error));
          controller.abort();
        }),
    });
    await expect(end).rejects.toMatchObject({ code: 'aborted' });
    expect(outbox.pending()).toMatchObject([{ attempts: 1, claimedBy: undefined }]);
  });
});

describe('crashes', () => {
  const POINTS: readonly CrashPoint[] = ['delivery.claimed', 'delivery.sent', 'delivery.recorded'];

  function crashAt(point: CrashPoint, hit: number): void {
    let hits = 0;
    setCrashHook((reached) => {
      if (reached === point && ++hits === hit) throw new Error(`crash at ${point}`);
    });
    onTestFinished(() => setCrashHook(undefined));
  }

  /** What another process with its own connection sees and does. */
  async function deliverElsewhere(overrides: Partial<DeliverOptions> = {}): Promise<void> {
    const other = openDatabase(path);
    try {
      await deliver({ outbox: new CatalogueOutbox(other), ...overrides });
    } finally {
      other.close();
    }
  }

  describe.each(POINTS)('at %s', (point) => {
    test.each([1, 2, 3])('E6: hit %i: nothing is lost, and what is repeated is the same event', async (hit) => {
      append([0, 1, 2]);
      append([0], 'billing');
      crashAt(point, hit);
      await expect(deliver()).rejects.toThrow('crash');
      setCrashHook(undefined);
      clock.advance(61_000);
      await deliverElsewhere();

      expect(outbox.pending()).toEqual([]);
      const unique = sink.received.filter((row, index) => sink.ids.indexOf(row.id) === index);
      expect(unique).toEqual([event(0), event(1), event(2), event(0, 'billing')]);
      // Only a crash between sending and recording repeats an event, and only that one.
      expect(sink.received.length - unique.length).toBe(point === 'delivery.sent' ? 1 : 0);
    });
  });

  test('E5: the claim of a process that is known to be gone is free at once', async () => {
    append([0]);
    crashAt('delivery.claimed', 1);
    await expect(deliver({ owner: 'machine:4711' })).rejects.toThrow('crash');
    setCrashHook(undefined);
    await deliverElsewhere({ isGone: () => false });
    expect(sink.received).toEqual([]);
    await deliverElsewhere({ isGone: (owner) => owner === 'machine:4711' });
    expect(sink.received).toEqual([event(0)]);
  });

  test('E6: the lease of a process that crashed runs out', async () => {
    append([0]);
    crashAt('delivery.claimed', 1);
    await expect(deliver()).rejects.toThrow('crash');
    setCrashHook(undefined);
    clock.advance(59_999);
    await deliverElsewhere();
    expect(sink.received).toEqual([]);
    clock.advance(1);
    await deliverElsewhere();
    expect(sink.received).toEqual([event(0)]);
  });
});

test('a report reads as sentences', async () => {
  append([0, 1]);
  append([0], 'billing');
  const silent: Sink = new ScriptedSink('quiet');
  append([5], 'support', ['quiet']);
  sink.answers.push(FAILED);
  const report = await deliver({ sinks: [sink, silent] });
  expect(describeDelivery(report, clock.now().getTime())).toEqual([
    '1 event delivered to quiet.',
    '1 event delivered to ci.',
    '2 events for ci are kept: the receiver answered 500; next attempt in 1 s.',
  ]);
});
