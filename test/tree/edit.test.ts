import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EMPTY_TREE, TreeBuilder, type TreeRoot } from '../../src/tree/build.ts';
import { diffTrees } from '../../src/tree/diff.ts';
import { editTree, type Edit } from '../../src/tree/edit.ts';
import type { Entry } from '../../src/tree/lines.ts';
import { newChunks } from '../../src/tree/new-chunks.ts';
import { MemoryChunks } from '../doubles/memory-chunks.ts';
import { TINY, build, editsOf } from './model.ts';
import { utterances } from './utterances.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

describe('editTree at the size of format 1', () => {
  const chunks = new MemoryChunks();
  let entries: Entry[];
  let base: TreeRoot;

  beforeAll(async () => {
    entries = utterances(40_000);
    const builder = new TreeBuilder(chunks);
    for (const { key, value } of entries) builder.add(key, value);
    base = await builder.finish();
  });

  beforeEach(() => {
    chunks.forget();
  });

  const relabel = (step: number): Edit[] =>
    entries.filter((_, index) => index % step === 7).map(({ key }) => ({ key, value: bytes('{"intent":"new"}') }));

  test('one edit reads one leaf and its ancestors, and stores as much', async () => {
    const { key, value } = entries[20_000] as Entry;
    const same = bytes(value.toString().replace('"intent":"', '"intent":"X'));
    await editTree(chunks, chunks, base, [{ key, value: same }]);
    expect(chunks.reads.leaf).toBeLessThanOrEqual(3);
    expect(chunks.reads.node).toBeLessThanOrEqual(4);
    expect(chunks.puts.length).toBeLessThanOrEqual(5);
    for (const put of chunks.puts) expect(put.replaces.length).toBeGreaterThan(0);
  });

  test('forty edits read little more than forty leaves, in few calls', async () => {
    const edits = relabel(1000);
    expect(edits).toHaveLength(40);
    await editTree(chunks, chunks, base, edits);
    expect(chunks.reads.leaf).toBeLessThanOrEqual(60);
    expect(chunks.reads.calls).toBeLessThanOrEqual(14);
  });

  test('dense edits read every leaf once, in windows', async () => {
    const after = await editTree(chunks, chunks, base, relabel(10));
    const leaves = chunks.reads.leaf;
    expect(leaves).toBeGreaterThan(500);
    expect(leaves).toBeLessThanOrEqual(600);
    expect(chunks.drains).toBeGreaterThan(5);
    chunks.forget();
    expect((await Array.fromAsync(diffTrees(chunks, base, after))).flat()).toHaveLength(4000);
  });

  test('edits that change nothing store nothing', async () => {
    const same = entries.filter((_, index) => index % 500 === 0);
    const absent = same.map(({ key }) => ({ key: bytes(`${key.toString()}!`), value: undefined }));
    const all = [...same, ...absent].sort((a, b) => Buffer.compare(a.key, b.key));
    expect(await editTree(chunks, chunks, base, all)).toEqual(base);
    expect(await editTree(chunks, chunks, base, [])).toEqual(base);
    expect(chunks.puts).toEqual([]);
  });

  test('a change is found, and its chunks listed, without reading the rest of the trees', async () => {
    const after = await editTree(chunks, chunks, base, relabel(10_000));
    const stored = chunks.puts.length;
    chunks.forget();
    await Array.fromAsync(diffTrees(chunks, base, after));
    expect(chunks.reads.leaf).toBeLessThanOrEqual(12);
    expect(chunks.reads.node).toBeLessThanOrEqual(12);
    const listed = (await Array.fromAsync(newChunks(chunks, [base], after))).flat();
    expect(listed).toHaveLength(stored);
  });
});

describe('editTree', () => {
  test('edits out of order, twice, or with a TAB in a value are a mistake of the caller', async () => {
    const chunks = new MemoryChunks();
    for (const edits of [
      [
        { key: bytes('b'), value: bytes('1') },
        { key: bytes('a'), value: bytes('1') },
      ],
      [
        { key: bytes('a'), value: bytes('1') },
        { key: bytes('a'), value: undefined },
      ],
      [{ key: bytes('a'), value: bytes('1\t2') }],
    ]) {
      await expect(editTree(chunks, chunks, EMPTY_TREE, edits, TINY)).rejects.toMatchObject({ code: 'internal' });
    }
  });

  test('a missing chunk fails the edit, and so does one that is not what its parent says', async () => {
    const chunks = new MemoryChunks();
    const entries = new Map(Array.from({ length: 50 }, (_, index) => [`key ${index}`, '"value"']));
    const base = await build(chunks, entries);
    const edits = editsOf(new Map([['key 25', '"other"']]));
    const lying = { ...base, records: base.records + 1 };
    await expect(editTree(chunks, chunks, lying, edits, TINY)).rejects.toMatchObject({ code: 'bad-chunk' });
    for (const hash of chunks.hashes) if (chunks.kindOf(hash) === 'leaf') chunks.delete(hash);
    await expect(editTree(chunks, chunks, base, edits, TINY)).rejects.toMatchObject({ code: 'missing-chunk' });
  });

  test.each([
    ['prepending', 'a'],
    ['appending', 'z'],
    ['putting between', 'key 25!'],
  ])('%s one record gives the tree of all records', async (_name, key) => {
    const entries = new Map(Array.from({ length: 50 }, (_, index) => [`key ${index}`, '"value"']));
    const chunks = new MemoryChunks();
    const base = await build(chunks, entries);
    for (const value of ['1', `"${'giant '.repeat(10_000)}"`]) {
      const after = await editTree(chunks, chunks, base, editsOf(new Map([[key, value]])), TINY);
      expect(after).toEqual(await build(new MemoryChunks(), new Map([...entries, [key, value]])));
      const back = await editTree(chunks, chunks, after, editsOf(new Map([[key, undefined]])), TINY);
      expect(back).toEqual(base);
    }
  });
});
