/**
 * All pairs of sets whose Jaccard similarity reaches a threshold, exactly.
 *
 * With tokens ordered from rare to frequent, two sets that are alike enough must share a token among the first few of
 * each (prefix filter) and differ little in size (length filter); where the shared token stands bounds what else they
 * can share (position filter). What passes is compared token by token. Sets are visited in the order of their sizes,
 * so an index of the smaller ones is enough, and postings of sets that have become too small are skipped for good.
 * No object is made for a pair: numbers in typed arrays are all there is.
 *
 * @see C. Xiao, W. Wang, X. Lin, J. X. Yu, "Efficient similarity joins for near duplicate detection", WWW 2008
 */
import type { TokenSets } from './trigram-corpus.ts';

/** Called for each pair, the smaller number first. Return false to end the join. */
export type UsePair = (a: number, b: number, similarity: number) => boolean | undefined;

/** Keeps 0.9 × 10 from being a little more than 9. */
export const ROUNDING = 1e-9;
/** Marks a candidate that cannot reach the threshold any more. */
const PRUNED = -1;

/**
 * Finds every pair with |A ∩ B| / |A ∪ B| >= threshold. Empty sets are in no pair.
 *
 * @returns false when `use` ended it
 */
export function joinSimilar(sets: TokenSets, threshold: number, use: UsePair): boolean {
  return new Join(sets, threshold).run(use);
}

class Join {
  readonly #sets: TokenSets;
  readonly #threshold: number;
  /** Numbers of the sets, by size; what follows speaks of places in this order. */
  readonly #order: Uint32Array;
  readonly #sizes: Uint32Array;
  /** Postings of a token: `[first, end)` are those of sets that are indexed and not too small. */
  readonly #firsts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #postingPlaces: Uint32Array;
  readonly #postingPositions: Uint16Array;
  /** By place: tokens found in common so far. */
  readonly #shared: Int32Array;
  #candidates = new Uint32Array(2 ** 10);
  #candidateCount = 0;

  constructor(sets: TokenSets, threshold: number) {
    this.#sets = sets;
    this.#threshold = threshold;
    this.#order = bySize(sets);
    this.#sizes = Uint32Array.from(this.#order, (set) => sizeOf(sets, set));
    this.#firsts = new Uint32Array(sets.tokenCount + 1);
    const total = this.#layOutPostings();
    this.#ends = this.#firsts.slice();
    this.#postingPlaces = new Uint32Array(total);
    this.#postingPositions = new Uint16Array(total);
    this.#shared = new Int32Array(sets.count);
  }

