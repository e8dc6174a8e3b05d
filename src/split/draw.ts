/**
 * The draw: where a group stands among the groups of its stratum.
 *
 *   place = first 8 bytes, big-endian, of SHA-256(salt 0x00 folded text)
 *
 * Groups are ordered by their place, equal places by ordinal. Ordinals follow the keys, so the order depends on
 * nothing but the texts and the salt. The folded text is the whole one, never a shortened key column.
 */
import { assert } from '../base/errors.ts';
import { sha256Characters } from '../base/hash.ts';

/** Words kept of a group: its place in two halves, and its stratum. */
const WORDS = 3;
const FIRST_CAPACITY = 1024;

/** The groups of one draw, 12 bytes each while they come in. */
export class Draw {
  readonly #prefix: string;
  #words = new Uint32Array(FIRST_CAPACITY * WORDS);
  #size = 0;

  constructor(salt: string) {
    this.#prefix = `${salt}\0`;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a group and returns its ordinal; groups come in ascending order of their keys. */
  add(foldedText: string, stratum: number): number {
    const digest = sha256Characters(this.#prefix + foldedText);
    const ordinal = this.#size++;
    const at = ordinal * WORDS;
    if (at + WORDS > this.#words.length) this.#grow();
    this.#words[at] = wordAt(digest, 0);
    this.#words[at + 1] = wordAt(digest, 4);
    this.#words[at + 2] = stratum;
    return ordinal;
  }

  #grow(): void {
    const capacity = Math.ceil((this.#words.length / WORDS) * 1.5);
    this.#words = new Uint32Array(this.#words.buffer.transfer(capacity * WORDS * 4));
  }

  stratumOf(ordinal: number): number {
    return this.#words[ordinal * WORDS + 2] as number;
  }

  /** Whether a group's place is below `limit`, two 32-bit halves; the lower one may be 2³². */
  isBelow(ordinal: number, limit: readonly [number, number]): boolean {
    const high = this.#words[ordinal * WORDS] as number;
    return high < limit[0] || (high === limit[0] && (this.#words[ordinal * WORDS + 1] as number) < limit[1]);
  }

  /** Ordinals by stratum, and within a stratum in ascending order; `starts` has one entry more than strata. */
  byStratum(strataCount: number): { readonly ordinals: Uint32Array; readonly starts: Uint32Array } {
    const starts = new Uint32Array(strataCount + 1);
    for (let ordinal = 0; ordinal < this.#size; ordinal++) {
      starts[this.stratumOf(ordinal) + 1] = (starts[this.stratumOf(ordinal) + 1] as number) + 1;
    }
    for (let stratum = 0; stratum < strataCount; stratum++) {
      starts[stratum + 1] = (starts[stratum + 1] as number) + (starts[stratum] as number);
    }
    const next = starts.slice();
    const ordinals = new Uint32Array(this.#size);
    for (let ordinal = 0; ordinal < this.#size; ordinal++) {
      const stratum = this.stratumOf(ordinal);
      const at = next[stratum] as number;
      ordinals[at] = ordinal;
      next[stratum] = at + 1;
    }
    return { ordinals, starts };
  }

  /**
   * Moves the groups that come first in the draw to the front of `ordinals[start..end)`, as many as lie before
   * `middle`. A full sort is not needed: a side takes a set.
   */
  select(ordinals: Uint32Array, start: number, middle: number, end: number): void {
    assert(start <= middle && middle <= end, 'the cut lies within the stratum');
    let low = start;
    let high = end - 1;
    // Hoare's selection: every round leaves the cut between `low` and `high`.
    while (low < high && middle > low && middle <= high) {
      const pivot = this.#median(ordinals, low, high);
      let left = low;
      let right = high;
      while (left <= right) {
        while (this.#precedes(ordinals[left] as number, pivot)) left++;
        while (this.#precedes(pivot, ordinals[right] as number)) right--;
        if (left > right) break;
        const moved = ordinals[left] as number;
        ordinals[left] = ordinals[right] as number;
        ordinals[right] = moved;
        left++;
        right--;
      }
      if (middle <= right) high = right;
      else if (middle >= left) low = left;
      else return;
    }
  }

  #median(ordinals: Uint32Array, low: number, high: number): number {
    const a = ordinals[low] as number;
    const b = ordinals[(low + high) >>> 1] as number;
    const c = ordinals[high] as number;
    if (this.#precedes(a, b)) {
      if (this.#precedes(b, c)) return b;
      return this.#precedes(a, c) ? c : a;
    }
    if (this.#precedes(a, c)) return a;
    return this.#precedes(b, c) ? c : b;
  }

  #precedes(a: number, b: number): boolean {
    const words = this.#words;
    const highA = words[a * WORDS] as number;
    const highB = words[b * WORDS] as number;
    if (highA !== highB) return highA < highB;
    const lowA = words[a * WORDS + 1] as number;
    const lowB = words[b * WORDS + 1] as number;
    return lowA === lowB ? a < b : lowA < lowB;
  }
}

/** Four characters, one a byte, as a big-endian number; a Uint32Array takes the sign off. */
function wordAt(bytes: string, at: number): number {
  return (
    (bytes.charCodeAt(at) << 24) |
    (bytes.charCodeAt(at + 1) << 16) |
    (bytes.charCodeAt(at + 2) << 8) |
    bytes.charCodeAt(at + 3)
  );
}
