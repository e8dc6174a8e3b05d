import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { fsck } from '../../src/repo/fsck.ts';
import { relabelRecords, removeRecords } from '../../src/repo/edit-records.ts';
import { recordVersion } from '../../src/repo/record-version.ts';
import { status } from '../../src/repo/status.ts';
import { loadVersion } from '../../src/repo/versions.ts';
import { type Copy, DATASET, rows, World } from './world.ts';

vi.setConfig({ testTimeout: 60_000 });

const BASE = rows(0, 30, 2);
const FIRST = BASE[0]?.text as string;

const pointerOf = (copy: Copy): string => readFileSync(join(copy.root, 'manifests', `${DATASET}.json`), 'utf8');
/** As git does when another commit is checked out. */
const checkOut = (copy: Copy, pointer: string): void =>
  writeFileSync(join(copy.root, 'manifests', `${DATASET}.json`), pointer);

const staged = (copy: Copy): Promise<unknown> =>
  copy.open(async (repository) => (await status(repository)).datasets[0]?.staged);

/** A copy whose pointer can go back and forth between two versions. */
async function twoVersions(): Promise<{ copy: Copy; old: string; current: string }> {
  const copy = await new World().copy('ada', { remote: false });
  await copy.put(BASE);
  const old = pointerOf(copy);
  await copy.relabel(FIRST, 'new label');
  await copy.put(rows(100, 5));
  return { copy, old, current: pointerOf(copy) };
}

test('what is staged goes to the version that was checked out meanwhile, with its own changes only', async () => {
  const { copy, old } = await twoVersions();
  await copy.add(rows(200, 3));
  checkOut(copy, old);
  const summary = await copy.commit();
  expect(summary.changes).toEqual({ added: 3, relabelled: 0, updated: 0, removed: 0 });
  const records = await copy.records();
  expect(Object.keys(records)).toHaveLength(33);
  expect(records[FIRST]).toMatch(/"intent 0"$/u);
  expect(await staged(copy)).toBeNull();
  expect(readdirSync(join(copy.root, '.uttr', 'staged'))).toEqual([]);
  await copy.open(async (repository) => expect((await fsck(repository, { rebuildIndex: false })).problems).toEqual([]));
});

test('a batch added after another version was checked out comes to what was staged before', async () => {
  const { copy, old } = await twoVersions();
  await copy.add(rows(200, 3));
  checkOut(copy, old);
  await copy.add(rows(202, 3));
  expect((await copy.commit()).changes).toEqual({ added: 5, relabelled: 0, updated: 0, removed: 0 });
  expect(Object.keys(await copy.records())).toHaveLength(35);
});

test('a batch is staged alone where the version has all that was staged before', async () => {
  const { copy, old, current } = await twoVersions();
  checkOut(copy, old);
  await copy.add(rows(100, 5));
  checkOut(copy, current);
  await copy.add(rows(300, 2));
  expect((await copy.commit()).changes).toEqual({ added: 2, relabelled: 0, updated: 0, removed: 0 });
});

test('what the version has already is no change any more', async () => {
  const { copy, old, current } = await twoVersions();
  checkOut(copy, old);
  await copy.add([...rows(100, 5).map((row, at) => ({ ...row, intent: `intent ${(100 + at) % 3}` })), ...rows(300, 1)]);
  checkOut(copy, current);
  expect((await copy.commit()).changes).toEqual({ added: 1, relabelled: 0, updated: 0, removed: 0 });
});

test('where the version has all of it, nothing is staged', async () => {
  const { copy, old, current } = await twoVersions();
  checkOut(copy, old);
  await copy.add(rows(100, 5));
  checkOut(copy, current);
  await expect(copy.commit()).rejects.toMatchObject({ code: 'nothing-staged' });
  expect(await staged(copy)).toBeNull();
  expect(pointerOf(copy)).toBe(current);
});

test('a new label goes with a feature that the version got meanwhile', async () => {
  const { copy, old } = await twoVersions();
  checkOut(copy, old);
  await copy.put([{ text: FIRST, features: { role: 'admin' } }]);
  const featured = pointerOf(copy);
  checkOut(copy, old);
  await copy.open((repository) => relabelRecords(repository, DATASET, { texts: [FIRST] }, 'mine', false));
  checkOut(copy, featured);
  expect((await copy.commit()).changes).toMatchObject({ relabelled: 1, updated: 0 });
  expect((await copy.records())[FIRST]).toMatch(/"mine"$/u);
});

test('what contradicts the version is a conflict, and stays staged for the version it was made for', async () => {
  const { copy, old, current } = await twoVersions();
  checkOut(copy, old);
  await copy.open((repository) => relabelRecords(repository, DATASET, { texts: [FIRST] }, 'mine', false));
  checkOut(copy, current);
  await expect(copy.commit()).rejects.toMatchObject({
    code: 'merge-conflict',
    message: expect.stringContaining(`"${FIRST}"`),
    hint: expect.stringContaining(`uttr reset ${DATASET}`),
  });
  await expect(copy.add(rows(400, 1))).rejects.toMatchObject({ code: 'merge-conflict' });
  expect(await staged(copy)).not.toBeNull();
  checkOut(copy, old);
  await copy.commit();
  expect((await copy.records())[FIRST]).toMatch(/"mine"$/u);
});

test('a removal of what is gone already is no trouble; of what was changed it is', async () => {
  const { copy, old, current } = await twoVersions();
  const remove = (text: string): Promise<unknown> =>
    copy.open((repository) => removeRecords(repository, DATASET, { texts: [text] }, false));
  const second = BASE[1]?.text as string;
  await copy.remove(second);
  const without = pointerOf(copy);
  checkOut(copy, current);
  await remove(second);
  await copy.add(rows(500, 1));
  checkOut(copy, without);
  expect((await copy.commit()).changes).toEqual({ added: 1, relabelled: 0, updated: 0, removed: 0 });
  checkOut(copy, old);
  await remove(FIRST);
  checkOut(copy, current);
  await expect(copy.commit()).rejects.toMatchObject({ code: 'merge-conflict' });
});

test('a version whose parent is not where the pointer is any more is not recorded', async () => {
  const { copy, old, current } = await twoVersions();
  await copy.open(async (repository) => {
    const hash = (text: string): never => (JSON.parse(text) as { version: never }).version;
    const [from, to] = [await loadVersion(repository, hash(old)), await loadVersion(repository, hash(current))];
    // Another command has moved the pointer since this one began.
    await expect(recordVersion(repository, to, [], { previous: from })).rejects.toMatchObject({ code: 'head-moved' });
  });
  expect(pointerOf(copy)).toBe(current);
});
