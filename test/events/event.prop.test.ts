/**
 * E1 and E2 for any change: ids depend on exactly four things, bodies are valid CloudEvents of at most 8 KiB.
 *
 * Method: changes with arbitrary texts (half surrogate pairs, control characters, very long ones) and tables of up
 * to a thousand intents; every body is read back by the CloudEvents SDK, and its totals are compared.
 */
import { CloudEvent } from 'cloudevents';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type ChangeCounts,
  datasetChanged,
  EVENT_BODY_LIMIT_BYTES,
  eventId,
  eventSource,
} from '../../src/events/event.ts';
import { change } from './doubles.ts';

const count = fc.nat({ max: 1_000_000_000 });
const counts = fc.record({ added: count, relabelled: count, updated: count, removed: count });
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ unit: fc.constantFrom('a', '\u0000', '\ud800', '😀', '"', '\\'), maxLength: 3000 }),
);
const words = fc.array(text, { maxLength: 40 });
const table = fc.uniqueArray(
  fc.tuple(
    text.map((name) => name.toWellFormed()),
    counts,
  ),
  { selector: ([name]) => name, maxLength: 300, size: 'max' },
);

test('E2: any body is a valid CloudEvent of at most 8 KiB whose table adds up', () => {
  fc.assert(
    fc.property(
      table,
      words,
      words,
      text,
      text,
      text,
      (changesByIntent, newIntents, vanishedIntents, author, message, source) => {
        const batches = newIntents.map((name, rows) => ({ name, sha256: 'f'.repeat(64), rows }));
        const remote = { name: author, url: source };
        const { body } = datasetChanged(
          change({
            changesByIntent,
            newIntents,
            vanishedIntents,
            author,
            message,
            source,
            batches,
            remote,
            branch: message,
          }),
        );
        expect(Buffer.byteLength(body)).toBeLessThanOrEqual(EVENT_BODY_LIMIT_BYTES);
        const { data } = new CloudEvent(JSON.parse(body) as CloudEvent<never>) as CloudEvent<{
          changes: { byIntent: Record<string, ChangeCounts>; others?: ChangeCounts };
        }>;
        const rows = [
          ...Object.values(data?.changes.byIntent ?? {}),
          ...(data?.changes.others ? [data.changes.others] : []),
        ];
        const sum = (all: readonly ChangeCounts[]): number =>
          all.reduce((total, row) => total + row.added + row.removed, 0);
        expect(sum(rows)).toBe(sum(changesByIntent.map(([, row]) => row)));
      },
    ),
    { numRuns: 150 },
  );
});

test('E1: two events have the same id only when type, dataset, previous and version are the same', () => {
  const part = fc.constantFrom('a', 'b', 'a,b', '"', 'null', '');
  const identity = fc.tuple(part, part, fc.option(part, { nil: undefined }), part);
  fc.assert(
    fc.property(identity, identity, (a, b) => {
      expect(eventId(...a) === eventId(...b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      expect(eventId(...a)).toMatch(/^[0-9a-f]{32}$/u);
    }),
    { numRuns: 1000 },
  );
});

test('E2: the source of a source is itself, and holds no user name or password', () => {
  const urls = fc
    .constantFrom('https://', 's3://', 'file://', 'x', 'ssh://', '//', '%2F%')
    .map((start) => `${start}user:hunter2@`);
  fc.assert(
    fc.property(fc.oneof(fc.webUrl(), urls, fc.constant('')), text, (start, rest) => {
      const source = eventSource(`${start}${rest}`);
      expect(eventSource(source)).toBe(source);
      expect(start.includes('//user') && source.includes('hunter2')).toBe(false);
    }),
    { numRuns: 500 },
  );
});
