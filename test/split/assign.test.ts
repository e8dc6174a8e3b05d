import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareKeys } from '../../src/records/key.ts';
import type { CountsBySide, SplitPolicy } from '../../src/records/manifest.ts';
import { SplitAssigner } from '../../src/split/assign.ts';
import { balanceOf } from '../../src/split/balance.ts';
import { commit, countStrata, EMPTY_STATE, stratumName } from './model.ts';
import { drawn, hashSide } from './oracle.ts';

const policy: SplitPolicy = {
  method: 'sticky',
  sides: { train: 0.75, test: 0.25 },
  salt: 'support',
  stratify: ['intent'],
};

/** Assigns texts of one commit and returns text to side. */
function assign(
  split: SplitPolicy,
  existing: CountsBySide,
  groups: Readonly<Record<string, readonly string[]>>,
): { sides: Record<string, string>; warnings: readonly string[] } {
  const entries = Object.entries(groups)
    .flatMap(([stratum, texts]) => texts.map((text) => ({ text, stratum })))
    .sort((a, b) => compareKeys(a.text, b.text));
  const assigner = new SplitAssigner(split, existing);
  for (const { text, stratum } of entries) assigner.add(text, stratum);
  const assignment = assigner.assign();
  const names = Object.keys(split.sides);
  const sides = Object.fromEntries(entries.map(({ text }, at) => [text, names[assignment.sideOf(at)] as string]));
  return { sides, warnings: assignment.warnings };
}

function texts(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix} ${at}`);
}

interface Golden {
  readonly about: string;
  readonly policy: SplitPolicy;
  readonly existing: CountsBySide;
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly sides: Readonly<Record<string, string>>;
}

const GOLDEN = new URL('../golden/splits/', import.meta.url);

function golden(): { name: string; value: Golden }[] {
  return readdirSync(GOLDEN)
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({ name, value: JSON.parse(readFileSync(new URL(name, GOLDEN), 'utf8')) as Golden }));
}

describe('golden splits', () => {
  test.each(golden())('S4: $name is assigned as it was when it was written', ({ value }) => {
    expect(assign(value.policy, value.existing, value.groups).sides).toEqual(value.sides);
  });

  test.each(golden().filter(({ value }) => value.policy.method === 'sticky'))(
    'S4: in $name, sides take their groups in the order that an independent SHA-256 gives',
    ({ value }) => {
      const bySize = Object.entries(value.policy.sides)
        .sort(([a, left], [b, right]) => left - right || compareKeys(a, b))
        .map(([side]) => side);
      for (const group of Object.values(value.groups)) {
        const taken = drawn(value.policy.salt, group).map((text) => bySize.indexOf(value.sides[text] as string));
        expect(taken).toEqual(taken.toSorted((a, b) => a - b));
      }
    },
  );
});

describe('the method hash', () => {
  test('S6: a side is what exact arithmetic over an independent SHA-256 gives', () => {
    const shares = fc.constantFrom(
      [0.25, 0.75],
      [0.1, 0.2, 0.7],
      [0.05, 0.95],
      [1 / 3, 1 / 3, 1 / 3],
      [0.0001, 0.9999],
    );
    fc.assert(
      fc.property(
        shares,
        fc.string(),
        fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 40 }),
        (list, salt, all) => {
          const names = list.map((_, at) => `s${at}`);
          const split: SplitPolicy = {
            method: 'hash',
            sides: Object.fromEntries(list.map((share, at) => [names[at] as string, share])),
            salt: salt.replaceAll('\0', ''),
            stratify: [],
          };
          const { sides } = assign(split, {}, { '[]': all });
          for (const text of all) expect(sides[text]).toBe(names[hashSide(split.salt, text, list)]);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('S6: proportions are right on average', () => {
    const { sides } = assign({ ...policy, method: 'hash' }, {}, { '["a"]': texts('t', 4000) });
    const tested = Object.values(sides).filter((side) => side === 'test').length;
    expect(tested).toBeGreaterThan(900);
    expect(tested).toBeLessThan(1100);
  });
});

describe('the method sticky', () => {
  test('S2: four groups are three and one, two are one and one, a single one is for training', () => {
    const { sides } = assign(policy, {}, { '["a"]': texts('a', 4), '["b"]': texts('b', 2), '["c"]': texts('c', 1) });
    const count = (prefix: string): number =>
      Object.entries(sides).filter(([text, side]) => text.startsWith(prefix) && side === 'test').length;
    expect([count('a'), count('b'), count('c')]).toEqual([1, 1, 0]);
  });

  test('S3: the user is told where strata are too small for proportions', () => {
    const groups = { '["a"]': texts('a', 1), '["b"]': texts('b', 2), '["c"]': texts('c', 2), '["d"]': texts('d', 2) };
    expect(assign(policy, {}, groups).warnings).toEqual([
      '1 stratum (a) with a single text, which cannot be on two sides',
      'train has 4 groups where its share is 5.3',
      'test has 3 groups where its share is 1.8',
    ]);
  });

  test('S2: what a removal upset, later additions repair', () => {
    const existing = { '["a"]': { train: 9 } };
    const { sides } = assign(policy, existing, { '["a"]': texts('a', 3) });
    expect(Object.values(sides)).toEqual(['test', 'test', 'test']);
    const more = { '["a"]': { train: 3, test: 9 } };
    const answer = assign(policy, more, { '["a"]': texts('a', 2) });
    expect(Object.values(answer.sides)).toEqual(['train', 'train']);
    expect(answer.warnings).toHaveLength(3);
    expect(answer.warnings[0]).toBe('1 stratum (a) out of proportion, for no text changes its side');
  });

  test('S3: one more group in each of a hundred intents does not drift', () => {
    const intents = texts('intent', 100).map(stratumName);
    let state = commit(
      policy,
      EMPTY_STATE,
      intents.flatMap((stratum) => texts(stratum, 101).map((text) => ({ text, stratum }))),
    );
    for (const stratum of intents) {
      state = commit(policy, state, [{ text: `more ${stratum}`, stratum }]);
      const { overall } = balanceOf(policy, countStrata(state.groups));
      // A commit can only choose for its own stratum, and not beyond one group: a little slack remains.
      expect(Math.abs(overall.sides['test']?.deviation as number)).toBeLessThan(2);
    }
  });

  test('S4: an assigner without groups assigns nothing', () => {
    const assigner = new SplitAssigner(policy, { '["a"]': { train: 3, test: 1 } });
    const assignment = assigner.assign();
    expect(assigner.size).toBe(0);
    expect(assignment.warnings).toEqual([]);
    expect(assignment.strata).toEqual({ '["a"]': { train: 3, test: 1 } });
    expect(() => assignment.sideOf(0)).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  test('S4: more groups than the first pages of memory hold are drawn alike', () => {
    const many = texts('a', 5000);
    const { sides } = assign(policy, {}, { '["a"]': many });
    const tested = many.filter((text) => sides[text] === 'test');
    expect(new Set(drawn('support', many).slice(0, 1250))).toEqual(new Set(tested));
  });

  test('a policy that is not valid is refused', () => {
    expect(() => new SplitAssigner({ ...policy, sides: { train: 1 } }, {})).toThrow(
      expect.objectContaining({ code: 'bad-split' }),
    );
  });
});
