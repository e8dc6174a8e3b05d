import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fsck } from '../../src/repo/fsck.ts';
import { reset } from '../../src/repo/status.ts';
import { type Copy, DATASET, rows, World } from './world.ts';

const staged = (copy: Copy): string => join(copy.root, '.uttr', 'staged');
const keptChunks = (copy: Copy): string[] => readdirSync(staged(copy)).filter((name) => name.endsWith('.chunks'));

/** A version of 400 rows, and a batch staged onto it. */
async function withBatch(): Promise<Copy> {
  const copy = await new World().copy('ada', { remote: false });
  await copy.put(rows(0, 400));
  await copy.add(rows(400, 5));
  return copy;
}

/** What the commit comes to when the kept chunks are treated so. */
async function contentAfter(treat: (path: string) => void): Promise<string> {
  const copy = await withBatch();
  const [name] = keptChunks(copy);
  treat(join(staged(copy), name as string));
  const { content } = await copy.commit();
  expect((await copy.open((repository) => fsck(repository, {}))).ok).toBe(true);
  return content;
}

describe('chunks kept by add for the commit', () => {
  test('take the place of the packs of leaves, and are gone after the commit', async () => {
    const copy = await withBatch();
    const packs = join(copy.root, '.uttr', 'packs', 'd');
    renameSync(packs, `${packs}.away`);
    const { changes } = await copy.commit();
    expect(changes.added).toBe(5);
    expect(readdirSync(staged(copy))).toEqual([]);
  });

  test('change nothing where they are damaged, cut short or lost', async () => {
    const whole = await contentAfter(() => undefined);
    const treatments: ((path: string) => void)[] = [
      (path) => rmSync(path),
      (path) => writeFileSync(path, readFileSync(path).subarray(0, 100)),
      (path) =>
        writeFileSync(
          path,
          readFileSync(path).map((byte, index) => (index % 500 === 100 ? byte ^ 1 : byte)),
        ),
    ];
    for (const treat of treatments) expect(await contentAfter(treat)).toBe(whole);
  });

  test('are handed on from batch to batch, and dropped by reset', async () => {
    const copy = await withBatch();
    await copy.add(rows(405, 5));
    expect(keptChunks(copy)).toHaveLength(1);
    await copy.open((repository) => reset(repository, DATASET));
    expect(readdirSync(staged(copy))).toEqual([]);
  });

  test('are not left behind by a batch that changes nothing', async () => {
    const copy = await new World().copy('ada', { remote: false });
    await copy.put(rows(0, 400));
    await copy.add(rows(0, 5));
    expect(readdirSync(staged(copy))).toEqual([]);
  });
});
