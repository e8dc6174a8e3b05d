import { describe, expect, test } from 'vitest';
import { APOSTROPHES, fold, isWhitespace, norm, NORMALISER_VERSION, trim, WHITESPACE } from '../../src/records/text.ts';

const text = (...codes: readonly number[]): string => String.fromCodePoint(...codes);

describe('norm', () => {
  test.each([
    ['Where  IS\tmy order?', 'where is my order?'],
    [' a ', 'a'],
    ['STRASSE', 'strasse'],
    ['Straße', 'strasse'],
    ['STRAẞE', 'strasse'],
    ['ΟΔΟΣ', 'οδος'],
    ['οδος', 'οδος'],
    ['ﬁne', 'fine'],
    ['Ｗｈｅｒｅ　ｉｓ', 'where is'],
    ['cafe\u0301', 'caf\u00e9'],
    ['ǅ', 'dž'],
    ['K', 'k'],
    ['x²', 'x2'],
    ['İ', 'i\u0307'],
    ['?!', '?!'],
  ])('%j has the form %j', (given, expected) => {
    expect(norm(given)).toBe(expected);
  });

  test.each([
    ['ẞ', 'ss'],
    ['ẞ\u0301', 's\u015b'],
    ['a\ufeffΣ', 'a \u03c3'],
    ['\u0345\ufeffΣ\u0301', '\u03b9 \u03c3\u0301'],
    ['\u0390', '\u0390'],
    ['\u1f52', '\u1f52'],
  ])('R1: %j, where case mappings and composition meet, has a form that stays', (given, expected) => {
    expect(norm(given)).toBe(expected);
    expect(norm(expected)).toBe(expected);
  });

  test('R3: all whitespace counts as a blank, and none is left at the ends', () => {
    for (const code of WHITESPACE) {
      expect(norm(`${text(code)}a${text(code, code)}b${text(code)}`)).toBe('a b');
      expect(isWhitespace(code)).toBe(true);
    }
    expect(isWhitespace(0x200b)).toBe(false);
    expect(isWhitespace(0x61)).toBe(false);
  });

  test('the list of whitespace is the property White_Space and the byte order mark', () => {
    const property: number[] = [];
    for (let code = 0; code <= 0xffff; code++) {
      if (/\p{White_Space}/u.test(String.fromCharCode(code))) property.push(code);
    }
    expect(WHITESPACE).toEqual([...property, 0xfeff]);
  });
});

describe('fold', () => {
  test.each([
    ["Don't!", 'dont'],
    ['don’t', 'dont'],
    ['don´t', 'dont'],
    ['don`t', 'dont'],
    ['to-do: list', 'to do list'],
    ['to do list', 'to do list'],
    ['C++', 'c'],
    ['3 €', '3'],
    ['?!', '?!'],
    ['...', '...'],
    ["'", "'"],
    ['“quoted”', 'quoted'],
    ['你好，世界', '你好 世界'],
    ['👋 hi', 'hi'],
    ['👋', '👋'],
    ['e-mail_me', 'e mail me'],
    ['a\u0001b', 'a\u0001b'],
  ])('%j has the form %j', (given, expected) => {
    expect(fold(given)).toBe(expected);
  });

  test('apostrophes are dropped, not turned to blanks', () => {
    for (const code of APOSTROPHES) expect(fold(`d${text(code)}accord`)).toBe('daccord');
  });
});

describe('trim', () => {
  test.each([
    ['a', 'a'],
    [' a b\n', 'a b'],
    ['\ufeff\u3000a\u0085', 'a'],
    [' \t', ''],
    ['', ''],
  ])('%j becomes %j', (given, expected) => {
    expect(trim(given)).toBe(expected);
  });
});

test('the version of both forms is 1: a change of either must change it, with every manifest', () => {
  const sample = "  Ça ne MARCHE pas — l’Écran d'accueil (ﬁn) ΟΔΟΣ, Straße № 5… ";
  expect([NORMALISER_VERSION, norm(sample), fold(sample)]).toEqual([
    1,
    "ça ne marche pas — l’écran d'accueil (fin) οδος, strasse no 5...",
    'ça ne marche pas lécran daccueil fin οδος strasse no 5',
  ]);
});
