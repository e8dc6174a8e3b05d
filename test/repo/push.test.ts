import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { type CrashPoint, setCrashHook } from '../../src/base/crash-points.ts';
import { fsckRemote } from '../../src/repo/fsck.ts';
import { addTag, removeTag } from '../../src/repo/tags.ts';
import type { Repository } from '../../src/repo/repository.ts';
import { resolveVersion } from '../../src/repo/versions.ts';
import { editConfig } from '../../src/repo/working-copy.ts';
import { type Copy, DATASET, fork, rows, World } from './world.ts';

// Whole working copies on disk, each write made durable: slow where many tests run at once.
vi.setConfig({ testTimeout: 60_000 });

function packs(world: World): string[] {
  return ['d', 'm'].flatMap((kind) => readdirSync(join(world.remoteUrl, 'packs', kind))).sort();
}

/** Ends the work at a point as a killed process would: nothing after it runs. */
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

async function onBranch<T>(copy: Copy, branch: string, work: (repository: Repository) => Promise<T>): Promise<T> {
  return copy.open((repository) => {
    repository.branch = () => Promise.resolve(branch);
    return work(repository);
  });
}

async function pushBranch(copy: Copy, branch: string): Promise<{ versions: number; bytes: number }> {
  const { push } = await import('../../src/repo/push.ts');
  return onBranch(copy, branch, (repository) => push(repository, undefined, [DATASET]));
}

const remoteIsSound = (copy: Copy): Promise<void> =>
  copy.open(async (repository) => expect((await fsckRemote(repository, 'origin')).problems).toEqual([]));

function logOf(world: World, branch = 'main'): { sequence: number; version: string; previous: string | null }[] {
  const folder = join(world.remoteUrl, 'log', DATASET, branch);
  return readdirSync(folder)
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as never);
}

