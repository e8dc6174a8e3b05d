import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMPTY_TREE } from '../../src/tree/build.ts';
import { editTree, type Edit } from '../../src/tree/edit.ts';
import { MemoryChunks } from '../doubles/memory-chunks.ts';
import { TINY, build, changed, changes, editsOf, model, sorted } from './model.ts';

describe('editTree', () => {
  test('T10: edits give the same root as building anew', async () => {
    await fc.assert(
      fc.asyncProperty(model(), changes(), async (base, edits) => {
        const chunks = new MemoryChunks();
        const before = await build(chunks, base);
        const after = await editTree(chunks, chunks, before, editsOf(edits), TINY);
        expect(after).toEqual(await build(new MemoryChunks(), changed(base, edits)));
      }),
      { numRuns: 1500 },
    );
  });

  test('T10: few edits of a deep tree give the same root as building anew', async () => {
    await fc.assert(
      fc.asyncProperty(model(400), changes(4), async (base, edits) => {
        const chunks = new MemoryChunks();
        const before = await build(chunks, base);
        const after = await editTree(chunks, chunks, before, editsOf(edits), TINY);
        expect(after).toEqual(await build(new MemoryChunks(), changed(base, edits)));
      }),
      { numRuns: 500 },
    );
  });

  test('T10: the same entries in any batches and order give the same root', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(changes(40), { maxLength: 6 }), async (batches) => {
        const chunks = new MemoryChunks();
        let tree = EMPTY_TREE;
        let entries: ReadonlyMap<string, string> = new Map();
        for (const batch of batches) {
          tree = await editTree(chunks, chunks, tree, editsOf(batch), TINY);
          entries = changed(entries, batch);
        }
        const rebuilt = new MemoryChunks();
        expect(tree).toEqual(await build(rebuilt, entries));
        for (const hash of rebuilt.hashes) expect(chunks.has(hash)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  test('deleting everything gives the empty tree, and any part of it the tree of the rest', async () => {
    await fc.assert(
      fc.asyncProperty(model(200), fc.nat(200), fc.nat(200), async (base, first, last) => {
        const chunks = new MemoryChunks();
        const before = await build(chunks, base);
        const keys = [...base.keys()].slice(Math.min(first, last), Math.max(first, last));
        const some = new Map(keys.map((key) => [key, undefined]));
        const rest = await editTree(chunks, chunks, before, editsOf(some), TINY);
        expect(rest).toEqual(await build(new MemoryChunks(), changed(base, some)));
        const all = new Map([...base.keys()].map((key) => [key, undefined]));
        expect(await editTree(chunks, chunks, rest, editsOf(all), TINY)).toEqual(EMPTY_TREE);
      }),
      { numRuns: 300 },
    );
  });

  test('T9: a node of a single child that is left alone at the end of its level is no root', async () => {
    await fc.assert(
      fc.asyncProperty(model(200), fc.integer({ min: 1, max: 3 }), async (base, left) => {
        const chunks = new MemoryChunks();
        const before = await build(chunks, base);
        const gone = sorted(base).slice(0, -left);
        const some = new Map(gone.map(({ key }) => [key.toString('utf8'), undefined]));
        const after = await editTree(chunks, chunks, before, editsOf(some), TINY);
        expect(after).toEqual(await build(new MemoryChunks(), changed(base, some)));
      }),
      { numRuns: 1000 },
    );
  });

  test('an edit stores exactly the chunks that are new', async () => {
    await fc.assert(
      fc.asyncProperty(model(200), changes(10), async (base, edits) => {
        const chunks = new MemoryChunks();
        const before = await build(chunks, base);
        const old = new Set(chunks.hashes);
        chunks.forget();
        await editTree(chunks, chunks, before, editsOf(edits), TINY);
        const rebuilt = new MemoryChunks();
        await build(rebuilt, changed(base, edits));
        const expected = rebuilt.hashes.filter((hash) => !old.has(hash)).sort();
        expect(chunks.puts.map(({ hash }) => hash).sort()).toEqual(expected);
        for (const put of chunks.puts) {
          expect(put.replaces.length).toBeLessThanOrEqual(4);
          for (const hash of put.replaces) expect(chunks.kindOf(hash)).toBe(put.kind);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('batches of edits may be cut anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(model(), changes(), fc.integer({ min: 1, max: 5 }), async (base, edits, size) => {
        const chunks = new MemoryChunks();
        const before = await build(chunks, base);
        async function* batches(): AsyncGenerator<readonly Edit[]> {
          const all = editsOf(edits);
          for (let at = 0; at < all.length; at += size) yield await Promise.resolve(all.slice(at, at + size));
        }
        const after = await editTree(chunks, chunks, before, batches(), TINY);
        expect(after).toEqual(await build(new MemoryChunks(), changed(base, edits)));
      }),
      { numRuns: 200 },
    );
  });
});
