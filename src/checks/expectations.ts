/** What a team declares of its data: intents, sizes, features that must be there. Nothing by default. */
import { nearest } from '../base/near-miss.ts';
import { codePointCount } from '../records/code-points.ts';
import { type CheckedRecord, defineCheck, type Draft, intentsOf, quote, quoteNames } from './check.ts';
import { names, optionalNumber } from './parameters.ts';

export const expectations = defineCheck({
  name: 'expectations',
  title: 'what the dataset is declared to be',
  severity: 'error',
  parameters: {
    intents: names([], 'The only intents that may be used; any where empty.'),
    features: names([], 'Features that every record must have.'),
    minRows: optionalNumber('Rows that there must be at least.'),
    maxRows: optionalNumber('Rows that there may be at most.'),
    minMeanLength: optionalNumber('Characters that the mean text must have at least.'),
    maxMeanLength: optionalNumber('Characters that the mean text may have at most.'),
  },
  looksAt: ({ intents, features, minMeanLength, maxMeanLength }) =>
    intents.length + features.length > 0 || (minMeanLength ?? maxMeanLength) !== undefined ? 'records' : 'nothing',
  start({ rows, isWhole, find }, { intents, features, minRows, maxRows, minMeanLength, maxMeanLength }) {
    const allowed = new Set(intents);
    let seen = 0;
    let characters = 0;
    return {
      group(records) {
        for (const found of records) {
          seen++;
          characters += codePointCount(found.record.text);
          if (allowed.size > 0) checkIntents(find, found, allowed);
          checkFeatures(find, found, features);
        }
      },
      finish() {
        checkRange(find, 'rows', rows(), minRows, maxRows);
        // Of a version of which only a part was seen, the mean is not known.
        if (!isWhole) return;
        const mean = seen === 0 ? 0 : characters / seen;
        checkRange(find, 'mean length', Number(mean.toFixed(1)), minMeanLength, maxMeanLength);
      },
    };
  },
});

type Find = (draft: Draft) => void;

function checkIntents(find: Find, found: CheckedRecord, allowed: ReadonlySet<string>): void {
  for (const intent of intentsOf(found.record)) {
    if (allowed.has(intent)) continue;
    const near = nearest(intent, [...allowed]);
    find({
      subject: ['intent', found.record.text, intent],
      records: [found],
      intents: [intent],
      place: 'intent',
      message: `${quote(found.record.text)} has the intent ${quote(intent)}, which is not allowed`,
      hint: near === undefined ? 'relabel it, or allow the intent' : `was ${quote(near)} meant?`,
    });
  }
}

function checkFeatures(find: Find, found: CheckedRecord, features: readonly string[]): void {
  const missing = features.filter((name) => !Object.hasOwn(found.record.features ?? {}, name));
  if (missing.length === 0) return;
  find({
    subject: ['features', found.record.text, ...missing],
    records: [found],
    place: 'features',
    message: `${quote(found.record.text)} lacks ${quoteNames(missing)}`,
    hint: 'add the record again with its features',
  });
}

function checkRange(
  find: Find,
  what: string,
  value: number,
  least: number | undefined,
  most: number | undefined,
): void {
  const isFew = least !== undefined && value < least;
  if (!isFew && (most === undefined || value <= most)) return;
  find({
    subject: [what],
    place: 'dataset',
    message: `${what}: ${value}; ${isFew ? `at least ${least}` : `at most ${most}`} expected`,
    hint: 'see what changed: uttr diff',
  });
}
