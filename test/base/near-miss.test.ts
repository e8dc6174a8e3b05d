import { describe, expect, test } from 'vitest';
import { hintFor, nearest } from '../../src/base/near-miss.ts';

describe('nearest', () => {
  test.each([
    ['cvs', ['jsonl', 'csv', 'tsv'], 'csv'],
    ['suport', ['billing', 'support'], 'support'],
    ['Support', ['support'], 'support'],
    ['stratfy', ['sides', 'stratify'], 'stratify'],
  ])('finds what %s was meant to be', (word, names, meant) => {
    expect(nearest(word, names)).toBe(meant);
  });

  test('finds nothing where nothing is near', () => {
    expect(nearest('billing', ['support'])).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });
});

describe('hintFor', () => {
  test('suggests, or lists what there is, or says that there is nothing', () => {
    expect(hintFor('cvs', ['csv'], 'formats')).toBe('did you mean "csv"?');
    expect(hintFor('xml', ['csv', 'json'], 'formats')).toBe('known formats: csv, json');
    expect(hintFor('xml', [], 'formats')).toBe('there are no formats yet');
  });
});
