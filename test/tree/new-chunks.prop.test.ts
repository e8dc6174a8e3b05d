import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMPTY_TREE } from '../../src/tree/build.ts';
import { editTree } from '../../src/tree/edit.ts';
import { newChunks } from '../../src/tree/new-chunks.ts';
import { MemoryChunks } from '../doubles/memory-chunks.ts';
import { TINY, build, changed, changes, editsOf, model, type Model } from './model.ts';

async function chunksOf(entries: Model): Promise<MemoryChunks> {
  const chunks = new MemoryChunks();
  await build(chunks, entries);
  return chunks;
}

describe('newChunks', () => {
  test('lists exactly the chunks that no other tree has, each once, and reads no leaf', async () => {
    await fc.assert(
      fc.asyncProperty(
        model(250),
        fc.array(changes(12), { maxLength: 3 }),
        changes(12),
        async (base, others, edits) => {
          const chunks = new MemoryChunks();
          const known = new Set<string>();
          const from = [];
          for (const other of others) {
            const entries = changed(base, other);
            from.push(await build(chunks, entries));
            for (const hash of (await chunksOf(entries)).hashes) known.add(hash);
          }
          const target = changed(base, edits);
          const to = await build(chunks, target);
          chunks.forget();
          const found = (await Array.fromAsync(newChunks(chunks, from, to))).flat();
          expect(chunks.reads.leaf).toBe(0);
          const expected = (await chunksOf(target)).hashes.filter((hash) => !known.has(hash));
          expect(found.map(({ hash }) => hash).sort()).toEqual(expected.sort());
          for (const { hash, kind } of found) expect(kind).toBe(chunks.kindOf(hash));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('other trees may be much larger, much smaller, or empty', async () => {
    await fc.assert(
      fc.asyncProperty(model(300), model(8), fc.boolean(), async (large, small, swap) => {
        const chunks = new MemoryChunks();
        const [one, other] = swap ? [small, large] : [large, small];
        const from = await build(chunks, one);
        const to = await build(chunks, other);
        const known = new Set((await chunksOf(one)).hashes);
        const found = (await Array.fromAsync(newChunks(chunks, [from, EMPTY_TREE], to))).flat();
        const expected = (await chunksOf(other)).hashes.filter((hash) => !known.has(hash));
        expect(found.map(({ hash }) => hash).sort()).toEqual(expected.sort());
      }),
      { numRuns: 200 },
    );
  });

  test('parents come before their children', async () => {
    await fc.assert(
      fc.asyncProperty(model(200), async (entries) => {
        const chunks = new MemoryChunks();
        const to = await build(chunks, entries);
        const seen = new Set<string>();
        let parents = String(to.root);
        for await (const batch of newChunks(chunks, [], to)) {
          for (const { hash, kind } of batch) {
            expect(parents).toContain(hash);
            seen.add(hash);
            if (kind === 'node') parents += (await chunks.get(hash)).toString();
          }
        }
        expect(seen.size).toBe(chunks.size);
      }),
      { numRuns: 50 },
    );
  });

  test('after an edit only nodes that are new, or were replaced, are read', async () => {
    await fc.assert(
      fc.asyncProperty(model(300), changes(4), async (base, edits) => {
        const chunks = new MemoryChunks();
        const before = await build(chunks, base);
        chunks.forget();
        const after = await editTree(chunks, chunks, before, editsOf(edits), TINY);
        const newNodes = chunks.puts.filter(({ kind }) => kind === 'node');
        const rebuilt = await chunksOf(changed(base, edits));
        const oldNodes = (await chunksOf(base)).hashes.filter(
          (hash) => !rebuilt.has(hash) && chunks.kindOf(hash) === 'node',
        );
        chunks.forget();
        await Array.fromAsync(newChunks(chunks, [before], after));
        expect(chunks.reads.node).toBeLessThanOrEqual(newNodes.length + oldNodes.length + 2);
      }),
      { numRuns: 300 },
    );
  });
});
