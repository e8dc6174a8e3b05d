import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classifyChange, pairEdits, wordDiff } from '../../src/records/record-diff.ts';
import type { UtteranceRecord } from '../../src/records/record.ts';

const record = (text: string, intent = 'a', id?: string): UtteranceRecord =>
  id === undefined ? { text, intent } : { text, intent, id };

describe('classifyChange', () => {
  test.each([
    [undefined, record('x'), 'added'],
    [record('x'), undefined, 'removed'],
    [record('x'), record('x', 'b'), 'relabelled'],
    [record('x'), record('X'), 'updated'],
    [record('x'), record('x', 'a', '7'), 'updated'],
    [record('x'), record('y', 'b'), 'edited'],
  ] as const)('%j to %j is %s', (before, after, kind) => {
    expect(classifyChange(before, after)).toBe(kind);
  });
});

describe('pairEdits', () => {
  test('records with one id are one record, however their texts differ', () => {
    expect(pairEdits([record('hello', 'a', '1')], [record('x', 'b'), record('where is it', 'b', '1')])).toEqual([
      { removed: 0, added: 1 },
    ]);
  });

  test('an id that occurs twice names nothing', () => {
    expect(pairEdits([record('hello', 'a', '1'), record('hi', 'a', '1')], [record('other', 'a', '1')])).toEqual([]);
  });

  test('a text is paired with the one most like it', () => {
    const removed = [record('where is my order'), record('give me my money back'), record('good bye')];
    const added = [
      record('give me the money back'),
      record('hello'),
      record('where is my odrer'),
      record('where are my orders'),
    ];
    expect(pairEdits(removed, added)).toEqual([
      { removed: 1, added: 0 },
      { removed: 0, added: 2 },
    ]);
  });

  test('texts of other intents must be more alike', () => {
    const added = [record('where is my big parcel', 'b')];
    expect(pairEdits([record('where is my parcel', 'b')], added)).toHaveLength(1);
    expect(pairEdits([record('where is my parcel please', 'a')], added)).toHaveLength(0);
  });

  test('short words, and scripts without blanks, are paired by their characters', () => {
    expect(pairEdits([record('helo')], [record('hello')])).toHaveLength(1);
    expect(pairEdits([record('我的订单在哪里')], [record('我的订单在哪')])).toHaveLength(1);
  });

  test('every record is in one pair at most, whatever the lists', () => {
    const records = fc.array(
      fc.record({ text: fc.constantFrom('a b c', 'a b d', 'hello there', 'hello'), intent: fc.constant('a') }),
    );
    fc.assert(
      fc.property(records, records, (removed, added) => {
        const pairs = pairEdits(removed, added);
        expect(new Set(pairs.map((pair) => pair.removed)).size).toBe(pairs.length);
        expect(new Set(pairs.map((pair) => pair.added)).size).toBe(pairs.length);
        expect(pairEdits(removed, added)).toEqual(pairs);
      }),
    );
  });

  test('thousands of texts that share most of their words are paired in bounded work', () => {
    const texts = Array.from({ length: 3000 }, (_, at) => `where is my order number ${at * 7919}`);
    const pairs = pairEdits(
      texts.map((text) => record(text)),
      texts.map((text) => record(`${text} please`)),
    );
    expect(pairs.length).toBeGreaterThan(2900);
  });
});

describe('wordDiff', () => {
  const mark = (before: string, after: string): string =>
    wordDiff(before, after)
      .map(({ kind, text }) => (kind === 'same' ? text : kind === 'removed' ? `[-${text}-]` : `{+${text}+}`))
      .join('');

  test.each([
    ['where is my order', 'where is my order', 'where is my order'],
    ['where is my order', 'where is my parcel', 'where is my [-order-]{+parcel+}'],
    ['fly to Berlin now', 'fly from Paris now', 'fly [-to Berlin-]{+from Paris+} now'],
    ['hi', 'hi there', 'hi{+ there+}'],
    ['привет мир', 'привет миру', 'привет [-мир-]{+миру+}'],
    ['我要订机票', '我要退机票', '我要[-订-]{+退+}机票'],
    ['', 'new', '{+new+}'],
    ['old', '', '[-old-]'],
  ])('%j to %j reads %s', (before, after, expected) => {
    expect(mark(before, after)).toBe(expected);
  });

  test('segments make up both texts', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', ' ', '\n', '.', '😀', '好', 'é', 'e\u0301'),
      maxLength: 40,
    });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const segments = wordDiff(before, after);
        const join = (other: string): string =>
          segments
            .filter(({ kind }) => kind !== other)
            .map((segment) => segment.text)
            .join('');
        expect(join('added')).toBe(before);
        expect(join('removed')).toBe(after);
      }),
    );
  });

  test('texts that have next to nothing in common are not compared word by word', () => {
    const words = (prefix: string): string => Array.from({ length: 2000 }, (_, at) => `${prefix}${at}`).join(' ');
    expect(wordDiff(words('a'), words('b')).map(({ kind }) => kind)).toEqual(['removed', 'added']);
  });
});
