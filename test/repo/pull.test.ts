import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { type CrashPoint, setCrashHook } from '../../src/base/crash-points.ts';
import { isUttrError } from '../../src/base/errors.ts';
import { fsck } from '../../src/repo/fsck.ts';
import { pull, type PullSummary } from '../../src/repo/pull.ts';
import { status } from '../../src/repo/status.ts';
import type { BlobStoreMethod, FaultKind } from '../doubles/faulty-blob-store.ts';
import { bytesRead, type Copy, DATASET, fork, rows, World } from './world.ts';

// Whole working copies on disk, each write made durable: slow where many tests run at once.
vi.setConfig({ testTimeout: 60_000 });

async function crashAt(point: CrashPoint, work: () => Promise<unknown>): Promise<void> {
  setCrashHook((reached) => {
    if (reached === point) throw new Error(`crashed at ${point}`);
  });
  try {
    await expect(work()).rejects.toThrow(`crashed at ${point}`);
  } finally {
    setCrashHook(undefined);
  }
}

const isSound = (copy: Copy): Promise<void> =>
  copy.open(async (repository) => expect((await fsck(repository, { rebuildIndex: false })).problems).toEqual([]));

const local = (copy: Copy): Promise<string | undefined> =>
  copy.open(async (repository) => (await status(repository)).datasets[0]?.local);

