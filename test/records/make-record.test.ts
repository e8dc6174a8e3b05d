import { describe, expect, test } from 'vitest';
import { type LooseRecord, makeRecord } from '../../src/records/make-record.ts';
import type { UtteranceRecord } from '../../src/records/record.ts';

function made(loose: LooseRecord): UtteranceRecord {
  const result = makeRecord(loose);
  if ('problems' in result) throw new Error(result.problems.map((problem) => problem.message).join('; '));
  return result.record;
}

function problems(loose: LooseRecord): readonly string[] {
  const result = makeRecord(loose);
  return 'problems' in result ? result.problems.map((problem) => `${problem.column}: ${problem.message}`) : [];
}

describe('text and names', () => {
  test('a text and an intent are all that is needed', () => {
    expect(makeRecord({ text: 'Where is my order?', intent: 'order_status' })).toEqual({
      record: { text: 'Where is my order?', intent: 'order_status' },
      trimmed: false,
    });
  });

  test('a text keeps everything but whitespace at its ends', () => {
    expect(makeRecord({ text: '\ufeff\u00a0 Ｗhere  IS it?\n' })).toEqual({
      record: { text: 'Ｗhere  IS it?' },
      trimmed: true,
    });
  });

  test.each([
    [{}, ['text: "text" is missing']],
    [{ text: null }, ['text: "text" is missing']],
    [{ text: 7 }, ['text: "text" is a number, not a text']],
    [{ text: ' \t ' }, ['text: "text" is empty']],
    [{ text: 'a\ud800' }, ['text: "text" holds half of a surrogate pair']],
    [{ text: 'a\0b' }, ['text: "text" holds a NUL character']],
    [{ text: 'é'.repeat(16_385) }, ['text: "text" has 32770 bytes, more than the 32768 allowed']],
    [{ text: 'a', intent: '  ' }, ['intent: "intent" is empty']],
    [{ text: 'a', intent: 'a\nb' }, ['intent: "intent" holds a control character']],
    [{ text: 'a', intent: '__proto__' }, ['intent: "intent" may not be __proto__']],
    [{ text: 'a', intent: 5 }, ['intent: "intent" is a number, not a text or a list of texts']],
    [{ text: 'a', intent: ['b', 5] }, ['intent: "intent" has a number among its labels, not a text']],
    [{ text: 'a', intent: 'b'.repeat(501) }, ['intent: "intent" has 501 bytes, more than the 500 allowed']],
    [
      { text: 'a', intent: Array.from({ length: 101 }, (_, at) => `i${at}`) },
      ['intent: "intent" has 101 labels, more than the 100 allowed'],
    ],
    [{ text: 'a', id: 1.5 }, ['id: "id" is 1.5; only whole numbers below 2^53 are exact, so quote it']],
    [{ text: 'a', id: true }, ['id: "id" is a boolean, not a text']],
    [{ text: 'a', lang: 5 }, ['lang: "lang" is a number, not a text']],
    [{ text: '', intent: '' }, ['text: "text" is empty', 'intent: "intent" is empty']],
  ])('%j is refused, saying all that is wrong', (loose, expected) => {
    expect(problems(loose)).toEqual(expected);
  });

  test('a text of exactly 32,768 bytes is taken', () => {
    expect(made({ text: ` ${'é'.repeat(16_384)} ` }).text).toHaveLength(16_384);
  });

  test('several labels are sorted and distinct, and one label is a string', () => {
    expect(made({ text: 'a', intent: ['b', ' a', 'b'] }).intent).toEqual(['a', 'b']);
    expect(made({ text: 'a', intent: ['b', 'b '] }).intent).toBe('b');
    expect(made({ text: 'a', intent: [] })).toEqual({ text: 'a' });
  });

  test('labels that look the same are the same label', () => {
    expect(made({ text: 'a', intent: 'cafe\u0301' }).intent).toBe('caf\u00e9');
  });

  test('a whole number as id becomes a string, and an empty cell is no id', () => {
    expect(made({ text: 'a', id: 17 }).id).toBe('17');
    expect(made({ text: 'a', id: '', lang: ' ' })).toEqual({ text: 'a' });
  });
});

