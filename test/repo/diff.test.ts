import { describe, expect, test } from 'vitest';
import { type DiffChange, diffStream, diffVersions, summarize } from '../../src/repo/diff.ts';
import { diffTargets } from '../../src/repo/diff-targets.ts';
import { betweenVersions } from '../../src/repo/diff.ts';
import { stagedDiff } from '../../src/repo/staged-diff.ts';
import type { Version } from '../../src/repo/versions.ts';
import { removeRecords } from '../../src/repo/edit-records.ts';
import { type Copy, DATASET, rows, World } from './world.ts';

const newCopy = (): Promise<Copy> => new World().copy('ada', { remote: false });

async function changed(copy: Copy): Promise<{ readonly from: Version; readonly to: Version }> {
  await copy.put([...rows(0, 30), { text: 'stop the music now', intent: 'stop' }, { text: 'no label' }]);
  const from = await copy.head();
  await copy.open((repository) =>
    removeRecords(repository, DATASET, { texts: ['stop the music now', 'utterance number 1'] }, false),
  );
  await copy.add([
    { text: 'stop the sound now', intent: 'stop' },
    { text: 'utterance number 2', intent: 'other' },
    { text: 'utterance number 3', intent: 'intent 0', features: { role: 'agent' } },
    { text: 'no label', intent: 'found' },
    { text: 'wholly new words', intent: 'new' },
  ]);
  await copy.commit();
  return { from, to: await copy.head() };
}

const kinds = (changes: readonly DiffChange[]): string[] => changes.map(({ kind, text }) => `${kind} ${text}`);

describe('diffVersions', () => {
  test('tells kinds apart, and pairs an edited text', async () => {
    const copy = await newCopy();
    const { from, to } = await changed(copy);
    const diff = await copy.open((repository) => diffVersions(repository, from, to, {}, 100));
    expect(kinds(diff.changes)).toEqual([
      'relabelled no label',
      'edited stop the sound now',
      'removed utterance number 1',
      'relabelled utterance number 2',
      'updated utterance number 3',
      'added wholly new words',
    ]);
    expect(diff.summary).toEqual({ added: 1, removed: 1, relabelled: 2, updated: 1, edited: 1 });
    const edited = diff.changes.find(({ kind }) => kind === 'edited');
    expect([edited?.before?.text, edited?.after?.text]).toEqual(['stop the music now', 'stop the sound now']);
  });

  test('counts of the sides add up to the summary, the largest side first', async () => {
    const copy = await newCopy();
    const { from, to } = await changed(copy);
    const { summary, bySide } = await copy.open((repository) => diffVersions(repository, from, to, {}, 0));
    for (const kind of ['added', 'removed', 'relabelled', 'updated', 'edited'] as const) {
      expect(Object.values(bySide).reduce((sum, counts) => sum + counts[kind], 0)).toBe(summary[kind]);
    }
    const order = ['train', 'test', 'unlabelled'];
    expect(Object.keys(bySide)).toEqual(order.filter((side) => side in bySide));
  });

  test('backwards is the same with removed and added exchanged', async () => {
    const copy = await newCopy();
    const { from, to } = await changed(copy);
    const back = await copy.open((repository) => diffVersions(repository, to, from, {}, 100));
    expect(back.summary).toEqual({ added: 1, removed: 1, relabelled: 2, updated: 1, edited: 1 });
    const whole = await copy.open((repository) => diffVersions(repository, undefined, from, {}, 0));
    expect(whole.summary).toMatchObject({ added: 32, removed: 0 });
    expect(whole).toMatchObject({ from: null, truncated: true });
  });

  test('of many changes streams all of them', async () => {
    const copy = await newCopy();
    await copy.put(rows(0, 21_000, 50));
    const to = await copy.head();
    await copy.open(async (repository) => {
      const batches = await Array.fromAsync(diffStream(betweenVersions(repository, undefined, to), {}));
      expect(batches.length).toBeGreaterThan(1);
      expect(new Set(batches.flat().map(({ text }) => text)).size).toBe(21_000);
    });
  });

  test('filters by side, and by an intent that a record has or had', async () => {
    const copy = await newCopy();
    const { from, to } = await changed(copy);
    await copy.open(async (repository) => {
      const other = await diffVersions(repository, from, to, { intent: 'other' }, 100);
      expect(kinds(other.changes)).toEqual(['relabelled utterance number 2']);
      const had = await diffVersions(repository, from, to, { intent: 'intent 2' }, 100);
      expect(kinds(had.changes)).toEqual(['relabelled utterance number 2']);
      for (const side of ['train', 'test']) {
        const { changes } = await diffVersions(repository, from, to, { side }, 100);
        expect(changes.every((change) => change.side === side)).toBe(true);
      }
    });
  });
});