  run(use: UsePair): boolean {
    for (let place = 0; place < this.#order.length; place++) {
      if (this.#sizes[place] === 0) continue;
      this.#gather(place);
      if (!this.#verify(place, use)) return false;
      this.#index(place);
    }
    return true;
  }

  /** Gives each token room for as many postings as it will have. */
  #layOutPostings(): number {
    const { offsets, tokens } = this.#sets;
    const firsts = this.#firsts;
    for (let place = 0; place < this.#order.length; place++) {
      const from = offsets[this.#order[place] as number] as number;
      const end = from + this.#indexedLength(this.#sizes[place] as number);
      for (let at = from; at < end; at++) {
        const next = (tokens[at] as number) + 1;
        firsts[next] = (firsts[next] as number) + 1;
      }
    }
    for (let token = 1; token < firsts.length; token++) {
      firsts[token] = (firsts[token] as number) + (firsts[token - 1] as number);
    }
    return firsts.at(-1) ?? 0;
  }

  /** Tokens of a set of this size of which a partner at least as large must have one. */
  #indexedLength(size: number): number {
    const least = Math.ceil(((2 * this.#threshold) / (1 + this.#threshold)) * size - ROUNDING);
    return size === 0 ? 0 : size - least + 1;
  }

  /** Tokens that two sets of these sizes must share. */
  #needed(size: number, other: number): number {
    return Math.ceil((this.#threshold / (1 + this.#threshold)) * (size + other) - ROUNDING);
  }

  /** Finds the smaller sets that share a token of the prefix and may share enough of them. */
  #gather(place: number): void {
    const { offsets, tokens } = this.#sets;
    const size = this.#sizes[place] as number;
    const from = offsets[this.#order[place] as number] as number;
    const least = Math.ceil(this.#threshold * size - ROUNDING);
    const [shared, sizes, places, positions] = [this.#shared, this.#sizes, this.#postingPlaces, this.#postingPositions];
    this.#candidateCount = 0;
    for (let position = 0; position <= size - least; position++) {
      const token = tokens[from + position] as number;
      const end = this.#ends[token] as number;
      let at = this.#firsts[token] as number;
      while (at < end && (sizes[places[at] as number] as number) < least) at++;
      this.#firsts[token] = at;
      for (; at < end; at++) {
        const other = places[at] as number;
        const before = shared[other] as number;
        if (before === PRUNED) continue;
        const otherSize = sizes[other] as number;
        const left = Math.min(size - position, otherSize - (positions[at] as number));
        if (before === 0) this.#addCandidate(other);
        shared[other] = before + left < this.#needed(size, otherSize) ? PRUNED : before + 1;
      }
    }
  }

  #addCandidate(place: number): void {
    if (this.#candidateCount === this.#candidates.length) {
      const larger = new Uint32Array(this.#candidates.length * 2);
      larger.set(this.#candidates);
      this.#candidates = larger;
    }
    this.#candidates[this.#candidateCount++] = place;
  }

  #verify(place: number, use: UsePair): boolean {
    const size = this.#sizes[place] as number;
    const set = this.#order[place] as number;
    let goesOn = true;
    for (let index = 0; index < this.#candidateCount; index++) {
      const other = this.#candidates[index] as number;
      const pruned = this.#shared[other] === PRUNED;
      this.#shared[other] = 0;
      if (pruned || !goesOn) continue;
      const otherSize = this.#sizes[other] as number;
      const otherSet = this.#order[other] as number;
      const needed = this.#needed(size, otherSize);
      const shared = countShared(this.#sets, set, otherSet, needed);
      if (shared < needed) continue;
      const similarity = shared / (size + otherSize - shared);
      goesOn = use(Math.min(set, otherSet), Math.max(set, otherSet), similarity) !== false;
    }
    return goesOn;
  }

  #index(place: number): void {
    const from = this.#sets.offsets[this.#order[place] as number] as number;
    const length = this.#indexedLength(this.#sizes[place] as number);
    for (let position = 0; position < length; position++) {
      const token = this.#sets.tokens[from + position] as number;
      const at = this.#ends[token] as number;
      this.#ends[token] = at + 1;
      this.#postingPlaces[at] = place;
      // A position that does not fit is told as an earlier one: the filter lets more pass, never less.
      this.#postingPositions[at] = Math.min(position, 0xffff);
    }
  }
}

export function sizeOf({ offsets }: TokenSets, set: number): number {
  return (offsets[set + 1] as number) - (offsets[set] as number);
}

/** Numbers of the sets from the smallest up, by counting; equal sizes keep their order. */
export function bySize(sets: TokenSets): Uint32Array {
  let largest = 0;
  for (let set = 0; set < sets.count; set++) largest = Math.max(largest, sizeOf(sets, set));
  const starts = new Uint32Array(largest + 2);
  for (let set = 0; set < sets.count; set++) {
    const next = sizeOf(sets, set) + 1;
    starts[next] = (starts[next] as number) + 1;
  }
  for (let size = 1; size < starts.length; size++) {
    starts[size] = (starts[size] as number) + (starts[size - 1] as number);
  }
  const order = new Uint32Array(sets.count);
  for (let set = 0; set < sets.count; set++) {
    const size = sizeOf(sets, set);
    const at = starts[size] as number;
    starts[size] = at + 1;
    order[at] = set;
  }
  return order;
}

/** Tokens that two sets share; some number below `needed` as soon as they cannot be so many. */
function countShared({ offsets, tokens }: TokenSets, a: number, b: number, needed: number): number {
  let i = offsets[a] as number;
  let j = offsets[b] as number;
  const [endA, endB] = [offsets[a + 1] as number, offsets[b + 1] as number];
  let shared = 0;
  // How many tokens of either set may still be missed.
  let spareA = endA - i - needed;
  let spareB = endB - j - needed;
  while (i < endA && j < endB) {
    const [left, right] = [tokens[i] as number, tokens[j] as number];
    if (left === right) {
      shared++;
      i++;
      j++;
    } else if (left < right) {
      i++;
      if (--spareA < 0) return shared;
    } else {
      j++;
      if (--spareB < 0) return shared;
    }
  }
  return shared;
}
