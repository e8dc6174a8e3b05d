import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { setCrashHook } from '../../src/base/crash-points.ts';
import type { FilterRow } from '../../src/catalogue/filter-rows.ts';
import { fsck, type FsckReport } from '../../src/repo/fsck.ts';
import { BloomBuilder } from '../../src/store/bloom-filter.ts';
import { type Copy, DATASET, fork, rows, World } from './world.ts';

const newCopy = (): Promise<Copy> => new World().copy('ada', { remote: false });
const check = (copy: Copy): Promise<FsckReport> => copy.open((repository) => fsck(repository, {}));
const sideOf = async (copy: Copy, text: string): Promise<string | undefined> =>
  (await copy.records())[text]?.split(' ')[0];

const filters = (copy: Copy): string => join(copy.root, '.uttr', 'filters');
const filterRow = (copy: Copy): Promise<FilterRow | undefined> =>
  copy.open(async ({ catalogue }) => catalogue.filters.get(DATASET));
const filterPath = async (copy: Copy): Promise<string> => join(filters(copy), (await filterRow(copy))?.file as string);
const isCovered = async (copy: Copy): Promise<boolean> => {
  const { hash } = await copy.head();
  return copy.open(async ({ catalogue }) => catalogue.filters.covers(DATASET, hash));
};

/** Does work while no leaf can be read. */
async function withoutLeaves<T>(copy: Copy, work: () => Promise<T>): Promise<T> {
  const leaves = join(copy.root, '.uttr', 'packs', 'd');
  renameSync(leaves, `${leaves}.away`);
  try {
    return await work();
  } finally {
    renameSync(`${leaves}.away`, leaves);
  }
}

describe('a batch', () => {
  test('of new rows is staged without reading a leaf, after the first version and after later ones', async () => {
    const copy = await newCopy();
    await copy.put(rows(0, 400));
    expect((await withoutLeaves(copy, () => copy.add(rows(400, 50)))).changes.added).toBe(50);
    await copy.commit();
    expect((await withoutLeaves(copy, () => copy.add(rows(450, 50)))).changes.added).toBe(50);
    await copy.commit();
    expect(await check(copy)).toMatchObject({ ok: true });
  });

  test('of rows that are there is found, be they of the first version or of a later one', async () => {
    const copy = await newCopy();
    await copy.put(rows(0, 50));
    await copy.put(rows(50, 50));
    const summary = await copy.add([...rows(0, 100), { text: 'UTTERANCE number 60!', intent: 'intent 0' }]);
    expect(summary.rows.duplicate).toBe(100);
    expect(summary.changes.added).toBe(1);
  });

  test('of groups that left the data brings them back to their sides', async () => {
    const copy = await newCopy();
    await copy.put(rows(0, 60));
    const before = await copy.records();
    const texts = Object.keys(before).slice(0, 30);
    await copy.remove(...texts);
    await copy.put(rows(100, 20));
    await copy.put(rows(0, 60));
    const after = await copy.records();
    expect(texts.map((text) => after[text])).toEqual(texts.map((text) => before[text]));
  });

  test('meets groups without a label', async () => {
    const copy = await newCopy();
    await copy.put([...rows(0, 10), { text: 'what is this' }]);
    const summary = await copy.add([{ text: 'what is this', intent: 'ask' }]);
    expect(summary.changes).toMatchObject({ added: 0, relabelled: 1 });
  });
});

describe('N1: a version made elsewhere', () => {
  test('is covered by what it changed', async () => {
    const { ada, bob } = await fork(rows(0, 100));
    // Bob has pulled and has no filter yet: his first commit makes one.
    await bob.put(rows(100, 10));
    expect(await isCovered(bob)).toBe(true);
    await bob.push();
    await ada.pull();
    await ada.put(rows(110, 10));
    await ada.remove('utterance number 3');
    await ada.push();
    await bob.pull();
    expect(await isCovered(bob)).toBe(false);
    expect((await bob.add(rows(100, 20))).rows.duplicate).toBe(20);
    expect(await isCovered(bob)).toBe(true);
    expect(await check(bob)).toMatchObject({ ok: true });
  });

  test('by a merge has the groups that the other branch retired', async () => {
    const { ada, bob } = await fork(rows(0, 100));
    await ada.put(rows(100, 5));
    const extra = rows(200, 20);
    await bob.put(extra);
    const sides = await bob.records();
    await bob.remove(...extra.map(({ text }) => text));
    await bob.push();
    expect((await ada.pull()).datasets).toMatchObject([{ action: 'merged' }]);
    await ada.put(extra);
    const after = await ada.records();
    for (const { text } of extra) expect(after[text]).toBe(sides[text]);
    expect(await check(ada)).toMatchObject({ ok: true });
  });
});

