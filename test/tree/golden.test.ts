import { readFileSync, readdirSync } from 'node:fs';
import CryptoJS from 'crypto-js';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/base/hash.ts';
import { EMPTY_TREE, TreeBuilder, type TreeRoot } from '../../src/tree/build.ts';
import { editTree } from '../../src/tree/edit.ts';
import { FORMAT_1_PARAMETERS, type TreeParameters } from '../../src/tree/parameters.ts';
import { verifyTree } from '../../src/tree/verify.ts';
import { MemoryChunks } from '../doubles/memory-chunks.ts';
import { utterances } from './utterances.ts';

/** A frozen case: what format 1 makes of these entries, for ever. A new format gets new files. */
interface GoldenCase {
  readonly parameters: TreeParameters;
  /** Either the entries themselves, or how many utterances of utterances.ts. */
  readonly entries?: readonly (readonly [key: string, value: string])[];
  readonly utterances?: number;
  readonly tree: TreeRoot;
  readonly leaves: number;
  readonly nodes: number;
  /** The text of every chunk by its name; only of small trees. */
  readonly chunks?: Readonly<Record<string, string>>;
}

const folder = new URL('../golden/tree/', import.meta.url);
const cases = readdirSync(folder).map((name): [string, GoldenCase] => [
  name,
  JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as GoldenCase,
]);

function entriesOf(golden: GoldenCase): { key: Buffer; value: Buffer }[] {
  if (golden.entries === undefined) return utterances(golden.utterances ?? 0);
  return golden.entries.map(([key, value]) => ({ key: Buffer.from(key), value: Buffer.from(value) }));
}

describe('golden trees', () => {
  test('there are cases', () => {
    expect(cases.length).toBeGreaterThanOrEqual(5);
  });

  test.each(cases)('T9: %s has the frozen root, chunk by chunk', async (_name, golden) => {
    const chunks = new MemoryChunks();
    const builder = new TreeBuilder(chunks, golden.parameters);
    for (const { key, value } of entriesOf(golden)) builder.add(key, value);
    expect(await builder.finish()).toEqual(golden.tree);
    const kinds = chunks.hashes.map((hash) => chunks.kindOf(hash));
    expect(kinds.filter((kind) => kind === 'leaf')).toHaveLength(golden.leaves);
    expect(kinds.filter((kind) => kind === 'node')).toHaveLength(golden.nodes);
    for (const [hash, text] of Object.entries(golden.chunks ?? {})) {
      expect(chunks.has(sha256(text))).toBe(true);
      expect(CryptoJS.SHA256(text).toString()).toBe(hash);
    }
    expect(await verifyTree(chunks, golden.tree, golden.parameters)).toEqual([]);
  });

  test.each(cases)('T10: %s comes out of edits of the empty tree, too', async (_name, golden) => {
    const chunks = new MemoryChunks();
    expect(await editTree(chunks, chunks, EMPTY_TREE, entriesOf(golden), golden.parameters)).toEqual(golden.tree);
  });

  test('the constants of format 1 are frozen', () => {
    expect(FORMAT_1_PARAMETERS).toEqual({ leafTarget: 8192, nodeTarget: 8192, anchorDenominator: 16384 });
  });
});
