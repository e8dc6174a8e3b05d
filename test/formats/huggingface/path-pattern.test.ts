import { expect, test } from 'vitest';
import { fitsPattern } from '../../../src/formats/huggingface/path-pattern.ts';

test.each([
  ['data/train-*', 'data/train-00000-of-00001.parquet', true],
  ['data/train-*', 'data/deep/train-0.parquet', false],
  ['data/train-*', 'data/train-0/x.parquet', false],
  ['./train.csv', 'train.csv', true],
  ['*', 'a/b', false],
  ['**', 'a/b/c.csv', true],
  ['**/*.csv', 'c.csv', true],
  ['**/*.csv', 'a/b/c.csv', true],
  ['**/test.csv', 'a/mytest.csv', false],
  ['a/**/c.csv', 'a/c.csv', true],
  ['a/**/c.csv', 'a/b/b/c.csv', true],
  ['a/**/c.csv', 'ab/c.csv', false],
  ['a**c', 'a/b/c', true],
  ['?.csv', 'a.csv', true],
  ['?.csv', '/.csv', false],
  ['[ab].csv', 'b.csv', true],
  ['[a-c]x[0-9]', 'bx7', true],
  ['[!a].csv', 'a.csv', false],
  ['[!a].csv', 'b.csv', true],
  ['[', '[', true],
  ['a.csv', 'aXcsv', false],
  ['', '', true],
])('%j and %j: %s', (pattern, path, expected) => {
  expect(fitsPattern(path, pattern)).toBe(expected);
});
