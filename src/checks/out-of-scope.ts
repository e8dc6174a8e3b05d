/** How much of the data teaches a model to say that it does not know. */
import { defineCheck, quoteNames } from './check.ts';
import { names } from './parameters.ts';

export const outOfScope = defineCheck({
  name: 'out-of-scope',
  title: 'the share of texts that no intent is meant for',
  severity: 'info',
  parameters: {
    intents: names(
      ['oos', 'out_of_scope', 'out-of-scope', 'none', 'None', 'fallback', 'nlu_fallback', 'Default Fallback Intent'],
      'Intents that stand for everything else.',
    ),
  },
  looksAt: () => 'nothing',
  start({ counts: countsOf, isWhole, find }, { intents }) {
    return {
      finish() {
        const counts = countsOf();
        const total = counts.names.reduce((sum, intent) => sum + counts.total(intent), 0);
        // What a change does to the share is in the counts of its intents.
        if (total === 0 || !isWhole) return;
        const there = intents.filter((intent) => counts.has(intent));
        const outside = there.reduce((sum, intent) => sum + counts.total(intent), 0);
        find({
          subject: ['share'],
          intents: there,
          place: 'dataset',
          message:
            there.length === 0
              ? 'no intent stands for what is out of scope'
              : `${outside} of ${total} texts (${((100 * outside) / total).toFixed(1)} %) are out of scope (${quoteNames(there)})`,
          hint: 'a model that never saw such texts gives every one of them some intent; name yours in "intents"',
        });
      },
    };
  },
});
