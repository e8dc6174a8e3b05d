import { expect, test } from 'vitest';
import type { SplitPolicy } from '../../src/records/manifest.ts';
import { sideOfWord } from '../../src/split/adopt.ts';

const policy = (sides: SplitPolicy['sides']): SplitPolicy => ({
  method: 'sticky',
  sides,
  salt: 's',
  stratify: ['intent'],
});

test('a word means the side that is called so, or by another word for the same', () => {
  const three = policy({ train: 0.7, dev: 0.1, test: 0.2 });
  expect(
    ['train', 'Training', 'val', 'oos_val', ' dev ', 'TEST', 'oos_test', 'OOS-train'].map((word) =>
      sideOfWord(word, three),
    ),
  ).toEqual(['train', 'train', 'dev', 'dev', 'dev', 'test', 'test', 'train']);
});

test('what a model is fitted with goes to the side of training, all else to the smallest', () => {
  const two = policy({ big: 0.8, small: 0.2 });
  expect(['train', 'valid', 'dev', 'test', 'holdout', 'eval'].map((word) => sideOfWord(word, two))).toEqual([
    'big',
    'big',
    'big',
    'small',
    'small',
    'small',
  ]);
});
