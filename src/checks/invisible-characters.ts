/** Characters that nobody sees: two texts look equal and are not, or are shown in another order than stored. */
import { countCharacters, defineCheck, quote } from './check.ts';

/** Control and format characters, and the mark of a byte that could not be decoded; line breaks and tabs are seen. */
const SUSPECT = /(?![\n\r\t])[\p{Cc}\p{Cf}\p{Co}\uFFFD\u115F\u1160\u3164\uFFA0]/gu;
/** Nearly every text: printable ASCII. */
const PLAIN = /^[ -~]*$/u;

const NAMES: Readonly<Record<number, string>> = {
  0xad: 'soft hyphen',
  0x200b: 'zero-width space',
  0x200c: 'zero-width non-joiner',
  0x200d: 'zero-width joiner',
  0x2060: 'word joiner',
  0xfeff: 'byte order mark',
  0xfffd: 'replacement character',
};
const BIDIRECTIONAL = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;

export const invisibleCharacters = defineCheck({
  name: 'invisible-characters',
  title: 'invisible characters and marks of writing direction',
  severity: 'warn',
  parameters: {},
  start: ({ find }) => ({
    group(records) {
      for (const found of records) {
        const { text } = found.record;
        if (PLAIN.test(text)) continue;
        const marks = [...text.matchAll(SUSPECT)].filter(({ 0: mark, index }) => !isRightful(text, mark, index));
        const first = marks[0];
        if (first === undefined) continue;
        const kinds = [...new Set(marks.map(([mark]) => nameOf(mark)))];
        find({
          subject: [text],
          records: [found],
          place: `text, character ${countCharacters(text.slice(0, first.index)) + 1}`,
          message: `${quote(visible(text))} holds ${kinds.join(', ')}`,
          hint: 'remove them in the source, and add the text again',
        });
      }
    },
  }),
});

/** Joiners belong to many scripts and to emoji, tags to flags. */
function isRightful(text: string, mark: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 2), at);
  const after = text.slice(at + mark.length, at + mark.length + 2);
  const code = mark.codePointAt(0) ?? 0;
  if (code === 0x200d && /[\p{Extended_Pictographic}\uFE0F\p{EMod}]$/u.test(before)) {
    return /^[\p{Extended_Pictographic}\u2640\u2642]/u.test(after);
  }
  if (code === 0x200c || code === 0x200d) return JOINING.test(before);
  return code >= 0xe0020 && code <= 0xe007f && /[\u{1F3F4}\u{E0020}-\u{E007F}]$/u.test(before);
}

/** Ends with a letter of a script that is neither Latin, Greek nor Cyrillic. */
const JOINING = /(?![\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])[\p{L}\p{M}]$/u;

function nameOf(mark: string): string {
  const code = mark.codePointAt(0) ?? 0;
  const kind = BIDIRECTIONAL.test(mark) ? 'writing direction' : (NAMES[code] ?? 'invisible');
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')} (${kind})`;
}

function visible(text: string): string {
  return text.replace(SUSPECT, (mark, at: number) =>
    isRightful(text, mark, at) ? mark : `<U+${(mark.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`,
  );
}
