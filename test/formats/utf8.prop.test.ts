/**
 * Strict UTF-8 against the platform's own decoder.
 *
 * Method: bytes that are often nearly UTF-8 (cut characters, overlong forms, surrogates, stray continuations).
 */
import { isUtf8 } from 'node:buffer';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeEscaping, unfinishedTail } from '../../src/formats/utf8.ts';

const piece = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 3 }).map((text) => Buffer.from(text.toWellFormed())),
  fc
    .constantFrom('ff', 'c0af', 'e08080', 'eda080', 'f4908080', 'f0808080', '80', 'c3', 'e282', 'f09f98')
    .map((hex) => Buffer.from(hex, 'hex')),
);
const bytes = fc.array(piece, { maxLength: 6 }).map((pieces) => Buffer.concat(pieces));

test('a byte is escaped exactly where the platform refuses it, and nothing is lost', () => {
  fc.assert(
    fc.property(bytes, (input) => {
      const bad: number[] = [];
      const text = decodeEscaping(input, (byteIndex, charIndex) => {
        bad.push(byteIndex);
        expect(charIndex).toBeLessThan(input.length);
      });
      expect(bad.length === 0).toBe(isUtf8(input));
      expect(text.isWellFormed()).toBe(bad.length === 0);
      // Each escape stands for its byte: putting the bytes back gives the input.
      const back = Array.from(text, (character) => {
        const unit = character.charCodeAt(0);
        const isEscape = character.length === 1 && unit >= 0xdc80 && unit <= 0xdcff;
        return isEscape ? Buffer.of(unit - 0xdc00) : Buffer.from(character);
      });
      expect(Buffer.concat(back)).toEqual(input);
    }),
    { numRuns: 2000 },
  );
});

test('a character that is cut is left for what follows, and only such a one', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.nat(), (text, place) => {
      const whole = Buffer.from(text.toWellFormed());
      const cut = whole.subarray(0, place % (whole.length + 1));
      expect(isUtf8(cut.subarray(0, cut.length - unfinishedTail(cut)))).toBe(true);
      expect(unfinishedTail(whole)).toBe(0);
    }),
  );
});
