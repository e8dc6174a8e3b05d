/**
 * Leaves: the tree's entries as lines of text.
 *
 *   leaf = line+
 *   line = key TAB value LF
 *
 * T1  A value holds neither TAB nor LF, so the last TAB of a line ends its key; a key may hold TABs but no LF.
 * T2  Keys are strictly ascending, compared as unsigned bytes. The whole leaf is valid UTF-8.
 *
 * A leaf has at least one line. With `cut` and `jq` it can be read without this program.
 */
import { isUtf8 } from 'node:buffer';
import { UttrError } from '../base/errors.ts';

export const TAB = 9;
export const LF = 10;

/** One entry of a tree. */
export interface Entry {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Where the lines of a buffer lie: line `i` is `[starts[i], starts[i + 1])`, its key ends at `keyEnds[i]`. */
export interface Lines {
  readonly bytes: Buffer;
  readonly count: number;
  /** One more than there are lines. */
  readonly starts: Uint32Array;
  /** Index of the TAB that ends each key. */
  readonly keyEnds: Uint32Array;
}

// Reused between calls (parsing never waits), so that a leaf costs two exact allocations.
let scratchStarts = new Uint32Array(1024);
let scratchKeyEnds = new Uint32Array(1024);

/** Finds the lines of a leaf and checks T1 and T2. @throws bad-chunk */
export function parseLeaf(bytes: Buffer): Lines {
  let count = 0;
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(LF, start);
    if (end < 0) throw badLeaf('the last line of a leaf is cut off');
    const tab = bytes.lastIndexOf(TAB, end);
    if (tab < start) throw badLeaf('a line of a leaf has no TAB');
    if (count > 0) {
      const before = scratchStarts[count - 1] as number;
      if (compareRanges(bytes, before, scratchKeyEnds[count - 1] as number, bytes, start, tab) >= 0) {
        throw badLeaf('the keys of a leaf are not in ascending order');
      }
    }
    if (count + 1 >= scratchStarts.length) growScratch();
    scratchStarts[count] = start;
    scratchKeyEnds[count] = tab;
    count++;
    start = end + 1;
  }
  if (count === 0) throw badLeaf('a leaf is empty');
  if (!isUtf8(bytes)) throw badLeaf('a leaf is not UTF-8');
  scratchStarts[count] = start;
  return { bytes, count, starts: scratchStarts.slice(0, count + 1), keyEnds: scratchKeyEnds.slice(0, count) };
}

function growScratch(): void {
  const starts = new Uint32Array(scratchStarts.length * 2);
  const keyEnds = new Uint32Array(starts.length);
  starts.set(scratchStarts);
  keyEnds.set(scratchKeyEnds);
  scratchStarts = starts;
  scratchKeyEnds = keyEnds;
}

function badLeaf(message: string): UttrError {
  return new UttrError('bad-chunk', message);
}

/** The key of line `index`, a view. */
export function keyAt(lines: Lines, index: number): Buffer {
  return lines.bytes.subarray(lines.starts[index], lines.keyEnds[index]);
}

/** The value of line `index`, a view. */
export function valueAt(lines: Lines, index: number): Buffer {
  return lines.bytes.subarray((lines.keyEnds[index] as number) + 1, (lines.starts[index + 1] as number) - 1);
}

/** Line `index` as an entry, both parts views. */
export function entryAt(lines: Lines, index: number): Entry {
  return { key: keyAt(lines, index), value: valueAt(lines, index) };
}

/** All lines from `from` as entries. */
export function entriesOf(lines: Lines, from = 0): Entry[] {
  const entries: Entry[] = [];
  for (let index = from; index < lines.count; index++) entries.push(entryAt(lines, index));
  return entries;
}

/** Compares the key of line `index` with `key`. */
export function compareKeyAt(lines: Lines, index: number, key: Buffer): number {
  const start = lines.starts[index] as number;
  return compareRanges(lines.bytes, start, lines.keyEnds[index] as number, key, 0, key.length);
}

/** Index of the first line from `from` on whose key is not below `key`; the count if there is none. */
export function lowerBoundLine(lines: Lines, key: Buffer, from = 0): number {
  let low = from;
  let high = lines.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeyAt(lines, middle, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Compares two stretches as unsigned bytes, a shorter one before its extensions.
 *
 * A plain loop: neighbouring keys differ within some tens of bytes, less than a call into native code costs.
 */
export function compareRanges(
  a: Buffer,
  aStart: number,
  aEnd: number,
  b: Buffer,
  bStart: number,
  bEnd: number,
): number {
  const aLength = aEnd - aStart;
  const bLength = bEnd - bStart;
  const shared = aLength < bLength ? aLength : bLength;
  for (let offset = 0; offset < shared; offset++) {
    const difference = (a[aStart + offset] as number) - (b[bStart + offset] as number);
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}
