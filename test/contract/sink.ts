import { beforeEach, describe, expect, test } from 'vitest';
import type { EventRow } from '../../src/base/event-rows.ts';
import type { Sink } from '../../src/events/sinks/sink.ts';
import { change, event } from '../events/doubles.ts';
import { datasetChanged } from '../../src/events/event.ts';

/** A sink with its receiver, as the contract drives them. */
export interface SinkUnderTest {
  readonly sink: Sink;
  /** The bodies that the receiver took, in order. */
  received(): Promise<readonly string[]>;
  /** How the receiver behaves from now on. */
  behave(behaviour: 'takes' | 'fails' | 'hangs'): Promise<void>;
}

/**
 * Runs the whole contract of Sink; an implementation may skip a clause only by saying why.
 *
 * @param open makes a sink whose receiver takes events; called once a clause.
 * @param skipped titles of clauses to the reason.
 */
export function describeSink(
  name: string,
  open: () => Promise<SinkUnderTest>,
  skipped: Readonly<Record<string, string>> = {},
): void {
  describe(`Sink contract: ${name}`, () => {
    let subject: SinkUnderTest;
    beforeEach(async () => {
      subject = await open();
    });
    const clause = (title: string, check: () => Promise<void>): void => {
      const reason = skipped[title];
      test(reason === undefined ? title : `${title} (skipped: ${reason})`, { skip: reason !== undefined }, check);
    };
    const deliver = (row: EventRow) => subject.sink.deliver(row);

    clause('E6: a delivered event has arrived once, byte for byte', async () => {
      const sent = datasetChanged(change({ message: 'naïve 😀 "quoted"\nsecond line\u2028\u0007' }));
      expect(await deliver(sent)).toEqual({ kind: 'delivered' });
      expect(await subject.received()).toEqual([sent.body]);
    });

    clause('events arrive in the order they were delivered in', async () => {
      const sent = [event(0), event(1), event(2)];
      for (const row of sent) expect(await deliver(row)).toEqual({ kind: 'delivered' });
      expect(await subject.received()).toEqual(sent.map((row) => row.body));
    });

    clause('the largest event arrives whole', async () => {
      const counts = { added: 1, relabelled: 0, updated: 0, removed: 0 };
      const intents = Array.from({ length: 5000 }, (_, index) => [`intent ${index}`, counts] as const);
      const sent = datasetChanged(change({ changesByIntent: intents }));
      expect(await deliver(sent)).toEqual({ kind: 'delivered' });
      expect(await subject.received()).toEqual([sent.body]);
    });

    clause('E6: an event that is sent again is the same to the last byte', async () => {
      await deliver(event(0));
      await deliver(event(0));
      expect(await subject.received()).toEqual([event(0).body, event(0).body]);
    });

    clause(
      'a receiver that fails gives a failed attempt with a reason, and takes the event when it is back',
      async () => {
        await subject.behave('fails');
        const outcome = await deliver(event(0));
        expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringMatching(/^[^\n]{3,200}$/u) as string });
        await subject.behave('takes');
        expect(await deliver(event(0))).toEqual({ kind: 'delivered' });
        expect((await subject.received()).at(-1)).toBe(event(0).body);
      },
    );

    clause('a signal that fired before keeps everything from the receiver', async () => {
      const signal = AbortSignal.abort();
      await expect(subject.sink.deliver(event(0), { signal })).rejects.toMatchObject({ code: 'aborted' });
      expect(await subject.received()).toEqual([]);
    });

    clause('a signal ends the wait for a receiver that hangs', async () => {
      await subject.behave('hangs');
      const controller = new AbortController();
      const end = subject.sink.deliver(event(0), { signal: controller.signal });
      setTimeout(() => controller.abort(), 50);
      await expect(end).rejects.toMatchObject({ code: 'aborted' });
    });
  });
}
