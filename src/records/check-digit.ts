/** The check digit of card numbers. */

/**
 * Whether the last of the digits is the check digit of those before it, by Luhn's formula.
 *
 * @param digits ASCII digits only
 * @see ISO/IEC 7812-1, annex B
 */
export function hasLuhnDigit(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = Number(digits[digits.length - 1 - at]) * (at % 2 === 0 ? 1 : 2);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
}
