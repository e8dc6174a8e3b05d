/** How near the sides of a version are to their shares: by stratum and overall, in groups. */
import type { CountsBySide, SplitPolicy } from '../records/manifest.ts';
import type { FeatureValue } from '../records/record.ts';

/** One side of a stratum, or of the whole. */
export interface SideBalance {
  readonly groups: number;
  /** share · n, not rounded. */
  readonly ideal: number;
  /** groups − ideal. */
  readonly deviation: number;
}

export interface StratumBalance {
  /** Groups on all sides. */
  readonly groups: number;
  readonly sides: Readonly<Record<string, SideBalance>>;
}

export interface Balance {
  readonly overall: StratumBalance;
  /** By stratum, in the order of their names. */
  readonly strata: ReadonlyMap<string, StratumBalance>;
}

/** Compares the groups of a version with the shares of its split. */
export function balanceOf(policy: SplitPolicy, strata: CountsBySide): Balance {
  const totals: Record<string, number> = {};
  const balances = new Map<string, StratumBalance>();
  for (const stratum of Object.keys(strata).sort()) {
    const counts = strata[stratum] ?? {};
    balances.set(stratum, balanceOfCounts(policy, counts));
    for (const [side, count] of Object.entries(counts)) totals[side] = (totals[side] ?? 0) + count;
  }
  return { overall: balanceOfCounts(policy, totals), strata: balances };
}

function balanceOfCounts(policy: SplitPolicy, counts: Readonly<Record<string, number>>): StratumBalance {
  const groups = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const sides: Record<string, SideBalance> = {};
  for (const [side, share] of Object.entries(policy.sides)) {
    const there = counts[side] ?? 0;
    sides[side] = { groups: there, ideal: share * groups, deviation: there - share * groups };
  }
  return { groups, sides };
}

/** Strata named in a warning; the rest are counted. */
const NAMED_STRATA = 5;
/** Deviations are differences of doubles. */
const TOLERANCE = 1e-6;

/**
 * What a user should know of the balance, as sentence fragments.
 *
 * @param touched the strata to speak of; the overall balance counts all.
 */
export function balanceWarnings(balance: Balance, touched: ReadonlySet<string>): string[] {
  const warnings: string[] = [];
  const lonely: string[] = [];
  const uneven: string[] = [];
  for (const [stratum, { groups, sides }] of balance.strata) {
    if (!touched.has(stratum)) continue;
    if (groups === 1) lonely.push(stratum);
    else if (Object.values(sides).some(({ deviation }) => Math.abs(deviation) >= 1 + TOLERANCE)) uneven.push(stratum);
  }
  if (lonely.length > 0) warnings.push(`${strataOf(lonely)} with a single text, which cannot be on two sides`);
  if (uneven.length > 0) warnings.push(`${strataOf(uneven)} out of proportion, for no text changes its side`);
  for (const [side, { groups, ideal, deviation }] of Object.entries(balance.overall.sides)) {
    if (Math.abs(deviation) < 1 + TOLERANCE) continue;
    warnings.push(`${side} has ${groups} groups where its share is ${ideal.toFixed(1)}`);
  }
  return warnings;
}

/** The strata's names for a person: ["greet"] reads greet. */
function strataOf(strata: readonly string[]): string {
  const names = strata.slice(0, NAMED_STRATA).map(stratumLabel);
  const more = strata.length > names.length ? ` and ${strata.length - names.length} more` : '';
  return `${strata.length === 1 ? '1 stratum' : `${strata.length} strata`} (${names.join(', ')}${more})`;
}

/** A stratum as a person reads it: its fields, several joined by commas and several labels by plus signs. */
export function stratumLabel(stratum: string): string {
  const fields = JSON.parse(stratum) as readonly (FeatureValue | readonly string[])[];
  if (fields.length === 0) return 'all';
  return fields
    .map((field) => (typeof field === 'object' ? (field?.join(' + ') ?? '(none)') : String(field)))
    .join(', ');
}