describe('entities', () => {
  test('R10: offsets count code points and move with the trimmed text', () => {
    const text = '  😀 to Berlin ';
    expect(made({ text, entities: [{ start: 7, end: 13, type: 'city' }] })).toEqual({
      text: '😀 to Berlin',
      entities: [{ start: 5, end: 11, type: 'city', text: 'Berlin' }],
    });
  });

  test('R10: an entity that reaches into trimmed whitespace is cut to what is left', () => {
    expect(made({ text: ' Berlin ', entities: [{ start: 0, end: 8, type: 'city', text: ' Berlin ' }] })).toEqual({
      text: 'Berlin',
      entities: [{ start: 0, end: 6, type: 'city', text: 'Berlin' }],
    });
  });

  test('entities are sorted by start, then longer first, each once', () => {
    const entities = [
      { start: 4, end: 6, type: 'b' },
      { start: 0, end: 1, type: 'a' },
      { start: 0, end: 3, type: 'a' },
      { start: 0, end: 1, type: 'a' },
      { start: 0, end: 1, type: 'a', role: 'x' },
    ];
    const spans = made({ text: 'abcdef', entities }).entities?.map(({ start, end, role }) => [start, end, role]);
    expect(spans).toEqual([
      [0, 3, undefined],
      [0, 1, 'x'],
      [0, 1, undefined],
      [4, 6, undefined],
    ]);
  });

  test.each([
    ['no list', {}, 'entities: "entities" is an object, not a list'],
    ['no object', ['x'], 'entities[0]: "entities[0]" is a text, not an object'],
    [
      'no offsets',
      [{ start: '0', end: 1, type: 'a' }],
      'entities[0]: "entities[0]" needs "start" and "end" as whole numbers from 0',
    ],
    [
      'past the end',
      [{ start: 0, end: 99, type: 'a' }],
      'entities[0]: "entities[0]" covers 0 to 99 of a text of 4 characters',
    ],
    ['empty', [{ start: 1, end: 1, type: 'a' }], 'entities[0]: "entities[0]" covers 1 to 1 of a text of 4 characters'],
    [
      'other text',
      [{ start: 0, end: 2, type: 'a', text: 'xy' }],
      'entities[0].text: "entities[0].text" is not what the text has from 0 to 2',
    ],
    [
      'only whitespace',
      [{ start: 3, end: 4, type: 'a' }],
      'entities[0]: "entities[0]" covers only whitespace at an end of the text',
    ],
    ['no type', [{ start: 0, end: 1 }], 'entities[0].type: "entities[0].type" is missing'],
    [
      'an unknown field',
      [{ start: 0, end: 1, type: 'a', score: 1 }],
      'entities[0]: "entities[0]" has a field that entities do not have: score',
    ],
    [
      'a value that is no text',
      [{ start: 0, end: 1, type: 'a', value: [] }],
      'entities[0].value: "entities[0].value" is a list, not a text',
    ],
  ])('an entity with %s is refused', (_, entities, expected) => {
    expect(problems({ text: 'abc ', entities })).toEqual([expected]);
  });

  test('numbers as groups and values become text, empty ones are left out', () => {
    const entities = [{ start: 0, end: 3, type: ' n ', group: 1, value: 3.5, role: '' }];
    expect(made({ text: 'abc', entities }).entities).toEqual([
      { start: 0, end: 3, type: 'n', group: '1', value: '3.5', text: 'abc' },
    ]);
    expect(made({ text: 'abc', entities: [] })).toEqual({ text: 'abc' });
  });
});

describe('features and meta', () => {
  test('flat values are kept, holes and empty objects are not', () => {
    expect(made({ text: 'a', features: { role: 'agent', n: -0, b: true, z: null, gone: undefined } })).toEqual({
      text: 'a',
      features: { role: 'agent', n: 0, b: true, z: null },
    });
    expect(made({ text: 'a', features: {}, meta: { x: undefined } })).toEqual({ text: 'a' });
  });

  test.each([
    [{ features: [] }, 'features: "features" is a list, not an object'],
    [{ features: { a: {} } }, 'features.a: "features.a" is an object; features are flat'],
    [{ features: { a: Number.NaN } }, 'features.a: "features.a" is NaN, which JSON cannot carry'],
    [{ features: { a: '\ud800' } }, 'features.a: "features.a" holds half of a surrogate pair'],
    [{ features: { '': 1 } }, 'features.: "features." is empty'],
    [{ features: JSON.parse('{"__proto__":1}') }, 'features.__proto__: "features.__proto__" may not be __proto__'],
    [{ features: { constructor: 1 } }, 'features.constructor: "features.constructor" may not be constructor'],
    [
      { features: Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`f${at}`, 1])) },
      'features: "features" has 201 fields, more than the 200 allowed',
    ],
    [{ meta: 'x' }, 'meta: "meta" is a text, not an object'],
    [
      { meta: { a: [{ b: Number.POSITIVE_INFINITY }] } },
      'meta.a[0].b: "meta.a[0].b" is Infinity, which JSON cannot carry',
    ],
    [{ meta: { a: new Date(0) } }, 'meta.a: "meta.a" is something that JSON cannot carry'],
    [{ meta: { a: JSON.parse('{"__proto__":1}') } }, 'meta.a: "meta.a" has a field whose name may not be __proto__'],
  ])('%j is refused', (loose, expected) => {
    expect(problems({ text: 'a', ...loose })).toEqual([expected]);
  });

  test('meta may be nested 60 levels, and no deeper', () => {
    const nested = (levels: number): unknown => (levels === 0 ? 'x' : { a: nested(levels - 1) });
    expect(made({ text: 'a', meta: nested(60) }).meta).toEqual(nested(60));
    expect(problems({ text: 'a', meta: nested(61) })).toEqual(['meta: "meta" is nested deeper than 60 levels']);
  });

  test('a record over 1 MiB is refused, whatever makes it large', () => {
    const large = 'x'.repeat(120_000);
    const features = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`f${at}`, large]));
    expect(problems({ text: 'a', features })[0]).toMatch(/^text: "text" belongs to a record of 10800\d\d bytes/u);
    expect(problems({ text: 'a', meta: { all: Object.values(features) } })).toHaveLength(1);
    expect(problems({ text: 'a', features: { f: large } })).toEqual([]);
  });
});
