/** Words with BIO tags: which of them make a span, and where that is in the text. */
import { codePointCount } from '../../records/code-points.ts';
import { type Span, spanOf } from '../spans.ts';

/** A word of a sentence. */
export interface Word {
  readonly form: string;
  readonly tag: string;
}

/** Words `[first, end)` that are one span. */
export interface Chunk {
  readonly type: string;
  readonly first: number;
  readonly end: number;
  /** Whether it begins with a tag that begins spans. */
  readonly isOpened: boolean;
}

/** The spans that the tags of a sentence make, or what is wrong with a tag. */
export function chunksOf(words: readonly Word[]): readonly Chunk[] | string {
  const chunks: Chunk[] = [];
  for (const [index, { tag }] of words.entries()) {
    if (tag === 'O' || tag === '_') continue;
    const [, prefix, type] = /^([BIES])-(.+)$/u.exec(tag) ?? [];
    if (type === undefined)
      return `word ${index + 1} has the tag ${JSON.stringify(tag.slice(0, 60))}, not O, B-… or I-…`;
    const last = chunks.at(-1);
    const goesOn = (prefix === 'I' || prefix === 'E') && last?.end === index && last.type === type;
    if (goesOn) chunks[chunks.length - 1] = { ...last, end: index + 1 };
    else chunks.push({ type, first: index, end: index + 1, isOpened: prefix === 'B' || prefix === 'S' });
  }
  return chunks;
}

/**
 * Where each word is in the text, in code points.
 *
 * @returns undefined unless words and text are the same but for blanks
 */
export function alignWords(text: string, words: readonly Word[]): readonly Span[] | undefined {
  const spans: Span[] = [];
  let at = 0;
  let point = 0;
  for (const { form } of words) {
    const start = skipBlanks(text, at);
    const end = endOfForm(text, start, form);
    if (end === undefined) return undefined;
    point += codePointCount(text.slice(at, start));
    const length = codePointCount(text.slice(start, end));
    spans.push({ start: point, end: point + length });
    point += length;
    at = end;
  }
  return skipBlanks(text, at) === text.length ? spans : undefined;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && (text[at] as string).trim() === '') at++;
  return at;
}

/** Where the word ends that begins at `start`, whatever blanks it has inside. */
function endOfForm(text: string, start: number, form: string): number | undefined {
  let at = start;
  for (const character of form) {
    if (character.trim() === '') continue;
    at = skipBlanks(text, at);
    if (!text.startsWith(character, at)) return undefined;
    at += character.length;
  }
  return at;
}

/**
 * The chunks as entities of the text. Where words and text are not the same, a chunk is where its words occur, joined
 * by blanks or by nothing, if they occur only once.
 *
 * @returns what is wrong where that is not so
 */
export function placeChunks(
  text: string,
  words: readonly Word[],
  chunks: readonly Chunk[],
  aligned: readonly Span[] | undefined,
): readonly (Span & { readonly type: string })[] | string {
  const placed: (Span & { readonly type: string })[] = [];
  for (const { type, first, end } of chunks) {
    const forms = words.slice(first, end).map(({ form }) => form);
    const span =
      aligned === undefined
        ? (spanOf(text, forms.join(' ')) ?? spanOf(text, forms.join('')))
        : { start: (aligned[first] as Span).start, end: (aligned[end - 1] as Span).end };
    if (span === undefined) {
      return `the words ${JSON.stringify(forms.join(' ').slice(0, 80))} are not in the text ${JSON.stringify(text.slice(0, 200))}, or not only once`;
    }
    placed.push({ type, ...span });
  }
  return placed;
}
