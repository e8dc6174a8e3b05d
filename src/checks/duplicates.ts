/** The same text twice but for case, blanks or punctuation: harmless, but it counts twice in training. */
import { fold } from '../records/text.ts';
import { alike, defineCheck, quote } from './check.ts';

export const duplicates = defineCheck({
  name: 'duplicates',
  title: 'one text several times, but for case, blanks and punctuation',
  severity: 'info',
  parameters: {},
  looksAt: () => 'repeats',
  start: ({ identity, find }) => ({
    group(records) {
      if (records.length < 2) return;
      for (const part of alike(records, identity)) {
        if (part.length < 2) continue;
        const text = part[0]?.record.text ?? '';
        find({
          subject: [fold(text)],
          records: part,
          place: 'text',
          message: `${quote(text)} is there ${part.length} times`,
          hint: 'remove what adds nothing: uttr remove --text',
        });
      }
    },
  }),
});
