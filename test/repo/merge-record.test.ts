import { describe, expect, test } from 'vitest';
import { canonicalJson, type JsonValue } from '../../src/base/canonical-json.ts';
import { mergeRecord } from '../../src/repo/merge-record.ts';

const json = (value: JsonValue | undefined): string | undefined =>
  value === undefined ? undefined : canonicalJson(value);

/** The merged record; 'conflict' where a person must decide. */
function merge(bases: readonly (JsonValue | undefined)[], ours?: JsonValue, theirs?: JsonValue): unknown {
  const merged = mergeRecord(bases.map(json), json(ours), json(theirs));
  if (merged === undefined) return 'conflict';
  return merged.value === undefined ? undefined : (JSON.parse(merged.value) as unknown);
}

const base = { text: 'hi', intent: 'a', features: { role: 'x', city: 'y' }, meta: { row: 1 } };

describe('merging one record', () => {
  test('takes the change of whoever changed it, and the same change of both once', () => {
    const changed = { ...base, intent: 'b' };
    expect(merge([base], changed, base)).toEqual(changed);
    expect(merge([base], base, changed)).toEqual(changed);
    expect(merge([base], changed, changed)).toEqual(changed);
    expect(merge([base], undefined, base)).toBeUndefined();
    expect(merge([base], base, undefined)).toBeUndefined();
    expect(merge([undefined], undefined, changed)).toEqual(changed);
  });

  test('takes different fields from different branches', () => {
    const ours = { ...base, intent: 'b' };
    const theirs = { ...base, features: { role: 'x', city: 'z' }, lang: 'de' };
    const expected = { ...base, intent: 'b', features: { role: 'x', city: 'z' }, lang: 'de' };
    expect(merge([base], ours, theirs)).toEqual(expected);
    expect(merge([base], theirs, ours)).toEqual(expected);
  });

  test('takes different features from different branches, and their removal', () => {
    const ours = { ...base, features: { role: 'q', city: 'y' } };
    const theirs = { ...base, features: { role: 'x' } };
    expect(merge([base], ours, theirs)).toEqual({ ...base, features: { role: 'q' } });
    expect(merge([base], { ...base, features: { city: 'y' } }, { ...base, features: { role: 'x' } })).toEqual({
      text: 'hi',
      intent: 'a',
      meta: { row: 1 },
    });
  });

  test('is a conflict where both changed one field, each in its own way', () => {
    expect(merge([base], { ...base, intent: 'b' }, { ...base, intent: 'c' })).toBe('conflict');
    expect(
      merge([base], { ...base, features: { role: 'p', city: 'y' } }, { ...base, features: { role: 'q', city: 'y' } }),
    ).toBe('conflict');
    expect(merge([base], { ...base, intent: 'b' }, { text: 'hi', features: base.features, meta: base.meta })).toBe(
      'conflict',
    );
  });

  test('is a conflict where one removed what the other changed', () => {
    expect(merge([base], undefined, { ...base, intent: 'b' })).toBe('conflict');
    expect(merge([base], { ...base, intent: 'b' }, undefined)).toBe('conflict');
  });

  test('keeps the text with the entities that point into it', () => {
    const entities = [{ start: 0, end: 2, type: 't', text: 'Hi' }];
    const spelled = { ...base, text: 'HI' };
    const marked = { ...base, text: 'Hi', entities };
    expect(merge([base], spelled, marked)).toBe('conflict');
    expect(merge([base], { ...base, intent: 'b' }, marked)).toEqual({ ...marked, intent: 'b' });
  });

  test('brings two additions together where they do not contradict', () => {
    expect(merge([], { text: 'hi', intent: 'a' }, { text: 'hi', intent: 'a', lang: 'en' })).toEqual({
      text: 'hi',
      intent: 'a',
      lang: 'en',
    });
    expect(merge([], { text: 'hi', intent: 'a' }, { text: 'hi' })).toEqual({ text: 'hi', intent: 'a' });
    expect(merge([], { text: 'hi', intent: 'a' }, { text: 'hi', intent: 'b' })).toBe('conflict');
  });

  test('takes a state that any common version has for unchanged', () => {
    const [older, newer] = [base, { ...base, intent: 'b' }];
    const fresh = { ...base, intent: 'c' };
    expect(merge([older, newer], fresh, newer)).toEqual(fresh);
    expect(merge([older, newer], older, fresh)).toEqual(fresh);
    // One went back to the older state, or never took the newer one: nobody but a person can tell.
    expect(merge([older, newer], older, newer)).toBe('conflict');
  });
});
