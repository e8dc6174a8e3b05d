import { describe, expect, test } from 'vitest';
import { canonicalJson, type JsonValue } from '../../src/base/canonical-json.ts';
import { decodeRecord, encodeRecord } from '../../src/records/encode-record.ts';
import type { UtteranceRecord } from '../../src/records/record.ts';

const full: UtteranceRecord = {
  text: 'to "Berlin"\u2028\u007f 😀',
  intent: ['a', 'b'],
  id: '7',
  lang: 'de',
  entities: [{ start: 4, end: 10, type: 'city', value: 'Berlin', text: 'Berlin' }],
  features: { role: 'agent', n: 1.5, z: null, b: false },
  meta: { source: [{ page: 2 }] },
};

describe('encodeRecord', () => {
  test('R11: prints every field as the general printer does', () => {
    expect(encodeRecord(full)).toBe(canonicalJson(full as unknown as JsonValue));
    expect(encodeRecord({ text: 'hi', intent: 'greet' })).toBe('{"intent":"greet","text":"hi"}');
  });

  test.each([{ b: 1, a: 2 }, { 10: 1, 9: 2, a: 3 }, { '': 1 }, { é: 'é', '\ue000': 1, '😀': 2 }])(
    'R11: features are printed in the order of their names: %j',
    (features) => {
      expect(encodeRecord({ text: 'a', features })).toBe(canonicalJson({ text: 'a', features }));
    },
  );

  test('half a surrogate pair is refused wherever it stands', () => {
    expect(() => encodeRecord({ text: 'a\ud800' })).toThrow(expect.objectContaining({ code: 'bad-record' }));
    expect(() => encodeRecord({ text: 'a', features: { a: '\udc00' } })).toThrow(
      expect.objectContaining({ code: 'bad-record' }),
    );
  });
});

describe('decodeRecord', () => {
  test('R12: gives back what was encoded, from a string and from bytes', () => {
    expect(decodeRecord(encodeRecord(full))).toEqual(full);
    expect(decodeRecord(Buffer.from(encodeRecord(full)))).toEqual(full);
  });

  test.each([
    ['no JSON', '{"text":'],
    ['no object', '["a"]'],
    ['null', 'null'],
    ['no text', '{"intent":"a"}'],
    ['an untrimmed text', '{"text":" a"}'],
    ['other spaces', '{"text": "a"}'],
    ['another order', '{"text":"a","intent":"b"}'],
    ['another escape', '{"text":"\\u0061"}'],
    ['a field twice', '{"text":"a","text":"a"}'],
    ['an unknown field', '{"label":"b","text":"a"}'],
    ['a list of one label', '{"intent":["b"],"text":"a"}'],
    ['labels out of order', '{"intent":["b","a"],"text":"a"}'],
    ['empty features', '{"features":{},"text":"a"}'],
    ['a null field', '{"id":null,"text":"a"}'],
    ['-0', '{"features":{"a":-0},"text":"a"}'],
    ['half a surrogate pair', '{"text":"\\ud800"}'],
    ['bytes that are not UTF-8', Buffer.from('{"text":"\xff"}', 'latin1')],
    ['a byte order mark', '\ufeff{"text":"a"}'],
  ])('R12: %s is refused as bad-chunk', (_, json) => {
    expect(() => decodeRecord(json)).toThrow(expect.objectContaining({ code: 'bad-chunk' }));
  });
});
