/**
 * Dialogflow ES and CX, wit.ai, Amazon Lex V2: what is written is read back, but for what the writer says is lost.
 *
 * Method: records that a format carries whole must come back the same without any loss; for records of every shape, one
 * by one, no loss means the same record, and a record that is left out is counted as such.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dialogflowCxFormat } from '../../src/formats/dialogflow/dialogflow-cx.ts';
import { dialogflowEsFormat } from '../../src/formats/dialogflow/dialogflow-es.ts';
import { lexFormat } from '../../src/formats/lex/lex.ts';
import { witFormat } from '../../src/formats/wit/wit.ts';
import { asSet, oddName, records, roundTrip } from './odd-records.ts';
import { writeAll } from './support.ts';

const uuid = fc.option(fc.uuid({ version: 4 }), { nil: undefined });
const ownType = oddName.filter((name) => !/[:@]|^wit\$|^\s*sys\./u.test(name));

const carried = {
  'dialogflow-es': records(
    { intent: oddName, id: uuid, lang: fc.constantFrom('en', 'pt-BR') },
    fc.record({ type: oddName.filter((name) => !name.includes('@')), role: fc.constantFrom(undefined, 'from', 'to') }),
    false,
  ),
  'dialogflow-cx': records(
    {
      intent: oddName,
      id: uuid,
      lang: fc.constantFrom('en', 'pt-BR'),
      meta: fc.constantFrom(undefined, { repeatCount: 2 }),
    },
    fc.oneof(fc.record({ type: ownType }), fc.constant({ type: 'own', role: 'my-role' })),
    false,
  ),
  wit: records(
    {
      intent: fc.option(oddName, { nil: undefined }),
      lang: fc.constant('fr'),
      features: fc.constantFrom(undefined, { wit$on_off: 'on' }, { a: '', 'b/c': 'é' }),
    },
    fc.record({ type: ownType, role: fc.constantFrom(undefined, 'from', 'a:b') }),
    false,
  ),
};

const everything = records(
  {
    intent: fc.oneof(oddName, fc.constantFrom(undefined, ['a', 'b'])),
    id: fc.constantFrom(undefined, 'r1', '39787c24-565e-4cf9-ab38-517677deb47a'),
    lang: fc.constantFrom(undefined, 'en', 'en-US', 'pt-BR', 'en_US', 'klingon!'),
    features: fc.constantFrom(undefined, { followUpOf: 'greet' }, { followUpOf: 3 }, { role: 'x', n: 1 }, { n: null }),
    meta: fc.constantFrom(
      undefined,
      { template: true, intent: 'greet' },
      { fallback: true },
      { repeatCount: 2 },
      { repeatCount: 'x' },
      { note: 1 },
    ),
  },
  fc.record({
    type: fc.oneof(oddName, fc.constantFrom('sys.ignore', 'wit$on', 'a:b', 'AMAZON.City')),
    role: fc.constantFrom(undefined, 'from', 'on'),
    group: fc.constantFrom(undefined, '1'),
    value: fc.constantFrom(undefined, 'v', ''),
  }),
);

const FORMATS = { 'dialogflow-es': dialogflowEsFormat, 'dialogflow-cx': dialogflowCxFormat, wit: witFormat };

describe('round trips of archives', () => {
  test.each(Object.keys(FORMATS) as (keyof typeof FORMATS)[])(
    'F4: read(write(records)) = records without any loss (%s)',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(carried[name], async (given) => {
          const { records: read, problems, losses, count } = await roundTrip(FORMATS[name], given);
          expect([problems, losses, count]).toEqual([[], [], given.length]);
          expect(asSet(read)).toEqual(asSet(given));
        }),
        { numRuns: 200 },
      );
    },
  );

  test.each(Object.values({ ...FORMATS, lex: lexFormat }).map((format) => [format.name, format] as const))(
    'F4: a record of any shape comes back the same, or its loss is told (%s)',
    async (_, format) => {
      await fc.assert(
        fc.asyncProperty(everything, async (all) => {
          for (const given of all) {
            const { records: read, problems, losses, count } = await roundTrip(format, [given]);
            expect(problems).toEqual([]);
            expect(read).toHaveLength(count);
            expect(losses.includes('record')).toBe(count === 0);
            expect(losses.length === 0 ? read : [given]).toEqual([given]);
            const becomesSlots = format === lexFormat && losses.includes('entities');
            for (const { text, intent } of read) {
              expect(becomesSlots || text === given.text).toBe(true);
              const isIntentKept = JSON.stringify(intent) === JSON.stringify(given.intent);
              expect(becomesSlots || losses.includes('intent') || isIntentKept).toBe(true);
            }
          }
        }),
        { numRuns: 150 },
      );
    },
  );

  test('the same records give the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(everything, async (given) => {
        for (const format of Object.values({ ...FORMATS, lex: lexFormat })) {
          expect((await writeAll(format, given)).equals(await writeAll(format, structuredClone(given)))).toBe(true);
        }
      }),
      { numRuns: 20 },
    );
  });
});
