/** Events found in the log of a remote's heads: by machines that did not push them, together, and after crashes. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type CrashPoint, setCrashHook } from '../../src/base/crash-points.ts';
import type { DeliveryReport } from '../../src/events/delivery-report.ts';
import { deliverFromRemote, type RemoteDeliverySettings } from '../../src/repo/deliver-remote.ts';
import { deliverEvents } from '../../src/repo/deliver.ts';
import { fsckRemote } from '../../src/repo/fsck.ts';
import { readCursor, type TaggedCursor } from '../../src/repo/remote-cursors.ts';
import { editConfig } from '../../src/repo/working-copy.ts';
import { type Copy, DATASET, rows, World } from './world.ts';

vi.setConfig({ testTimeout: 60_000 });

const LEASE_SECONDS = 120;
const FILE_SINK = { name: 'log', type: 'file', path: 'events.jsonl' };
const KEY = { sink: 'log', dataset: DATASET, branch: 'main' };

/** Each process of the tests has a number of its own, and none of them is alive. */
let processId = 2 ** 30;

/** A machine that may send, with nothing but what git has. */
async function machine(world: World, from: Copy, name: string, sink: object = FILE_SINK): Promise<Copy> {
  const copy = world.clone(from, name);
  await editConfig(copy.root, (config) => {
    config['events'] = { sinks: [sink] };
  });
  copy.environment = { ...copy.environment, UTTR_TRUST_EVENTS: '1' };
  return copy;
}

function tell(copy: Copy, settings: Partial<RemoteDeliverySettings> = {}): Promise<DeliveryReport | undefined> {
  return copy.open((repository) => deliverFromRemote(repository, { processId: processId++, ...settings }));
}

interface Received {
  readonly id: string;
  readonly data: { readonly version: string; readonly previous: string | null };
}

