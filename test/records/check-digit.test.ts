import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasLuhnDigit } from '../../src/records/check-digit.ts';

test('published card numbers for tests have a right check digit', () => {
  const numbers = ['4111111111111111', '5555555555554444', '378282246310005', '6011111111111117', '79927398713'];
  expect(numbers.filter((digits) => !hasLuhnDigit(digits))).toEqual([]);
});

test('of the ten last digits exactly one is right', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^\d{1,18}$/u), (digits) => {
      const right = Array.from({ length: 10 }, (_, last) => `${digits}${last}`).filter((all) => hasLuhnDigit(all));
      expect(right).toHaveLength(1);
    }),
  );
});
