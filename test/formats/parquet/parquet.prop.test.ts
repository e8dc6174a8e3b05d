/**
 * Parquet: what is written is read back, and the same records give the same bytes however they come.
 *
 * Method: records from an alphabet in which what JSON and Parquet could change is frequent: quotes, brackets, line
 * ends, characters of two to four bytes, numbers, null. The same records are written from sources cut differently.
 */
import { parseJson } from '../../../src/base/parse-json.ts';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parquetFormat } from '../../../src/formats/parquet/parquet.ts';
import { makeRecord } from '../../../src/records/make-record.ts';
import type { UtteranceRecord } from '../../../src/records/record.ts';
import { readAll, writeAll } from '../support.ts';

const unit = fc.constantFrom(
  'a',
  '7',
  'é',
  '中',
  'ש',
  '\u{1F600}',
  '\u0301',
  '"',
  '\\',
  '[',
  ']',
  '{',
  '\n',
  '\r',
  ' ',
  '\ufeff',
);
const word = fc.string({ unit, maxLength: 12 });
const name = fc.string({ unit, minLength: 1, maxLength: 5 });
const value = fc.oneof(
  word,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);

const record: fc.Arbitrary<UtteranceRecord> = fc
  .record(
    {
      text: fc.oneof(word, fc.string({ unit, minLength: 500, maxLength: 2000 })).map((text) => `\u{1F600}${text}`),
      intent: fc.oneof(name, fc.array(name, { maxLength: 3 })),
      id: word,
      lang: fc.constantFrom('en', 'pt-BR'),
      entities: fc.constant([{ start: 0, end: 1, type: '"smile"', text: '\u{1F600}', value: '{}' }]),
      features: fc.dictionary(name, value, { maxKeys: 3 }),
      meta: fc.dictionary(name, fc.oneof(value, fc.array(value, { maxLength: 2 })), { maxKeys: 2 }),
    },
    { requiredKeys: ['text'] },
  )
  .map((loose) => makeRecord(loose))
  .filter((made) => 'record' in made)
  .map((made) => made.record);

test('F4: read(write(records)) = records (parquet)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 12 }), async (records) => {
      const { problems, ...read } = await readAll(parquetFormat, await writeAll(parquetFormat, records));
      expect(problems).toEqual([]);
      // Numbers that print alike are alike: minus zero does not survive canonical JSON.
      expect(parseJson(JSON.stringify(read.records))).toEqual(parseJson(JSON.stringify(records)));
    }),
    { numRuns: 300 },
  );
});

test('the same records give the same bytes, however the source is cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 12 }), fc.integer({ min: 1, max: 12 }), async (records, step) => {
      const source = async function* (): AsyncGenerator<readonly UtteranceRecord[]> {
        for (let from = 0; from < records.length; from += step) yield records.slice(from, from + step);
      };
      const bytes = Buffer.concat(await Array.fromAsync(parquetFormat.write?.(source) ?? []));
      expect(bytes.equals(await writeAll(parquetFormat, records))).toBe(true);
    }),
    { numRuns: 50 },
  );
});
