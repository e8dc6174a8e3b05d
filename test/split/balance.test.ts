import { describe, expect, test } from 'vitest';
import type { SplitPolicy } from '../../src/records/manifest.ts';
import { SplitAssigner } from '../../src/split/assign.ts';
import { balanceOf, balanceWarnings, stratumLabel } from '../../src/split/balance.ts';

const policy: SplitPolicy = {
  method: 'sticky',
  sides: { train: 0.75, test: 0.25 },
  salt: 'support',
  stratify: ['intent'],
};

describe('balanceOf', () => {
  test('compares every stratum and the whole with the shares', () => {
    const { overall, strata } = balanceOf(policy, { '["b"]': { train: 6, test: 2 }, '["a"]': { train: 2 } });
    expect([...strata.keys()]).toEqual(['["a"]', '["b"]']);
    expect(strata.get('["a"]')).toEqual({
      groups: 2,
      sides: {
        train: { groups: 2, ideal: 1.5, deviation: 0.5 },
        test: { groups: 0, ideal: 0.5, deviation: -0.5 },
      },
    });
    expect(overall).toEqual({
      groups: 10,
      sides: {
        train: { groups: 8, ideal: 7.5, deviation: 0.5 },
        test: { groups: 2, ideal: 2.5, deviation: -0.5 },
      },
    });
  });

  test('an empty version has no strata and no deviation', () => {
    const { overall, strata } = balanceOf(policy, {});
    expect(strata.size).toBe(0);
    expect(overall.groups).toBe(0);
    expect(overall.sides['test']).toEqual({ groups: 0, ideal: 0, deviation: 0 });
  });
});

describe('balanceWarnings', () => {
  test('names five strata and counts the others', () => {
    const strata = Object.fromEntries(Array.from({ length: 7 }, (_, at) => [`["i${at}"]`, { train: 1 }]));
    expect(balanceWarnings(balanceOf(policy, strata), new Set(Object.keys(strata)))).toEqual([
      '7 strata (i0, i1, i2, i3, i4 and 2 more) with a single text, which cannot be on two sides',
      'train has 7 groups where its share is 5.3',
      'test has 0 groups where its share is 1.8',
    ]);
  });

  test('is silent about strata that this commit did not touch', () => {
    const strata = { '["a"]': { train: 1 }, '["b"]': { train: 3, test: 1 } };
    expect(balanceWarnings(balanceOf(policy, strata), new Set(['["b"]']))).toEqual([]);
  });
});

test.each([
  ['["greet"]', 'greet'],
  ['["greet","de",null,7]', 'greet, de, (none), 7'],
  ['[["a","b"]]', 'a + b'],
  ['[]', 'all'],
])('the stratum %s reads %j', (stratum, expected) => {
  expect(stratumLabel(stratum)).toBe(expected);
});

test('S3: with several sides each is within one group of its share, the last within as many as there are others', () => {
  const sides = { train: 0.6, dev: 0.25, test: 0.1, late: 0.05 };
  for (let size = 20; size < 60; size++) {
    const assigner = new SplitAssigner({ ...policy, sides }, {});
    for (let stratum = 0; stratum < 7; stratum++) {
      for (let at = 0; at < size + stratum; at++) assigner.add(`${stratum} ${at}`, `["s${stratum}"]`);
    }
    const { overall } = balanceOf({ ...policy, sides }, assigner.assign().strata);
    for (const [side, { deviation }] of Object.entries(overall.sides)) {
      expect(Math.abs(deviation)).toBeLessThanOrEqual((side === 'train' ? 3 : 1) + 1e-6);
    }
  }
});
