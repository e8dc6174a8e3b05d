/**
 * R9: whatever a server or network does, a call gives the right result or one of our errors, and soon.
 *
 * Method: every fault × every call × the first request, the second, or all of them. Each case has a server and a store
 * of its own. Afterwards the fault is healed and the bucket is looked at: what was acknowledged is there, whole, and
 * what failed left the old state or the new one. Three faults cannot be told from the truth at this level: flipped
 * bits and a body cut with a matching length in answers (the hash of each chunk finds them), and a list that is late.
 */
import { describe, expect, test } from 'vitest';
import { UttrError } from '../../src/base/errors.ts';
import type { BlobStore } from '../../src/store/blob-store.ts';
import { FakeS3, type S3FaultKind } from '../doubles/fake-s3.ts';
import { S3_FAULTS } from '../doubles/fake-s3-faults.ts';

const SHORTER = {
  connectMs: 500,
  idleMs: 60,
  answerMs: 120,
  requestMs: 1_000,
  concurrency: 16,
  retry: {
    baseMs: 1,
    capMs: 4,
    budgetMs: 2_000,
    tries: { throttled: 3, transient: 3, unreachable: 2, doubtful: 2, final: 0 },
  },
};

const OLD = Buffer.from('the old bytes of this blob');
const NEW = Buffer.from('and the new, which are longer than the old');

interface Call {
  readonly name: string;
  /** Runs the call. @returns whether its result is right. */
  run(store: BlobStore, tag: string): Promise<boolean>;
  /** Whether the bucket holds what it may hold, after the call passed, or failed. */
  holds(store: BlobStore, passed: boolean): Promise<boolean>;
}

const read = async (store: BlobStore, name: string): Promise<string | undefined> =>
  (await store.read(name))?.bytes.toString();

const unchanged = async (store: BlobStore): Promise<boolean> => (await read(store, 'blob')) === OLD.toString();

const isNew = async (store: BlobStore, name: string, passed: boolean, before?: Buffer): Promise<boolean> => {
  const left = await read(store, name);
  return left === NEW.toString() || (!passed && left === before?.toString());
};

const CALLS: readonly Call[] = [
  {
    name: 'put',
    run: async (store) => store.put('fresh', NEW).then(() => true),
    holds: async (store, passed) => isNew(store, 'fresh', passed),
  },
  {
    name: 'put over',
    run: async (store) => store.put('blob', NEW).then(() => true),
    holds: async (store, passed) => isNew(store, 'blob', passed, OLD),
  },
  {
    name: 'create',
    run: async (store) => store.create('fresh', NEW),
    holds: async (store, passed) => isNew(store, 'fresh', passed),
  },
  {
    name: 'replace of none',
    run: async (store) => (await store.replace('fresh', undefined, NEW)) !== '',
    holds: async (store, passed) => isNew(store, 'fresh', passed),
  },
  {
    name: 'replace',
    run: async (store, tag) => (await store.replace('blob', tag, NEW)) !== tag,
    holds: async (store, passed) => isNew(store, 'blob', passed, OLD),
  },
  { name: 'get', run: async (store) => (await store.get('blob')).equals(OLD), holds: unchanged },
  {
    name: 'get of a range',
    run: async (store) => (await store.get('blob', { start: 4, end: 20 })).equals(OLD.subarray(4, 20)),
    holds: unchanged,
  },
  {
    name: 'get of an absent blob',
    run: async (store) =>
      store.get('absent').then(
        () => false,
        (error: UttrError) => isAbsent(error),
      ),
    holds: unchanged,
  },
  {
    name: 'read',
    run: async (store, tag) => {
      const head = await store.read('blob');
      return head?.tag === tag && head.bytes.equals(OLD);
    },
    holds: unchanged,
  },
  { name: 'stat', run: async (store) => (await store.stat('blob'))?.sizeBytes === OLD.length, holds: unchanged },
  {
    name: 'stat of an absent blob',
    run: async (store) => (await store.stat('absent')) === undefined,
    holds: unchanged,
  },
  {
    name: 'list',
    run: async (store) => {
      const names = await Array.fromAsync(store.list('l/'), ({ name, sizeBytes }) => `${name} ${sizeBytes}`);
      return names.join() === ['l/1 26', 'l/2 26', 'l/3 26'].join();
    },
    holds: unchanged,
  },
  {
    name: 'delete',
    run: async (store) => store.delete('blob').then(() => true),
    holds: async (store, passed) => (await read(store, 'blob')) === undefined || !passed,
  },
];

function isAbsent(error: UttrError): boolean {
  if (error.code !== 'blob-not-found') throw error;
  return true;
}

/** What a call may fail with when the fault never ends, and what it does with a single one. */
const FINAL_FAULTS: Partial<Record<S3FaultKind, string>> = { denied: 'access-denied', 'storage-full': 'disk-full' };

/** Faults whose answer looks right in every way that can be seen without knowing the bytes. */
const INVISIBLE: Partial<Record<S3FaultKind, readonly string[]>> = {
  'flip-answer': ['get', 'get of a range', 'read', 'list'],
  'short-body': ['get', 'read', 'stat'],
  'empty-list': ['list'],
};

const WHEN = [
  ['the first request', { times: 1 }],
  ['the second request', { times: 1, after: 1 }],
  ['every request', { times: Infinity }],
] as const;

describe('R9: a call ends soon with the right result or an error of ours', () => {
  test.each(S3_FAULTS)('%s', { timeout: 60_000 }, async (kind) => {
    const cases = CALLS.flatMap((call) => WHEN.map(([when, timing]) => ({ call, when, timing })));
    const faults = await Promise.all(
      cases.map(async ({ call, when, timing }) => {
        const problem = await problemOf(call, kind, timing);
        return problem === undefined ? [] : [`${call.name}, ${when}: ${problem}`];
      }),
    );
    expect(faults.flat()).toEqual([]);
  });
});

async function problemOf(
  call: Call,
  kind: S3FaultKind,
  timing: { readonly times: number; readonly after?: number },
): Promise<string | undefined> {
  const s3 = await FakeS3.start({ pageSize: 2 });
  try {
    const store = s3.store({ limits: SHORTER });
    for (const name of ['l/1', 'l/2', 'l/3']) s3.seed(name, OLD);
    const tag = s3.seed('blob', OLD);
    s3.inject({ kind, ...timing });
    const result = await call.run(store, tag).catch((error: unknown) => error as Error);
    const requests = s3.requests.length;
    s3.heal();
    const problem = wrongResult(result, call, kind, timing.times === 1);
    if (problem !== undefined) return problem;
    if (requests > 60) return `${requests} requests`;
    return (await call.holds(store, result === true)) ? undefined : 'the bucket holds what it must not hold';
  } finally {
    await s3.stop();
  }
}

function wrongResult(result: boolean | Error, call: Call, kind: S3FaultKind, isSingle: boolean): string | undefined {
  const mayLie = INVISIBLE[kind]?.includes(call.name) === true;
  if (result === true || (result === false && mayLie)) return undefined;
  if (result === false) return 'a wrong result';
  if (!(result instanceof UttrError)) return `not an error of ours: ${String(result)}`;
  if (result.hint === undefined) return `an error without a hint: ${result.message}`;
  const final = FINAL_FAULTS[kind];
  if (final !== undefined) return result.code === final ? undefined : `${result.code}: ${result.message}`;
  if (isSingle && !mayLie) return `a single fault is not got over: ${result.code}: ${result.message}`;
  const isExpected = ['remote-unreachable', 'wrong-answer'].includes(result.code);
  return isExpected ? undefined : `${result.code}: ${result.message}`;
}
