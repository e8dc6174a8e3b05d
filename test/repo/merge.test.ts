import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { commonAncestors, isAncestor, versionsBeyond } from '../../src/repo/ancestry.ts';
import { fsck } from '../../src/repo/fsck.ts';
import { readDecisions, writeDecisions } from '../../src/repo/merge-decisions.ts';
import {
  abortMerge,
  type Decision,
  type MergeSummary,
  mergeVersions,
  settleMerge,
} from '../../src/repo/merge-state.ts';
import { status } from '../../src/repo/status.ts';
import { loadVersion, type Version } from '../../src/repo/versions.ts';
import { type Copy, DATASET, fork, type Fork, rows } from './world.ts';

// Whole working copies on disk, each write made durable: slow where many tests run at once.
vi.setConfig({ testTimeout: 60_000 });

/** Ada pushes; Bob merges what she did into what he did. */
async function merge({ ada, bob }: Fork): Promise<MergeSummary | undefined> {
  await ada.push();
  const { datasets } = await bob.pull();
  return datasets[0]?.merge;
}

const settle = (copy: Copy, decision: Decision): Promise<MergeSummary> =>
  copy.open((repository) => settleMerge(repository, DATASET, decision, {}));

const side = async (copy: Copy, text: string): Promise<string | undefined> =>
  (await copy.records())[text]?.split(' ')[0];

const isSound = (copy: Copy): Promise<void> =>
  copy.open(async (repository) => expect((await fsck(repository, { rebuildIndex: false })).problems).toEqual([]));

const BASE = rows(0, 40, 2);
const [FIRST, SECOND] = BASE.map(({ text }) => text) as [string, string];

