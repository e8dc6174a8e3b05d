/** Texts too long to be something that a person says to a bot: often several utterances, or a pasted mail. */
import { codePointCount } from '../records/code-points.ts';
import { defineCheck, quote } from './check.ts';
import { count } from './parameters.ts';

export const textLength = defineCheck({
  name: 'text-length',
  title: 'texts that are too long',
  severity: 'warn',
  parameters: { max: count(500, 'Characters (code points) that a text may have.') },
  start: ({ find }, { max }) => ({
    group(records) {
      for (const found of records) {
        const { text } = found.record;
        if (text.length <= max) continue;
        const length = codePointCount(text);
        if (length <= max) continue;
        find({
          subject: [text],
          records: [found],
          place: 'text',
          message: `${quote(text)} has ${length} characters; ${max} are allowed`,
          hint: 'cut it into single utterances',
        });
      }
    },
  }),
});
