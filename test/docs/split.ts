/** Section 10 of docs/format.md, written from the page; SHA-256 is that of crypto-js. */
import CryptoJS from 'crypto-js';
import { canonical, fieldOf, fold, type StoredRecord } from './forms.ts';
import type { Entry, Manifest } from './store-decoder.ts';
import { recordOf } from './store-decoder.ts';

export type Policy = Manifest['split'];

export interface StratumInput {
  readonly stratum: string;
  /** By side, in the order of the sides. */
  readonly have: readonly number[];
  readonly new: number;
}

const BILLION = 1_000_000_000n;

export function independentSha256(text: string): string {
  return CryptoJS.SHA256(CryptoJS.enc.Utf8.parse(text)).toString(CryptoJS.enc.Hex);
}

export function sideOrder(policy: Policy): string[] {
  return Object.entries(policy.sides)
    .sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
    .map(([side]) => side);
}

const places = new Map<string, bigint>();

export function placeOf(salt: string, folded: string): bigint {
  const text = `${salt}\0${folded}`;
  const place = places.get(text) ?? BigInt(`0x${independentSha256(text).slice(0, 16)}`);
  places.set(text, place);
  return place;
}

export function stratumOf(record: StoredRecord, stratify: readonly string[]): string {
  return canonical(stratify.map((field) => fieldOf(record, field) ?? null));
}

function billionths(policy: Policy): bigint[] {
  const shares = sideOrder(policy).map((side) => BigInt(Math.round((policy.sides[side] as number) * 1e9)));
  const others = shares.slice(0, -1);
  return [...others, others.reduce((rest, share) => rest - share, BILLION)];
}

/** Section 10.2: for each stratum how many of its new groups each side takes. */
export function needsOf(policy: Policy, strata: readonly StratumInput[]): number[][] {
  const shares = billionths(policy);
  const sizes = strata.map(({ have, new: fresh }) => have.reduce((sum, count) => sum + count, fresh));
  const floors = (at: number): number[] =>
    shares.map((share) => Number((share * BigInt(sizes[at] as number)) / BILLION));
  const rests = (at: number): bigint[] => shares.map((share) => (share * BigInt(sizes[at] as number)) % BILLION);
  const ceils = (at: number): number[] =>
    floors(at).map((floor, side) => floor + ((rests(at)[side] as bigint) > 0n ? 1 : 0));
  const left = strata.map((stratum) => stratum.new);
  const needs = strata.map(() => shares.map(() => 0));
  const groups = sizes.reduce((sum, size) => sum + size, 0);

  for (let side = 0; side < shares.length - 1; side++) {
    const free: number[] = [];
    const choices = strata.map(({ have }, at) => {
      const rest = left[at] as number;
      const need = (count: number): number => Math.min(Math.max(count - (have[side] as number), 0), rest);
      const low = need(floors(at)[side] as number);
      const high = need(ceils(at)[side] as number);
      if (low === high || sizes[at] === 1) return { low, high, take: low };
      const later = (bounds: readonly number[]): number =>
        bounds.slice(side + 1).reduce((sum, bound, k) => sum + Math.max(0, bound - (have[side + 1 + k] as number)), 0);
      if (rest - low > later(ceils(at))) return { low, high, take: high };
      if (rest - high < later(floors(at))) return { low, high, take: low };
      if ((have[side] as number) + low === 0) return { low, high, take: high };
      free.push(at);
      return { low, high, take: low };
    });
    const total = choices.reduce((sum, { take }, at) => sum + take + (strata[at]?.have[side] as number), 0);
    const product = (shares[side] as bigint) * BigInt(groups);
    const target = Number(product / BILLION) + ((product % BILLION) * 2n > BILLION ? 1 : 0);
    const tie = (at: number): string => independentSha256(`${policy.salt}\0${strata[at]?.stratum as string}`);
    free.sort((a, b) => {
      const [x, y] = [rests(a)[side] as bigint, rests(b)[side] as bigint];
      if (x !== y) return x > y ? -1 : 1;
      return tie(a) < tie(b) ? -1 : 1;
    });
    const high = new Set(free.slice(0, Math.max(0, target - total)));
    for (const [at, choice] of choices.entries()) {
      const take = high.has(at) ? choice.high : choice.take;
      (needs[at] as number[])[side] = take;
      left[at] = (left[at] as number) - take;
    }
  }
  for (const [at, need] of needs.entries()) need[shares.length - 1] = left[at] as number;
  return needs;
}

/** The first column of a key. */
export const groupOf = (key: string): string => key.slice(0, key.indexOf('\t'));

interface Group {
  readonly name: string;
  readonly stratum: string;
  readonly place: bigint;
}

/**
 * The sides after a commit: group column to side.
 *
 * @param labelled all labelled records of the new version.
 * @param known the sides of the groups that had one before, retired or not.
 */
export function assign(
  policy: Policy,
  labelled: readonly Entry[],
  known: ReadonlyMap<string, string>,
): Map<string, string> {
  const order = sideOrder(policy);
  const sides = new Map<string, string>();
  const have = new Map<string, number[]>();
  const fresh: Group[] = [];
  for (const group of groupsOf(policy, labelled)) {
    const side = known.get(group.name);
    if (!have.has(group.stratum))
      have.set(
        group.stratum,
        order.map(() => 0),
      );
    if (side === undefined) {
      fresh.push(group);
      continue;
    }
    const counts = have.get(group.stratum) as number[];
    const at = order.indexOf(side);
    counts[at] = (counts[at] as number) + 1;
    sides.set(group.name, side);
  }
  if (policy.method === 'hash') {
    for (const { name, place } of fresh) sides.set(name, sideByHash(policy, place));
    return sides;
  }
  const members = [...have.keys()].map((stratum) => fresh.filter((group) => group.stratum === stratum));
  const inputs = [...have].map(([stratum, counts], at) => ({
    stratum,
    have: counts,
    new: (members[at] as Group[]).length,
  }));
  for (const [at, need] of needsOf(policy, inputs).entries()) {
    const drawn = (members[at] as Group[]).toSorted((a, b) => Number(a.place > b.place) - Number(a.place < b.place));
    const taken = need.flatMap((count, side) => Array.from({ length: count }, () => order[side] as string));
    for (const [index, { name }] of drawn.entries()) sides.set(name, taken[index] as string);
  }
  return sides;
}

/** The groups of some records in the order of their keys; what decides about a group is its first record. */
function groupsOf(policy: Policy, labelled: readonly Entry[]): Iterable<Group> {
  const sorted = labelled.toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  const groups = new Map<string, Group>();
  for (const { key, value } of sorted) {
    const name = groupOf(key);
    if (groups.has(name)) continue;
    const record = recordOf(value);
    const place = placeOf(policy.salt, fold(record.text));
    groups.set(name, { name, stratum: stratumOf(record, policy.stratify), place });
  }
  return groups.values();
}

/** Section 10.4. A double is a whole number of 2^-1074, so the comparison is exact. */
export function sideByHash(policy: Policy, place: bigint): string {
  const order = sideOrder(policy);
  let sum = 0;
  for (const side of order.slice(0, -1)) {
    sum += policy.sides[side] as number;
    if (place << (1074n - 64n) < inSmallestUnits(sum)) return side;
  }
  return order.at(-1) as string;
}

function inSmallestUnits(value: number): bigint {
  let exponent = 0;
  let whole = value;
  while (!Number.isInteger(whole)) {
    whole *= 2;
    exponent++;
  }
  return BigInt(whole) << BigInt(1074 - exponent);
}
