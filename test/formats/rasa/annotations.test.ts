/** Marks in texts: every form of Rasa's, and what only looks like one. */
import { describe, expect, test } from 'vitest';
import { makeRecord } from '../../../src/records/make-record.ts';
import type { UtteranceRecord } from '../../../src/records/record.ts';
import { formatAnnotated, parseAnnotated } from '../../../src/formats/rasa/annotations.ts';

function record(text: string, ...entities: readonly object[]): UtteranceRecord {
  const made = makeRecord({ text, entities });
  if ('problems' in made) throw new Error(JSON.stringify(made.problems));
  return made.record;
}

describe('marks are taken out of a text', () => {
  test.each([
    ['fly to [Berlin](city)', 'fly to Berlin', [{ start: 7, end: 13, type: 'city' }]],
    ['[chines](cuisine:chinese) food', 'chines food', [{ start: 0, end: 6, type: 'cuisine', value: 'chinese' }]],
    ['[a](t:b:c)', 'a', [{ start: 0, end: 1, type: 't', value: 'b:c' }]],
    [
      '[SFO]{"entity": "city", "role": "from", "group": "1", "value": "San Francisco"}!',
      'SFO!',
      [{ start: 0, end: 3, type: 'city', role: 'from', group: '1', value: 'San Francisco' }],
    ],
    [
      '[tomorrow][{"entity": "date"}, {"entity": "day", "role": "travel"}]',
      'tomorrow',
      [
        { start: 0, end: 8, type: 'date' },
        { start: 0, end: 8, type: 'day', role: 'travel' },
      ],
    ],
    [
      '\u{1F600} [\u{1F680}x](a) [y](b)',
      '\u{1F600} \u{1F680}x y',
      [
        { start: 2, end: 4, type: 'a' },
        { start: 5, end: 6, type: 'b' },
      ],
    ],
    ['[[x](y)', '[x', [{ start: 0, end: 2, type: 'y' }]],
    ['[x]{"entity": "y", "value": "x"}', 'x', [{ start: 0, end: 1, type: 'y' }]],
  ])('%s', (line, text, entities) => {
    expect(JSON.parse(JSON.stringify(parseAnnotated(line)))).toEqual({ text, entities });
  });

  test.each([
    '[x] (y)',
    '[](y)',
    '[x]()',
    '[x](:y)',
    '[x](y:)',
    '[x](y',
    '[x]{}',
    '[x',
    'x](y)',
    '[x]y[',
    '[a[b[c',
    '[x][a\n]',
  ])('%j has no mark, and stays what it is', (line) => {
    expect(parseAnnotated(line)).toEqual({ text: line });
  });

  test.each([
    ['[x]{y}', 'after "[x]", {y} is no annotation: not valid JSON'],
    ['a [0][1]', 'after "[0]", [1] names no entity'],
    ['[x][]', 'after "[x]", [] names no entity'],
    ['[x]{"role": "y"}', 'after "[x]", {"role": "y"} names no entity'],
    ['[x]{"entity": "a", "entity": "b"}', 'the key "entity" occurs twice'],
    ['[x]{"entity": "a", "__proto__": 1}', 'the key "__proto__" is not allowed'],
  ])('%s is a problem, for Rasa would stop or drop it', (line, problem) => {
    expect(parseAnnotated(line)).toEqual({ problem: expect.stringContaining(problem) as string });
  });

  test('unknown keys of annotations are named', () => {
    expect(parseAnnotated('[x]{"entity": "a", "extractor": "b"}')).toMatchObject({ ignored: ['extractor'] });
  });

  test.each(['[', '[a]', '[a](', '[a](:', '[a](b', '[a]{', '[a][', '[[]', '[a](x:', ']', '[a](x ):'])(
    'a long line of %j takes no longer than it should',
    (piece) => {
      const line = piece.repeat(200_000);
      const parsed = parseAnnotated(`${line}:)`);
      expect('problem' in parsed || parsed.text.length <= line.length + 2).toBe(true);
    },
  );
});

describe('marks are put into a text', () => {
  test.each([
    ['Berlin', [{ start: 0, end: 6, type: 'city' }], '[Berlin](city)'],
    ['Berlin', [{ start: 0, end: 6, type: 'city', value: 'Berlin' }], '[Berlin](city)'],
    ['a b', [{ start: 2, end: 3, type: 'x:y' }], 'a [b]{"entity": "x:y"}'],
    ['b', [{ start: 0, end: 1, type: 't', role: '}]' }], '[b]{"entity": "t", "role": "\\u007d\\u005d"}'],
    [
      'LA',
      [{ start: 0, end: 2, type: 'city', value: 'Los Angeles', group: '1', role: 'to' }],
      '[LA]{"entity": "city", "role": "to", "group": "1", "value": "Los Angeles"}',
    ],
    [
      'now',
      [
        { start: 0, end: 3, type: 'b' },
        { start: 0, end: 3, type: 'a', value: ']' },
      ],
      '[now][{"entity": "a", "value": "\\u005d"}, {"entity": "b"}]',
    ],
    ['a]b', [], 'a]b'],
    ['\u{1F600}\u{1F680}', [{ start: 1, end: 2, type: 'r' }], '\u{1F600}[\u{1F680}](r)'],
  ])('%s', (text, entities, line) => {
    expect(formatAnnotated(record(text, ...entities))).toBe(line);
  });

  test.each([
    ['a literal [x](y)', []],
    ['[x]{"entity": "y"}', []],
    ['a]b', [{ start: 0, end: 3, type: 't' }]],
    ['[0](a', [{ start: 4, end: 5, type: 't' }]],
    [
      'abc',
      [
        { start: 0, end: 2, type: 'x' },
        { start: 1, end: 3, type: 'y' },
      ],
    ],
    [
      'abc',
      [
        { start: 0, end: 3, type: 'x' },
        { start: 0, end: 1, type: 'y' },
      ],
    ],
  ])('%s cannot be written', (text, entities) => {
    expect(formatAnnotated(record(text, ...entities))).toBeUndefined();
  });
});
