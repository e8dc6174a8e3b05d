/** One text, several labels: whichever a model learns, it is wrong about the other. */
import { fold } from '../records/text.ts';
import { labelKey } from '../records/stratum.ts';
import { alike, defineCheck, intentsOf, quote, quoteNames } from './check.ts';

export const conflictingLabels = defineCheck({
  name: 'conflicting-labels',
  title: 'one text with several labels',
  severity: 'error',
  parameters: {},
  looksAt: () => 'repeats',
  start: ({ identity, find }) => ({
    group(records) {
      if (records.length < 2) return;
      for (const part of alike(records, identity)) {
        const labels = part.filter(({ record }) => record.intent !== undefined);
        if (new Set(labels.map(({ record }) => labelKey(record.intent))).size < 2) continue;
        const intents = [...new Set(labels.flatMap(({ record }) => intentsOf(record)))].sort();
        const text = labels[0]?.record.text ?? '';
        find({
          subject: [fold(text), ...intents],
          records: labels,
          intents,
          place: 'intent',
          message: `${quote(text)} is labelled ${quoteNames(intents)}`,
          hint: 'relabel or remove all but one; waive it when the text really has both meanings',
        });
      }
    },
  }),
});