describe('push', () => {
  test('sends many commits at once, and only what is new afterwards', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    for (let at = 0; at < 6; at++) await ada.put(rows(at * 100, 100));
    const first = await ada.push();
    expect(first).toMatchObject({ versions: 6, datasets: [{ moved: true, branch: 'main' }] });
    await ada.put(rows(600, 3));
    const second = await ada.push();
    expect(second.versions).toBe(1);
    expect(second.bytes).toBeLessThan(first.bytes / 3);
    expect(await ada.push()).toMatchObject({ versions: 0, packs: 0, bytes: 0, datasets: [{ moved: false }] });
    await remoteIsSound(ada);
  });

  test('H1: heads move only forward, and who is behind is told', async () => {
    const { world, ada, bob } = await fork(rows(0, 50));
    await bob.put(rows(50, 5));
    await bob.push();
    expect(await ada.push()).toMatchObject({
      datasets: [{ moved: false, versions: 0, note: 'origin is ahead of this version already' }],
    });
    const { hash } = await bob.head();
    const there = await (await world.store()).read(`heads/${DATASET}/main`);
    expect(JSON.parse(String(there?.bytes))).toMatchObject({ version: hash, sequence: 2 });
  });

  test('the second of two people is told, merges, and nothing is lost', async () => {
    const { ada, bob } = await fork(rows(0, 40));
    await ada.put(rows(40, 10));
    await bob.put(rows(60, 10));
    await ada.push();
    await expect(bob.push()).rejects.toMatchObject({
      code: 'head-moved',
      exitCode: 4,
      hint: 'git pull (or uttr pull), then push again',
    });
    expect(await bob.pull()).toMatchObject({ datasets: [{ action: 'merged' }] });
    await bob.push();
    await ada.pull();
    expect(await ada.records()).toEqual(await bob.records());
    expect(Object.keys(await ada.records())).toHaveLength(60);
    await remoteIsSound(ada);
  });

  test('who loses the race for the head is told as who comes late is', async () => {
    const { world, ada, bob } = await fork(rows(0, 40));
    await ada.put(rows(40, 10));
    await bob.put(rows(60, 10));
    // Ada moves the head after Bob has read it.
    setCrashHook((point) => {
      if (point === 'push.packs-sent') setCrashHook(undefined);
    });
    const store = await world.store();
    const replace = store.replace.bind(store);
    store.replace = async (...call) => {
      store.replace = replace;
      await ada.push();
      return replace(...call);
    };
    await expect(bob.push()).rejects.toMatchObject({ code: 'head-moved', hint: /git pull/u });
    await bob.pull();
    await bob.push();
    expect(logOf(world).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  });

  test('a new branch sends only what no branch has, wherever it begins', async () => {
    const world = new World();
    const [ada, bob] = [await world.copy('ada'), await world.copy('bob')];
    const first = await ada.put(rows(0, 2000));
    await ada.push();
    await bob.pull();
    await ada.put(rows(2000, 500));
    const { bytes } = await ada.push();
    expect((await bob.head()).hash).toBe(first.version);
    await bob.put(rows(9000, 2));
    const branch = await pushBranch(bob, 'feature/x');
    expect(branch.versions).toBe(1);
    expect(branch.bytes).toBeLessThan(bytes);
    // The same version under another name: only a head.
    expect(await pushBranch(bob, 'again')).toMatchObject({ versions: 0, bytes: 0 });
    await remoteIsSound(ada);
  });

  test.each(['push.packs-sent', 'push.head-moved', 'push.log-written'] as const)(
    'H2, H3: a push that ends at %s is finished by the next one, and is announced once',
    async (point) => {
      const world = new World();
      const ada = await world.copy('ada');
      await editConfig(ada.root, (config) => {
        config['events'] = { sinks: [{ name: 'log', type: 'file', path: 'events.jsonl' }] };
      });
      await ada.put(rows(0, 300));
      await ada.push();
      await ada.put(rows(300, 300));
      await crashAt(point, () => ada.push());
      const sent = packs(world);
      await ada.push();
      expect(packs(world)).toEqual(sent);
      expect(logOf(world).map(({ sequence }) => sequence)).toEqual([1, 2]);
      const events = await ada.open(async (repository) => repository.outbox.list({}));
      expect(events.map(({ event }) => event.version)).toEqual([(await ada.head()).hash, expect.any(String)]);
      await remoteIsSound(ada);
    },
  );

  test('a move that was not announced is announced although others have moved the head since', async () => {
    const world = new World();
    const [ada, bob] = [await world.copy('ada'), await world.copy('bob')];
    await ada.put(rows(0, 30));
    await crashAt('push.head-moved', () => ada.push());
    await bob.pull();
    await bob.put(rows(30, 5));
    await bob.push();
    expect(logOf(world)).toHaveLength(2);
    await ada.push();
    const events = await ada.open(async (repository) => repository.outbox.list({}));
    expect(events.map(({ event }) => event.version)).toEqual([(await ada.head()).hash]);
  });

  test('a push that could not tell whether the head moved is announced by the next one', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 30));
    const store = await world.store();
    store.inject({ kind: 'lose-answer', method: 'replace' });
    await expect(ada.push()).rejects.toMatchObject({ code: 'remote-unreachable', exitCode: 6 });
    expect(await ada.push()).toMatchObject({ datasets: [{ moved: false }] });
    expect(await ada.open(async (repository) => repository.outbox.list({}))).toHaveLength(1);
    expect(logOf(world)).toHaveLength(1);
  });

  test('an interrupted push sends no pack twice', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 400));
    const store = await world.store();
    store.inject({ kind: 'fail', method: 'put', name: /^packs\/m/u });
    await expect(ada.push()).rejects.toMatchObject({ code: 'remote-unreachable' });
    store.heal();
    const before = store.calls.length;
    await ada.push();
    const again = store.calls
      .slice(before)
      .filter(({ method, name }) => method === 'put' && name.startsWith('packs/d'));
    expect(again.length).toBeLessThanOrEqual(1);
    await remoteIsSound(ada);
  });

  test('sends the tags of what it pushed, and names those that mean something else there', async () => {
    const { ada, bob } = await fork(rows(0, 20));
    const tag = (copy: Copy, name: string): Promise<void> =>
      copy.open(async (repository) => {
        addTag(repository, name, await resolveVersion(repository, { dataset: DATASET, name: 'HEAD' }), false);
      });
    await tag(ada, 'v1.0');
    await ada.push();
    await bob.put(rows(20, 5));
    await tag(bob, 'v1.0');
    await tag(bob, 'next/1');
    const { datasets } = await bob.push();
    expect(datasets[0]?.warnings).toEqual([
      'tag "v1.0" names another version on origin and was not sent; ' +
        'take theirs: uttr tag --delete v1.0 support, then uttr fetch',
    ]);
    await bob.open(async (repository) => removeTag(repository, DATASET, 'v1.0'));
    await bob.pull({ fetchOnly: true });
    await ada.pull();
    const tags = (copy: Copy): Promise<unknown> => copy.open(async ({ catalogue }) => catalogue.tags(DATASET));
    expect(await tags(ada)).toEqual(await tags(bob));
    expect(await tags(ada)).toMatchObject([{ name: 'next/1' }, { name: 'v1.0' }]);
  });

  test('a remote that was emptied gets everything again, and the person is told', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 100));
    await ada.put(rows(100, 20));
    await ada.push();
    rmSync(world.remoteUrl, { recursive: true });
    await ada.put(rows(120, 5));
    expect(await ada.push()).toMatchObject({ versions: 3 });
    expect(world.notes.join()).toMatch(/origin went back: its head of support on main .* it is gone/u);
    await remoteIsSound(ada);
  });

  test('a remote that lost its packs, but not its heads, gets everything again', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 100));
    await ada.push();
    rmSync(join(world.remoteUrl, 'packs'), { recursive: true });
    expect(await ada.push()).toMatchObject({ versions: 1, datasets: [{ moved: false }] });
    await remoteIsSound(ada);
  });

  test('a remote that was put back to an old state is moved forward again', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 50));
    await ada.push();
    const store = await world.store();
    const old = (await store.read(`heads/${DATASET}/main`))?.bytes as Buffer;
    await ada.put(rows(50, 50));
    await ada.push();
    await store.put(`heads/${DATASET}/main`, old);
    await ada.put(rows(100, 5));
    await ada.push();
    expect(world.notes.join()).toMatch(/origin went back/u);
    // No entry of the log is overwritten; that the head once went back stays to be seen.
    expect(logOf(world).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    const { problems } = await ada.open((repository) => fsckRemote(repository, 'origin'));
    expect(problems).toMatchObject([{ what: 'it does not follow the one before', where: /log\/support\/main\/0*3$/u }]);
  });

  test('a head that is damaged or another one is an answer that is wrong, not a crash', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 10));
    await ada.push();
    await ada.put(rows(10, 10));
    const store = await world.store();
    const good = String((await store.read(`heads/${DATASET}/main`))?.bytes);
    for (const bad of [
      '',
      'nonsense',
      '[]',
      'null',
      '{}',
      good.replace('main', 'other'),
      good.replace('"sequence":1', '"sequence":-1'),
      good.replace('"since":0', '"since":"much"'),
    ]) {
      await store.put(`heads/${DATASET}/main`, Buffer.from(bad));
      await expect(ada.push()).rejects.toMatchObject({ code: 'wrong-answer' });
    }
    await store.put(`heads/${DATASET}/main`, Buffer.from(good));
    await ada.push();
  });

  test('says what is missing where neither this copy nor another remote has all data', async () => {
    const world = new World();
    const [ada, bob] = [await world.copy('ada'), await world.copy('bob')];
    await ada.put(rows(0, 2000));
    await ada.put(rows(5000, 2000), { replace: true });
    await ada.push();
    await bob.pull();
    await editConfig(bob.root, (config) => {
      config['remotes'] = { backup: { url: join(world.root, 'backup') } };
    });
    await expect(bob.push('backup')).rejects.toMatchObject({ exitCode: expect.any(Number), hint: expect.any(String) });
  });
});
