import type { RowPlace } from './format.ts';

/** Where a row is, for people: by its line, but for files in which lines say nothing. */
export function placeOfRow({ file, line, pointer }: Pick<RowPlace, 'file' | 'line' | 'pointer'>): string {
  return pointer === undefined || (line > 1 && pointer.startsWith('/')) ? `${file}:${line}` : `${file} at ${pointer}`;
}