function received(copy: Copy): Received[] {
  const path = join(copy.root, 'events.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Received);
}

const versionsOf = (copy: Copy): string[] => received(copy).map(({ data }) => data.version);

async function cursorOf(world: World): Promise<TaggedCursor | undefined> {
  return readCursor(await world.store(), KEY);
}

/** Somebody who pushes, and has no sinks. */
async function pusher(): Promise<{ world: World; ada: Copy; push: () => Promise<string> }> {
  const world = new World();
  const ada = await world.copy('ada');
  let from = 0;
  const push = async (): Promise<string> => {
    const { version } = await ada.put(rows(from, 20));
    from += 20;
    await ada.push();
    return version;
  };
  return { world, ada, push };
}

/** Ends the work at a point as a killed process would: it cannot give back its lease. */
async function crashAt(point: CrashPoint, world: World, work: () => Promise<unknown>): Promise<void> {
  const store = await world.store();
  setCrashHook((reached) => {
    if (reached !== point) return;
    store.inject({ kind: 'fail', method: 'replace', times: Infinity });
    throw new Error(`crashed at ${point}`);
  });
  onTestFinished(() => setCrashHook(undefined));
  await expect(work()).rejects.toThrow(`crashed at ${point}`);
  setCrashHook(undefined);
  store.heal();
}

function pass(world: World, seconds: number): void {
  // The clock goes on by a second at each look.
  for (let at = 0; at < seconds; at++) world.clock.now();
}

describe('delivery from a remote', () => {
  test('E14: any machine tells a sink what others pushed, in order, from the newest move on, and once', async () => {
    const { world, ada, push } = await pusher();
    await push();
    const second = await push();
    const ci = await machine(world, ada, 'ci');
    expect((await tell(ci))?.delivered).toMatchObject([{ sink: 'log', version: second }]);
    const later = [await push(), await push(), await push()];
    expect((await tell(ci))?.delivered).toHaveLength(3);
    expect(versionsOf(ci)).toEqual([second, ...later]);
    expect(received(ci).at(-1)?.data.previous).toBe(later[1]);
    expect(await tell(ci)).toEqual({ delivered: [], failed: [], left: [] });
    const other = await machine(world, ada, 'other');
    expect(await tell(other)).toEqual({ delivered: [], failed: [], left: [] });
    expect((await cursorOf(world))?.cursor).toEqual({ sequence: 5, lease: null, retry: null });
    // What was sent is listed where it was sent.
    const listed = await ci.open(async (repository) => repository.outbox.list());
    expect(listed.map(({ event }) => event.version)).toEqual([second, ...later].toReversed());
    expect(listed.flatMap(({ deliveries }) => deliveries.map(({ state }) => state))).toEqual(
      listed.map(() => 'delivered'),
    );
  });

  test('E14: of several machines at once, each event is sent by one', async () => {
    const { world, ada, push } = await pusher();
    await push();
    const machines = await Promise.all(['a', 'b', 'c'].map((name) => machine(world, ada, name)));
    await tell(machines[0] as Copy);
    const pushed = [await push(), await push(), await push(), await push()];
    // All of them live.
    const { pid } = process;
    for (let round = 0; round < 3; round++) await Promise.all(machines.map((copy) => tell(copy, { processId: pid })));
    const sent = machines.flatMap(versionsOf);
    expect(sent).toHaveLength(5);
    expect(new Set(sent).size).toBe(5);
    expect(sent).toEqual(expect.arrayContaining(pushed));
  });

  test('a machine that ends before it has noted what it sent leaves it to another, once its lease has run out', async () => {
    const { world, ada, push } = await pusher();
    const version = await push();
    const [ci, other] = [await machine(world, ada, 'ci'), await machine(world, ada, 'other')];
    await crashAt('delivery.sent', world, () => tell(ci, { processId: process.pid }));
    expect(versionsOf(ci)).toEqual([version]);
    // This process lives, and holds the lease as far as anybody can tell.
    expect((await tell(other))?.left).toMatchObject([{ sink: 'log', reason: 'claimed', count: 1 }]);
    expect(received(other)).toEqual([]);
    pass(world, LEASE_SECONDS);
    expect((await tell(other))?.delivered).toHaveLength(1);
    expect(readFileSync(join(other.root, 'events.jsonl'))).toEqual(readFileSync(join(ci.root, 'events.jsonl')));
  });

  test('a process of this machine that has ended holds no lease', async () => {
    const { world, ada, push } = await pusher();
    await push();
    const ci = await machine(world, ada, 'ci');
    await crashAt('delivery.claimed', world, () => tell(ci));
    expect((await tell(ci))?.delivered).toHaveLength(1);
  });

  test('what this machine is known to have sent is not sent again', async () => {
    const { world, ada, push } = await pusher();
    await push();
    const ci = await machine(world, ada, 'ci');
    await crashAt('delivery.recorded', world, () => tell(ci));
    await tell(ci);
    expect(received(ci)).toHaveLength(1);
    expect((await cursorOf(world))?.cursor.sequence).toBe(1);
  });

  test('a sink that fails is tried again when its time has come, by any machine, and given up at last', async () => {
    const { world, ada, push } = await pusher();
    const first = await push();
    const failing = { name: 'log', type: 'command', command: ['sh', '-c', 'test -e ok'], retryFor: '10m' };
    const [ci, other] = [await machine(world, ada, 'ci', failing), await machine(world, ada, 'other', failing)];
    expect(await tell(ci)).toMatchObject({
      delivered: [],
      failed: [{ version: first, attempts: 1, reason: 'the command ended with 1' }],
      left: [{ count: 1, detail: 'the command ended with 1', hint: undefined }],
    });
    expect((await tell(other, { processId: 1 }))?.failed).toMatchObject([{ attempts: 2 }]);
    const waiting = await cursorOf(world);
    expect(waiting?.cursor).toMatchObject({ sequence: 0, lease: null, retry: { attempts: 2 } });
    const second = await push();
    pass(world, 700);
    const given = await tell(ci);
    expect(given?.failed).toMatchObject([
      { version: first, attempts: 3, nextAtMs: undefined },
      { version: second, attempts: 1 },
    ]);
    writeFileSync(join(ci.root, 'ok'), '');
    pass(world, 5);
    expect((await tell(ci))?.delivered).toMatchObject([{ version: second }]);
  });

  test('a push leaves a sink that has a cursor to it, and the others to the outbox', async () => {
    const { world, ada, push } = await pusher();
    await push();
    const ci = await machine(world, ada, 'ci');
    await tell(ci);
    await ci.pull();
    await editConfig(ci.root, (config) => {
      config['events'] = { sinks: [FILE_SINK, { ...FILE_SINK, name: 'own', path: 'own.jsonl' }] };
    });
    const { version } = await ci.put(rows(500, 10));
    await ci.push();
    const pending = await ci.open(async (repository) => repository.outbox.pending().map(({ sink }) => sink));
    expect(pending).toEqual(['own']);
    await ci.open((repository) => deliverEvents(repository, { processId: 1 }));
    expect((await tell(ci, { knownOnly: true }))?.delivered).toMatchObject([{ sink: 'log', version }]);
    expect(received(ci)).toHaveLength(2);
    // A sink without a cursor gets none by a push.
    expect((await tell(ci, { knownOnly: true }))?.delivered).toEqual([]);
  });

  test('E8: a sink that this machine does not trust is sent nothing, and leaves no trace on the remote', async () => {
    const { world, ada, push } = await pusher();
    await push();
    const ci = await machine(world, ada, 'ci');
    ci.environment = { UTTR_AUTHOR: 'CI' };
    expect((await tell(ci))?.left).toMatchObject([{ sink: 'log', reason: 'not-trusted', count: 1 }]);
    expect(await cursorOf(world)).toBeUndefined();
  });

  test('branches that are not announced are passed over', async () => {
    const { world, ada, push } = await pusher();
    await push();
    const ci = await machine(world, ada, 'ci');
    await editConfig(ci.root, (config) => {
      config['events'] = { branches: ['release'], sinks: [FILE_SINK] };
    });
    expect(await tell(ci)).toEqual({ delivered: [], failed: [], left: [] });
  });

  test('an interrupted delivery gives its lease back', async () => {
    const { world, ada, push } = await pusher();
    await push();
    const ci = await machine(world, ada, 'ci', { name: 'log', type: 'command', command: ['sleep', '60'] });
    const abort = new AbortController();
    const telling = ci.open((repository) => {
      Object.assign(repository, { signal: abort.signal });
      return deliverFromRemote(repository, { processId: processId++ });
    });
    await vi.waitUntil(async () => (await cursorOf(world))?.cursor.lease !== undefined, { timeout: 30_000 });
    abort.abort();
    await expect(telling).rejects.toMatchObject({ code: 'aborted' });
    expect((await cursorOf(world))?.cursor).toEqual({ sequence: 0, lease: null, retry: null });
  });

  test('a damaged cursor is a wrong answer, and fsck finds it', async () => {
    const { world, ada, push } = await pusher();
    await push();
    const ci = await machine(world, ada, 'ci');
    await tell(ci);
    const problems = (): Promise<string[]> =>
      ada.open(async (repository) => (await fsckRemote(repository, 'origin')).problems.map(({ where }) => where));
    expect(await problems()).toEqual([]);
    const store = await world.store();
    const name = `cursors/log/${DATASET}/main`;
    const good = String((await store.read(name))?.bytes);
    for (const bad of [
      'nonsense',
      good.replace('"sequence":1', '"sequence":-1'),
      good.replace('"lease":null', '"lease":{}'),
      good.replace('"retry":null', '"retry":{"attempts":0,"error":"","first":"2026","next":"2026"}'),
    ]) {
      await store.put(name, Buffer.from(bad));
      await expect(tell(ci)).rejects.toMatchObject({ code: 'wrong-answer' });
      expect(await problems()).toHaveLength(1);
    }
    await store.put(name, Buffer.from(good));
    expect(await tell(ci)).toEqual({ delivered: [], failed: [], left: [] });
  });
});
