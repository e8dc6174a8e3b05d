/**
 * Marked stretches of texts, from whatever units a file counts in to code points, and from pieces of text to spans.
 */
import { codePointCount, sliceCodePoints } from '../records/code-points.ts';

/** Offsets in code points, half-open. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * The span that a file means by `[start, end)`, counted in UTF-16 code units.
 *
 * Where the file also gives the covered text and it is not there, the offsets are tried as code points, then the
 * covered text is looked for: it counts only if it occurs once.
 *
 * @returns undefined where none of these holds, or where the offsets do not lie within the text.
 */
export function spanOfUnits(text: string, start: number, end: number, covered?: string): Span | undefined {
  const isWithin = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end > start;
  const units = isWithin && end <= text.length && !splitsPair(text, start) && !splitsPair(text, end);
  if (units && (covered === undefined || text.slice(start, end) === covered)) return toCodePoints(text, start, end);
  return covered === undefined ? undefined : spanOf(text, covered, isWithin ? { start, end } : undefined);
}

/**
 * The span, counted in code points, that has the covered text: the one given, or the only one in the text.
 *
 * @returns undefined where there is none, or several.
 */
export function spanOf(text: string, covered: string, given?: Span): Span | undefined {
  if (covered === '') return undefined;
  if (given !== undefined && sliceCodePoints(text, given) === covered) return given;
  const at = text.indexOf(covered);
  if (at < 0 || text.includes(covered, at + 1)) return undefined;
  return toCodePoints(text, at, at + covered.length);
}

function splitsPair(text: string, unit: number): boolean {
  const [before, after] = [text.charCodeAt(unit - 1), text.charCodeAt(unit)];
  return before >= 0xd800 && before < 0xdc00 && after >= 0xdc00 && after < 0xe000;
}

function toCodePoints(text: string, start: number, end: number): Span {
  const first = codePointCount(text, start);
  return { start: first, end: first + codePointCount(text.slice(start, end)) };
}

/** What is marked about a piece of a text. */
export interface PieceLabel {
  readonly type: string;
  readonly role?: string | undefined;
  readonly group?: string | undefined;
  readonly value?: string | undefined;
}

/** A piece of a text; blanks belong to the pieces. */
export interface TextPiece {
  readonly text: string;
  readonly label?: PieceLabel | undefined;
}

/** Pieces end to end, with the marked ones as entities. */
export function joinPieces(pieces: readonly TextPiece[]): {
  readonly text: string;
  readonly entities: readonly (PieceLabel & Span)[];
} {
  const entities: (PieceLabel & Span)[] = [];
  let text = '';
  let start = 0;
  for (const piece of pieces) {
    const end = start + codePointCount(piece.text);
    if (piece.label !== undefined && end > start) entities.push({ ...piece.label, start, end });
    text += piece.text;
    start = end;
  }
  return { text, entities };
}

/**
 * A text cut at the bounds of its entities, the opposite of `joinPieces`.
 *
 * @returns undefined where entities overlap: then there are no such pieces.
 */
export function cutPieces<Label extends Span>(
  text: string,
  entities: readonly Label[],
): { readonly text: string; readonly label?: Label }[] | undefined {
  const points = Array.from(text);
  const pieces: { text: string; label?: Label }[] = [];
  let at = 0;
  for (const entity of entities.toSorted((a, b) => a.start - b.start)) {
    if (entity.start < at) return undefined;
    if (entity.start > at) pieces.push({ text: points.slice(at, entity.start).join('') });
    pieces.push({ text: points.slice(entity.start, entity.end).join(''), label: entity });
    at = entity.end;
  }
  if (at < points.length) pieces.push({ text: points.slice(at).join('') });
  return pieces;
}
