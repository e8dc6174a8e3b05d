/**
 * How many new groups of each stratum a side takes under the method `sticky`.
 *
 * All numbers are whole. A share is a number of billionths; the ideal of a stratum of n groups on a side is
 * share · n / 10⁹. Sides are settled one after the other from the smallest share up; the last takes what is left.
 * For a side and a stratum that has new groups:
 *
 *   1. the choice is between floor and ceil of the ideal, each moved to where stickiness allows it: not below the
 *      groups the side has already, not above these and the new groups that smaller sides have left;
 *   2. a stratum of one group takes the floor, so the group goes to the last side;
 *   3. where the floor would leave later sides more new groups than their ceils hold, it is the ceil;
 *   4. where the ceil would leave later sides fewer new groups than their floors need, it is the floor;
 *   5. where the floor is none and the ceil is one, it is the ceil: an intent nobody tests is not tested;
 *   6. the other strata are ranked by the remainder of their ideal, largest first, equal ones by the smaller
 *      SHA-256(salt 0x00 stratum); from the top so many take the ceil that the side's total comes as near as it
 *      can to share · N / 10⁹, the smaller number where two are equally near.
 *
 * The total of rule 6 counts what is already there in strata without new groups, so that what stickiness did to
 * the proportions once is repaired by later batches.
 */
import { sha256 } from '../base/hash.ts';
import { BILLION } from './policy.ts';

/** One stratum before its new groups have a side. Lists follow sideOrder. */
export interface StratumCounts {
  readonly name: string;
  /** Groups on each side already. */
  readonly have: readonly number[];
  readonly fresh: number;
}

/** The new groups that each side takes: for each stratum a list that follows sideOrder. */
export function settleNeeds(strata: readonly StratumCounts[], shares: readonly bigint[], salt: string): number[][] {
  const open = strata.map((counts) => new OpenStratum(counts, shares));
  const groupCount = open.reduce((sum, stratum) => sum + stratum.size, 0);
  for (let side = 0; side < shares.length - 1; side++) {
    const ranked: OpenStratum[] = [];
    let total = 0;
    for (const stratum of open) {
      const choice = stratum.choose(side);
      if (choice === 'free') ranked.push(stratum);
      total += choice === 'free' ? stratum.floorCount(side) : stratum.take(side, choice);
    }
    const ceils = nearest(shares[side] as bigint, groupCount) - total;
    if (ceils > 0) rank(ranked, side, salt);
    for (const [at, stratum] of ranked.entries()) stratum.take(side, at < ceils ? 'ceil' : 'floor');
  }
  return open.map((stratum) => stratum.finish());
}

/** The whole number nearest to a side's ideal, the smaller one of two. */
function nearest(share: bigint, groupCount: number): number {
  const product = share * BigInt(groupCount);
  const remainder = product % BILLION;
  return Number(product / BILLION) + (remainder * 2n > BILLION ? 1 : 0);
}

function rank(strata: OpenStratum[], side: number, salt: string): void {
  const ties = new Map<OpenStratum, string>();
  const tie = (stratum: OpenStratum): string => {
    let hash = ties.get(stratum);
    if (hash === undefined) {
      hash = sha256(`${salt}\0${stratum.name}`);
      ties.set(stratum, hash);
    }
    return hash;
  };
  strata.sort((a, b) => b.remainder(side) - a.remainder(side) || (tie(a) < tie(b) ? -1 : 1));
}

/** A stratum whose new groups are being given to sides. */
class OpenStratum {
  readonly name: string;
  readonly size: number;
  readonly #have: readonly number[];
  readonly #floors: readonly number[];
  readonly #remainders: readonly number[];
  readonly #needs: number[];
  #left: number;

  constructor({ name, have, fresh }: StratumCounts, shares: readonly bigint[]) {
    this.name = name;
    this.#have = have;
    this.#left = fresh;
    this.size = have.reduce((sum, count) => sum + count, fresh);
    const products = shares.map((share) => share * BigInt(this.size));
    this.#floors = products.map((product) => Number(product / BILLION));
    this.#remainders = products.map((product) => Number(product % BILLION));
    this.#needs = shares.map(() => 0);
  }

  /** Billionths by which the ideal is over its floor. */
  remainder(side: number): number {
    return this.#remainders[side] as number;
  }

  /** Groups on a side if it takes the floor. */
  floorCount(side: number): number {
    return (this.#have[side] as number) + this.#need(side, 'floor');
  }

  /** Rules 1 to 5; `free` where rule 6 decides. */
  choose(side: number): 'floor' | 'ceil' | 'free' {
    const low = this.#need(side, 'floor');
    const high = this.#need(side, 'ceil');
    if (low === high || this.size === 1) return 'floor';
    const later = this.#later(side);
    if (this.#left - low > later.room) return 'ceil';
    if (this.#left - high < later.lack) return 'floor';
    return low + (this.#have[side] as number) === 0 ? 'ceil' : 'free';
  }

  /** Settles a side and returns the groups it has then. */
  take(side: number, choice: 'floor' | 'ceil'): number {
    const need = this.#need(side, choice);
    this.#needs[side] = need;
    this.#left -= need;
    return (this.#have[side] as number) + need;
  }

  /** Gives what is left to the last side. */
  finish(): number[] {
    this.#needs[this.#needs.length - 1] = this.#left;
    return this.#needs;
  }

  /** New groups that bring a side to the floor or ceil of its ideal, as far as there are any. */
  #need(side: number, choice: 'floor' | 'ceil'): number {
    const missing = this.#bound(side, choice) - (this.#have[side] as number);
    return Math.min(Math.max(missing, 0), this.#left);
  }

  #bound(side: number, choice: 'floor' | 'ceil'): number {
    return (this.#floors[side] as number) + (choice === 'ceil' && this.remainder(side) > 0 ? 1 : 0);
  }

  /** New groups that the sides after this one still hold within their ceils, and lack to their floors. */
  #later(side: number): { readonly room: number; readonly lack: number } {
    let room = 0;
    let lack = 0;
    for (let later = side + 1; later < this.#have.length; later++) {
      const have = this.#have[later] as number;
      room += Math.max(0, this.#bound(later, 'ceil') - have);
      lack += Math.max(0, this.#bound(later, 'floor') - have);
    }
    return { room, lack };
  }
}
