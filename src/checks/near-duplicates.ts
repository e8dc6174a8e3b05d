/**
 * Texts that are nearly equal but have other intents, or stand on other sides.
 *
 * Of two such texts with other intents one is likely to be labelled wrongly: without a model nothing tells label
 * errors better. On two sides they make a test easier than life.
 */
import { type CheckedRecord, defineCheck, intentsOf, quote } from './check.ts';
import { count, flag, number } from './parameters.ts';

export const nearDuplicates = defineCheck({
  name: 'near-duplicates',
  title: 'nearly equal texts with other intents, or on other sides',
  severity: 'warn',
  parameters: {
    threshold: number(0.9, 'Share of equal character trigrams (Jaccard) from which texts are nearly equal.', {
      minimum: 0.5,
      maximum: 1,
    }),
    intents: flag(true, 'Tell pairs with other intents.'),
    sides: flag(true, 'Tell pairs on other sides.'),
    maxPairs: count(1_000_000, 'Pairs after which the search ends: texts made from one template have no end of them.'),
  },
  likeness: ({ threshold }) => threshold,
  looksAt: () => 'nothing',
  start: ({ pairs, find }, { threshold, intents, sides, maxPairs }) => ({
    finish() {
      const told: Record<'intent' | 'side', [CheckedRecord, CheckedRecord, number][]> = { intent: [], side: [] };
      let count = 0;
      const isWhole = pairs(threshold, (left, right, similarity) => {
        if (intents && !sharesIntent(left, right)) told.intent.push([left, right, similarity]);
        else if (sides && left.side !== right.side) told.side.push([left, right, similarity]);
        return ++count < maxPairs;
      });
      // Pairs with other intents come first: they are errors more often than not.
      for (const place of ['intent', 'side'] as const) {
        for (const [left, right, similarity] of told[place]) {
          find({
            subject: [left.group, right.group].sort(),
            records: [left, right],
            place,
            message: describe(left, right, similarity, place),
            hint: HINTS[place],
          });
        }
      }
      if (isWhole) return;
      find({
        subject: ['too many'],
        place: 'dataset',
        message: `the search ended after ${maxPairs} nearly equal pairs`,
        hint: 'remove what a template made, raise "threshold", or raise "maxPairs"',
      });
    },
  }),
});

function sharesIntent(left: CheckedRecord, right: CheckedRecord): boolean {
  const others = intentsOf(right.record);
  return intentsOf(left.record).some((intent) => others.includes(intent));
}

const HINTS = {
  intent: 'see which of the two intents is right',
  side: 'keep one of them, or accept an easier test',
} as const;

function describe(left: CheckedRecord, right: CheckedRecord, similarity: number, place: keyof typeof HINTS): string {
  const [a, b] = [left, right].map(({ record, side }) =>
    place === 'intent' ? `${quote(record.text)} (${intentsOf(record).join(' + ')})` : `${quote(record.text)} (${side})`,
  );
  return `${a} and ${b} are nearly equal (${similarity.toFixed(2)})`;
}
