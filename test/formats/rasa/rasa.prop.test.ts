/**
 * Rasa's formats: what is written is read back, or counted as left out; and both ways of reading YAML agree.
 *
 * Method: records from an alphabet in which brackets, braces, quotes, line ends and characters of two to four bytes
 * are frequent. Each record is written by itself, which says whether it can be carried; then all of them together.
 */
import { parseJson } from '../../../src/base/parse-json.ts';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Format } from '../../../src/formats/format.ts';
import { rasaJsonFormat } from '../../../src/formats/rasa/rasa-json.ts';
import { rasaYamlFormat } from '../../../src/formats/rasa/rasa-yaml.ts';
import { encodeRecord } from '../../../src/records/encode-record.ts';
import { makeRecord } from '../../../src/records/make-record.ts';
import type { UtteranceRecord } from '../../../src/records/record.ts';
import { readAll } from '../support.ts';

const LETTERS = ['a', 'B', '7', 'é', '中', 'ש', '\u{1F600}', '\u0301', ' ', '-', '#', "'", '"', '\\', ':', '/'];
const SPECIAL = ['[', ']', '(', ')', '{', '}', '\n', '\t', '\r', '\u2028', '\u0085', '\ufeff', '&', '*', '|', '\u0007'];

const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(...LETTERS), minLength: 1, maxLength: 20 }),
  fc.string({ unit: fc.constantFrom(...LETTERS, ...SPECIAL), minLength: 1, maxLength: 20 }),
  fc.string({ unit: fc.constantFrom('[x](y)', '[x]{"entity":"y"}', 'a ', ']', '['), minLength: 1, maxLength: 4 }),
);
const name = fc
  .oneof(
    fc.string({ unit: fc.constantFrom('a', 'b', '+', '/', ' ', '.', '-', ':', '#', '"', ']', '}', ')'), maxLength: 5 }),
    fc.constantFrom(
      'yes',
      'No',
      'null',
      '1.0',
      '~',
      '@a',
      '*a',
      '&a',
      '- a',
      'true',
      '0x1F',
      '.inf',
      'id',
      'lang',
      'meta',
    ),
  )
  .map((one) => (one.trim() === '' ? 'x' : one.trim()));
const scalar = fc.oneof(
  text,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const fieldName = fc.oneof(
  name,
  fc.constantFrom('id', 'lang', 'features', 'meta', 'metadata', 'rasa_intent', 'intent', 'example'),
);

const record = fc
  .record(
    {
      text,
      intent: fc.oneof(name, fc.array(name, { minLength: 1, maxLength: 3 })),
      id: text,
      lang: fc.constantFrom('en', 'pt-BR'),
      features: fc.dictionary(fieldName, scalar, { maxKeys: 3 }),
      meta: fc.dictionary(fieldName, fc.oneof(scalar, fc.array(scalar, { maxLength: 2 }), fc.constant({ a: 'b+a' })), {
        maxKeys: 2,
      }),
      spans: fc.array(
        fc.record(
          { at: fc.nat(), length: fc.nat(4), type: name, role: name, group: name, value: text },
          { requiredKeys: ['at', 'length', 'type'] },
        ),
        { maxLength: 2 },
      ),
      own: fc.constantFrom('a+b', 'b+a'),
    },
    { requiredKeys: ['text', 'spans'] },
  )
  .map(({ spans, own, ...loose }) => {
    const count = Array.from(loose.text).length;
    const entities = spans.map(({ at, length, ...rest }) => {
      const start = at % count;
      return { start, end: Math.min(count, start + 1 + length), ...rest };
    });
    const kept = own === undefined ? {} : { intent: ['a', 'b'], meta: { ...loose.meta, rasa_intent: own } };
    return makeRecord({ ...loose, ...kept, entities });
  })
  .filter((made) => 'record' in made)
  .map((made) => made.record);

/** The record as any format of Rasa's gives it back; numbers that print alike are alike. */
function carried(one: UtteranceRecord): UtteranceRecord {
  const entities = one.entities?.map(({ value, ...rest }) => (value === rest.text ? rest : { ...rest, value }));
  const made = makeRecord({ ...one, entities });
  if ('problems' in made) throw new Error('a record is a record');
  return parseJson(JSON.stringify(made.record)) as UtteranceRecord;
}

async function written(format: Format, records: readonly UtteranceRecord[]): Promise<[Buffer, number, number]> {
  const writing = format.write?.(async function* () {
    yield records;
  });
  if (writing === undefined) throw new Error(`${format.name} cannot be written`);
  const bytes = Buffer.concat(await Array.fromAsync(writing));
  const left = writing.report.losses
    .filter(({ field }) => field === 'record')
    .reduce((sum, { count }) => sum + count, 0);
  return [bytes, writing.report.records, left];
}

function sorted(records: readonly UtteranceRecord[]): string[] {
  return records.map(encodeRecord).sort();
}

test.each([rasaYamlFormat, rasaJsonFormat].map((format) => [format.name, format] as const))(
  'F4: what is not left out is read back (%s)',
  async (_, format) => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 6 }), async (records) => {
        const expected: UtteranceRecord[] = [];
        for (const one of records) {
          const [bytes, count, left] = await written(format, [one]);
          expect(count + left).toBe(1);
          const read = await readAll(format, bytes);
          expect(read.problems).toEqual([]);
          expect(read.records).toEqual(count === 1 ? [carried(one)] : []);
          if (count === 1) expected.push(carried(one));
        }
        const [bytes, count] = await written(format, records);
        expect(count).toBe(expected.length);
        const { records: found } = await readAll(format, bytes);
        expect(sorted(found)).toEqual(sorted(expected));
        expect((await written(format, found))[0].equals(bytes)).toBe(true);
      }),
      { numRuns: 300 },
    );
  },
);

test('F4: JSON carries every record in its order, but those whose intents would be divided', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 6 }), async (records) => {
      const whole = records.filter(({ intent }) => ![intent ?? []].flat().some((one) => one.includes('+')));
      const [bytes, count] = await written(rasaJsonFormat, whole);
      expect(count).toBe(whole.length);
      expect((await readAll(rasaJsonFormat, bytes)).records).toEqual(whole.map(carried));
    }),
  );
});
