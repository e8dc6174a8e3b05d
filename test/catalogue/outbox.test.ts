/** The outbox in the catalogue (E3 to E5): what is written, claimed and listed. */
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { EventRow } from '../../src/base/event-rows.ts';
import { type Db, openDatabase } from '../../src/catalogue/database.ts';
import { appendEvents, CatalogueOutbox } from '../../src/catalogue/outbox.ts';
import type { Claim, Outbox } from '../../src/events/outbox.ts';

const NOW = 1_000_000;

let db: Db;
let outbox: Outbox;

beforeEach(() => {
  db = openDatabase(':memory:');
  onTestFinished(() => void db.close());
  outbox = new CatalogueOutbox(db);
});

function row(number: number, dataset = 'support'): EventRow {
  const id = `${dataset}-${number}`;
  const time = '2026-03-01T12:00:00.000Z';
  return { id, type: 't', dataset, version: `v${number}`, previous: undefined, time, body: `{"id":"${id}"}` };
}

function claim(sink = 'a', overrides: Partial<Parameters<Outbox['claim']>[0]> = {}): Claim | undefined {
  return outbox.claim({
    sink,
    owner: 'one',
    nowMs: NOW,
    dueByMs: NOW,
    leaseUntilMs: NOW + 60,
    horizonMs: NOW + 1000,
    ...overrides,
  });
}

const taken = (): Claim => claim() as Claim;

describe('appendEvents', () => {
  test('E3: events vanish with the transaction that would have caused them', () => {
    const commit = db.transaction(() => {
      appendEvents(db, [row(0)], ['a'], NOW);
      throw new Error('the commit fails');
    });
    expect(() => commit.immediate()).toThrow('the commit fails');
    expect(outbox.list()).toEqual([]);
  });

  test('E3: inside a transaction events appear with the rest of it', () => {
    db.transaction(() => appendEvents(db, [row(0), row(1)], ['a', 'b'], NOW)).immediate();
    expect(outbox.list().map(({ event, deliveries }) => [event.id, deliveries.map(({ sink }) => sink)])).toEqual([
      ['support-1', ['a', 'b']],
      ['support-0', ['a', 'b']],
    ]);
  });

  test('E3: appending again changes nothing, not even what was delivered', () => {
    appendEvents(db, [row(0)], ['a'], NOW);
    outbox.recordDelivered(taken(), NOW, NOW + 5);
    const before = outbox.list();
    appendEvents(db, [{ ...row(0), body: 'other' }, row(0)], ['a', 'a'], NOW + 10);
    expect(outbox.list()).toEqual(before);
  });

  test('an event that is appended again is owed to a sink that was not there before', () => {
    appendEvents(db, [row(0)], ['a'], NOW);
    appendEvents(db, [row(0)], ['a', 'b'], NOW);
    expect(outbox.pending().map(({ sink }) => sink)).toEqual(['a', 'b']);
  });

  test('without sinks the event is kept and nothing is owed', () => {
    appendEvents(db, [row(0)], [], NOW);
    expect(outbox.list()).toEqual([{ event: row(0), deliveries: [] }]);
    expect(outbox.pending()).toEqual([]);
  });
});

describe('claim', () => {
  beforeEach(() => appendEvents(db, [row(0), row(1), row(0, 'billing')], ['a', 'b'], NOW));

  test('E4: gives the first event of each dataset, the oldest first, and no second one of a queue', () => {
    expect([claim(), claim(), claim()].map((given) => given?.event.id)).toEqual(['support-0', 'billing-0', undefined]);
    expect(claim('b')?.event.id).toBe('support-0');
    expect(claim('c')).toBeUndefined();
  });

  test('gives the whole event', () => {
    expect(claim()).toEqual({ event: row(0), sink: 'a', owner: 'one', attempts: 0, firstAtMs: undefined });
  });

  test('E5: is taken again only after its lease', () => {
    claim();
    claim();
    expect(claim('a', { nowMs: NOW + 59 })).toBeUndefined();
    expect(claim('a', { nowMs: NOW + 60, owner: 'two' })?.event.id).toBe('support-0');
  });

  test('E5: a lease that no honest clock wrote does not count', () => {
    claim('a', { leaseUntilMs: NOW + 1_000_000 });
    expect(claim()?.event.id).toBe('support-0');
  });

  test('E4: a failed event holds its queue back until it is due', () => {
    outbox.recordFailure(taken(), { error: 'down', startedAtMs: NOW, nextAtMs: NOW + 100 });
    outbox.recordDelivered(taken(), NOW, NOW);
    expect(claim()).toBeUndefined();
    expect(claim('a', { dueByMs: NOW + 100 })).toMatchObject({
      event: { id: 'support-0' },
      attempts: 1,
      firstAtMs: NOW,
    });
  });

  test('E7: a dead event holds nothing back', () => {
    outbox.recordFailure(taken(), { error: 'down', startedAtMs: NOW, nextAtMs: undefined });
    expect(claim()?.event.id).toBe('support-1');
  });

  test('released, it is as if it had not been taken', () => {
    const given = taken();
    outbox.release(given, 'no secret');
    expect(claim()).toEqual(given);
    expect(outbox.pending()[0]?.lastError).toBe('no secret');
  });

  test('E5: only its owner extends, releases or fails it', () => {
    const lost = taken();
    expect(outbox.extend(lost, NOW + 100)).toBe(true);
    claim('a', { nowMs: NOW + 100, owner: 'two', leaseUntilMs: NOW + 500 });
    expect(outbox.extend(lost, NOW + 900)).toBe(false);
    outbox.release(lost);
    outbox.recordFailure(lost, { error: 'late', startedAtMs: NOW, nextAtMs: undefined });
    expect(outbox.pending()[0]).toMatchObject({ claimedBy: 'two', claimedUntilMs: NOW + 500, attempts: 0 });
  });

  test('a delivery counts, whoever holds the claim by then', () => {
    const lost = taken();
    claim('a', { nowMs: NOW + 60, owner: 'two' });
    outbox.recordDelivered(lost, NOW, NOW + 70);
    expect(outbox.list({ state: 'delivered' }).map(({ event }) => event.id)).toEqual(['support-0']);
  });
});

