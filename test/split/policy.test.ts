import { describe, expect, test } from 'vitest';
import type { SplitPolicy } from '../../src/records/manifest.ts';
import { mergeSide } from '../../src/split/merge-side.ts';
import {
  BILLION,
  checkSplitPolicy,
  requireSplitPolicy,
  sharesInBillionths,
  sideOrder,
} from '../../src/split/policy.ts';

const policy: SplitPolicy = {
  method: 'sticky',
  sides: { train: 0.75, test: 0.25 },
  salt: 'support',
  stratify: ['intent'],
};

describe('checkSplitPolicy', () => {
  test.each<Partial<SplitPolicy>>([
    {},
    { sides: { train: 0.7, dev: 0.2, test: 0.1 } },
    { sides: { a: 1 / 3, b: 1 / 3, c: 1 / 3 } },
    { stratify: [] },
    { stratify: ['intent', 'lang', 'features.role'] },
    { salt: '' },
  ])('%j is valid', (part) => {
    expect(checkSplitPolicy({ ...policy, ...part })).toEqual([]);
  });

  test.each<[Partial<SplitPolicy>, string]>([
    [{ sides: { train: 1 } }, 'it needs at least two sides'],
    [{ sides: { train: 0.8, test: 0.1 } }, 'the shares add up to 0.9, not to 1'],
    [{ sides: { train: 1, test: 0 } }, 'every share must lie between 0 and 1'],
    [{ sides: { train: Number.NaN, test: 0.5 } }, 'every share must lie between 0 and 1'],
    [{ sides: { train: 0.75, 'a/b': 0.25 } }, '"a/b" is no name for a side: use small letters, digits, "-" and "_"'],
    [{ sides: { train: 0.75, nul: 0.25 } }, '"nul" is no name for a side: use small letters, digits, "-" and "_"'],
    [{ sides: { train: 0.75, unlabelled: 0.25 } }, '"unlabelled" cannot be the name of a side'],
    [{ sides: { train: 0.75, constructor: 0.25 } }, '"constructor" cannot be the name of a side'],
    [
      { sides: Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`s${at}`, 0.05])) },
      'it has 20 sides, more than 16',
    ],
    [{ salt: 'a\0b' }, 'the salt holds NUL or half of a surrogate pair'],
    [{ salt: 'a'.repeat(501) }, 'the salt has 501 characters, more than 500'],
    [{ stratify: ['text'] }, '"text" is no field to stratify by: use intent, lang or features.<name>'],
    [{ stratify: ['lang', 'lang'] }, 'a field to stratify by is given twice'],
    [{ stratify: Array.from({ length: 9 }, (_, at) => `features.f${at}`) }, 'it stratifies by more than 8 fields'],
  ])('%j is refused', (part, problem) => {
    expect(checkSplitPolicy({ ...policy, ...part })).toEqual([problem]);
    expect(() => requireSplitPolicy({ ...policy, ...part })).toThrow(
      expect.objectContaining({ code: 'bad-split', message: `the split is not valid: ${problem}` }),
    );
  });
});

test('S4: sides are ordered by share, then by name, however they are listed', () => {
  const sides = { train: 0.6, b: 0.15, a: 0.15, test: 0.1 };
  expect(sideOrder({ ...policy, sides })).toEqual(['test', 'a', 'b', 'train']);
});

test('shares in billionths add up to one, the last side taking what rounding leaves', () => {
  const shares = sharesInBillionths({ ...policy, sides: { a: 1 / 3, b: 1 / 3, c: 1 / 3 } });
  expect(shares).toEqual([333_333_333n, 333_333_333n, 333_333_334n]);
  expect(shares.reduce((sum, share) => sum + share, 0n)).toBe(BILLION);
});

test('S7: a merge keeps a side both branches agree on, and else the one with the larger share', () => {
  expect(mergeSide(policy, 'test', 'test')).toEqual({ side: 'test', crossed: false });
  expect(mergeSide(policy, 'test', 'train')).toEqual({ side: 'train', crossed: true });
  expect(mergeSide(policy, 'train', 'test')).toEqual({ side: 'train', crossed: true });
});