describe('the filter', () => {
  test.each([
    { point: 'commit.packs-written', added: 0 },
    { point: 'commit.recorded', added: 1 },
  ])('N2: has the groups of a commit that ends at $point if it covers its version', async ({ point, added }) => {
    const copy = await newCopy();
    await copy.put(rows(0, 50));
    await copy.add(rows(50, 10));
    setCrashHook((reached) => {
      if (reached === point) throw new Error('fault');
    });
    try {
      await expect(copy.commit()).rejects.toThrow('fault');
    } finally {
      setCrashHook(undefined);
    }
    // The next command writes the pointer of a version that was recorded.
    expect((await copy.head()).manifest.changes.added).toBe(added === 0 ? 50 : 10);
    expect(await isCovered(copy)).toBe(true);
    const additions = await copy.open(async ({ catalogue }) => catalogue.filters.additions(DATASET));
    expect(additions).toHaveLength(added);
    expect(await check(copy)).toMatchObject({ ok: true });
  });

  test('that is lost is made anew by the next commit, and meanwhile the trees are asked', async () => {
    const copy = await newCopy();
    await copy.put(rows(0, 100));
    rmSync(await filterPath(copy));
    expect((await copy.add(rows(90, 20))).rows.duplicate).toBe(10);
    expect(await filterRow(copy)).toBeUndefined();
    await copy.commit();
    expect(await isCovered(copy)).toBe(true);
    expect((await withoutLeaves(copy, () => copy.add(rows(110, 5)))).changes.added).toBe(5);
  });

  test('with damaged blocks lets no row through as new that is there', async () => {
    const copy = await newCopy();
    await copy.put(rows(0, 100));
    const path = await filterPath(copy);
    writeFileSync(
      path,
      readFileSync(path).map((byte, index) => (index >= 24 ? 0 : byte)),
    );
    expect((await copy.add(rows(0, 110))).rows.duplicate).toBe(100);
  });

  test('takes in what was added when that is much, and is made anew when the dataset outgrows it', async () => {
    const copy = await newCopy();
    await copy.put(rows(0, 100));
    expect(await filterRow(copy)).toMatchObject({ groups: 100, capacity: 1024 });
    await copy.put(rows(1000, 66_000));
    expect(await filterRow(copy)).toMatchObject({ groups: 66_100, capacity: 132_200 });
    await copy.put(rows(100_000, 66_000));
    expect(await filterRow(copy)).toMatchObject({ groups: 132_100, capacity: 132_200 });
    expect(readdirSync(filters(copy))).toHaveLength(1);
    const additions = await copy.open(async ({ catalogue }) => catalogue.filters.additions(DATASET));
    expect(additions).toEqual([]);
    expect(await check(copy)).toMatchObject({ ok: true });
  });

  test('that lacks groups is found out: by fsck, and by a commit of a record that is there already', async () => {
    const copy = await newCopy();
    await copy.put(rows(0, 100));
    const spoil = async (): Promise<void> => writeFileSync(await filterPath(copy), BloomBuilder.empty(1024).finish());
    await spoil();
    const [problem] = (await check(copy)).problems;
    expect(problem?.what).toBe('its filter did not know 100 groups; it was dropped');
    expect(await check(copy)).toMatchObject({ ok: true });

    await copy.put(rows(100, 5));
    await spoil();
    const before = (await copy.head()).hash;
    await copy.add(rows(0, 100));
    await expect(copy.commit()).rejects.toMatchObject({ code: 'catalogue-unusable' });
    expect((await copy.head()).hash).toBe(before);
    expect(await filterRow(copy)).toBeUndefined();
  });

  test.each([
    'UPDATE filter_additions SET hashes = zeroblob(length(hashes)) WHERE id = 2',
    'DELETE FROM filter_additions WHERE id = 1',
  ])('whose additions are damaged or lost is not believed: %s', async (damage) => {
    const copy = await newCopy();
    await copy.put(rows(0, 50));
    await copy.put(rows(50, 10));
    await copy.put(rows(60, 10));
    await copy.open(async ({ catalogue }) => {
      catalogue.db.exec(damage);
    });
    expect((await copy.add(rows(45, 30))).rows.duplicate).toBe(25);
    expect(await filterRow(copy)).toBeUndefined();
    await copy.commit();
    expect(await filterRow(copy)).toMatchObject({ groups: 75 });
    expect(await check(copy)).toMatchObject({ ok: true });
  });

  test('that cannot be written does not fail the commit', async () => {
    const copy = await newCopy();
    await copy.put(rows(0, 10));
    rmSync(filters(copy), { recursive: true });
    writeFileSync(filters(copy), 'in the way');
    expect((await copy.put(rows(10, 10))).changes.added).toBe(10);
    expect(copy.world.notes.join('\n')).toContain(`the filter of ${DATASET} is not up to date`);
    expect(await sideOf(copy, 'utterance number 3')).toBeDefined();
  });

  test('that cannot be written does not fail the first commit either', async () => {
    const copy = await newCopy();
    writeFileSync(filters(copy), 'in the way');
    expect((await copy.put(rows(0, 10))).changes.added).toBe(10);
    expect(copy.world.notes.filter((note) => note.includes('is not up to date'))).toHaveLength(1);
    rmSync(filters(copy));
    await copy.put(rows(10, 10));
    expect(await filterRow(copy)).toMatchObject({ groups: 20 });
  });
});
