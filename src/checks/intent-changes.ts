/** Intents that are new or gone since the parent version: often meant, sometimes a typing error. */
import { nearest } from '../base/near-miss.ts';
import { defineCheck, quote } from './check.ts';

export const intentChanges = defineCheck({
  name: 'intent-changes',
  title: 'intents that are new or gone since the parent version',
  severity: 'info',
  parameters: {},
  looksAt: () => 'nothing',
  start({ parentIntents, counts: countsOf, find }) {
    return {
      finish() {
        if (parentIntents === undefined) return;
        const counts = countsOf();
        const known = [...parentIntents].sort();
        for (const intent of counts.names.filter((name) => !parentIntents.has(name))) {
          const near = nearest(intent, known);
          find({
            subject: ['new', intent],
            intents: [intent],
            place: `intent ${intent}`,
            message: `${quote(intent)} is new, with ${counts.total(intent)} text${counts.total(intent) === 1 ? '' : 's'}`,
            hint: near === undefined ? 'nothing to do if it is meant' : `was ${quote(near)} meant?`,
          });
        }
        for (const intent of known.filter((name) => !counts.has(name))) {
          find({
            subject: ['gone', intent],
            intents: [intent],
            place: `intent ${intent}`,
            message: `${quote(intent)} is gone`,
            hint: 'nothing to do if it is meant; models trained before still answer with it',
          });
        }
      },
    };
  },
});