describe('retry', () => {
  beforeEach(() => {
    appendEvents(db, [row(0), row(1), row(2)], ['a'], NOW);
    outbox.recordDelivered(taken(), NOW, NOW);
    outbox.recordFailure(taken(), { error: 'down', startedAtMs: NOW, nextAtMs: undefined });
    outbox.recordFailure(taken(), { error: 'down', startedAtMs: NOW, nextAtMs: NOW + 900 });
    outbox.disableSink('a', 'gone', NOW);
  });

  const due = () => outbox.pending().map(({ event, nextAtMs }) => [event, nextAtMs]);

  test.each([
    [
      'dead' as const,
      1,
      [
        ['support-1', NOW + 5],
        ['support-2', NOW + 900],
      ],
    ],
    [
      'all' as const,
      2,
      [
        ['support-1', NOW + 5],
        ['support-2', NOW + 5],
      ],
    ],
    [{ event: 'support-2' }, 1, [['support-2', NOW + 5]]],
    [{ event: 'support-' }, 0, [['support-2', NOW + 900]]],
    [{ event: 'support-0' }, 0, [['support-2', NOW + 900]]],
  ])('of %o makes %i due at once', (selection, count, pending) => {
    expect(outbox.retry(selection, NOW + 5)).toBe(count);
    expect(due()).toEqual(pending);
    expect(outbox.disabledSinks().size).toBe(count === 0 ? 1 : 0);
  });

  test('finds an event by the beginning of its id', () => {
    appendEvents(db, [row(7, 'unique')], ['b'], NOW);
    expect(outbox.retry({ event: 'uniq' }, NOW)).toBe(1);
  });
});

test('E8: trust is kept by fingerprint', () => {
  outbox.trust(['x', 'y', 'x'], NOW);
  expect(['x', 'y', 'z'].map((fingerprint) => outbox.isTrusted(fingerprint))).toEqual([true, true, false]);
});

test('a list is the newest first, of one dataset or state, and as long as asked for', () => {
  appendEvents(db, [row(0), row(0, 'billing'), row(1)], ['a'], NOW);
  outbox.recordDelivered(taken(), NOW, NOW);
  const listed = (filter: Parameters<Outbox['list']>[0]) => outbox.list(filter).map(({ event }) => event.id);
  expect(listed({})).toEqual(['support-1', 'billing-0', 'support-0']);
  expect(listed({ dataset: 'support' })).toEqual(['support-1', 'support-0']);
  expect(listed({ state: 'pending', limit: 1 })).toEqual(['support-1']);
  expect(listed({ state: 'delivered' })).toEqual(['support-0']);
});

test('the claims of owners that are gone are free', () => {
  appendEvents(db, [row(0), row(0, 'billing')], ['a'], NOW);
  claim('a', { owner: 'gone' });
  claim('a', { owner: 'alive' });
  outbox.releaseGone((owner) => owner === 'gone');
  expect(outbox.pending().map(({ claimedBy }) => claimedBy)).toEqual([undefined, 'alive']);
});

test('a receiver that writes novels is cut short in the catalogue', () => {
  appendEvents(db, [row(0)], ['a'], NOW);
  outbox.recordFailure(taken(), { error: 'x'.repeat(10_000), startedAtMs: NOW, nextAtMs: NOW });
  expect(outbox.pending()[0]?.lastError).toHaveLength(500);
});
