import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/base/hash.ts';
import { isIdentityField, isStratumField } from '../../src/records/field.ts';
import {
  compareKeys,
  foldedText,
  groupColumn,
  groupOfKey,
  groupPrefix,
  KEY_LIMIT_BYTES,
  recordKey,
} from '../../src/records/key.ts';

describe('recordKey', () => {
  test('R5: the second column is empty where norm and fold agree', () => {
    expect(recordKey({ text: 'Where is  IT' }, [])).toBe('where is it\t');
    expect(recordKey({ text: 'Where is it?' }, [])).toBe('where is it\twhere is it?');
    expect(recordKey({ text: '?!' }, [])).toBe('?!\t');
  });

  test('R5: identity fields are a third column, in whatever order they are configured', () => {
    const record = { text: 'Hi', lang: 'de', features: { role: 'agent', age: 7 } };
    const key = 'hi\t\t{"features.role":"agent","lang":"de"}';
    expect(recordKey(record, ['features.role', 'lang'])).toBe(key);
    expect(recordKey(record, ['lang', 'features.role'])).toBe(key);
    expect(recordKey({ text: 'hi' }, ['lang', 'features.role'])).toBe('hi\t\t{}');
    expect(recordKey({ text: 'hi', features: { role: null } }, ['features.role'])).toBe('hi\t\t{"features.role":null}');
  });

  test('R5: what an object inherits is no field', () => {
    expect(recordKey({ text: 'hi', features: {} }, ['features.toString'])).toBe('hi\t\t{}');
  });

  test('R6, R7: each long column is cut at a code point and marked with its own hash', () => {
    const folded = 'é'.repeat(201);
    const group = `${'é'.repeat(200)}\u001f${sha256(folded)}`;
    expect(recordKey({ text: folded }, [])).toBe(`${group}\t`);
    const normed = `${folded}!`;
    expect(recordKey({ text: normed }, [])).toBe(`${group}\t${'é'.repeat(200)}\u001f${sha256(normed)}`);
    expect(groupColumn(normed)).toBe(group);
    expect(foldedText(normed)).toBe(folded);
    expect(groupOfKey(recordKey({ text: `${folded}?` }, []))).toBe(group);
  });

  test('R7: a column of 400 bytes is whole, one of 401 is cut, never within a code point', () => {
    const whole = 'a'.repeat(400);
    expect(groupColumn(whole)).toBe(whole);
    expect(groupColumn(`${whole}a`)).toBe(`${whole}\u001f${sha256(`${whole}a`)}`);
    const wide = `${'a'.repeat(398)}好b`;
    expect(groupColumn(wide)).toBe(`${'a'.repeat(398)}\u001f${sha256(wide)}`);
    const astral = `${'a'.repeat(397)}𠀀`;
    expect(groupColumn(astral)).toBe(`${'a'.repeat(397)}\u001f${sha256(astral)}`);
  });

  test('R7: the longest key has the length the format allows', () => {
    const text = `${'a'.repeat(30_000)}!`;
    const key = recordKey({ text, features: { f: 'x'.repeat(5000) } }, ['features.f']);
    expect(Buffer.byteLength(key)).toBe(KEY_LIMIT_BYTES);
  });

  test('R6: the prefix of a group begins its keys and no others', () => {
    expect(recordKey({ text: 'To-do' }, []).startsWith(groupPrefix(groupColumn('to do')))).toBe(true);
    expect(recordKey({ text: 'to dos' }, []).startsWith(groupPrefix(groupColumn('to do')))).toBe(false);
    expect(groupOfKey('to do')).toBe('to do');
  });
});

test('keys are compared by code points, as UTF-8 bytes are', () => {
  const sorted = ['', '\u0001', 'a', 'a\t', 'ab', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '😀a', '😁'];
  expect(sorted.toReversed().sort(compareKeys)).toEqual(sorted);
  expect(sorted.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))).toEqual(sorted);
});

test('fields that a dataset may name are told from others', () => {
  expect(['intent', 'lang', 'features.a', 'features.', 'text', 'id', 'meta.a'].filter(isStratumField)).toEqual([
    'intent',
    'lang',
    'features.a',
  ]);
  expect(['intent', 'lang', 'features.a', 'features.', 'text', 'id', 'meta.a'].filter(isIdentityField)).toEqual([
    'lang',
    'features.a',
    'id',
  ]);
});