describe('stagedDiff', () => {
  test('is what the diff of the next version is, but for the sides of new groups', async () => {
    const copy = await newCopy();
    await copy.put([...rows(0, 30), { text: 'gone and back', intent: 'x' }]);
    await copy.remove('gone and back');
    await copy.open((repository) => removeRecords(repository, DATASET, { texts: ['utterance number 4'] }, false));
    await copy.add([
      { text: 'gone and back', intent: 'x' },
      { text: 'utterance number 5', intent: 'other' },
      { text: 'utterance number 6!', intent: 'intent 0' },
      { text: 'new words', intent: 'intent 0' },
    ]);
    const staged = await copy.open((repository) => summarize(stagedDiff(repository, DATASET), {}, 100));
    await copy.commit();
    const head = await copy.head();
    const next = await copy.open(async (repository) => {
      const { from, to } = await diffTargets(repository, undefined, undefined);
      return diffVersions(repository, from, to, {}, 100);
    });
    expect(staged).toMatchObject({ from: head.manifest.parents[0], to: 'staged', summary: next.summary });
    expect(kinds(staged.changes)).toEqual(kinds(next.changes));
    const sides = new Map(next.changes.map(({ text, side }) => [text, side]));
    for (const { text, side } of staged.changes) {
      expect([text, side]).toEqual([text, text === 'new words' ? 'no side yet' : sides.get(text)]);
    }
  });

  test('of nothing is empty, and an unknown dataset is refused', async () => {
    const copy = await newCopy();
    await copy.open(async (repository) => {
      expect((await summarize(stagedDiff(repository, DATASET), {}, 1)).summary.added).toBe(0);
      expect(() => stagedDiff(repository, 'other')).toThrow('there is no dataset "other"');
    });
  });
});

describe('diffTargets', () => {
  test('nothing, a dataset, one version and two versions', async () => {
    const copy = await newCopy();
    const hashes: (string | undefined)[] = [undefined];
    for (let version = 0; version < 3; version++) hashes.push((await copy.put(rows(version, 1))).version);
    await copy.open(async (repository) => {
      const named = async (a?: string, b?: string): Promise<(string | undefined)[]> => {
        const { from, to } = await diffTargets(repository, a, b);
        return [from?.hash, to.hash];
      };
      expect(await named()).toEqual([hashes[2], hashes[3]]);
      expect(await named(DATASET)).toEqual([hashes[2], hashes[3]]);
      expect(await named('HEAD~2')).toEqual([hashes[1], hashes[3]]);
      expect(await named('HEAD~2', 'HEAD~1')).toEqual([hashes[1], hashes[2]]);
      expect(await named(`${DATASET}@HEAD~1`, DATASET)).toEqual([hashes[2], hashes[3]]);
      expect(await named(`${DATASET}@HEAD~2`, `${DATASET}@${hashes[2] ?? ''}`)).toEqual([hashes[1], hashes[2]]);
      await expect(named('toString')).rejects.toMatchObject({ code: 'unknown-dataset' });
    });
  });
});
