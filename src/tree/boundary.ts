/**
 * Where a chunk ends.
 *
 * T6  Whether a chunk ends after an item depends only on the items since the last end: on their number, their
 *     sizes and the key of the last one. It never depends on what follows.
 *
 * From T6 follows that equal entries give equal chunks and an equal root, whatever the edits that led there, and
 * that an edit's effect dies out at the first old end that is met again.
 *
 * Terms. An item is a line: in a leaf an entry, in a node a child with its last key. `size` is the bytes of that
 * line with its LF. `running` is the sum of the sizes since the last end, this item included (a node's header is
 * not counted). `target` is the leaf or the node target, 8192 in format 1. `level` is 0 in leaves. `key` is the
 * bytes of the item's key. All numbers are integers and all products below are exact.
 *
 * The rule. The first line that applies decides:
 *
 *   1. level = 0 and XXH32(key, seed 0x75747472) < floor(2^32 / 16384)   the chunk ends: the key is an anchor
 *   2. level > 0 and this is the first item since the last end           it does not end
 *   3. running < floor(target / 8)                                       it does not end
 *   4. running >= 4 * target                                             it ends
 *   5. otherwise it ends exactly if
 *      XXH32(key, seed level) * target < W[floor(16 * running / target)] * size * 4096
 *
 *   W[k] = floor(2831028 * (2 k + 1)^3 / 32768),   k = 0 … 63
 *
 * What it means. Rule 5 ends a chunk with probability hazard(x) * size / target at x = running / target, where
 * hazard(x) = 4 Γ(5/4)^4 x³ is that of the Weibull distribution with shape 4 and mean 1: sizes cluster round the
 * target with a spread of about 0.28 of it. W[k] is that hazard at the middle of the k-th sixteenth of a target,
 * in units of 2^-20 (2831028 = 4 Γ(5/4)^4 2^20, rounded). The table starts 86, 2332, 10799, 29633, 62982, 114993,
 * 189812, 291586, 424464 and its last number is 176972339.
 *
 * T7  A node has at least two children, except the last node of a level, which may have one.
 * T8  An anchor always ends its leaf, so leaves on both sides of it can be made independently and in parallel.
 *
 * Anchors are of leaves only: nodes are too few to be worth the trouble. An item larger than what is left up to
 * the maximum is not put off: it ends the chunk it belongs to, which may so be larger than the maximum by one item.
 *
 * A worked example, target 8192. The key is "turn on the light" and a TAB (its second column is empty), 18 bytes;
 * the value is {"intent":"light_on","text":"turn on the light"}; the line is key, TAB, value, LF and has size 68. Let
 * 7900 bytes precede it in its leaf.
 * XXH32(key, 0x75747472) = 805723915 is not below 262144: no anchor. running = 7968 is neither below 1024 nor at
 * least 32768. 16 * 7968 / 8192 = 15.56, so the weight is W[15] = 2573826. XXH32(key, 0) = 178503946, and
 * 178503946 * 8192 = 1462304325632 is compared with 2573826 * 68 * 4096 = 716882608128: not less, so the leaf goes on.
 */
import { xxh32 } from '../base/xxhash.ts';
import { assertParameters, type TreeParameters } from './parameters.ts';

/** The seed of the hash that finds anchors: "uttr" in ASCII. */
export const ANCHOR_SEED = 0x75747472;

/** Rule 5's weights, from integers alone. */
export const HAZARD_WEIGHTS: readonly number[] = Array.from({ length: 64 }, (_, k) => {
  const odd = 2 * k + 1;
  return Math.floor((2_831_028 * odd * odd * odd) / 32_768);
});

/** Tells after each item of a level whether its chunk ends there. */
export class Boundary {
  readonly #level: number;
  readonly #target: number;
  readonly #minimum: number;
  readonly #maximum: number;
  readonly #anchorLimit: number;
  #running = 0;
  #items = 0;

  constructor(level: number, parameters: TreeParameters) {
    assertParameters(parameters);
    this.#level = level;
    this.#target = level === 0 ? parameters.leafTarget : parameters.nodeTarget;
    this.#minimum = Math.floor(this.#target / 8);
    this.#maximum = this.#target * 4;
    this.#anchorLimit = level === 0 ? anchorLimit(parameters) : 0;
  }

  /** Whether no item came since the last end. */
  get isAtStart(): boolean {
    return this.#items === 0;
  }

  /** Takes the next item, its key at `bytes[start..end)`, and tells whether the chunk ends after it. */
  endsAfter(bytes: Buffer, start: number, end: number, size: number): boolean {
    this.#running += size;
    this.#items++;
    if (!this.#isAnchor(bytes, start, end) && !this.#decide(bytes, start, end, size)) return false;
    this.reset();
    return true;
  }

  /** As `endsAfter`, of an item that stood inside a chunk: so it is no anchor, wherever it stands now. */
  endsAfterInner(bytes: Buffer, start: number, end: number, size: number): boolean {
    this.#running += size;
    this.#items++;
    if (!this.#decide(bytes, start, end, size)) return false;
    this.reset();
    return true;
  }

  /** Takes the first items of a chunk, of `size` bytes in all, which are as they were when they did not end it (T6). */
  pass(items: number, size: number): void {
    this.#running += size;
    this.#items += items;
  }

  /** Starts a new chunk. */
  reset(): void {
    this.#running = 0;
    this.#items = 0;
  }

  #isAnchor(bytes: Buffer, start: number, end: number): boolean {
    return this.#level === 0 && xxh32(bytes, start, end, ANCHOR_SEED) < this.#anchorLimit;
  }

  /** Rules 2 to 5. */
  #decide(bytes: Buffer, start: number, end: number, size: number): boolean {
    if (this.#level > 0 && this.#items < 2) return false;
    if (this.#running < this.#minimum) return false;
    if (this.#running >= this.#maximum) return true;
    const weight = HAZARD_WEIGHTS[Math.floor((this.#running * 16) / this.#target)] as number;
    return xxh32(bytes, start, end, this.#level) * this.#target < weight * size * 4096;
  }
}

/** Tells whether an entry with this key ends its leaf wherever it stands: a place where work may be cut. */
export function isAnchor(key: Buffer, parameters: TreeParameters): boolean {
  return xxh32(key, 0, key.length, ANCHOR_SEED) < anchorLimit(parameters);
}

function anchorLimit(parameters: TreeParameters): number {
  return Math.floor(0x1_0000_0000 / parameters.anchorDenominator);
}
