import { expect, test } from 'vitest';
import { parseDatasetName } from '../../src/records/dataset-name.ts';

test.each(['support', 'Support-2', '0', 'a.b_c-d', 'con-1', 'console', 'a'.repeat(100)])(
  '%j names a dataset',
  (name) => {
    expect(parseDatasetName(name)).toBe(name);
  },
);

test.each([
  '',
  'a'.repeat(101),
  '.a',
  '-a',
  '_a',
  'a..b',
  'a.',
  'a/b',
  'a\\b',
  'a b',
  'ä',
  'a\n',
  'NUL',
  'con.json',
  'Com1',
  'lpt9.x.y',
  '../x',
])('%j does not name a dataset', (name) => {
  expect(() => parseDatasetName(name)).toThrow(
    expect.objectContaining({ code: 'bad-dataset-name', hint: expect.any(String) as string }),
  );
});
