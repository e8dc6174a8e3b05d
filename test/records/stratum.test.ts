import { expect, test } from 'vitest';
import { labelKey, labelNames, stratumOf } from '../../src/records/stratum.ts';

test('a stratum is the list of the fields in the order of the policy', () => {
  const record = { text: 'a', intent: 'order', lang: 'de', features: { role: 'agent', age: 7, on: true } };
  expect(stratumOf(record, ['intent'])).toBe('["order"]');
  expect(stratumOf(record, ['lang', 'intent', 'features.role'])).toBe('["de","order","agent"]');
  expect(stratumOf(record, ['features.age', 'features.on', 'features.x'])).toBe('[7,true,null]');
  expect(stratumOf({ text: 'a', intent: ['b', 'c'] }, ['intent'])).toBe('[["b","c"]]');
  expect(stratumOf({ text: 'a' }, [])).toBe('[]');
});

test('a label is counted under its canonical JSON, no label under nothing', () => {
  for (const intent of ['a', 'say "hi"', ['a', 'b']]) {
    expect(labelNames(labelKey(intent))).toEqual([intent].flat());
  }
  expect(labelKey('a')).toBe('"a"');
  expect(labelKey(['a', 'b'])).toBe('["a","b"]');
  expect(labelKey(undefined)).toBe('');
  expect(labelNames('')).toEqual([]);
});
