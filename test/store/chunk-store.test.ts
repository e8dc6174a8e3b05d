import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/base/hash.ts';
import type { ChunkWrite } from '../../src/store/chunks.ts';
import { chunkOf, leafLines, seededRandom, TestRepository } from './chunk-fixtures.ts';

const leaves = (count: number, seed = 7): ChunkWrite[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => chunkOf(leafLines(random).join('')));
};

/** The leaf with one row's intent changed. */
const edited = (leaf: ChunkWrite, row: number, intent: string): ChunkWrite => {
  const lines = leaf.bytes.toString().split('\n');
  lines[row] = (lines[row] as string).replace(/"intent":"[^"]+"/u, `"intent":"${intent}"`);
  return chunkOf(lines.join('\n'), [leaf.hash]);
};

describe('ChunkStore and PackSink', () => {
  test('chunks put are read back, in any order and more than once', async () => {
    const repository = new TestRepository();
    const chunks = leaves(40);
    await repository.putLeaves(chunks);
    const asked = [...chunks.toReversed(), ...chunks.slice(0, 3)];
    const read = await repository.reader().getMany(asked.map(({ hash }) => hash));
    expect(read.map((bytes) => sha256(bytes))).toEqual(asked.map(({ hash }) => hash));
    const reader = repository.reader();
    for (const { hash, bytes } of chunks) expect(await reader.get(hash)).toEqual(bytes);
  });

  test('1,000 changed rows in as many leaves cost less than 130 bytes each, footer included', async () => {
    const repository = new TestRepository();
    const before = leaves(1000);
    await repository.putLeaves(before);
    const packs = await repository.putLeaves(before.map((leaf, row) => edited(leaf, row % 100, 'card_arrival')));
    const sizeBytes = packs.reduce((sum, pack) => sum + pack.sizeBytes, 0);
    expect(sizeBytes / 1000).toBeLessThan(130);
    expect(packs.flatMap((pack) => pack.frames).every((frame) => frame.depth === 1)).toBe(true);
  });
});
