import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffTrees, type Difference } from '../../src/tree/diff.ts';
import { editTree } from '../../src/tree/edit.ts';
import { MemoryChunks } from '../doubles/memory-chunks.ts';
import { TINY, build, changed, changes, editsOf, model, type Model } from './model.ts';

function expectedDifferences(before: Model, after: Model): [string, string | undefined, string | undefined][] {
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort((a, b) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  return keys.filter((key) => before.get(key) !== after.get(key)).map((key) => [key, before.get(key), after.get(key)]);
}

const asText = (differences: readonly Difference[]): unknown[] =>
  differences.map(({ key, before, after }) => [key.toString(), before?.toString(), after?.toString()]);

describe('diffTrees', () => {
  test('differences are those of the entries, in key order', async () => {
    await fc.assert(
      fc.asyncProperty(model(200), changes(), async (base, edits) => {
        const chunks = new MemoryChunks();
        const target = changed(base, edits);
        const a = await build(chunks, base);
        const b = await build(chunks, target);
        const found = (await Array.fromAsync(diffTrees(chunks, a, b))).flat();
        expect(asText(found)).toEqual(expectedDifferences(base, target));
        const back = (await Array.fromAsync(diffTrees(chunks, b, a))).flat();
        expect(asText(back)).toEqual(expectedDifferences(target, base));
      }),
      { numRuns: 800 },
    );
  });

  test('T11: applying the differences between any two trees to the first gives the second', async () => {
    await fc.assert(
      fc.asyncProperty(model(150), model(150), async (one, other) => {
        const chunks = new MemoryChunks();
        const a = await build(chunks, one);
        const b = await build(chunks, other);
        async function* edits(): AsyncGenerator<{ key: Buffer; value: Buffer | undefined }[]> {
          for await (const batch of diffTrees(chunks, a, b)) {
            yield batch.map(({ key, after }) => ({ key, value: after }));
          }
        }
        expect(await editTree(chunks, chunks, a, edits(), TINY)).toEqual(b);
      }),
      { numRuns: 500 },
    );
  });

  test('chunks that both trees have are not read, the roots excepted', async () => {
    await fc.assert(
      fc.asyncProperty(model(200), changes(5), async (base, edits) => {
        const chunks = new MemoryChunks();
        const a = await build(chunks, base);
        const inA = new Set(chunks.hashes);
        const rebuilt = new MemoryChunks();
        await build(rebuilt, changed(base, edits));
        const inB = new Set(rebuilt.hashes);
        const b = await editTree(chunks, chunks, a, editsOf(edits), TINY);
        chunks.forget();
        await Array.fromAsync(diffTrees(chunks, a, b));
        const differing =
          [...inA].filter((hash) => !inB.has(hash)).length + [...inB].filter((hash) => !inA.has(hash)).length;
        expect(chunks.reads.leaf + chunks.reads.node).toBeLessThanOrEqual(differing + 2);
      }),
      { numRuns: 300 },
    );
  });
});
