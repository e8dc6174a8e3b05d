/**
 * CLU: what is written is read back, but for what the writer says it lost.
 *
 * Method: records whose texts and names are made of what JSON escapes, of brackets, of right-to-left letters and of
 * characters of one or two code units, with entities anywhere; the expected records are made from the originals by
 * dropping exactly the fields that are declared lost.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { cluFormat } from '../../../src/formats/clu/clu.ts';
import { makeRecord } from '../../../src/records/make-record.ts';
import type { UtteranceRecord } from '../../../src/records/record.ts';
import { readAll, writeAll } from '../support.ts';

const unit = fc.constantFrom(
  'a',
  ' ',
  '"',
  '\\',
  '\n',
  '\t',
  '[',
  ']',
  '{',
  '}',
  '(',
  '@',
  'é',
  '\u05d0',
  '\u202e',
  '\u{1F600}',
);
const name = fc.string({
  unit: fc.constantFrom('a', 'B', '/', '"', '{', 'é', '\u{1F600}'),
  minLength: 1,
  maxLength: 4,
});

const record: fc.Arbitrary<UtteranceRecord> = fc
  .record(
    {
      text: fc.oneof(
        { weight: 9, arbitrary: fc.string({ unit, minLength: 1, maxLength: 20 }) },
        fc.constant('é'.repeat(501)),
      ),
      intent: fc.oneof(name, fc.array(name, { maxLength: 2 })),
      lang: fc.constantFrom('en-us', 'de'),
      id: name,
      entities: fc.array(
        fc.record({ start: fc.nat(19), length: fc.integer({ min: 1, max: 8 }), type: name, role: name }),
        {
          maxLength: 4,
        },
      ),
      features: fc.constant({ n: 1 }),
    },
    { requiredKeys: ['text'] },
  )
  .map(({ entities = [], ...loose }) => {
    const count = Array.from(loose.text).length;
    const spans = entities.map(({ start, length, type, role }) => ({
      start,
      end: Math.min(start + length, count),
      type,
      role,
    }));
    return makeRecord({ ...loose, entities: spans.filter(({ start, end }) => start < end) });
  })
  .filter((made) => 'record' in made)
  .map((made) => made.record);

/** What the losses leave of a record. */
function carried({ text, intent, lang, entities }: UtteranceRecord, language: string): unknown {
  const spans = entities?.map(({ start, end, type }) => ({ start, end, type }));
  const made = makeRecord({ text, intent, lang: lang ?? language, entities: spans });
  return 'record' in made ? made.record : made.problems;
}

test('F4: read(write(records)) = records without what is declared lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 8 }), async (records) => {
      const bytes = await writeAll(cluFormat, records, { side: 'train' });
      expect(await writeAll(cluFormat, records, { side: 'train' })).toEqual(bytes);
      const { language } = (JSON.parse(bytes.toString()) as { metadata: { language: string } }).metadata;
      const kept = records.filter(({ intent, text }) => typeof intent === 'string' && text.length <= 500);
      const read = await readAll(cluFormat, bytes);
      expect(read.problems).toEqual([]);
      expect(read.records).toEqual(kept.map((item) => carried(item, language)));
      expect(new Set(read.splits)).toEqual(new Set(kept.length === 0 ? [] : ['train']));
    }),
    { numRuns: 300 },
  );
});
