/** Samples marked RFC come from RFC 8785, sections 3.2.2 and 3.2.3 and appendix B. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, JSON_DEPTH_LIMIT, type JsonValue } from '../../src/base/canonical-json.ts';

function double(bits: string): number {
  return Buffer.from(bits, 'hex').readDoubleBE();
}

describe('canonicalJson', () => {
  test('prints the sample of the RFC', () => {
    const given = String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
      "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`;
    expect(canonicalJson(JSON.parse(given) as JsonValue)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  test('sorts keys by UTF-16 code units, as the sample of the RFC does', () => {
    const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    const printed = canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])));
    expect(printed).toBe('{"\\r":0,"1":0,"\u0080":0,"ö":0,"€":0,"😀":0,"\ufb33":0}');
  });

  test.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('prints the double %s of the RFC as %s', (bits, expected) => {
    expect(canonicalJson(double(bits))).toBe(expected);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, double('7fffffffffffffff')])(
    'refuses %s',
    (number) => {
      expect(() => canonicalJson([number])).toThrow(expect.objectContaining({ code: 'bad-record' }));
    },
  );

  test('refuses half of a surrogate pair, as value and as key', () => {
    for (const value of ['\ud800', ['a\udc00'], { '\ud800': 1 }]) {
      expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ code: 'bad-record' }));
    }
  });

  test('leaves out keys without a value', () => {
    expect(canonicalJson({ b: undefined, a: 1, c: undefined })).toBe('{"a":1}');
    expect(canonicalJson({ b: undefined })).toBe('{}');
  });

  test(`nests ${JSON_DEPTH_LIMIT} levels, and no deeper`, () => {
    const nested = (levels: number): JsonValue => (levels === 0 ? 1 : [nested(levels - 1)]);
    expect(canonicalJson(nested(JSON_DEPTH_LIMIT))).toBe(`${'['.repeat(64)}1${']'.repeat(64)}`);
    expect(() => canonicalJson(nested(JSON_DEPTH_LIMIT + 1))).toThrow(expect.objectContaining({ code: 'bad-record' }));
  });

  test('what is printed reads back as what was given, and prints the same again', () => {
    const json = fc
      .jsonValue({ stringUnit: 'grapheme', maxDepth: 5 })
      .map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);
    fc.assert(
      fc.property(json, (value) => {
        const printed = canonicalJson(value);
        const read = JSON.parse(printed) as JsonValue;
        expect(read).toEqual(value);
        expect(canonicalJson(read)).toBe(printed);
        expect(printed).not.toContain('\n');
      }),
      { numRuns: 300 },
    );
  });
});
