/**
 * The two forms of a text that decide what is the same: `norm` (same record) and `fold` (same group).
 *
 *   norm = NFKC, runs of whitespace to one blank, ends trimmed, lower case, upper case, lower case, NFKC
 *   fold = norm, apostrophes dropped, every other \p{P} \p{S} to a blank, runs of blanks to one, ends trimmed;
 *          where that leaves nothing ("?!"), norm
 *
 * R1  norm(norm(x)) = norm(x).
 * R2  fold(norm(x)) = fold(x).
 * R3  Neither form holds whitespace other than single blanks between other characters, so neither holds a
 *     TAB or a line feed; a text that is more than whitespace has forms that are not empty.
 * R4  The fast path for ASCII gives what the general path gives.
 *
 * Through upper case and back, because ß and ss, and ς and σ, agree only there; through lower case first, because
 * upper case alone leaves ẞ as it is. Whitespace goes before the case does: U+FEFF would hide the end of a word
 * from the rule for the final ς, and R1 would not hold. No locale is used. A change of either function is a new
 * NORMALISER_VERSION, which every manifest records.
 */

/** Version of `norm` and `fold` together; stored in every manifest. */
export const NORMALISER_VERSION = 1;

/**
 * Whitespace: the 25 code points with the property White_Space, and U+FEFF, which spreadsheets leave at the
 * start of what they export. Written out so that a later Unicode table cannot change it.
 */
export const WHITESPACE = [
  0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
  0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff,
] as const;

/**
 * What people type for an apostrophe: ' ` ʹ ʻ ʼ ʽ ׳ ‘ ’ ‛ ′ ꞌ. A full-width one is already ' after NFKC, and
 * NFKC makes a blank and U+0301 of the acute accent that stands alone (´), so that pair counts as one too.
 */
export const APOSTROPHES = [
  0x27, 0x60, 0x2b9, 0x2bb, 0x2bc, 0x2bd, 0x5f3, 0x2018, 0x2019, 0x201b, 0x2032, 0xa78c,
] as const;

function characterClass(codes: readonly number[]): string {
  return `[${codes.map((code) => `\\u${code.toString(16).padStart(4, '0')}`).join('')}]`;
}

/** One or more whitespace characters. Global: for `replace` and `matchAll`, which start anew. */
export const WHITESPACE_RUN = new RegExp(`${characterClass(WHITESPACE)}+`, 'gu');
const APOSTROPHE = new RegExp(` \\u0301|${characterClass(APOSTROPHES)}`, 'gu');
const PUNCTUATION_RUN = /[\p{P}\p{S} ]+/gu;

/** Whether a UTF-16 code unit is whitespace; all whitespace is in the basic plane. */
export function isWhitespace(code: number): boolean {
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return (WHITESPACE as readonly number[]).includes(code);
}

/** Drops whitespace at both ends. */
export function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhitespace(text.charCodeAt(start))) start++;
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** The form that decides whether two records are the same. The text must be well formed. */
export function norm(text: string): string {
  // Printable ASCII with single blanks inside is nearly all there is: lower case is then all that is left to do.
  if (TIDY_ASCII.test(text)) return text.toLowerCase();
  return normGeneral(text);
}

const TIDY_ASCII = /^[!-~]+(?: [!-~]+)*$/u;

/** `norm` by its definition, for any text; exported as the twin that the fast path is tested against. */
export function normGeneral(text: string): string {
  const tidy = stripBlanks(text.normalize('NFKC').replace(WHITESPACE_RUN, ' '));
  return tidy.toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');
}

/** The form that decides whether two records are in one group. The text must be well formed. */
export function fold(text: string): string {
  return foldNormed(norm(text));
}

/** `fold` for a text that is already in its `norm` form. */
export function foldNormed(normed: string): string {
  if (!FOLDS_OTHERWISE.test(normed)) return normed;
  if (!ASCII.test(normed)) return foldNormedGeneral(normed);
  return orElse(stripBlanks(normed.replace(ASCII_APOSTROPHE, '').replace(ASCII_PUNCTUATION_RUN, ' ')), normed);
}

const FOLDS_OTHERWISE = /[^a-z0-9 ]/u;
const ASCII = /^[\0-\x7f]*$/u;
const ASCII_APOSTROPHE = /['`]/gu;
// Every printable ASCII character that is neither a letter nor a digit is \p{P} or \p{S}.
const ASCII_PUNCTUATION_RUN = /[ -/:-@[-`{-~]+/gu;

/** `foldNormed` by its definition; exported as the twin that the fast path is tested against. */
export function foldNormedGeneral(normed: string): string {
  return orElse(stripBlanks(normed.replace(APOSTROPHE, '').replace(PUNCTUATION_RUN, ' ')), normed);
}

/** Drops the blank that a collapsed run may leave at either end. */
function stripBlanks(text: string): string {
  const start = text.startsWith(' ') ? 1 : 0;
  const end = text.length - (text.endsWith(' ') ? 1 : 0);
  return start === 0 && end === text.length ? text : text.slice(start, Math.max(start, end));
}

function orElse(text: string, other: string): string {
  return text === '' ? other : text;
}
