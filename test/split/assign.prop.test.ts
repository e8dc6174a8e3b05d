/**
 * The split over random histories of a dataset: commits, removals, returns, relabels, branches and merges.
 *
 * Method: a plain model keeps groups and sides (model.ts); texts come from a small pool, so that histories remove
 * and bring back the same texts often, which is where a forgotten side shows.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SplitPolicy } from '../../src/records/manifest.ts';
import { SplitAssigner } from '../../src/split/assign.ts';
import { balanceOf } from '../../src/split/balance.ts';
import { type Change, commit, countStrata, EMPTY_STATE, merge, type State, stratumName } from './model.ts';

const twoSides: SplitPolicy = {
  method: 'sticky',
  sides: { train: 0.75, test: 0.25 },
  salt: 'support',
  stratify: ['intent'],
};

const policies = fc.record({
  method: fc.constantFrom('sticky' as const, 'sticky' as const, 'hash' as const),
  sides: fc.constantFrom<Record<string, number>>(
    { train: 0.75, test: 0.25 },
    { test: 0.5, train: 0.5 },
    { train: 0.9, test: 0.1 },
    { train: 0.8, dev: 0.1, test: 0.1 },
    { a: 1 / 3, b: 1 / 3, c: 1 / 3 },
    { train: 0.6, dev: 0.25, test: 0.1, late: 0.05 },
  ),
  salt: fc.constantFrom('support', '', 'ß'),
  stratify: fc.constant(['intent']),
});

const text = fc.nat({ max: 60 }).map((number) => `text ${number}`);
const intent = fc.constantFrom('a', 'b', 'c', 'd', 'é').map(stratumName);
const change: fc.Arbitrary<Change> = fc.record({ text, stratum: fc.option(intent, { nil: undefined, freq: 4 }) });
const batch = fc.array(change, { maxLength: 25 });

/** A first commit: distinct texts with their strata. */
const firstBatch = fc
  .array(fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 12 })), { maxLength: 20 })
  .map((sizes) =>
    sizes.flatMap(([size, stratum], at) =>
      Array.from({ length: size }, (_, index) => ({ text: `t${at}.${index}`, stratum: stratumName(`s${stratum}`) })),
    ),
  );

function sideOf(state: State, group: string): string | undefined {
  return state.groups.get(group)?.side ?? state.retired.get(group);
}

