/**
 * Records over random rows: what makeRecord accepts is canonical, stays what it is, and is found under its key.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, type JsonValue } from '../../src/base/canonical-json.ts';
import { decodeRecord, encodeRecord } from '../../src/records/encode-record.ts';
import {
  compareKeys,
  groupColumn,
  groupOfKey,
  groupPrefix,
  KEY_LIMIT_BYTES,
  recordKey,
} from '../../src/records/key.ts';
import { type LooseRecord, makeRecord } from '../../src/records/make-record.ts';
import type { UtteranceRecord } from '../../src/records/record.ts';
import { fold, norm } from '../../src/records/text.ts';

const word = fc.string({
  unit: fc.constantFrom(
    'a',
    'B',
    ' ',
    '\t',
    '.',
    "'",
    'ß',
    'é',
    'e\u0301',
    '😀',
    '"',
    '\\',
    '\u2028',
    '\ue000',
    '\u0001',
  ),
  maxLength: 12,
});
const name = fc.oneof(word, fc.constantFrom('role', 'constructor', '__proto__', '10', '9', ''));
const scalar = fc.oneof(word, fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.constant(undefined));
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

const loose: fc.Arbitrary<LooseRecord> = fc
  .tuple(
    fc.oneof(
      word,
      fc.nat({ max: 500 }).map((count) => 'é!x'.repeat(count)),
    ),
    fc.nat({ max: 8 }),
    fc.nat({ max: 8 }),
  )
  .chain(([text, from, length]) =>
    fc.record({
      text: fc.constant(text),
      intent: maybe(fc.oneof(word, fc.array(word, { maxLength: 4 }))),
      id: maybe(fc.oneof(word, fc.integer())),
      lang: maybe(fc.constantFrom('de', ' en ', '')),
      entities: maybe(
        fc.array(
          fc.record(
            { start: fc.constantFrom(from, 0), end: fc.constant(from + length), type: word, role: word, value: scalar },
            { requiredKeys: ['start', 'end', 'type'] },
          ),
          { maxLength: 3 },
        ),
      ),
      features: maybe(fc.dictionary(name, scalar, { maxKeys: 4 })),
      meta: maybe(fc.dictionary(name, fc.oneof(scalar, fc.array(scalar), fc.dictionary(name, scalar)), { maxKeys: 3 })),
    }),
  );

/** Rows that can be made into records. */
const made = loose
  .map((row) => makeRecord(row))
  .filter((result) => 'record' in result)
  .map((result) => result.record);

const runs = { numRuns: 250 };

describe('made records', () => {
  test('R8, R12: their canonical JSON reads back as the same record', () => {
    fc.assert(
      fc.property(made, (record) => {
        expect(decodeRecord(encodeRecord(record))).toEqual(record);
      }),
      runs,
    );
  });

  test('R9: making a record of a made record changes nothing', () => {
    fc.assert(
      fc.property(made, (record) => {
        expect(makeRecord(record)).toEqual({ record, trimmed: false });
      }),
      runs,
    );
  });

  test('R10: entities cover the text they name, and come in their one order', () => {
    fc.assert(
      fc.property(made, ({ text, entities = [] }) => {
        const points = Array.from(text);
        for (const entity of entities) expect(points.slice(entity.start, entity.end).join('')).toBe(entity.text);
        const order = entities.map(({ start, end }) => [start, -end] as const);
        expect(order.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])).toEqual(order);
      }),
      runs,
    );
  });

  test('R11: the printer for records agrees with the general one', () => {
    fc.assert(
      fc.property(made, (record) => {
        expect(encodeRecord(record)).toBe(canonicalJson(record as unknown as JsonValue));
      }),
      runs,
    );
  });

  test('R8: no row makes makeRecord throw, and a refused row says why', () => {
    fc.assert(
      fc.property(
        fc.oneof(loose, fc.record({ text: fc.anything(), intent: fc.anything(), entities: fc.anything() })),
        (row) => {
          const result = makeRecord(row);
          expect('record' in result || result.problems.length > 0).toBe(true);
        },
      ),
      runs,
    );
  });
});

describe('keys', () => {
  const pair = fc.tuple(made, made, fc.constantFrom<readonly string[]>([], ['features.role'], ['lang', 'id']));

  test('R5, R6: agree exactly where norm and identity, or fold, agree', () => {
    const same = (a: UtteranceRecord, b: UtteranceRecord, identity: readonly string[]): boolean =>
      norm(a.text) === norm(b.text) &&
      identity.every((field) => {
        const value = (record: UtteranceRecord): unknown =>
          field === 'features.role' ? record.features?.['role'] : record[field as 'id' | 'lang'];
        return value(a) === value(b);
      });
    fc.assert(
      fc.property(pair, ([a, b, identity]) => {
        expect(recordKey(a, identity) === recordKey(b, identity)).toBe(same(a, b, identity));
        const groups = [a, b].map((record) => groupOfKey(recordKey(record, identity)));
        expect(groups[0] === groups[1]).toBe(fold(a.text) === fold(b.text));
        expect(groups[0]).toBe(groupColumn(a.text));
        expect(recordKey(b, identity).startsWith(groupPrefix(groups[0] as string))).toBe(groups[0] === groups[1]);
      }),
      runs,
    );
  });

  test('R7: have two or three columns, no line feed, and a bounded length', () => {
    fc.assert(
      fc.property(pair, ([record, , identity]) => {
        const key = recordKey(record, identity);
        expect(key.split('\t')).toHaveLength(identity.length === 0 ? 2 : 3);
        expect(key).not.toContain('\n');
        expect(Buffer.byteLength(key)).toBeLessThanOrEqual(KEY_LIMIT_BYTES);
      }),
      runs,
    );
  });

  test('are ordered as their UTF-8 bytes are', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '\u0001', '\ud7ff', '\ue000', '\uffff', '😀', '𠀀'),
      maxLength: 4,
    });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      runs,
    );
  });
});
