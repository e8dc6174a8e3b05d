/**
 * Code points and UTF-16 code units: entities are placed by the first, strings of JavaScript are cut by the second.
 *
 * A lone surrogate counts as one code point, as strings iterate.
 */

/** How many code points a text has; of its first `units` UTF-16 code units where that is given. */
export function codePointCount(text: string, units = text.length): number {
  const end = Math.min(units, text.length);
  let count = 0;
  for (let at = 0; at < end; count += 1) at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1;
  return count;
}

/** The code points `[start, end)` of a text. */
export function sliceCodePoints(
  text: string,
  { start, end }: { readonly start: number; readonly end: number },
): string {
  return Array.from(text).slice(start, end).join('');
}

/** The UTF-16 code unit at which each code point begins; last, the length of the text. */
export function unitOffsets(text: string): readonly number[] {
  const offsets = [0];
  let at = 0;
  for (const character of text) offsets.push((at += character.length));
  return offsets;
}

/** How many code points begin before each UTF-16 code unit; last, how many the text has. */
export function codePointOffsets(text: string): readonly number[] {
  const offsets: number[] = [];
  let count = 0;
  for (const character of text) {
    for (let unit = 0; unit < character.length; unit += 1) offsets.push(count);
    count += 1;
  }
  return [...offsets, count];
}
