import { describe, expect, test, vi } from 'vitest';
import { blame } from '../../src/repo/blame.ts';
import { diffVersions } from '../../src/repo/diff.ts';
import { fsck, fsckRemote } from '../../src/repo/fsck.ts';
import { log, show } from '../../src/repo/log.ts';
import { findRecords, sampleRecords, versionStats } from '../../src/repo/query.ts';
import type { Repository } from '../../src/repo/repository.ts';
import { headVersion, loadVersion, type Version } from '../../src/repo/versions.ts';
import type { FaultyBlobStore } from '../doubles/faulty-blob-store.ts';
import { bytesRead, type Copy, DATASET, type Row, World } from './world.ts';

// Whole working copies on disk, each write made durable: slow where many tests run at once.
vi.setConfig({ testTimeout: 60_000 });

const RECORDS = 20_000;

/** Texts with little in common, so that packs are not smaller than those of real data. */
function varied(from: number, count: number): Row[] {
  return Array.from({ length: count }, (_, at) => ({
    text: `${Math.imul(from + at + 1, 2_654_435_761) >>> 0} please ${Math.imul(from + at + 7, 40_503) >>> 0} now`,
    intent: `intent ${(from + at) % 40}`,
    features: { role: `role ${(from + at) % 9}` },
  }));
}

async function pushed(): Promise<{ world: World; ada: Copy; store: FaultyBlobStore }> {
  const world = new World();
  const ada = await world.copy('ada');
  await ada.put(varied(0, RECORDS));
  const relabelled = varied(0, RECORDS).filter((_, at) => at % 800 === 0);
  await ada.put([...relabelled.map((row) => ({ ...row, intent: 'other' })), ...varied(RECORDS, 25)]);
  await ada.push();
  return { world, ada, store: await world.store() };
}

const head = (repository: Repository): Promise<Version> => headVersion(repository, DATASET) as Promise<Version>;

async function parentOf(repository: Repository): Promise<Version> {
  const version = await head(repository);
  return loadVersion(repository, version.manifest.parents[0] as Version['hash']);
}

const QUESTIONS: readonly (readonly [string, number, (repository: Repository) => Promise<unknown>])[] = [
  ['log', 80_000, (repository) => log(repository, undefined, 10)],
  ['show', 80_000, (repository) => show(repository, undefined)],
  ['stats', 80_000, async (repository) => versionStats(await head(repository))],
  [
    'diff',
    100_000,
    async (repository) => diffVersions(repository, await parentOf(repository), await head(repository), {}, 100),
  ],
  [
    'cat --limit',
    250_000,
    async (repository) => Array.fromAsync(findRecords(repository, await head(repository), {}, 5)),
  ],
  ['sample', 350_000, async (repository) => sampleRecords(repository, await head(repository), 3, 'seed')],
  ['blame', 200_000, async (repository) => blame(repository, await head(repository), varied(0, 1)[0]?.text as string)],
];

describe('a clone without data', () => {
  test('answers each question by reading what it needs, and the same again by reading nothing', async () => {
    const { world, ada, store } = await pushed();
    const whole = await world.clone(ada, 'whole').pull();
    expect(whole.bytes).toBeGreaterThan(400_000);
    const answers: Record<string, object> = {};
    for (const [name, limitBytes, ask] of QUESTIONS) {
      const clone = world.clone(ada, `clone for ${name}`);
      const expected = JSON.stringify(await ada.open(ask));
      const start = store.calls.length;
      const first = JSON.stringify(await clone.open(ask));
      const bytes = bytesRead(store, start);
      const again = store.calls.length;
      const second = JSON.stringify(await clone.open(ask));
      const right = first === expected && second === expected;
      answers[name] = { right, fewBytes: bytes < limitBytes, bytesAgain: bytesRead(store, again) };
    }
    const good = { right: true, fewBytes: true, bytesAgain: 0 };
    expect(answers).toEqual(Object.fromEntries(QUESTIONS.map(([name]) => [name, good])));
  });

  test('commits, merges and pushes', async () => {
    const { world, ada, store } = await pushed();
    const [bob, eve] = [world.clone(ada, 'bob'), world.clone(ada, 'eve')];
    const before = store.calls.length;
    await bob.put(varied(50_000, 20));
    await bob.push();
    expect(bytesRead(store, before)).toBeLessThan(1_500_000);
    const sent = store.calls
      .slice(before)
      .filter(({ method, name }) => method === 'put' && name.startsWith('packs/'))
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    // Twenty leaves change; against the old ones they are small.
    expect(sent).toBeLessThan(60_000);
    await eve.put([...varied(60_000, 20), { text: 'hello there', intent: 'intent 1' }]);
    await expect(eve.push()).rejects.toMatchObject({ code: 'head-moved' });
    expect(await eve.pull()).toMatchObject({ datasets: [{ action: 'merged' }] });
    await eve.push();
    await ada.pull();
    expect(Object.keys(await ada.records())).toHaveLength(RECORDS + 25 + 41);
    for (const copy of [ada, eve]) {
      await copy.open(async (repository) =>
        expect((await fsck(repository, { rebuildIndex: false })).problems).toEqual([]),
      );
    }
    await ada.open(async (repository) => expect((await fsckRemote(repository, 'origin')).problems).toEqual([]));
  });

  test('keeps nothing that arrived damaged', async () => {
    const { world, ada, store } = await pushed();
    const clone = world.clone(ada, 'clone');
    store.inject({ kind: 'flip', method: 'get', name: /^packs\/d/u, times: Infinity });
    await expect(clone.records()).rejects.toMatchObject({ kind: 'corrupt' });
    store.heal();
    expect(await clone.records()).toEqual(await ada.records());
  });
});
