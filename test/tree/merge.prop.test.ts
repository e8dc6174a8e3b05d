import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeTrees, type Resolve } from '../../src/tree/merge.ts';
import { MemoryChunks } from '../doubles/memory-chunks.ts';
import { TINY, build, changed, changes, editsOf, model } from './model.ts';

const never: Resolve = () => {
  throw new Error('no key was changed by both sides');
};

describe('mergeTrees', () => {
  test('T12: a clean merge is the same from both sides and has the changes of both', async () => {
    await fc.assert(
      fc.asyncProperty(model(150), changes(), changes(), async (base, mine, others) => {
        const theirs = new Map([...others].filter(([key, value]) => !mine.has(key) || mine.get(key) === value));
        const chunks = new MemoryChunks();
        const root = await build(chunks, base);
        const a = await build(chunks, changed(base, mine));
        const b = await build(chunks, changed(base, theirs));
        const expected = await build(new MemoryChunks(), changed(changed(base, mine), theirs));
        expect(await mergeTrees(chunks, chunks, root, a, b, never, TINY)).toEqual(expected);
        expect(await mergeTrees(chunks, chunks, root, b, a, never, TINY)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('resolve is asked exactly for keys that both changed differently, and its answer holds', async () => {
    await fc.assert(
      fc.asyncProperty(
        model(80),
        changes(),
        changes(),
        fc.constantFrom('ours', 'theirs', 'drop', 'new'),
        async (base, mine, others, way) => {
          const chunks = new MemoryChunks();
          const ours = changed(base, mine);
          const theirs = changed(base, others);
          const asked: string[] = [];
          const resolve: Resolve = async (key, before, our, their) => {
            asked.push(key.toString());
            expect(before?.toString()).toBe(base.get(key.toString()));
            expect(our?.toString()).toBe(ours.get(key.toString()));
            expect(their?.toString()).toBe(theirs.get(key.toString()));
            await Promise.resolve();
            return { ours: our, theirs: their, drop: undefined, new: Buffer.from('"new"') }[way];
          };
          const root = await build(chunks, base);
          const a = await build(chunks, ours);
          const b = await build(chunks, theirs);
          const merged = await mergeTrees(chunks, chunks, root, a, b, resolve, TINY);
          const keys = new Set([...base.keys(), ...ours.keys(), ...theirs.keys()]);
          const expected = new Map<string, string>();
          const conflicts: string[] = [];
          for (const key of keys) {
            const [before, our, their] = [base.get(key), ours.get(key), theirs.get(key)];
            let value = our === before ? their : our;
            if (our !== before && their !== before && our !== their) {
              conflicts.push(key);
              value = { ours: our, theirs: their, drop: undefined, new: '"new"' }[way];
            }
            if (value !== undefined) expected.set(key, value);
          }
          expect(merged).toEqual(await build(new MemoryChunks(), expected));
          expect(new Set(asked)).toEqual(new Set(conflicts));
          expect(asked.length).toBe(conflicts.length);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a side that changed nothing gives the other side without reading', async () => {
    const chunks = new MemoryChunks();
    const base = await build(chunks, new Map([['a', '1']]));
    const other = await build(chunks, new Map([['a', '2']]));
    chunks.forget();
    expect(await mergeTrees(chunks, chunks, base, base, other, never, TINY)).toEqual(other);
    expect(await mergeTrees(chunks, chunks, base, other, base, never, TINY)).toEqual(other);
    expect(await mergeTrees(chunks, chunks, base, other, other, never, TINY)).toEqual(other);
    expect(chunks.reads.calls).toBe(0);
    expect(editsOf(new Map())).toEqual([]);
  });
});
