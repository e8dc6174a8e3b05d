/**
 * .lu: what is written is read back, but for what the writer says it lost.
 *
 * Method: records whose texts are made of what means something to .lu, of right-to-left letters and of characters of
 * one or two code units, with labels anywhere; what is read back must be what was given, without the fields that are
 * declared lost, and fewer only by the number of records that are declared left out.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { luFormat } from '../../../src/formats/lu/lu.ts';
import { makeRecord } from '../../../src/records/make-record.ts';
import type { UtteranceRecord } from '../../../src/records/record.ts';
import { readAll } from '../support.ts';

const unit = fc.oneof(
  fc.constantFrom('a', 'b', ' ', '  ', '\\', '{', '}', '[', ']', '(', ')', '|', '=', '@', ':', '#', '-', '>', '"'),
  fc.constantFrom('\n', '\t', 'é', '\u05d0', '\u202e', '\u2028', '\u{1F600}'),
);
const name = fc.oneof(
  fc.constantFrom('City', 'my order', 'to', 'ml', 'list'),
  fc.string({
    unit: fc.constantFrom('a', 'B', '/', '"', '.', ':', '{', '=', '#', '@', ' ', ',', '\u{1F600}'),
    minLength: 1,
    maxLength: 4,
  }),
);

const record: fc.Arbitrary<UtteranceRecord> = fc
  .record(
    {
      text: fc.oneof(
        { weight: 20, arbitrary: fc.string({ unit, minLength: 1, maxLength: 20 }) },
        fc.constant('é{'.repeat(2000)),
      ),
      intent: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom('Book', 'Stop it') },
        name,
        fc.array(name, { maxLength: 2 }),
      ),
      lang: fc.constant('en'),
      id: name,
      entities: fc.array(
        fc.record(
          { start: fc.nat(10), length: fc.integer({ min: 1, max: 8 }), type: name, role: name, value: name },
          { requiredKeys: ['start', 'length', 'type'] },
        ),
        { maxLength: 3 },
      ),
      features: fc.constant({ n: 1 }),
      meta: fc.constantFrom({ template: true, intent: 'Book' }, { template: true }, { by: 'me' }),
    },
    { requiredKeys: ['text'] },
  )
  .map(({ entities = [], ...loose }) => {
    const count = Array.from(loose.text).length;
    const spans = entities.map(({ start, length, ...rest }) => ({
      ...rest,
      start,
      end: Math.min(start + length, count),
    }));
    return makeRecord({ ...loose, entities: spans.filter(({ start, end }) => start < end) });
  })
  .filter((made) => 'record' in made)
  .map((made) => made.record);

/** What the losses leave of a record, as a text to compare. @param withLang whether all records have one language */
function carried(record: UtteranceRecord, withLang: boolean): string {
  const { text, intent, lang, entities, meta } = record;
  const spans = entities?.map(({ start, end, type, role }) => ({ start, end, type, role }));
  const template = meta?.['template'] === true && typeof meta['intent'] === 'string' && intent === undefined;
  const kept = template ? { template: true, intent: meta['intent'] } : undefined;
  return JSON.stringify(makeRecord({ text, intent, entities: spans, meta: kept, ...(withLang ? { lang } : {}) }));
}

test('F4: read(write(records)) = records without what is declared lost', async () => {
  let written = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 8 }), async (records) => {
      const writing = luFormat.write?.(async function* () {
        yield records;
      });
      const parts: Buffer[] = [];
      for await (const bytes of writing ?? []) parts.push(bytes);
      const losses = writing?.report.losses ?? [];
      const read = await readAll(luFormat, Buffer.concat(parts));
      expect(read.problems).toEqual([]);
      const leftOut = losses.filter(({ field }) => field === 'record').reduce((sum, { count }) => sum + count, 0);
      expect(read.records).toHaveLength(records.length - leftOut);
      const withLang = !losses.some(({ field }) => field === 'lang');
      const expected = records.map((item) => carried(item, withLang));
      for (const item of read.records) {
        const at = expected.indexOf(carried(item, true));
        expect(at, `${carried(item, true)} of ${expected.join('; ')}`).toBeGreaterThanOrEqual(0);
        expected.splice(at, 1);
      }
      written += read.records.length;
    }),
    { numRuns: 1000 },
  );
  expect(written).toBeGreaterThan(500);
});

test('any line is read or refused, and never an error of ours', async () => {
  const line = fc.string({ unit: fc.constantFrom(...Array.from('ab {}[]()|\\=@:#>-$*?`!"')), maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
      const { report, records } = await readAll(luFormat, lines.join('\n'));
      expect(report.accepted).toBe(records.length);
    }),
    { numRuns: 500 },
  );
});
