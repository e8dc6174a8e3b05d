/**
 * nlp.js: what is written is read back, but for what the writer says it lost.
 *
 * Method: records whose texts and intents are made of what JSON escapes, of `@`, of right-to-left letters and of
 * characters of one or two code units; the expected records are the originals that have one intent, in the order of
 * their intents, with nothing but text and intent, and the language where all have the same.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { nlpjsFormat } from '../../../src/formats/nlpjs/nlpjs.ts';
import { makeRecord } from '../../../src/records/make-record.ts';
import type { UtteranceRecord } from '../../../src/records/record.ts';
import { readAll, writeAll } from '../support.ts';

const unit = fc.constantFrom('a', ' ', '"', '\\', '\n', '\t', '[', '{', '}', '@', 'é', '\u05d0', '\u202e', '\u{1F600}');
const name = fc.string({
  unit: fc.constantFrom('a', 'B', '.', '"', '{', 'é', '\u{1F600}'),
  minLength: 1,
  maxLength: 3,
});

const record: fc.Arbitrary<UtteranceRecord> = fc
  .record(
    {
      text: fc.oneof(
        { weight: 9, arbitrary: fc.string({ unit, minLength: 1, maxLength: 20 }) },
        fc.constant('é'.repeat(5000)),
      ),
      intent: fc.oneof({ weight: 3, arbitrary: name }, fc.array(name, { maxLength: 2 })),
      lang: fc.constantFrom('en', 'en', 'en', 'de'),
      id: name,
      meta: fc.constant({ template: true }),
    },
    { requiredKeys: ['text', 'lang'] },
  )
  .map((loose) => makeRecord(loose))
  .filter((made) => 'record' in made)
  .map((made) => made.record);

test('F4: read(write(records)) = records without what is declared lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 8 }), fc.constantFrom('train', 'test'), async (records, side) => {
      const bytes = await writeAll(nlpjsFormat, records, { side });
      expect(await writeAll(nlpjsFormat, records, { side })).toEqual(bytes);
      const read = await readAll(nlpjsFormat, bytes);
      expect(read.problems).toEqual([]);
      const kept = records.filter(({ intent }) => typeof intent === 'string');
      const oneLanguage = new Set(kept.map(({ lang }) => lang)).size === 1;
      const expected = kept
        .toSorted((a, b) => (a.intent === b.intent ? 0 : (a.intent as string) < (b.intent as string) ? -1 : 1))
        .map(({ text, intent, lang }) => ({ text, intent, ...(oneLanguage ? { lang } : {}) }));
      expect(read.records).toEqual(expected);
      expect(new Set(read.splits)).toEqual(new Set(kept.length === 0 ? [] : [side]));
    }),
    { numRuns: 500 },
  );
});
