/** What templates leave behind: `{city}`, `@city`, `[city]` where a person would have said Paris. */
import { codePointCount } from '../records/code-points.ts';
import { defineCheck, quote } from './check.ts';
import { names } from './parameters.ts';

const MAY_HOLD = /[{@[<%]/u;
/** Lengths are bounded, so that no text can make the search slow. */
const PLACEHOLDER =
  /\$?\{\{?[\p{L}\p{N}_][^{}\n]{0,60}\}\}?|\[[\p{L}_][^[\]\n]{0,60}\](?:\([^()\n]{1,60}\))?|<[\p{L}_][\p{L}\p{N}_-]{0,40}>|(?<![\p{L}\p{N}._%+-])@[\p{L}_][\p{L}\p{N}_.-]{0,60}|%\([\p{L}_][\p{L}\p{N}_]{0,40}\)s|%[sd](?![\p{L}\p{N}])/gu;

export const placeholders = defineCheck({
  name: 'placeholders',
  title: 'placeholders that were left in a text: {x}, @x, [x], <x>, %s',
  severity: 'warn',
  parameters: { allow: names([], 'Placeholders that belong into texts, as they stand there, such as @support.') },
  start: ({ find }, { allow }) => ({
    group(records) {
      for (const found of records) {
        const { text } = found.record;
        if (!MAY_HOLD.test(text)) continue;
        const left = [...text.matchAll(PLACEHOLDER)].filter(([mark]) => !allow.includes(mark));
        const first = left[0];
        if (first === undefined) continue;
        const marks = [...new Set(left.map(([mark]) => mark))];
        find({
          subject: [text],
          records: [found],
          place: `text, character ${codePointCount(text.slice(0, first.index)) + 1}`,
          message: `${quote(text)} holds ${marks.map((mark) => quote(mark)).join(', ')}`,
          hint: 'put in a value that a person would say, or allow the placeholder',
        });
      }
    },
  }),
});
