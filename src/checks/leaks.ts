/**
 * A text that was trained on and is tested on flatters every model.
 *
 * The split keeps groups together and on their side for ever, so this check proves, from the records themselves, that
 * it did: in this version, and against every side that a group has left in an earlier one.
 */
import { UNLABELLED_PLACE } from '../records/manifest.ts';
import { fold } from '../records/text.ts';
import { type CheckedRecord, defineCheck, quote } from './check.ts';
import { flag } from './parameters.ts';

export const leaks = defineCheck({
  name: 'leaks',
  title: 'one text on several sides, now or in any earlier version',
  severity: 'error',
  parameters: { history: flag(true, 'Look at every earlier version, too.') },
  needsHistory: ({ history }) => history,
  looksAt: ({ history }, isWhole) => (history && isWhole ? 'records' : 'repeats'),
  start: ({ sides: [trained], leftSides, find }, { history }) => ({
    group(records) {
      const first = records.find(({ side }) => side !== UNLABELLED_PLACE);
      if (first === undefined) return;
      const sides = sidesOf(records);
      const earlier = history ? leftSides(first.group).filter((side) => !sides.includes(side)) : [];
      if (sides.length < 2 && earlier.length === 0) return;
      const text = first.record.text;
      const before = earlier.length === 0 ? '' : `, and was on ${earlier.join(' and on ')} in an earlier version`;
      // What moved from test to train is a merge's doing: it spoils comparisons with older versions, and no test.
      const isPast = sides.length === 1 && sides[0] === trained;
      find({
        subject: [fold(text)],
        severity: isPast ? 'warn' : 'error',
        records: records.filter(({ side }) => side !== UNLABELLED_PLACE),
        place: 'side',
        message: `${quote(text)} is on ${sides.join(' and on ')}${before}`,
        hint: isPast
          ? 'a merge moves such texts; compare models on the newer test side only'
          : 'no model trained on it may be tested on it: remove it from the data, and run uttr fsck',
      });
    },
  }),
});

function sidesOf(records: readonly CheckedRecord[]): string[] {
  return [...new Set(records.map(({ side }) => side))].filter((side) => side !== UNLABELLED_PLACE);
}
