import { expect, test } from 'vitest';
import * as fc from 'fast-check';
import { encodeRecord } from '../../src/records/encode-record.ts';
import { recordKey } from '../../src/records/key.ts';
import { makeRecord } from '../../src/records/make-record.ts';
import { changeEntry, parseChangeEntry } from '../../src/repo/change-entry.ts';

const entry = (text: string, intent?: string): { key: Buffer; json: string } => {
  const made = makeRecord({ text, intent });
  if (!('record' in made)) throw new Error('the test makes good records');
  return { key: Buffer.from(recordKey(made.record, [])), json: encodeRecord(made.record) };
};

test('a text that the key holds is left out of an entry, any other stays', () => {
  const same = entry('book a room', 'book');
  expect(changeEntry(same.key, undefined, Buffer.from(same.json), 'train').toString()).toBe(
    '{"after":{"intent":"book"},"side":"train"}',
  );
  const exact = entry("what's new?", 'news');
  expect(changeEntry(exact.key, Buffer.from(exact.json), undefined, 'test').toString()).toBe(
    '{"before":{"intent":"news"},"side":"test"}',
  );
  const other = entry('Book a room', 'book');
  expect(changeEntry(other.key, undefined, Buffer.from(other.json), 'train').toString()).toBe(
    '{"after":{"intent":"book","text":"Book a room"},"side":"train"}',
  );
  const alone = entry('hello');
  expect(changeEntry(alone.key, undefined, Buffer.from(alone.json), 'unlabelled').toString()).toBe(
    '{"after":{},"side":"unlabelled"}',
  );
});

test('an entry read back is the change it was made of', () => {
  const text = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 600 })
    .filter((it) => 'record' in makeRecord({ text: it }));
  fc.assert(
    fc.property(text, fc.option(fc.constantFrom('a', 'b"c'), { nil: undefined }), (it, intent) => {
      const { key, json } = entry(it, intent);
      const read = parseChangeEntry(key, changeEntry(key, undefined, Buffer.from(json), 'train'));
      expect(read).toEqual({ side: 'train', before: undefined, after: json });
    }),
    { numRuns: 1000 },
  );
});

test('an entry with the text it could leave out is read all the same', () => {
  const { key, json } = entry('book a room', 'book');
  expect(parseChangeEntry(key, Buffer.from(`{"after":${json},"side":"train"}`)).after).toBe(json);
});

test('what is no entry is refused as damage', () => {
  for (const value of ['', '{}', '[]', '{"side":"train","after":[]}', '{"side":"train","before":null}']) {
    expect(() => parseChangeEntry(Buffer.from('a\t'), Buffer.from(value))).toThrow(
      expect.objectContaining({ code: 'bad-chunk' }),
    );
  }
});
