/** Intents so large beside the others that a model does well by guessing them. */
import { defineCheck, quote } from './check.ts';
import { number } from './parameters.ts';

export const imbalance = defineCheck({
  name: 'imbalance',
  title: 'intents many times as large as the median',
  severity: 'warn',
  parameters: {
    ratio: number(10, 'An intent with this many times the texts of the median is too large.', { minimum: 1 }),
  },
  looksAt: () => 'nothing',
  start({ counts, intents, find }, { ratio }) {
    return {
      finish() {
        const totals = counts().names.map((intent) => counts().total(intent));
        const middle = median(totals);
        for (const intent of intents()) {
          const total = counts().total(intent);
          if (total < ratio * middle || totals.length < 3) continue;
          find({
            subject: [intent],
            intents: [intent],
            place: `intent ${intent}`,
            message: `${quote(intent)} has ${total} texts, ${(total / middle).toFixed(1)} times the median of ${middle}`,
            hint: 'add to the other intents, divide this one, or weigh intents when training',
          });
        }
      },
    };
  },
});

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[half] as number;
  return ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
}
