/**
 * Blame walks lists of changes; a second, plain implementation looks the record up in every version of a random
 * history, and both must tell the same.
 */
import { describe, expect, test } from 'vitest';
import { blame } from '../../src/repo/blame.ts';
import { findRecords } from '../../src/repo/query.ts';
import { headVersion, history, type Version } from '../../src/repo/versions.ts';
import { type Copy, DATASET, rows, World } from './world.ts';

interface Told {
  readonly kind: string;
  readonly version: string;
  readonly intent: string | null;
}

const told = (copy: Copy, text: string): Promise<Told[]> =>
  copy.open(async (repository) => {
    const version = (await headVersion(repository, DATASET)) as Version;
    const [found] = await blame(repository, version, text);
    return (found?.history ?? []).map(({ kind, version: hash, intent }) => ({ kind, version: hash, intent }));
  });

/** Every version of a straight history with the record as it was, newest first. */
const plain = (copy: Copy, text: string): Promise<Told[]> =>
  copy.open(async (repository) => {
    const states: { readonly version: string; readonly record: Record<string, unknown> | undefined }[] = [];
    for await (const version of history(repository, ((await headVersion(repository, DATASET)) as Version).hash)) {
      const records = (await Array.fromAsync(findRecords(repository, version))).flat();
      const parsed = records.map(({ json }) => JSON.parse(json) as Record<string, unknown>);
      states.push({ version: version.hash, record: parsed.find((record) => record['text'] === text) });
    }
    return states.flatMap(({ version, record }, at) => {
      const before = states[at + 1]?.record;
      if (JSON.stringify(record) === JSON.stringify(before)) return [];
      const kind =
        before === undefined
          ? 'added'
          : record === undefined
            ? 'removed'
            : record['intent'] === before['intent']
              ? 'updated'
              : 'relabelled';
      return [{ kind, version, intent: (record?.['intent'] as string | undefined) ?? null }];
    });
  });

describe('blame', () => {
  test('tells what a look at every version tells', async () => {
    const copy = await new World(7).copy('ada', { remote: false });
    await copy.put(rows(0, 40));
    const text = 'utterance number 5';
    await copy.relabel(text, 'other');
    await copy.put(rows(40, 2));
    await copy.put([{ text, intent: 'other', features: { role: 'agent' } }]);
    await copy.remove(text);
    await copy.put(rows(50, 1));
    await copy.put([{ text, intent: 'third' }]);
    // Too many changes for a list: the trees must be read.
    await copy.put(rows(100, 200));
    await copy.relabel(text, 'fourth');
    const steps = await told(copy, text);
    expect(steps.map(({ kind }) => kind)).toEqual(['relabelled', 'added', 'removed', 'updated', 'relabelled', 'added']);
    expect(steps).toEqual(await plain(copy, text));
    for (const other of ['utterance number 0', 'utterance number 41', 'utterance number 150']) {
      expect(await told(copy, other)).toEqual(await plain(copy, other));
    }
  });

  test('follows a merge to the branch that brought the record', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 60));
    await ada.push();
    const bob = world.clone(ada, 'bob');
    bob.environment = { UTTR_AUTHOR: 'Bob' };
    const theirs = await bob.put([{ text: 'brought by bob', intent: 'x' }]);
    await bob.push();
    const ours = await ada.put([{ text: 'brought by ada', intent: 'x' }]);
    await ada.pull({ latest: true });
    expect((await ada.head()).manifest.parents).toHaveLength(2);
    expect(await told(ada, 'brought by bob')).toEqual([{ kind: 'added', version: theirs.version, intent: 'x' }]);
    expect(await told(ada, 'brought by ada')).toEqual([{ kind: 'added', version: ours.version, intent: 'x' }]);
  });

  test('on a fresh clone of a long history reads the data as often as for one look-up', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 400));
    for (let version = 0; version < 12; version++) await ada.put(rows(10_000 + version * 10, 10));
    await ada.push();
    const clone = world.clone(ada, 'clone');
    const store = await world.store();
    const before = store.calls.length;
    expect(await told(clone, 'utterance number 17')).toHaveLength(1);
    const reads = store.calls
      .slice(before)
      .filter(({ method, name }) => method === 'get' && name.startsWith('packs/d/'));
    // The footer of the pack, and a range for each side.
    expect(reads.length).toBeLessThanOrEqual(3);
  });

  test('of a text that is not there fails', async () => {
    const copy = await new World().copy('ada', { remote: false });
    await copy.put(rows(0, 2));
    await expect(told(copy, 'nobody')).rejects.toMatchObject({ code: 'unknown-utterance' });
  });
});
