/** Characters that nobody sees: two texts look equal and are not, or are shown in another order than stored. */

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

/** A character that nobody sees, in its text. */
export interface InvisibleMark {
  /** Where it begins, and after how many, in UTF-16 code units. */
  readonly start: number;
  readonly length: number;
  /** `U+200B` */
  readonly code: string;
  /** `zero-width space`, `writing direction`, `invisible` */
  readonly name: string;
}

/** The characters of a text that nobody sees, in their order; without joiners and tags that belong where they are. */
export function invisibleMarks(text: string): readonly InvisibleMark[] {
  if (PLAIN.test(text)) return [];
  return [...text.matchAll(SUSPECT)]
    .filter(({ 0: mark, index }) => !isRightful(text, mark, index))
    .map(({ 0: mark, index: start }) => {
      const code = mark.codePointAt(0) ?? 0;
      return {
        start,
        length: mark.length,
        code: `U+${code.toString(16).toUpperCase().padStart(4, '0')}`,
        name: BIDIRECTIONAL.test(mark) ? 'writing direction' : (NAMES[code] ?? 'invisible'),
      };
    });
}

/**
 * A text with something to see in the place of each invisible character.
 *
 * @param seen gives what is put there
 * @param plain does to the stretches between what has to be done
 */
export function showInvisible(
  text: string,
  seen: (mark: InvisibleMark) => string,
  plain = (stretch: string): string => stretch,
): string {
  let shown = '';
  let at = 0;
  for (const mark of invisibleMarks(text)) {
    shown += plain(text.slice(at, mark.start)) + seen(mark);
    at = mark.start + mark.length;
  }
  return shown + plain(text.slice(at));
}

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
