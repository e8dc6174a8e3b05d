import { expect, test } from 'vitest';
import { placeOfRow } from '../../src/formats/row-place.ts';

test('a row is named by its line, or by what says more where lines say nothing', () => {
  expect(placeOfRow({ file: 'a.csv', line: 7 })).toBe('a.csv:7');
  expect(placeOfRow({ file: 'a.json', line: 7, pointer: '/train/3' })).toBe('a.json:7');
  expect(placeOfRow({ file: 'a.json', line: 1, pointer: '/train/3' })).toBe('a.json at /train/3');
  expect(placeOfRow({ file: 'a.xlsx', line: 7, pointer: 'Sheet1!C7' })).toBe('a.xlsx at Sheet1!C7');
});
