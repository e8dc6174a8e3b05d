/**
 * Assigns the groups that are new in a commit to the sides.
 *
 * S1  Strict separation: a group that has a side keeps it; only groups without one are ever assigned.
 * S2  Stratified: after a first commit every stratum of n groups has less than one group more or less than
 *     share · n on every side, but that a stratum of one group is on the last side. Commits that only add keep it
 *     so with two sides; what removals and relabels upset, later additions repair.
 * S3  Overall: after a first commit each side has at most one group more or less than share · N (with more than
 *     two sides: the last one at most as many as there are others), unless strata of fewer groups than a side
 *     needs for its first one force more or less; then `warnings` says so.
 * S4  Deterministic: sides depend on the texts and strata of the new groups, on the counts of the old ones and on
 *     the policy; not on row order, machine, clock, or the order in which the policy lists its sides.
 * S5  Relabelling does not move: a group's stratum only matters when it is new.
 * S6  The method `hash` is a function of salt, shares and text alone.
 *
 * sticky: targets.ts says how many new groups of a stratum each side takes, draw.ts in which order they stand.
 * The first go to the side with the smallest share, and so on in sideOrder; the rest to the last.
 *
 * hash: u = place / 2⁶⁴. The first side in sideOrder whose running sum of shares exceeds u; the last one for the
 * rest. Running sums are sums of IEEE doubles in that order, the comparison is exact.
 */
import { assert } from '../base/errors.ts';
import type { CountsBySide, SplitPolicy } from '../records/manifest.ts';
import { balanceOf, balanceWarnings } from './balance.ts';
import { Draw } from './draw.ts';
import { requireSplitPolicy, sharesInBillionths, sideOrder } from './policy.ts';
import { settleNeeds, type StratumCounts } from './targets.ts';

/** Which side each new group is on. */
export interface Assignment {
  /** @returns an index into `Object.keys(policy.sides)`. */
  sideOf(ordinal: number): number;
  /** Groups by stratum and side after the commit. */
  readonly strata: CountsBySide;
  /** Sentences for the user: strata that are too small to be on every side, and sides that are off for it. */
  readonly warnings: readonly string[];
}

/** Takes the new groups of a commit, in ascending order of their keys, and assigns them all at once. */
export class SplitAssigner {
  readonly #policy: SplitPolicy;
  readonly #order: readonly string[];
  readonly #draw: Draw;
  /** Index of each stratum; those that were there before come first, in the order of their names. */
  readonly #strata = new Map<string, number>();
  readonly #names: string[] = [];
  readonly #have: number[][] = [];

  /**
   * @param existing groups by stratum and side, as they are once this commit's removed and relabelled groups
   *   are accounted for, without the groups to be added here.
   * @throws bad-split
   */
  constructor(policy: SplitPolicy, existing: CountsBySide) {
    requireSplitPolicy(policy);
    this.#policy = policy;
    this.#order = sideOrder(policy);
    this.#draw = new Draw(policy.salt);
    for (const [stratum, counts] of Object.entries(existing)) {
      this.#have[this.#indexOf(stratum)] = this.#order.map((side) => counts[side] ?? 0);
    }
  }

  /** New groups so far. */
  get size(): number {
    return this.#draw.size;
  }

  /** Adds a new group and returns its ordinal, counted from 0. */
  add(foldedText: string, stratum: string): number {
    return this.#draw.add(foldedText, this.#indexOf(stratum));
  }

  /** Assigns all groups added. O(n) on average, 17 bytes a group at the peak. */
  assign(): Assignment {
    const { ordinals, starts } = this.#draw.byStratum(this.#names.length);
    const sides = this.#policy.method === 'hash' ? this.#assignByHash() : this.#assignByNeeds(ordinals, starts);
    const positions = Object.keys(this.#policy.sides);
    const indexes = this.#order.map((side) => positions.indexOf(side));
    const strata = this.#countStrata(sides);
    return {
      sideOf: (ordinal) => {
        assert(ordinal < sides.length, 'the group was added');
        return indexes[sides[ordinal] as number] as number;
      },
      strata,
      warnings: this.#warnings(strata, starts),
    };
  }

  #indexOf(stratum: string): number {
    let index = this.#strata.get(stratum);
    if (index === undefined) {
      index = this.#names.length;
      this.#strata.set(stratum, index);
      this.#names.push(stratum);
      this.#have.push(this.#order.map(() => 0));
    }
    return index;
  }

  /** Positions in sideOrder by ordinal. */
  #assignByNeeds(ordinals: Uint32Array, starts: Uint32Array): Uint8Array {
    const counts = this.#names.map((name, index): StratumCounts => {
      const fresh = (starts[index + 1] as number) - (starts[index] as number);
      return { name, have: this.#have[index] as number[], fresh };
    });
    const needs = settleNeeds(counts, sharesInBillionths(this.#policy), this.#policy.salt);
    const sides = new Uint8Array(this.size);
    for (const [index, need] of needs.entries()) {
      const end = starts[index + 1] as number;
      let start = starts[index] as number;
      for (const [side, count] of need.entries()) {
        this.#draw.select(ordinals, start, start + count, end);
        for (let at = start; at < start + count; at++) sides[ordinals[at] as number] = side;
        start += count;
      }
      assert(start === end, 'every new group of the stratum has a side');
    }
    return sides;
  }

  /** Positions in sideOrder by ordinal. */
  #assignByHash(): Uint8Array {
    const limits = hashLimits(this.#order.map((side) => this.#policy.sides[side] as number));
    const sides = new Uint8Array(this.size);
    for (let ordinal = 0; ordinal < sides.length; ordinal++) {
      let side = 0;
      while (side < limits.length && !this.#draw.isBelow(ordinal, limits[side] as readonly [number, number])) side++;
      sides[ordinal] = side;
    }
    return sides;
  }

  #countStrata(sides: Uint8Array): CountsBySide {
    const counts = this.#have.map((have) => [...have]);
    for (let ordinal = 0; ordinal < sides.length; ordinal++) {
      const stratum = counts[this.#draw.stratumOf(ordinal)] as number[];
      const side = sides[ordinal] as number;
      stratum[side] = (stratum[side] as number) + 1;
    }
    const strata: Record<string, Record<string, number>> = {};
    for (const [index, name] of this.#names.entries()) {
      const row: Record<string, number> = {};
      for (const [at, side] of this.#order.entries()) {
        const count = (counts[index] as number[])[at] as number;
        if (count > 0) row[side] = count;
      }
      if (Object.keys(row).length > 0) strata[name] = row;
    }
    return strata;
  }

  /** Only about strata with new groups: the others were spoken of when they were new. */
  #warnings(strata: CountsBySide, starts: Uint32Array): string[] {
    if (this.#policy.method === 'hash' || this.size === 0) return [];
    const touched = new Set(this.#names.filter((_, index) => starts[index] !== starts[index + 1]));
    return balanceWarnings(balanceOf(this.#policy, strata), touched);
  }
}

/** Running sums of all shares but the last, as 64-bit limits in two halves. */
function hashLimits(shares: readonly number[]): (readonly [number, number])[] {
  let sum = 0;
  return shares.slice(0, -1).map((share) => {
    sum += share;
    // A double times a power of two is exact, and so is the difference: both are multiples of the sum's last bit.
    const high = Math.floor(sum * 2 ** 32);
    return [high, Math.ceil((sum * 2 ** 32 - high) * 2 ** 32)];
  });
}
