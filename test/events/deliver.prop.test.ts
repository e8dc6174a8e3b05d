/**
 * E4 and E6 under any mix of failures and crashes: every event arrives at every sink, in order within its queue.
 *
 * Method: events of two datasets for two sinks are appended in random portions; in between, deliveries run with
 * random answers and a crash at a random point. At the end deliveries run undisturbed. The model is the list of
 * what was appended: the first arrivals of each queue must equal it.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CrashPoint, setCrashHook } from '../../src/base/crash-points.ts';
import { openDatabase } from '../../src/catalogue/database.ts';
import { appendEvents, CatalogueOutbox } from '../../src/catalogue/outbox.ts';
import { deliverPending } from '../../src/events/deliver.ts';
import type { DeliveryOutcome } from '../../src/events/sinks/sink.ts';
import { event, ManualClock, ScriptedSink, seededRandom } from './doubles.ts';

const DATASETS = ['support', 'billing'] as const;

const outcome = fc.constantFrom<DeliveryOutcome>(
  { kind: 'delivered' },
  { kind: 'failed', reason: 'down' },
  { kind: 'failed', reason: 'busy', retryAfterMs: 120_000 },
  { kind: 'unready', reason: 'no secret', hint: '' },
  { kind: 'gone', reason: 'gone' },
);
const step = fc.record({
  appended: fc.array(fc.constantFrom(...DATASETS), { maxLength: 3 }),
  answers: fc.array(outcome, { maxLength: 4 }),
  crash: fc.option(
    fc.record({
      point: fc.constantFrom<CrashPoint>('delivery.claimed', 'delivery.sent', 'delivery.recorded'),
      hit: fc.integer({ min: 1, max: 4 }),
    }),
  ),
  pausedMs: fc.nat({ max: 100_000 }),
  budgetMs: fc.option(fc.nat({ max: 20_000 }), { nil: undefined }),
});

test('E4, E6: whatever fails or crashes, each queue arrives whole and in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), fc.integer(), async (steps, seed) => {
      using db = openDisposable();
      const outbox = new CatalogueOutbox(db.connection);
      const clock = new ManualClock();
      const sinks = [new ScriptedSink('a'), new ScriptedSink('b')];
      const random = seededRandom(seed);
      const appended: Record<(typeof DATASETS)[number], string[]> = { support: [], billing: [] };
      const deliver = (timeBudgetMs?: number) =>
        deliverPending({
          outbox,
          sinks,
          clock,
          random,
          trustAll: true,
          timeBudgetMs,
          wait: async (delayMs) => clock.advance(delayMs),
        });

      for (const { appended: datasets, answers, crash, pausedMs, budgetMs } of steps) {
        for (const dataset of datasets) {
          const next = event(appended[dataset].length, dataset);
          appended[dataset].push(next.id);
          appendEvents(db.connection, [next], ['a', 'b'], clock.now().getTime());
        }
        for (const sink of sinks) sink.answers.push(...answers);
        let hits = 0;
        setCrashHook((point) => {
          if (point === crash?.point && ++hits === crash.hit) throw new Error('crash');
        });
        const failure = await deliver(budgetMs).then(() => 'Error: crash', String);
        expect(failure).toBe('Error: crash');
        setCrashHook(undefined);
        clock.advance(pausedMs);
      }

      for (const sink of sinks) sink.answers.length = 0;
      clock.advance(3_600_000);
      outbox.retry('all', clock.now().getTime());
      await deliver();
      expect(outbox.pending()).toEqual([]);
      for (const sink of sinks) {
        for (const dataset of DATASETS) {
          const arrived = sink.received.filter((row) => row.dataset === dataset).map((row) => row.id);
          expect([...new Set(arrived)]).toEqual(appended[dataset]);
        }
      }
    }),
    { numRuns: 60 },
  );
});

function openDisposable() {
  const connection = openDatabase(':memory:');
  return { connection, [Symbol.dispose]: () => void connection.close() };
}
