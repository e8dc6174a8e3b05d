import { describe, expect, test } from 'vitest';
import { UttrError } from '../../src/base/errors.ts';
import { sha256, type Hash } from '../../src/base/hash.ts';
import { EMPTY_TREE, TreeBuilder, type TreeRoot } from '../../src/tree/build.ts';
import { editTree } from '../../src/tree/edit.ts';
import { decodeNode, encodeNode, type Child, type Node, type NodeContent } from '../../src/tree/node.ts';
import { TreeVerifier, verifyTree } from '../../src/tree/verify.ts';
import { MemoryChunks } from '../doubles/memory-chunks.ts';
import { TINY } from './model.ts';
import { utterances } from './utterances.ts';

async function someTree(chunks: MemoryChunks, parameters = TINY): Promise<TreeRoot> {
  const builder = new TreeBuilder(chunks, parameters);
  for (const { key, value } of utterances(200)) builder.add(key, value);
  return builder.finish();
}

function putNode(chunks: MemoryChunks, node: NodeContent): Hash {
  const bytes = encodeNode(node);
  const hash = sha256(bytes);
  chunks.node({ hash, bytes, replaces: [] });
  return hash;
}

async function rootNode(chunks: MemoryChunks, tree: TreeRoot): Promise<Node> {
  return decodeNode(await chunks.get(tree.root as Hash));
}

/** The tree with another root node. */
async function withRoot(chunks: MemoryChunks, tree: TreeRoot, change: (node: Node) => Child[]): Promise<TreeRoot> {
  const node = await rootNode(chunks, tree);
  return { ...tree, root: putNode(chunks, { level: node.level, children: change(node) }) };
}

describe('verifyTree', () => {
  test('a sound tree and the empty tree have no problems', async () => {
    const chunks = new MemoryChunks();
    expect(await verifyTree(chunks, await someTree(chunks), TINY)).toEqual([]);
    expect(await verifyTree(chunks, EMPTY_TREE, TINY)).toEqual([]);
  });

  test('every missing and every damaged chunk is named', async () => {
    const chunks = new MemoryChunks();
    const tree = await someTree(chunks);
    const leaves = chunks.hashes.filter((hash) => chunks.kindOf(hash) === 'leaf');
    const [missing, damaged] = [leaves[3] as Hash, leaves[7] as Hash];
    chunks.corrupt(damaged, Buffer.from('other\tbytes\n'));
    chunks.delete(missing);
    const problems = await verifyTree(chunks, tree, TINY);
    expect(problems.map(({ hash }) => hash)).toEqual([missing, damaged]);
  });

  test('an empty store has lost the root', async () => {
    const tree = await someTree(new MemoryChunks());
    expect(await verifyTree(new MemoryChunks(), tree, TINY)).toEqual([
      { hash: tree.root, message: `chunk ${tree.root} is missing` },
    ]);
  });

  test('T6: a tree cut by another rule is not canonical', async () => {
    const chunks = new MemoryChunks();
    const tree = await someTree(chunks, { ...TINY, leafTarget: 80 });
    const problems = await verifyTree(chunks, tree, TINY);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toBe('a leaf does not end where the boundary rule says');
    const other = await someTree(chunks, { ...TINY, nodeTarget: 400 });
    expect((await verifyTree(chunks, other, TINY))[0]?.message).toContain('the nodes of the tree');
  });

  test('T4: totals and last keys that do not fit are found', async () => {
    const chunks = new MemoryChunks();
    const tree = await someTree(chunks);
    const wrongTotals = await withRoot(chunks, tree, ({ children }) =>
      children.map((child, index) => (index === 0 ? { ...child, records: child.records + 1 } : child)),
    );
    expect((await verifyTree(chunks, { ...wrongTotals, records: tree.records + 1 }, TINY))[0]?.message).toContain(
      'records',
    );
    expect((await verifyTree(chunks, wrongTotals, TINY))[0]?.hash).toBe(wrongTotals.root);
    const wrongKey = await withRoot(chunks, tree, ({ children }) =>
      children.map((child, index) => (index === 0 ? { ...child, key: Buffer.concat([child.key, child.key]) } : child)),
    );
    expect((await verifyTree(chunks, wrongKey, TINY))[0]?.message).toContain('does not end with the key');
    expect((await verifyTree(chunks, { ...tree, height: tree.height + 1 }, TINY))[0]?.message).toContain('of level');
  });

  test('T2: leaves that overlap are found', async () => {
    const chunks = new MemoryChunks();
    const leaf = (text: string, key: string): Child => {
      const bytes = Buffer.from(text);
      const hash = sha256(bytes);
      chunks.leaf({ hash, bytes, replaces: [] });
      return { key: Buffer.from(key), hash, records: 2, bytes: bytes.length };
    };
    const children = [leaf('a\t1\nc\t1\n', 'c'), leaf('b\t1\nd\t1\n', 'd')];
    const root = putNode(chunks, { level: 1, children });
    const problems = await verifyTree(chunks, { root, height: 1, records: 4, bytes: 16 }, TINY);
    expect(problems.map(({ message }) => message)).toContain(
      'a leaf starts at or before the end of the leaf in front of it',
    );
  });

  test('a store that cannot be reached is no problem of the tree', async () => {
    const tree = await someTree(new MemoryChunks());
    const fail = (): Promise<never> =>
      Promise.reject(new UttrError('remote-unreachable', 'the remote does not answer'));
    await expect(verifyTree({ get: fail, getMany: fail }, tree, TINY)).rejects.toMatchObject({
      code: 'remote-unreachable',
    });
  });
});

describe('TreeVerifier', () => {
  test('of a tree that shares chunks with one verified before, only the others are read', async () => {
    const chunks = new MemoryChunks();
    const tree = await someTree(chunks);
    const key = Buffer.from('zzzz last of all\t');
    const edited = await editTree(chunks, chunks, tree, [{ key, value: Buffer.from('{}') }], TINY);
    const verifier = new TreeVerifier(chunks, TINY);
    const readsOf = async (one: TreeRoot): Promise<number> => {
      chunks.forget();
      expect(await verifier.verify(one)).toEqual([]);
      return chunks.reads.leaf + chunks.reads.node;
    };
    const all = await readsOf(tree);
    expect(await readsOf(edited)).toBeLessThan(all / 4);
    expect(await readsOf(edited)).toBe(0);
    expect(await verifier.verify({ ...tree, records: tree.records + 1 })).toHaveLength(1);
    expect(await verifier.verify({ ...tree, height: tree.height + 1 })).toHaveLength(1);
  });

  test('a chunk that was sound where it stood is found where it must not stand', async () => {
    const chunks = new MemoryChunks();
    const tree = await someTree(chunks);
    const verifier = new TreeVerifier(chunks, TINY);
    expect(await verifier.verify(tree)).toEqual([]);
    const swapped = await withRoot(chunks, tree, ({ children }) => {
      const [first, second, ...rest] = children as [Child, Child, ...Child[]];
      return [{ ...second, key: first.key }, { ...first, key: second.key }, ...rest];
    });
    const problems = await verifier.verify(swapped);
    expect(problems.map(({ message }) => message).join()).toContain('does not end with the key');
    const cut = await withRoot(chunks, tree, ({ children }) => children.slice(0, 1));
    const [only] = (await rootNode(chunks, cut)).children as [Child];
    const { records, bytes } = only;
    expect(await verifier.verify({ ...cut, records, bytes })).toHaveLength(1);
  });
});
