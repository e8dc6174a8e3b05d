/** Intents with too few texts to learn from. */
import { defineCheck, quote } from './check.ts';
import { count } from './parameters.ts';

export const minimumPerIntent = defineCheck({
  name: 'minimum-per-intent',
  title: 'intents with too few texts on the side that is trained on',
  severity: 'error',
  parameters: {
    warn: count(10, 'Fewer texts than this are a warning.'),
    error: count(2, 'Fewer texts than this are an error.'),
  },
  // The first text of an intent has to be committed before the second one can be.
  stopsNoCommit: true,
  looksAt: () => 'nothing',
  start({ sides, counts, intents, find }, { warn, error }) {
    const trained = sides[0] ?? '';
    return {
      finish() {
        for (const intent of intents()) {
          const have = counts().on(intent, trained);
          if (have >= Math.max(warn, error)) continue;
          const wanted = have < error ? error : warn;
          find({
            subject: [intent],
            intents: [intent],
            severity: have < error ? 'error' : 'warn',
            place: `intent ${intent}`,
            message: `${quote(intent)} has ${have} text${have === 1 ? '' : 's'} in ${trained}; at least ${wanted} are wanted`,
            hint: 'add texts of this intent, or merge it into another: uttr relabel',
          });
        }
      },
    };
  },
});