describe('a merge', () => {
  test('brings changes of different records together, and counts them against our side', async () => {
    const both = await fork(BASE);
    const { ada, bob } = both;
    await ada.relabel(FIRST, 'hers');
    await ada.put(rows(100, 3));
    await bob.remove(SECOND);
    await bob.put(rows(200, 4));
    const summary = await merge(both);
    expect(summary).toMatchObject({
      outcome: 'merged',
      changes: { added: 3, relabelled: 1, updated: 0, removed: 0 },
      crossed: 0,
    });
    const merged = await bob.records();
    expect(merged[FIRST]).toMatch(/"hers"$/u);
    expect(merged).not.toHaveProperty([SECOND]);
    expect(Object.keys(merged)).toHaveLength(46);
    expect((await bob.head()).manifest.parents).toHaveLength(2);
    await isSound(bob);
  });

  test('takes the same change of both once', async () => {
    const both = await fork(BASE);
    await both.ada.relabel(FIRST, 'same');
    await both.bob.relabel(FIRST, 'same');
    expect(await merge(both)).toMatchObject({ changes: { added: 0, relabelled: 0, updated: 0, removed: 0 } });
    expect((await both.bob.records())[FIRST]).toMatch(/"same"$/u);
  });

  test('takes a new label from one and a feature from the other', async () => {
    const both = await fork(BASE);
    await both.ada.relabel(FIRST, 'hers');
    await both.bob.put([{ text: FIRST, features: { role: 'admin' } }]);
    expect(await merge(both)).toMatchObject({ changes: { relabelled: 1 } });
    const found = await both.bob.open(async (repository) => {
      const { findRecords } = await import('../../src/repo/query.ts');
      const version = await loadVersion(repository, (await both.bob.head()).hash);
      return Array.fromAsync(findRecords(repository, version, { text: FIRST }, 1));
    });
    expect(JSON.parse(found[0]?.[0]?.json ?? '')).toEqual({ text: FIRST, intent: 'hers', features: { role: 'admin' } });
  });

  const conflicts: readonly (readonly [
    string,
    (ada: Copy) => Promise<unknown>,
    (bob: Copy) => Promise<unknown>,
    object,
  ])[] = [
    [
      'two labels for one record',
      (ada) => ada.relabel(FIRST, 'hers'),
      (bob) => bob.relabel(FIRST, 'his'),
      { text: FIRST, base: 'intent 0', ours: 'his', theirs: 'hers' },
    ],
    [
      'a removal against a label',
      (ada) => ada.relabel(FIRST, 'hers'),
      (bob) => bob.remove(FIRST),
      { text: FIRST, base: 'intent 0', ours: '(not there)', theirs: 'hers' },
    ],
    [
      'a label against a removal',
      (ada) => ada.remove(FIRST),
      (bob) => bob.relabel(FIRST, 'his'),
      { text: FIRST, base: 'intent 0', ours: 'his', theirs: '(not there)' },
    ],
    [
      'two additions with different labels',
      (ada) => ada.put([{ text: 'new one', intent: 'hers' }]),
      (bob) => bob.put([{ text: 'new one', intent: 'his' }]),
      { text: 'new one', base: '(not there)', ours: 'his', theirs: 'hers' },
    ],
  ];

  describe.each(conflicts)('of %s', (_, hers, his, shown) => {
    async function conflict(): Promise<Fork> {
      const both = await fork(BASE);
      await hers(both.ada);
      await his(both.bob);
      await both.bob.put(rows(300, 2));
      await expect(merge(both)).rejects.toMatchObject({ code: 'merge-conflict', exitCode: 4, hint: /uttr merge/u });
      return both;
    }

    test('waits for a decision, which status shows, and commits wait too', async () => {
      const { bob } = await conflict();
      const [dataset] = await bob.open(async (repository) => (await status(repository)).datasets);
      expect(dataset).toMatchObject({ changed: true, merge: { conflicts: [shown], git: false } });
      await bob.add(rows(400, 1));
      await expect(bob.commit()).rejects.toMatchObject({ code: 'merge-conflict' });
      await expect(bob.pull()).rejects.toMatchObject({ code: 'merge-conflict' });
    });

    test.each(['ours', 'theirs'] as const)('is settled for %s', async (kind) => {
      const { ada, bob } = await conflict();
      const { text } = shown as { text: string };
      const wanted = (await (kind === 'ours' ? bob : ada).records())[text]?.split(' ').at(-1);
      await settle(bob, { kind });
      expect((await bob.records())[text]?.split(' ').at(-1)).toBe(wanted);
      expect(await bob.open(async (repository) => (await status(repository)).datasets[0]?.merge)).toBeNull();
      expect(Object.keys(await bob.records()).filter((one) => /number 30[01]$/u.test(one))).toHaveLength(2);
      await bob.push();
      await isSound(bob);
    });

    test('is settled by a table that a person fills in', async () => {
      const { bob } = await conflict();
      const file = join(bob.root, 'decisions.csv');
      const write = (): Promise<boolean> => bob.open((repository) => writeDecisions(repository, DATASET, file));
      expect([await write(), await write()]).toEqual([true, false]);
      const [header, line] = readFileSync(file, 'utf8').trim().split(/\r?\n/u) as [string, string];
      expect(header).toBe('text,base,ours,theirs,keep');
      // Not filled in: still open.
      await expect(settle(bob, { kind: 'table', keep: await readDecisions(file) })).rejects.toMatchObject({
        code: 'merge-conflict',
      });
      writeFileSync(file, `${header}\n${line}a third label\n`);
      await settle(bob, { kind: 'table', keep: await readDecisions(file) });
      expect((await bob.records())[(shown as { text: string }).text]).toMatch(/"a third label"$/u);
    });

    test('is dropped: everything is as before', async () => {
      const { bob } = await conflict();
      const before = await bob.records();
      await bob.open((repository) => abortMerge(repository, DATASET));
      expect(await bob.records()).toEqual(before);
      await bob.put(rows(400, 1));
      await expect(settle(bob, { kind: 'ours' })).rejects.toMatchObject({ code: 'no-merge' });
    });
  });

  test('a waiting merge whose pointer was moved on is forgotten', async () => {
    const both = await fork(BASE);
    const { ada, bob } = both;
    await ada.relabel(FIRST, 'hers');
    await bob.relabel(FIRST, 'his');
    await expect(merge(both)).rejects.toMatchObject({ code: 'merge-conflict' });
    const pointer = join('manifests', `${DATASET}.json`);
    writeFileSync(join(bob.root, pointer), readFileSync(join(ada.root, pointer)));
    await bob.put(rows(500, 2));
    expect(both.world.notes.join()).toMatch(/ended/u);
    expect((await bob.records())[FIRST]).toMatch(/"hers"$/u);
  });

  test('M1: a group on different sides goes to train for good, and is counted, listed and kept so', async () => {
    const { world, ada, bob } = await fork(BASE);
    // The same texts come into strata of another size: the draw may put them on another side.
    const shared = rows(1000, 60, 1).map((row) => ({ ...row, intent: 'shared' }));
    await ada.put(shared);
    await bob.put([...shared.slice(0, 30), ...rows(2000, 200, 1).map((row) => ({ ...row, intent: 'shared' }))]);
    const [hers, his] = [await ada.records(), await bob.records()];
    const differ = shared.map(({ text }) => text).filter((text) => text in his && hers[text] !== his[text]);
    expect(differ.length).toBeGreaterThan(0);
    const summary = await merge({ world, ada, bob });
    expect([...(summary?.crossedTexts ?? [])].sort()).toEqual([...differ].sort());
    expect(summary?.crossed).toBe(differ.length);
    expect((await bob.head()).manifest.crossed).toBe(differ.length);
    for (const text of differ) expect(await side(bob, text)).toBe('train');
    await isSound(bob);
    // Removed and added again, it comes back to train.
    await bob.remove(differ[0] as string);
    await bob.put([{ text: differ[0] as string, intent: 'shared' }]);
    expect(await side(bob, differ[0] as string)).toBe('train');
    expect((await bob.head()).manifest.crossed).toBe(0);
    // A crossing reaches branches that merge it, although no record changed.
    await bob.push();
    await ada.put(rows(3000, 2));
    await expect(ada.push()).rejects.toMatchObject({ code: 'head-moved' });
    await ada.pull();
    for (const text of differ) expect(await side(ada, text)).toBe('train');
    await isSound(ada);
  });

  test('M1: a group that one branch removed and the other has on train comes back to train only', async () => {
    const { world, ada, bob } = await fork(BASE);
    const shared = rows(1000, 60, 1).map((row) => ({ ...row, intent: 'shared' }));
    await ada.put(shared);
    await bob.put([...shared.slice(0, 30), ...rows(2000, 200, 1).map((row) => ({ ...row, intent: 'shared' }))]);
    const [hers, his] = [await ada.records(), await bob.records()];
    const differ = shared.map(({ text }) => text).filter((text) => text in his && hers[text] !== his[text]);
    await ada.remove(...differ);
    await bob.remove(...differ);
    await merge({ world, ada, bob });
    await isSound(bob);
    await bob.put(differ.map((text) => ({ text, intent: 'shared' })));
    for (const text of differ) expect(await side(bob, text)).toBe('train');
  });

  test('a retired side survives a merge in which only unlabelled records of its group are left', async () => {
    const both = await fork(BASE);
    const { ada, bob } = both;
    // On her side it was on one side and left; an unlabelled record of the same group is there on both.
    await ada.put([{ text: 'some group', intent: 'intent 0' }]);
    const home = await side(ada, 'some group');
    await ada.remove('some group');
    await ada.put([{ text: 'some group!' }]);
    await bob.put([{ text: 'some group!' }]);
    await merge(both);
    await isSound(bob);
    await bob.put([{ text: 'some group', intent: 'intent 0' }]);
    expect(await side(bob, 'some group')).toBe(home);
  });

  test('of two branches that both made the dataset brings their records together', async () => {
    const both = await fork([]);
    await both.ada.put(rows(0, 20));
    await both.bob.put(rows(10, 20));
    await merge(both);
    expect(Object.keys(await both.bob.records())).toHaveLength(30);
    await isSound(both.bob);
  });

  test('with a descendant moves forward; with an ancestor has it already', async () => {
    const { ada, bob } = await fork(BASE);
    const old = (await bob.head()).hash;
    await ada.put(rows(100, 2));
    await ada.push();
    const newer = (await ada.head()).hash;
    const mergeInto = (into: Version['hash'], other: Version['hash']): Promise<MergeSummary> =>
      bob.open(async (repository) =>
        mergeVersions(repository, await loadVersion(repository, into), await loadVersion(repository, other), {}),
      );
    expect(await mergeInto(old, newer)).toMatchObject({ outcome: 'forwarded', version: newer });
    expect((await bob.head()).hash).toBe(newer);
    expect(await mergeInto(newer, old)).toMatchObject({ outcome: 'none', version: newer, crossed: 0 });
  });

  test('of versions with different splits is refused', async () => {
    const both = await fork([]);
    const { editConfig } = await import('../../src/repo/working-copy.ts');
    await editConfig(both.bob.root, (config) => {
      const datasets = config['datasets'] as Record<string, { split: { salt: string } }>;
      (datasets[DATASET] as { split: { salt: string } }).split.salt = 'another';
    });
    await both.ada.put(rows(0, 5));
    await both.bob.put(rows(5, 5));
    await expect(merge(both)).rejects.toMatchObject({ code: 'bad-config' });
    expect(existsSync(join(both.bob.root, '.uttr', 'staged'))).toBe(true);
  });

  test('after merges in both directions takes neither change back', async () => {
    const { ada, bob } = await fork(BASE);
    await ada.relabel(FIRST, 'hers');
    await bob.relabel(SECOND, 'his');
    const [left, right] = [await ada.head(), await bob.head()];
    const branch = (copy: Copy, name: string): Promise<unknown> =>
      copy.open(async (repository) => {
        const { push } = await import('../../src/repo/push.ts');
        repository.branch = () => Promise.resolve(name);
        return push(repository, undefined, [DATASET]);
      });
    const mergeHead = (copy: Copy, other: Version): Promise<MergeSummary> =>
      copy.open(async (repository) =>
        mergeVersions(repository, await copy.head(), await loadVersion(repository, other.hash), {}),
      );
    await branch(ada, 'ada');
    await branch(bob, 'bob');
    await mergeHead(ada, right);
    await mergeHead(bob, left);
    expect((await ada.head()).manifest.content).toBe((await bob.head()).manifest.content);
    await bob.relabel(FIRST, 'later');
    await branch(bob, 'bob');
    await ada.open(async (repository) => {
      const [a, b] = [(await ada.head()).hash, (await bob.head()).hash];
      const common = (await commonAncestors(repository, a, b)).map(({ hash }) => hash);
      expect(common.sort()).toEqual([left.hash, right.hash].sort());
      expect(await isAncestor(repository, left.hash, b)).toBe(true);
      expect(await isAncestor(repository, a, b)).toBe(false);
      const beyond = await versionsBeyond(repository, b, [a]);
      expect(beyond.map(({ hash }) => hash).at(-1)).toBe(b);
      expect(beyond).toHaveLength(2);
    });
    await mergeHead(ada, await bob.head());
    const merged = await ada.records();
    expect(merged[FIRST]).toMatch(/"later"$/u);
    expect(merged[SECOND]).toMatch(/"his"$/u);
    await isSound(ada);
  });
});
