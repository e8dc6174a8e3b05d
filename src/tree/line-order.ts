/**
 * Sorts lines by their keys without comparing most of them.
 *
 * A radix sort from the left, four bytes at a time: each step packs the next four bytes of a key and the line's
 * position into one double and lets the engine's own numeric sort do the work. Lines equal so far are sorted again by
 * the four bytes that follow; a few of them by plain comparison. The position keeps equal keys in their order.
 */
import { compareRanges } from './lines.ts';

/** Bytes taken in one step. */
const DIGIT_BYTES = 4;

/** Values of a place in a digit: a byte counts from 1, so that 0 can say that the key has ended. */
const PLACE_VALUES = 257;

/** Lines one sort can hold: 257^4 digits times so many positions stay below 2^53, so packing is exact. */
export const SORT_LIMIT = 2 ** 20;

/** So few lines are sorted by comparing. */
const FEW = 12;

/** Lines in a buffer, in no order. */
export interface UnsortedLines {
  readonly bytes: Buffer;
  readonly count: number;
  readonly starts: Uint32Array;
  readonly keyEnds: Uint32Array;
}

/** Positions of lines in ascending order of their keys; equal keys keep their order. @param lines at most 2^20 */
export function sortLines(lines: UnsortedLines): Uint32Array {
  const order = new Uint32Array(lines.count);
  for (let index = 0; index < lines.count; index++) order[index] = index;
  const packed = new Float64Array(lines.count);
  const before = new Uint32Array(lines.count);
  // Stretches of `order` equal in their first `depth` bytes, as low, high, depth.
  const open: number[] = [0, lines.count, 0];
  while (open.length > 0) {
    const depth = open.pop() as number;
    const high = open.pop() as number;
    const low = open.pop() as number;
    if (high - low <= FEW) sortFew(lines, order, low, high, depth);
    else sortByDigit(lines, order, low, high, depth, packed, before, open);
  }
  return order;
}

function sortByDigit(
  lines: UnsortedLines,
  order: Uint32Array,
  low: number,
  high: number,
  depth: number,
  packed: Float64Array,
  before: Uint32Array,
  open: number[],
): void {
  for (let index = low; index < high; index++) {
    const line = order[index] as number;
    before[index] = line;
    packed[index] = digitAt(lines, line, depth) * SORT_LIMIT + (index - low);
  }
  packed.subarray(low, high).sort();
  let groupStart = low;
  let groupDigit = -1;
  for (let index = low; index < high; index++) {
    const value = packed[index] as number;
    const digit = Math.floor(value / SORT_LIMIT);
    order[index] = before[low + (value - digit * SORT_LIMIT)] as number;
    if (digit === groupDigit) continue;
    openGroup(groupStart, index, groupDigit, depth, open);
    groupStart = index;
    groupDigit = digit;
  }
  openGroup(groupStart, high, groupDigit, depth, open);
}

function openGroup(low: number, high: number, digit: number, depth: number, open: number[]): void {
  // A digit whose last place is 0 says that the keys have ended, so they are equal.
  if (high - low < 2 || digit % PLACE_VALUES === 0) return;
  open.push(low, high, depth + DIGIT_BYTES);
}

function digitAt(lines: UnsortedLines, line: number, depth: number): number {
  const { bytes } = lines;
  const at = (lines.starts[line] as number) + depth;
  const end = lines.keyEnds[line] as number;
  if (at + DIGIT_BYTES <= end) {
    const high = ((bytes[at] as number) + 1) * PLACE_VALUES + (bytes[at + 1] as number) + 1;
    return (high * PLACE_VALUES + (bytes[at + 2] as number) + 1) * PLACE_VALUES + (bytes[at + 3] as number) + 1;
  }
  let digit = 0;
  for (let place = at; place < at + DIGIT_BYTES; place++) {
    digit = digit * PLACE_VALUES + (place < end ? (bytes[place] as number) + 1 : 0);
  }
  return digit;
}

function sortFew(lines: UnsortedLines, order: Uint32Array, low: number, high: number, depth: number): void {
  const { bytes, starts, keyEnds } = lines;
  for (let index = low + 1; index < high; index++) {
    const line = order[index] as number;
    const start = (starts[line] as number) + depth;
    const end = keyEnds[line] as number;
    let place = index;
    for (; place > low; place--) {
      const other = order[place - 1] as number;
      const otherStart = (starts[other] as number) + depth;
      if (compareRanges(bytes, otherStart, keyEnds[other] as number, bytes, start, end) <= 0) break;
      order[place] = other;
    }
    order[place] = line;
  }
}
