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

/** Positions of so many lines are kept in one piece of memory: a piece for each leaf costs more than finding its lines. */
const SLAB_LINES = 8192;
/** Where positions of the next lines go; parsing never waits. */
let slabStarts = new Uint32Array(SLAB_LINES);
let slabKeyEnds = new Uint32Array(SLAB_LINES);
let slabUsed = 0;

/** Finds the lines of a leaf and checks T1 and T2. @throws bad-chunk */
export function parseLeaf(bytes: Buffer): Lines {
  let count = 0;
  let start = 0;
  let starts = slabStarts;
  let keyEnds = slabKeyEnds;
  let first = slabUsed;
  while (start < bytes.length) {
    const end = bytes.indexOf(LF, start);
    if (end < 0) throw badLeaf('the last line of a leaf is cut off');
    const tab = bytes.lastIndexOf(TAB, end);
    if (tab < start) throw badLeaf('a line of a leaf has no TAB');
    let at = first + count;
    if (
      count > 0 &&
      compareRanges(bytes, starts[at - 1] as number, keyEnds[at - 1] as number, bytes, start, tab) >= 0
    ) {
      throw badLeaf('the keys of a leaf are not in ascending order');
    }
    if (at + 1 >= starts.length) {
      replaceSlab(first, count);
      starts = slabStarts;
      keyEnds = slabKeyEnds;
      first = 0;
      at = count;
    }
    starts[at] = start;
    keyEnds[at] = tab;
    count++;
    start = end + 1;
  }
  if (count === 0) throw badLeaf('a leaf is empty');
  if (!isUtf8(bytes)) throw badLeaf('a leaf is not UTF-8');
  starts[first + count] = start;
  slabUsed = first + count + 1;
  return { bytes, count, starts: starts.subarray(first, slabUsed), keyEnds: keyEnds.subarray(first, slabUsed - 1) };
}

/** Goes on in other memory, with the positions of the lines of an open leaf. */
function replaceSlab(first: number, count: number): void {
  const size = Math.max(SLAB_LINES, 2 * count);
  const starts = new Uint32Array(size);
  const keyEnds = new Uint32Array(size);
  starts.set(slabStarts.subarray(first, first + count));
  keyEnds.set(slabKeyEnds.subarray(first, first + count));
  slabStarts = starts;
  slabKeyEnds = keyEnds;
  slabUsed = 0;
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
