import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codePointCount, codePointOffsets, sliceCodePoints, unitOffsets } from '../../src/records/code-points.ts';

/** Any strings, lone surrogates among them. */
const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.constant('a\ud83d😀'));

describe('code points', () => {
  test('are what strings iterate, lone surrogates too', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(codePointCount(text)).toBe(Array.from(text).length);
        expect(sliceCodePoints(text, { start: 0, end: codePointCount(text) })).toBe(text);
      }),
    );
  });

  test('a code point begins at the unit that the offsets say, and has as many before it', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const [units, points] = [unitOffsets(text), codePointOffsets(text)];
        expect(units).toHaveLength(codePointCount(text) + 1);
        expect(points).toHaveLength(text.length + 1);
        expect(units.at(-1)).toBe(text.length);
        units.forEach((unit, index) => {
          expect([points[unit], codePointCount(text, unit)]).toEqual([index, index]);
          expect(text.slice(0, unit)).toBe(sliceCodePoints(text, { start: 0, end: index }));
        });
      }),
    );
  });

  test('a count up to a unit stops at the end of the text', () => {
    expect(codePointCount('x😀', 100)).toBe(2);
    expect(codePointCount('x😀', 1)).toBe(1);
    expect(codePointCount('', 1)).toBe(0);
  });
});
