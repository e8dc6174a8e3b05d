/** What names a person and should not be in training data: e-mail addresses, phone, card and account numbers. */
import { hasLuhnDigit } from '../records/check-digit.ts';
import { defineCheck } from './check.ts';
import { flag } from './parameters.ts';

const MAY_HOLD = /@|\d{4}|\d[ ().-]{1,3}\d/u;
const EMAIL =
  /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}][\p{L}\p{N}._%+-]{0,63}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}(?![\p{L}\p{N}])/u;
const IBAN = /(?<![\p{L}\p{N}])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![\p{L}\p{N}])/giu;
const CARD = /(?<![\d.,])\d(?:[ -]?\d){12,18}(?![\d.,]?\d)/gu;
/** With a country's prefix; or in three groups, and not a part of more, where a single number would have none. */
const PHONE =
  /(?<![\p{L}\p{N}.,+]|\d[ .-])(?:(?:\+|00)[1-9](?:[ ()./-]{0,2}\d){7,13}|\(?\d{2,5}(?:\)[ ]?|[ .-])\d{3,4}[ .-]\d{3,5})(?![ .-]?\d)/gu;

export const personalData = defineCheck({
  name: 'personal-data',
  title: 'e-mail addresses, phone numbers, card numbers, IBANs',
  severity: 'warn',
  parameters: {
    email: flag(true, 'Look for e-mail addresses.'),
    phone: flag(true, 'Look for phone numbers.'),
    card: flag(true, 'Look for card numbers whose check digit is right.'),
    iban: flag(true, 'Look for IBANs whose check digits are right.'),
  },
  start: ({ find }, wanted) => ({
    group(records) {
      for (const found of records) {
        const { text } = found.record;
        if (!MAY_HOLD.test(text)) continue;
        const kinds = kindsOf(text).filter(([kind]) => wanted[kind]);
        if (kinds.length === 0) continue;
        find({
          subject: [text],
          records: [found],
          place: 'text',
          message: `holds what looks like ${kinds.map(([, title]) => title).join(' and ')}`,
          hint: 'put an invented one in its place; remove the record from the data if it was a real one',
        });
      }
    },
  }),
});

type Kind = 'email' | 'phone' | 'card' | 'iban';

/** What a text seems to hold; a number that is a card or an account is no phone number. */
function kindsOf(text: string): (readonly [Kind, string])[] {
  const kinds: (readonly [Kind, string])[] = [];
  if (EMAIL.test(text)) kinds.push(['email', 'an e-mail address']);
  const cards = (text.match(CARD) ?? []).filter((number) => isCard(number.replaceAll(/\D/gu, '')));
  if (cards.length > 0) kinds.push(['card', 'a card number']);
  const accounts = (text.match(IBAN) ?? []).filter((account) => isIban(account.replaceAll(' ', '').toUpperCase()));
  if (accounts.length > 0) kinds.push(['iban', 'an IBAN']);
  const rest = [...cards, ...accounts].reduce((left, part) => left.replace(part, ' '), text);
  const phones = (rest.match(PHONE) ?? []).filter((number) => isPhone(number));
  if (phones.length > 0) kinds.push(['phone', 'a phone number']);
  return kinds;
}

function isPhone(number: string): boolean {
  const digits = number.replaceAll(/\D/gu, '').length;
  return digits >= 9 && digits <= 15;
}

/** One digit many times is nobody's card. */
function isCard(digits: string): boolean {
  return hasLuhnDigit(digits) && !/^(\d)\1*$/u.test(digits);
}

/** ISO 7064, modulo 97. */
function isIban(account: string): boolean {
  if (account.length < 15 || account.length > 34) return false;
  let rest = 0;
  for (const character of account.slice(4) + account.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}
