/** What fetching, pulling and pushing cost after many small batches: bytes read from the store, and packs sent. */
import { describe, expect, test, vi } from 'vitest';
import { generate } from '../../scripts/bench/generate.ts';
import { fsck, fsckRemote } from '../../src/repo/fsck.ts';
import { readHead, type RemoteHead } from '../../src/repo/remote-heads.ts';
import { findRecords } from '../../src/repo/query.ts';
import { loadVersion } from '../../src/repo/versions.ts';
import { bytesRead, type Copy, DATASET, rows, type Row, World } from './world.ts';

vi.setConfig({ testTimeout: 240_000 });

const ROWS = 10_000;
const BATCHES = 30;
const BATCH_ROWS = 60;

function generated(seed: number, count: number): Row[] {
  return [...generate({ rows: count, seed })]
    .join('')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

async function headOf(world: World): Promise<RemoteHead> {
  const there = await readHead(await world.store(), DATASET, 'main');
  if (there === undefined) throw new Error('the remote has a head');
  return there.head;
}

/** Bytes that a pull reads from the remote. */
async function pullBytes(world: World, copy: Copy): Promise<number> {
  const store = await world.store();
  const start = store.calls.length;
  await copy.pull({ latest: true });
  return bytesRead(store, start);
}

/** A version that is pushed, and a commit after it that is not: most of its records are gone. */
async function shrunk(): Promise<{ world: World; ada: Copy; before: RemoteHead }> {
  const world = new World();
  const ada = await world.copy('ada');
  const [kept, gone] = [generated(1, 3000), generated(2, 5000)];
  await ada.put([...kept, ...gone]);
  await ada.push();
  const before = await headOf(world);
  await ada.remove(...gone.map(({ text }) => text));
  return { world, ada, before };
}

describe('a long history', () => {
  test('is fetched for at most 1.5 times a fresh import, at any time, and pulled for what is new', async () => {
    const world = new World();
    const [ada, bob] = [await world.copy('ada'), await world.copy('bob')];
    const batches = [generated(1, ROWS)];
    const first = await ada.put(batches[0] as Row[]);
    await ada.push();
    await bob.pull();
    let [sent, sentWhole, pulled] = [0, 0, 0];
    for (let at = 1; at <= BATCHES; at++) {
      batches.push(generated(100 + at, BATCH_ROWS));
      await ada.put(batches[at] as Row[]);
      sent += (await ada.push()).bytes;
      pulled += await pullBytes(world, bob);
      const { checkpoint } = await headOf(world);
      if (checkpoint?.since === 0) sentWhole += checkpoint.bytes;
      if (at % 10 !== 0) continue;
      const clone = world.clone(ada, `clone ${at}`);
      const bytes = await pullBytes(world, clone);
      const other = new World(7);
      const fresh = await other.copy('fresh');
      await fresh.put(batches.flat());
      await fresh.push();
      const freshBytes = await pullBytes(other, other.clone(fresh, 'clone'));
      expect(bytes / freshBytes, `after ${at} batches`).toBeLessThan(1.5);
      expect((await clone.head()).hash).toBe((await ada.head()).hash);
    }
    expect(sentWhole).toBeGreaterThan(0);
    // What was sent whole is not fetched by those who have nearly all of it.
    expect(pulled).toBeLessThan(1.1 * (sent - sentWhole));
    await ada.open(async (repository) => expect((await fsckRemote(repository, 'origin')).problems).toEqual([]));
    await bob.open(async (repository) => expect((await fsck(repository)).problems).toEqual([]));
    // Its beginning can be had, too.
    const old = await world.clone(ada, 'old').open(async (repository) => {
      const version = await loadVersion(repository, first.version as RemoteHead['version']);
      return (await Array.fromAsync(findRecords(repository, version))).flat();
    });
    expect(old).toHaveLength(first.rows);
  });

  test('a version that lost most of its records is sent whole, for what it was made from is larger', async () => {
    const { world, ada, before } = await shrunk();
    await ada.push();
    const { checkpoint } = await headOf(world);
    expect(checkpoint?.since).toBe(0);
    expect(checkpoint?.bytes).toBeLessThan(0.6 * (before.checkpoint?.bytes ?? 0));
    expect(await pullBytes(world, world.clone(ada, 'clone'))).toBeLessThan(0.6 * (before.checkpoint?.bytes ?? 0));
  });

  test('a version that grew by one large batch is not sent twice', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(generated(1, 3000));
    await ada.push();
    const before = await headOf(world);
    await ada.put(generated(2, 9000));
    await ada.push();
    expect((await headOf(world)).checkpoint?.first).toBe(before.checkpoint?.first);
  });

  test('a history that is pushed at once is not left heavier than one that was pushed step by step', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(generated(1, 5000));
    for (let at = 1; at <= 20; at++) await ada.put(generated(100 + at, 100));
    await ada.push();
    const { checkpoint } = await headOf(world);
    expect(checkpoint?.since).toBe(0);
  });

  test('who has a part of the data leaves it to others to send the whole', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(generated(1, 3000));
    await ada.push();
    const bob = world.clone(ada, 'bob');
    const before = await headOf(world);
    for (let at = 1; at <= 12; at++) await bob.put(generated(100 + at, 100));
    await bob.push();
    const left = await headOf(world);
    expect(left.checkpoint?.first).toBe(before.checkpoint?.first);
    expect(left.checkpoint?.since).toBeGreaterThan(0.5 * (before.checkpoint?.bytes ?? 0));
    await ada.pull({ latest: true });
    expect((await ada.push()).bytes).toBe(0);
    await ada.put(rows(0, 10));
    await ada.push();
    expect(world.notes.at(-1)).toBe(
      'sent all of support once more: so it stays quick to fetch, long as its history is',
    );
    expect((await headOf(world)).checkpoint?.since).toBe(0);
  });

  test('a push that is interrupted while it sends the whole leaves a sound remote, and the next one sends it', async () => {
    const { world, ada, before } = await shrunk();
    const store = await world.store();
    // Its own leaves and nodes arrive; the whole does not.
    store.inject({ kind: 'fail', method: 'put', name: /^packs\//u, after: 2 });
    await expect(ada.push()).rejects.toMatchObject({ code: 'remote-unreachable' });
    store.heal();
    expect((await headOf(world)).version).toBe(before.version);
    await ada.push();
    expect((await headOf(world)).checkpoint?.since).toBe(0);
    const clone = world.clone(ada, 'clone');
    await clone.pull();
    expect(await clone.records()).toEqual(await ada.records());
    await ada.open(async (repository) => expect((await fsckRemote(repository, 'origin')).problems).toEqual([]));
  });
});
