import { describe, expect, test } from 'vitest';
import { cellAddress, columnLetters, columnOf, parseRange } from '../../../src/formats/xlsx/cell-address.ts';
import { decodeText, encodeText } from '../../../src/formats/xlsx/cell-text.ts';
import { formatNumber, kindOfCode } from '../../../src/formats/xlsx/number-formats.ts';
import { SHARED_STRING_LIMIT, SharedStrings } from '../../../src/formats/xlsx/shared-strings.ts';

describe('addresses', () => {
  test('letters and columns are the same, up to the last column', () => {
    const pairs = [
      [0, 'A'],
      [25, 'Z'],
      [26, 'AA'],
      [701, 'ZZ'],
      [702, 'AAA'],
      [16_383, 'XFD'],
    ] as const;
    for (const [column, letters] of pairs) {
      expect(columnLetters(column)).toBe(letters);
      expect(columnOf(`${letters}17`)).toBe(column);
      expect(columnOf(letters.toLowerCase())).toBe(column);
    }
    for (const wrong of ['', '17', 'XFE1', 'Z'.repeat(1000), 'é1']) expect(columnOf(wrong)).toBe(-1);
  });

  test('a range has its ends in order; anything else is none', () => {
    expect(parseRange('B2:AA10')).toEqual({ left: 1, right: 26, top: 2, bottom: 10 });
    for (const wrong of ['', 'B2', 'B9:B2', 'C1:B2', 'ZZZ1:ZZZ2', 'B2:B2:B3'])
      expect(parseRange(wrong)).toBeUndefined();
  });

  test('sheets whose name is not plain stand in apostrophes', () => {
    expect(cellAddress('Daten_1', 2, 17)).toBe('Daten_1!C17');
    expect(cellAddress("Bob's", 0, 1)).toBe("'Bob''s'!A1");
    expect(cellAddress('1', 0, 1)).toBe("'1'!A1");
  });
});

describe('texts of cells', () => {
  test('what is escaped is decoded to the same text', () => {
    for (const text of [
      '',
      'a_b',
      '_x0041_',
      '_x005F_x0041_',
      '\0\u0001\r\n\t',
      '\ufffe\uffff',
      '_x12',
      '__x0041_',
      '&<>',
    ]) {
      const encoded = encodeText(text).replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
      expect(decodeText(encoded)).toBe(text);
    }
  });

  test('shared texts are given by their number, and there is an end to them', () => {
    const strings = new SharedStrings();
    const texts = ['', 'a', '😀'.repeat(16_000), 'x'.repeat(32_767), '_xD83D_', 'z'.repeat(230_000)];
    for (let index = 0; index < 3000; index++) strings.add(texts[index % texts.length] as string);
    expect(Array.from({ length: 6 }, (_, index) => strings.get(2994 + index))).toEqual([
      ...texts.slice(0, 4),
      '\ud83d',
      undefined,
    ]);
    expect([2999, 3000, -1].map((index) => strings.has(index))).toEqual([true, false, false]);
    for (let index = 3000; index < SHARED_STRING_LIMIT; index++) strings.add('');
    expect(strings.add('')).toBe(false);
  });
});

describe('numbers', () => {
  test.each([
    ['yyyy-mm-dd', 'date'],
    ['[$-409]h:mm AM/PM', 'date'],
    ['[h]:mm:ss', 'duration'],
    ['[mm]:ss', 'duration'],
    ['General', 'number'],
    ['0.00E+00', 'number'],
    ['[Red]#,##0.00;[Blue]-0', 'number'],
    ['"days" 0', 'number'],
    ['0\\d', 'number'],
    ['0_d', 'number'],
    ['@', 'number'],
    ['y'.repeat(2000), 'number'],
  ])('the format %s shows a %s', (code, kind) => {
    expect(kindOfCode(code)).toBe(kind);
  });

  test('dates of both systems, and what is none', () => {
    expect(formatNumber(59, 'date', false)).toBe('1900-02-28');
    expect(formatNumber(60.5, 'date', false)).toBe('1900-02-29T12:00:00');
    expect(formatNumber(2_958_465, 'date', false)).toBe('9999-12-31');
    expect(formatNumber(45_355.000_000_5, 'date', false)).toBe('2024-03-04T00:00:00.043');
    expect(formatNumber(0, 'date', true)).toBe('00:00:00');
    expect(formatNumber(365, 'date', true)).toBe('1904-12-31');
    for (const value of [-1, 1e9]) expect(formatNumber(value, 'date', false)).toBe(String(value));
    expect(formatNumber(-0, 'number', false)).toBe('0');
    expect(formatNumber(2.000_011_574, 'duration', false)).toBe('48:00:01');
  });
});
