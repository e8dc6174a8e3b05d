/**
 * The text forms over odd characters: whatever NFKC, the case mappings and whitespace do to one another.
 *
 * Method: strings of characters that are known to interact (sharp s, final sigma, iota subscript, dotted I,
 * ligatures, combining marks, characters that case rules look through), and strings of any code points.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, foldNormed, foldNormedGeneral, isWhitespace, norm, normGeneral } from '../../src/records/text.ts';

const CASES = 'ß ẞ Σ ς σ \u0345 İ ı I i ŉ ǰ ΐ ᾳ ᾼ ﬃ ﬗ ǅ Ⅷ ª ½ ´ ¨ a A'.split(' ');
const BLANKS_AND_SIGNS = [
  ' ',
  '\t',
  '\u00a0',
  '\u3000',
  '\ufeff',
  '\u200b',
  '\u00ad',
  "'",
  '’',
  '.',
  '-',
  ':',
  '\u0001',
];
const COMPOSED = '\u0301 \u0307 \u0308 \u0327 \u0338 \u0344 \u0f73 \u{1d165} 가 ᄀ ᅡ ᆨ 😀 か \u3099'.split(' ');

const odd = fc.constantFrom(...CASES, ...BLANKS_AND_SIGNS, ...COMPOSED);
const oddText = fc.string({ unit: odd, maxLength: 12 });
const anyText = fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => text.isWellFormed());
const ascii = fc.string({ unit: 'binary-ascii', maxLength: 40 });
const texts = fc.oneof(oddText, anyText, ascii);

const runs = { numRuns: 5000 };

describe('the forms of a text', () => {
  test('R1: norm of norm is norm', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(norm(norm(text))).toBe(norm(text));
      }),
      runs,
    );
  });

  test('R2: fold of norm is fold', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(fold(norm(text))).toBe(fold(text));
      }),
      runs,
    );
  });

  test('R3: both forms hold single blanks between other characters and no other whitespace', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const isBlank = Array.from(text).every((character) => isWhitespace(character.codePointAt(0) as number));
        for (const form of [norm(text), fold(text)]) {
          expect(form).not.toMatch(/^ | {2}| $|[^\S ]/u);
          expect(form === '').toBe(isBlank);
        }
      }),
      runs,
    );
  });

  test('R4: the fast paths agree with the definition', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(norm(text)).toBe(normGeneral(text));
        expect(foldNormed(norm(text))).toBe(foldNormedGeneral(normGeneral(text)));
      }),
      runs,
    );
  });

  test('R1, R4: hold for every single code point', () => {
    const broken: string[] = [];
    for (let code = 0; code < 0x30000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const text = String.fromCodePoint(code);
      const form = norm(text);
      if (form !== normGeneral(text) || form !== norm(form)) broken.push(code.toString(16));
    }
    expect(broken).toEqual([]);
  });
});