describe('pull', () => {
  test('brings all data of the pointer to a fresh clone, once', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 500));
    await ada.put(rows(500, 50));
    await ada.push();
    const clone = world.clone(ada, 'clone');
    expect(await local(clone)).toBe('absent');
    expect(await clone.pull()).toMatchObject({ versions: 1, datasets: [{ action: 'up-to-date' }] });
    expect(await local(clone)).toBe('complete');
    expect(await clone.records()).toEqual(await ada.records());
    const store = await world.store();
    const before = store.calls.length;
    expect(await clone.pull()).toMatchObject({ versions: 0, packs: 0, bytes: 0 });
    expect(store.calls.slice(before).filter(({ name }) => name.startsWith('packs/'))).toEqual([]);
    await isSound(clone);
  });

  test('keeps what the version needs, and not what only led to it', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 500));
    for (let batch = 0; batch < 5; batch++) await ada.put(rows(500 + batch, 1));
    await ada.push();
    const clone = world.clone(ada, 'clone');
    const { packs } = await clone.pull();
    const here = ['d', 'm'].flatMap((kind) => readdirSync(join(clone.root, '.uttr', 'packs', kind)));
    expect(here).toHaveLength(packs);
    await isSound(clone);
  });

  test('reads no byte of the data twice', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 3000, 50));
    await ada.push();
    const clone = world.clone(ada, 'clone');
    const store = await world.store();
    const before = store.calls.length;
    await clone.pull();
    const size = ['d', 'm']
      .flatMap((kind) => readdirSync(join(world.remoteUrl, 'packs', kind)))
      .reduce((sum, name) => {
        const call = store.calls.findLast(({ method, name: full }) => method === 'put' && full.endsWith(name));
        return sum + (call?.sizeBytes ?? 0);
      }, 0);
    expect(size).toBeGreaterThan(0);
    expect(bytesRead(store, before)).toBeLessThan(size * 1.2 + 20_000);
  });

  test('fetches only what is new to a copy that has an older version', async () => {
    const world = new World();
    const [ada, bob] = [await world.copy('ada'), await world.copy('bob')];
    await ada.put(rows(0, 3000, 50));
    await ada.push();
    const first = await bob.pull();
    await ada.put(rows(3000, 5));
    await ada.push();
    expect((await bob.pull()).bytes).toBeLessThan(first.bytes / 3);
    expect(await bob.records()).toEqual(await ada.records());
    await isSound(bob);
  });

  test('moves the pointer forward by itself where there is no git', async () => {
    const world = new World();
    const [ada, bob] = [await world.copy('ada'), await world.copy('bob')];
    await ada.put(rows(0, 20));
    await ada.push();
    expect(await bob.pull()).toMatchObject({ datasets: [{ action: 'forwarded' }] });
    expect((await bob.head()).hash).toBe((await ada.head()).hash);
  });

  test('--side fetches one side, and a later pull the rest', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    const varied = Array.from({ length: 24_000 }, (_, at) => ({
      text: `${(at * 7919) % 24_001} ${Math.imul(at + 1, 2_654_435_761) >>> 0} utterance`,
      intent: `intent ${at % 7}`,
    }));
    await ada.put(varied);
    await ada.push();
    const clone = world.clone(ada, 'clone');
    const store = await world.store();
    const before = store.calls.length;
    const half = await clone.pull({ side: 'test' });
    const testBytes = bytesRead(store, before);
    expect(await local(clone)).toBe('partial');
    const after = store.calls.length;
    const rest = await clone.pull();
    // The end of each pack is read to find its footer: 64 KiB at least.
    expect(testBytes).toBeLessThan(half.bytes + 2 * 65_536 + 20_000);
    expect(bytesRead(store, after)).toBeLessThan(rest.bytes + 65_536);
    expect(half.bytes).toBeLessThan(rest.bytes * 0.5);
    expect(await local(clone)).toBe('complete');
    await isSound(clone);
  });

  test('an older version that the remote has is known to be pushed', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 20));
    await ada.push();
    const clone = world.clone(ada, 'clone');
    await ada.put(rows(20, 5));
    await ada.push();
    // As in a git repository, where git alone moves pointers.
    await clone.open(async (repository) => {
      repository.git.topLevel = () => Promise.resolve(clone.root);
      const { datasets } = await pull(repository, { datasets: [DATASET] });
      expect(datasets).toMatchObject([{ action: 'behind' }]);
      expect((await status(repository)).datasets[0]).toMatchObject({ local: 'complete', remote: 'pushed' });
    });
  });

  test('an unknown side is refused before anything is fetched', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 20));
    await ada.push();
    await expect(world.clone(ada, 'clone').pull({ side: 'dev' })).rejects.toMatchObject({ code: 'bad-option' });
  });

  test('fetch brings the data of the head and leaves the pointer', async () => {
    const { ada, bob } = await fork(rows(0, 20));
    await ada.put(rows(20, 20));
    await ada.push();
    const { hash } = await bob.head();
    expect(await bob.pull({ fetchOnly: true })).toMatchObject({ datasets: [{ action: 'fetched' }] });
    expect((await bob.head()).hash).toBe(hash);
    const newest = (await ada.head()).hash;
    expect(await bob.open(async ({ catalogue }) => catalogue.isComplete(newest))).toBe(true);
  });

  test('keeps what is staged, and commits it on what was pulled', async () => {
    const { ada, bob } = await fork(rows(0, 20));
    await bob.add(rows(100, 3));
    await ada.put(rows(20, 5));
    await ada.push();
    await bob.pull();
    await bob.commit();
    expect(Object.keys(await bob.records())).toHaveLength(28);
    expect((await bob.head()).manifest.parents).toEqual([(await ada.head()).hash]);
  });

  test.each(['pull.packs-written', 'pull.recorded', 'pull.pointer-written'] as const)(
    'a pull that ends at %s is finished by the next command or pull',
    async (point) => {
      const world = new World();
      const [ada, bob] = [await world.copy('ada'), await world.copy('bob')];
      await ada.put(rows(0, 300));
      await ada.push();
      await crashAt(point, () => bob.pull());
      await bob.pull();
      expect((await bob.head()).hash).toBe((await ada.head()).hash);
      expect(await bob.records()).toEqual(await ada.records());
      await isSound(bob);
    },
  );

  test('a pull of what others have added reads about what they sent, not the data it belongs to', async () => {
    const { world, ada, bob } = await fork(rows(0, 20_000, 50));
    const batch = Array.from({ length: 50 }, (_, at) => ({
      text: `utterance number ${at * 400} again`,
      intent: 'new',
    }));
    await ada.put(batch);
    const { bytes } = await ada.push();
    const store = await world.store();
    const start = store.calls.length;
    await bob.pull({ latest: true });
    expect(await bob.records()).toEqual(await ada.records());
    expect(bytesRead(store, start)).toBeLessThan(1.5 * bytes);
  });

  test('a pull reads from the remote what is damaged here', async () => {
    const { ada, bob } = await fork(rows(0, 2000, 50));
    await ada.put([{ text: 'utterance number 7 again', intent: 'new' }]);
    await ada.push();
    const folder = join(bob.root, '.uttr/packs/d');
    for (const name of readdirSync(folder)) {
      const bytes = readFileSync(join(folder, name));
      writeFileSync(join(folder, name), bytes.fill(0, 40, 80));
    }
    expect(await bob.pull({ latest: true })).toMatchObject({ datasets: [{ action: 'forwarded' }] });
    expect((await bob.head()).hash).toBe((await ada.head()).hash);
  });

  test('a pull that breaks off goes on where it was', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    for (let at = 0; at < 4; at++) {
      await ada.put(rows(at * 500, 500, 50));
      await ada.push();
    }
    const clone = world.clone(ada, 'clone');
    const store = await world.store();
    store.inject({ kind: 'fail', method: 'get', name: /^packs\/d/u, after: 1, times: Infinity });
    await expect(clone.pull()).rejects.toMatchObject({ code: 'remote-unreachable', exitCode: 6 });
    store.heal();
    await clone.pull();
    expect(await clone.records()).toEqual(await ada.records());
    await isSound(clone);
  });

  const faults: readonly (readonly [FaultKind, BlobStoreMethod, RegExp])[] = [
    ['flip', 'get', /^packs\/d/u],
    ['flip', 'get', /^packs\/m/u],
    ['shorten', 'get', /^packs\/d/u],
    ['shorten', 'get', /^packs\/m/u],
    ['hide', 'get', /^packs\/d/u],
    ['hide', 'list', /^packs\//u],
    ['flip', 'read', /^heads\//u],
    ['shorten', 'read', /^heads\//u],
    ['fail', 'list', /./u],
    ['fail', 'get', /./u],
    ['fail', 'read', /^heads\//u],
    ['flip', 'read', /^format/u],
  ];

  test.each(faults)(
    'a remote with a fault (%s of %s %s) gives a typed error, nothing wrong, and a retry works',
    async (kind, method, name) => {
      const world = new World();
      const ada = await world.copy('ada');
      await ada.put(rows(0, 300, 20));
      await ada.push();
      const clone = world.clone(ada, 'clone');
      const store = await world.store();
      store.inject({ kind, method, name, times: Infinity });
      const failed = await clone.pull().catch((error: unknown) => error);
      // A bit of a head that says when it was moved, or by whom, changes nothing that matters.
      const outcome = isUttrError(failed) ? failed.kind : (failed as PullSummary).datasets[0]?.action;
      expect(['corrupt', 'unavailable', 'usage', 'up-to-date']).toContain(outcome);
      store.heal();
      await clone.pull();
      expect(await clone.records()).toEqual(await ada.records());
      await isSound(clone);
    },
  );

  test('a remote that cannot be reached is told as such', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 10));
    await ada.push();
    const clone = world.clone(ada, 'clone');
    (await world.store()).inject({ kind: 'fail', times: Infinity });
    await expect(clone.pull()).rejects.toMatchObject({ code: 'remote-unreachable' });
    await expect(clone.records()).rejects.toMatchObject({ code: 'remote-unreachable' });
  });

  test('a head whose version the remote does not hold is a wrong answer', async () => {
    const world = new World();
    const [ada, bob] = [await world.copy('ada'), await world.copy('bob')];
    await ada.put(rows(0, 10));
    await ada.push();
    rmSync(join(world.remoteUrl, 'packs'), { recursive: true });
    await expect(bob.pull()).rejects.toMatchObject({ code: 'wrong-answer', hint: /fsck --remote/u });
    expect(await bob.open(async ({ catalogue }) => catalogue.counts())).toMatchObject({ versions: 0 });
  });

  test('packs that vanished from a remote that was looked at before are told, and come back with a push', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 200, 20));
    await ada.push();
    const clone = world.clone(ada, 'clone');
    // Footers are known from now on.
    await clone.head();
    rmSync(join(world.remoteUrl, 'packs'), { recursive: true });
    const error = await clone.records().catch((caught: unknown) => caught);
    expect(isUttrError(error)).toBe(true);
    expect(error).toMatchObject({ kind: expect.stringMatching(/corrupt|unavailable/u) });
    await ada.push();
    expect(await clone.records()).toEqual(await ada.records());
  });

  test('a damaged tag is a wrong answer', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 10));
    await ada.push();
    await (await world.store()).put(`tags/${DATASET}/v1`, Buffer.from('{"version":"x"}'));
    await expect(ada.pull()).rejects.toMatchObject({ code: 'wrong-answer' });
  });

  test('pulls from the remote it is told to, without the others', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 100));
    await ada.push();
    const backup = join(world.root, 'backup');
    const { addRemote } = await import('../../src/repo/remotes.ts');
    await ada.open((repository) => addRemote(repository, 'backup', { url: backup }));
    await ada.push('backup');
    const clone = world.clone(ada, 'clone');
    (await world.store()).inject({ kind: 'fail', times: Infinity });
    await clone.pull({ remote: 'backup' });
    expect(await local(clone)).toBe('complete');
  });

  test('what one remote lacks is read from another', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 100));
    await ada.push();
    const { addRemote } = await import('../../src/repo/remotes.ts');
    await ada.open((repository) => addRemote(repository, 'backup', { url: join(world.root, 'backup') }));
    await ada.put(rows(100, 100));
    await ada.push('backup');
    const clone = world.clone(ada, 'clone');
    expect(Object.keys(await clone.records())).toHaveLength(200);
  });

  test('a pointer that somebody broke stops the pull, not the data', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 10));
    await ada.push();
    const clone = world.clone(ada, 'clone');
    writeFileSync(join(clone.root, 'manifests', `${DATASET}.json`), '{}\n');
    await expect(clone.pull()).rejects.toMatchObject({ code: 'bad-pointer' });
  });
});
