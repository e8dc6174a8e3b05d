/**
 * The text of a cell as XML carries it: in runs of formatting, with characters that XML does not know as `_xHHHH_`.
 *
 * Blanks at the ends of runs are kept whether or not `xml:space` says so: dropping them would join words.
 */

/** Characters that a cell can hold, in UTF-16 code units as spreadsheets count them. */
export const CELL_CHARACTERS = 32_767;

/** Escapes make a text at most seven times as long. */
export const ESCAPED_LIMIT = 7 * CELL_CHARACTERS;

const ESCAPE = /_x([0-9A-Fa-f]{4})_/gu;

/** What XML 1.0 has no character for, a carriage return, which it reads as a line feed, and what looks like an escape. */
// oxlint-disable-next-line no-control-regex -- they are what is escaped
const UNSAFE = /[\0-\u0008\u000b-\u001f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)/gu;

/** A text that XML carries as it is, as the source of a pattern: no tags, no entities, nothing that is normalised. */
export const PLAIN_TEXT = String.raw`[^<>&\0-\u0008\u000b-\u001f\u007f-\u009f\u2028\ufffe\uffff]*`;

/** Joins the runs of one text, and passes over the reading aids beside it (`rPh`). */
export class CellText {
  #text = '';
  #isText = false;
  #aids = 0;
  #hasText = false;

  reset(): void {
    this.#text = '';
    this.#isText = false;
    this.#aids = 0;
    this.#hasText = false;
  }

  open(name: string): void {
    if (name === 'rPh') this.#aids++;
    else if (name === 't' && this.#aids === 0) {
      this.#isText = true;
      this.#hasText = true;
    }
  }

  close(name: string): void {
    if (name === 'rPh') this.#aids--;
    else if (name === 't') this.#isText = false;
  }

  add(text: string): void {
    if (!this.#isText || this.#text.length > ESCAPED_LIMIT) return;
    this.#text = this.#text === '' ? text : this.#text + text;
  }

  /** Whether there was a text, be it empty. */
  get hasText(): boolean {
    return this.#hasText;
  }

  /** With its escapes, for `decodeText`; cut off only where it is too long anyway. */
  get escaped(): string {
    return this.#text;
  }
}

/** The characters that `_xHHHH_` stand for; undefined where the text is longer than a cell can be. */
export function decodeText(escaped: string): string | undefined {
  if (escaped.length > ESCAPED_LIMIT) return undefined;
  const text = escaped.includes('_x')
    ? escaped.replaceAll(ESCAPE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : escaped;
  return text.length > CELL_CHARACTERS ? undefined : text;
}

/** The text as it stands between two tags. */
export function encodeText(text: string): string {
  const escaped = text.replaceAll(
    UNSAFE,
    (found) => `_x${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`,
  );
  return /[&<>]/u.test(escaped)
    ? escaped.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
    : escaped;
}
