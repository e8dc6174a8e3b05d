import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson } from '../../src/base/parse-json.ts';

const key = fc.string({
  unit: fc.constantFrom('a', '\\', '"', '\n', '/', '\u00e9', '\u{1F600}', '\u0000'),
  maxLength: 3,
});

test('keys come back as they were written, whatever was read before', () => {
  fc.assert(
    fc.property(
      fc.array(fc.dictionary(key, fc.jsonValue()), { maxLength: 20 }),
      fc.integer({ min: 0, max: 2 }),
      (objects, indent) => {
        for (const object of objects) {
          const read = parseJson(JSON.stringify(object, undefined, indent)) as object;
          expect(Object.keys(read)).toEqual(Object.keys(object));
          expect(JSON.stringify(read)).toBe(JSON.stringify(object));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a key that ends with a backslash does not stand in for others of the same shape', () => {
  parseJson(String.raw`{"shape":[],"\\":0}`);
  for (const name of ['"', '\n', 'A"', '/']) {
    const text = JSON.stringify({ shape: 1, [name]: 2 }).replace('/', String.raw`\/`);
    expect(Object.keys(parseJson(text) as object)).toEqual(['shape', name]);
  }
});

test('a prototype key is a key, of equal keys the last counts, and what is no JSON is a syntax error', () => {
  const read = parseJson(String.raw`{"__proto__":1,"\"":2,"a":3,"a":[4,{"b":-0.5e3},true,null]}`) as object;
  expect(Object.entries(read)).toEqual([
    ['__proto__', 1],
    ['"', 2],
    ['a', [4, { b: -500 }, true, null]],
  ]);
  expect(() => parseJson(String.raw`{"\"":2`)).toThrow(SyntaxError);
});
