/**
 * A dataset in memory, for tests of the split: groups with their strata and sides, and the groups that left.
 *
 * It keeps the books that a commit keeps (counts by stratum, retired groups) in the plainest way.
 */
import { compareKeys } from '../../src/records/key.ts';
import type { SplitPolicy } from '../../src/records/manifest.ts';
import { SplitAssigner } from '../../src/split/assign.ts';
import { mergeSide } from '../../src/split/merge-side.ts';

export interface Group {
  readonly stratum: string;
  readonly side: string;
}

export interface Change {
  readonly text: string;
  /** undefined: the group leaves. */
  readonly stratum: string | undefined;
}

export interface State {
  readonly groups: ReadonlyMap<string, Group>;
  readonly retired: ReadonlyMap<string, string>;
}

export const EMPTY_STATE: State = { groups: new Map(), retired: new Map() };

export function stratumName(intent: string): string {
  return JSON.stringify([intent]);
}

/** Applies the changes as one commit. */
export function commit(policy: SplitPolicy, state: State, changes: readonly Change[]): State {
  const groups = new Map(state.groups);
  const retired = new Map(state.retired);
  const fresh = new Map<string, string>();
  for (const { text, stratum } of changes) {
    const there = groups.get(text);
    if (stratum === undefined) {
      fresh.delete(text);
      if (there === undefined) continue;
      groups.delete(text);
      retired.set(text, there.side);
    } else if (there !== undefined) {
      groups.set(text, { stratum, side: there.side });
    } else if (retired.has(text)) {
      groups.set(text, { stratum, side: retired.get(text) as string });
      retired.delete(text);
    } else {
      fresh.set(text, stratum);
    }
  }
  const assigner = new SplitAssigner(policy, countStrata(groups));
  const sides = Object.keys(policy.sides);
  const sorted = [...fresh].sort(([a], [b]) => compareKeys(a, b));
  for (const [text, stratum] of sorted) assigner.add(text, stratum);
  const assignment = assigner.assign();
  for (const [ordinal, [text, stratum]] of sorted.entries()) {
    groups.set(text, { stratum, side: sides[assignment.sideOf(ordinal)] as string });
  }
  return { groups, retired };
}

/** Merges two states without a base: what either has stays. Returns the groups that crossed, too. */
export function merge(policy: SplitPolicy, ours: State, theirs: State): { state: State; crossed: readonly string[] } {
  const crossed: string[] = [];
  const sideIn = (state: State, text: string): string | undefined =>
    state.groups.get(text)?.side ?? state.retired.get(text);
  const settle = (text: string): string => {
    const [a, b] = [sideIn(ours, text), sideIn(theirs, text)];
    const merged = mergeSide(policy, (a ?? b) as string, (b ?? a) as string);
    if (merged.crossed) crossed.push(text);
    return merged.side;
  };
  const groups = new Map<string, Group>();
  const retired = new Map<string, string>();
  for (const [text, group] of [...theirs.groups, ...ours.groups]) groups.set(text, group);
  for (const [text, { stratum }] of groups) groups.set(text, { stratum, side: settle(text) });
  for (const text of [...ours.retired.keys(), ...theirs.retired.keys()]) {
    if (!groups.has(text) && !retired.has(text)) retired.set(text, settle(text));
  }
  return { state: { groups, retired }, crossed };
}

export function countStrata(groups: ReadonlyMap<string, Group>): Record<string, Record<string, number>> {
  const strata: Record<string, Record<string, number>> = {};
  for (const { stratum, side } of groups.values()) {
    const row = (strata[stratum] ??= {});
    row[side] = (row[side] ?? 0) + 1;
  }
  return strata;
}
