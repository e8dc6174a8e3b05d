import { expect, test } from 'vitest';
import { parseStrictJson } from '../../src/formats/strict-json.ts';

test.each([
  String.raw`{"text":"at 5:30","text":"b"}`,
  String.raw`{"text":"at 5:30","text" :"b"}`,
  String.raw`{"text" : "a: b", "x": {"y":1, "y"	:2}}`,
  String.raw`{"a":":","\u0061":1}`,
  String.raw`{"text":"\":","text":"b"}`,
])('%s has a key twice', (json) => {
  expect(() => parseStrictJson(json)).toThrow('occurs twice');
});

test.each([
  String.raw`{"text":"say \"x\": y","intent":"a"}`,
  String.raw`{"text":"at 5:30","intent" : "a"}`,
  String.raw`{"text":"\" :\":::","x":{"text":":"},"y":[{"text":1},{"text":2}]}`,
])('%s has each key once', (json) => {
  expect(parseStrictJson(json)).toEqual(JSON.parse(json));
});
