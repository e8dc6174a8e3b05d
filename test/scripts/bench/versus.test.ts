import { expect, test } from 'vitest';
import { ratio } from '../../../scripts/bench/versus.ts';

test.each([
  [100, 4000, '1/40'],
  [100, 150, '1/1.5'],
  [100, 100, '1/1.0'],
  [320, 100, '3.2 ×'],
  [4000, 100, '40 ×'],
])('%d beside %d is %s', (own, other, shown) => {
  expect(ratio(own, other)).toBe(shown);
});
