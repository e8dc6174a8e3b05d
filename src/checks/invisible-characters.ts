/** Invisible characters in texts, as records/invisible.ts knows them. */
import { invisibleMarks, showInvisible } from '../records/invisible.ts';
import { codePointCount } from '../records/code-points.ts';
import { defineCheck, quote } from './check.ts';

export const invisibleCharacters = defineCheck({
  name: 'invisible-characters',
  title: 'invisible characters and marks of writing direction',
  severity: 'warn',
  parameters: {},
  start: ({ find }) => ({
    group(records) {
      for (const found of records) {
        const { text } = found.record;
        const marks = invisibleMarks(text);
        const first = marks[0];
        if (first === undefined) continue;
        const kinds = [...new Set(marks.map(({ code, name }) => `${code} (${name})`))];
        find({
          subject: [text],
          records: [found],
          place: `text, character ${codePointCount(text.slice(0, first.start)) + 1}`,
          message: `${quote(showInvisible(text, ({ code }) => `<${code}>`))} holds ${kinds.join(', ')}`,
          hint: 'remove them in the source, and add the text again',
        });
      }
    },
  }),
});