describe('over any history', () => {
  test('S1, S5: no group ever changes its side, whatever is added, removed, brought back or relabelled', () => {
    fc.assert(
      fc.property(policies, fc.array(batch, { maxLength: 12 }), (policy, batches) => {
        const first = new Map<string, string>();
        let state = EMPTY_STATE;
        for (const changes of batches) {
          state = commit(policy, state, changes);
          for (const group of [...state.groups.keys(), ...state.retired.keys()]) {
            const side = sideOf(state, group) as string;
            expect(first.get(group) ?? side).toBe(side);
            first.set(group, side);
          }
          for (const group of first.keys()) expect(sideOf(state, group)).toBeDefined();
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('S1, S7: across branches and merges a group only ever leaves a side for one with a larger share', () => {
    fc.assert(
      fc.property(policies, batch, batch, batch, batch, (policy, base, ours, theirs, after) => {
        const root = commit(policy, EMPTY_STATE, base);
        const [a, b] = [commit(policy, root, ours), commit(policy, root, theirs)];
        const { state, crossed } = merge(policy, a, b);
        const mirrored = merge(policy, b, a);
        expect([...mirrored.crossed].sort()).toEqual([...crossed].sort());
        const end = commit(policy, state, after);
        for (const group of [...a.groups.keys(), ...b.groups.keys(), ...a.retired.keys(), ...b.retired.keys()]) {
          const sides = [sideOf(a, group), sideOf(b, group)].filter((side) => side !== undefined);
          const share = Math.max(...sides.map((side) => policy.sides[side] as number));
          expect(policy.sides[sideOf(state, group) as string]).toBe(share);
          expect(sideOf(mirrored.state, group)).toBe(sideOf(state, group));
          expect(crossed.includes(group)).toBe(new Set(sides).size > 1);
          expect(policy.method === 'hash' && crossed.length > 0).toBe(false);
          expect(sideOf(end, group)).toBe(sideOf(state, group));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('S2: additions in many small commits keep every stratum within one group of its share', () => {
    fc.assert(
      fc.property(firstBatch, fc.nat({ max: 5 }), (changes, chunk) => {
        // Strata of fewer than four groups are bound to be off while they grow; start with enough of each.
        const seeds = [...new Set(changes.map(({ stratum }) => stratum))].flatMap((stratum) =>
          Array.from({ length: 8 }, (_, at) => ({ text: `seed ${stratum} ${at}`, stratum })),
        );
        let state = commit(twoSides, EMPTY_STATE, seeds);
        for (let at = 0; at < changes.length; at += chunk + 1) {
          state = commit(twoSides, state, changes.slice(at, at + chunk + 1));
        }
        const { strata } = balanceOf(twoSides, countStrata(state.groups));
        for (const { sides } of strata.values()) expect(Math.abs(sides['test']?.deviation ?? 0)).toBeLessThan(1);
      }),
      { numRuns: 150 },
    );
  });
});

describe('on a first commit', () => {
  test('S2: every stratum of two or more groups is within one group of its share on every side', () => {
    fc.assert(
      fc.property(policies, firstBatch, (policy, changes) => {
        const sticky = { ...policy, method: 'sticky' as const };
        const state = commit(sticky, EMPTY_STATE, changes);
        for (const [, { groups, sides }] of balanceOf(sticky, countStrata(state.groups)).strata) {
          if (groups === 1) continue;
          for (const { deviation } of Object.values(sides)) expect(Math.abs(deviation)).toBeLessThan(1 + 1e-6);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('S2: with two sides, a stratum of two or more groups is on both, and a single group is on train', () => {
    fc.assert(
      fc.property(firstBatch, (changes) => {
        const state = commit(twoSides, EMPTY_STATE, changes);
        for (const counts of Object.values(countStrata(state.groups))) {
          const { train = 0, test: tested = 0 } = counts;
          expect(train).toBeGreaterThan(0);
          expect(tested > 0).toBe(train + tested > 1);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('S3: without strata too small to choose, each side is within one group of its share', () => {
    fc.assert(
      fc.property(firstBatch, fc.constantFrom(0.25, 0.5, 0.3), (changes, share) => {
        const policy = { ...twoSides, sides: { train: 1 - share, test: share } };
        const large = new Set(
          Object.entries(Object.groupBy(changes, ({ stratum }) => stratum))
            .filter(([, groups = []]) => groups.length * share >= 1)
            .map(([stratum]) => stratum),
        );
        const state = commit(
          policy,
          EMPTY_STATE,
          changes.filter(({ stratum }) => large.has(stratum)),
        );
        const { overall } = balanceOf(policy, countStrata(state.groups));
        for (const { deviation } of Object.values(overall.sides)) {
          expect(Math.abs(deviation)).toBeLessThanOrEqual(0.5 + 1e-6);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('for the same parent and batch', () => {
  test('S4: the order of rows, of strata in the manifest and of sides in the policy does not matter', () => {
    fc.assert(
      fc.property(
        policies,
        batch,
        batch.chain((changes) =>
          fc.tuple(fc.constant(changes), fc.shuffledSubarray(changes, { minLength: changes.length })),
        ),
        (policy, base, [changes, shuffled]) => {
          const mirrored = { ...policy, sides: Object.fromEntries(Object.entries(policy.sides).reverse()) };
          const parent = commit(policy, EMPTY_STATE, base);
          const reordered: State = { groups: new Map([...parent.groups].reverse()), retired: parent.retired };
          const distinct = (list: readonly Change[]): Change[] => {
            const last = new Map(changes.map((item) => [item.text, item.stratum]));
            return [...new Set(list.map((item) => item.text))].map((name) => ({ text: name, stratum: last.get(name) }));
          };
          const straight = commit(policy, parent, distinct(changes));
          const mixed = commit(mirrored, reordered, distinct(shuffled));
          expect(mixed.groups).toEqual(straight.groups);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('S2: a commit reports the counts that follow from its assignments', () => {
    fc.assert(
      fc.property(policies, batch, (policy, changes) => {
        const state = commit(policy, EMPTY_STATE, changes);
        const assigner = new SplitAssigner(policy, {});
        for (const [name, { stratum }] of [...state.groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
          assigner.add(name, stratum);
        }
        expect(assigner.assign().strata).toEqual(countStrata(state.groups));
      }),
      { numRuns: 200 },
    );
  });
});
