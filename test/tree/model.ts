import * as fc from 'fast-check';
import { TreeBuilder, type TreeRoot } from '../../src/tree/build.ts';
import type { Edit } from '../../src/tree/edit.ts';
import type { TreeParameters } from '../../src/tree/parameters.ts';
import type { MemoryChunks } from '../doubles/memory-chunks.ts';

/** A tree as the tests think of it. */
export type Model = ReadonlyMap<string, string>;

/** Targets so small that a few dozen entries make several levels. */
export const TINY: TreeParameters = { leafTarget: 64, nodeTarget: 320, anchorDenominator: 64 };

/** Characters that are hard on keys: emoji, combining marks, the TAB, code points above and below surrogates. */
const ALPHABET = [
  'a',
  'b',
  'c',
  'é',
  'e\u0301',
  '\u{1f600}',
  '\u{1f468}\u200d\u{1f469}',
  '\uffee',
  '\t',
  ' ',
  '\u0000',
  '"',
  '\\',
];

export const keyText = fc.string({ unit: fc.constantFrom(...ALPHABET), minLength: 0, maxLength: 8 });

export const valueText = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 5 }).map((n) => `{"n":${n}}`) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 60 }).map((n) => `"${'x'.repeat(n)}"`) },
  { weight: 1, arbitrary: fc.constant(`"${'giant '.repeat(100)}"`) },
);

export const model = (maxLength = 120): fc.Arbitrary<Map<string, string>> =>
  fc.array(fc.tuple(keyText, valueText), { maxLength, size: 'max' }).map((entries) => new Map(entries));

/** Sets and deletions, by key; undefined deletes. */
export const changes = (maxLength = 25): fc.Arbitrary<Map<string, string | undefined>> =>
  fc
    .array(fc.tuple(keyText, fc.option(valueText, { nil: undefined })), { maxLength, size: 'max' })
    .map((entries) => new Map(entries));

/** Sorted as the tree sorts. */
export function sorted<V>(map: ReadonlyMap<string, V>): { key: Buffer; value: V }[] {
  return [...map]
    .map(([key, value]) => ({ key: Buffer.from(key), value }))
    .sort((a, b) => Buffer.compare(a.key, b.key));
}

export function editsOf(map: ReadonlyMap<string, string | undefined>): Edit[] {
  return sorted(map).map(({ key, value }) => ({ key, value: value === undefined ? undefined : Buffer.from(value) }));
}

export function changed(base: Model, edits: ReadonlyMap<string, string | undefined>): Map<string, string> {
  const result = new Map(base);
  for (const [key, value] of edits) {
    if (value === undefined) result.delete(key);
    else result.set(key, value);
  }
  return result;
}

export async function build(
  chunks: MemoryChunks,
  entries: Model,
  parameters: TreeParameters = TINY,
): Promise<TreeRoot> {
  const builder = new TreeBuilder(chunks, parameters);
  for (const { key, value } of sorted(entries)) builder.add(key, Buffer.from(value));
  return builder.finish();
}

/** A model's entries in order, as text. */
export function listed(entries: Model): [string, string][] {
  return sorted(entries).map(({ key, value }) => [key.toString(), value]);
}
