import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { UttrError } from '../../src/base/errors.ts';
import type { CallOptions } from '../../src/base/ports.ts';
import { FileBlobStore } from '../../src/store/file-blob-store.ts';
import { PROBE_RACERS, probeStore } from '../../src/store/probe.ts';
import { FakeS3, type FakeS3Options } from '../doubles/fake-s3.ts';
import { FaultyBlobStore } from '../doubles/faulty-blob-store.ts';
import { MemoryBlobStore } from '../doubles/memory-blob-store.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

const random = { bytes: (count: number) => randomBytes(count) };

async function startS3(options?: FakeS3Options): Promise<FakeS3> {
  const s3 = await FakeS3.start(options);
  onTestFinished(async () => s3.stop());
  return s3;
}

describe('a sound store', () => {
  test('in memory passes, and is left as it was', async () => {
    const store = new MemoryBlobStore();
    await store.put('probe/mine', Buffer.from('kept'));
    expect(await probeStore(store, random)).toEqual({ conditionalPut: true, problems: [] });
    expect([...store.blobs.keys()]).toEqual(['probe/mine']);
  });

  test('in a folder passes, and is left as it was', async () => {
    const store = await FileBlobStore.open(join(temporaryDirectory(), 'store'));
    expect(await probeStore(store, random)).toEqual({ conditionalPut: true, problems: [] });
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
  });

  test('on S3 passes, and is left as it was', async () => {
    const s3 = await startS3();
    expect(await probeStore(s3.store(), random)).toEqual({ conditionalPut: true, problems: [] });
    expect(s3.objects.size).toBe(0);
  });
});

describe('a store whose conditions cannot be trusted', () => {
  test('that ignores conditions is found out', async () => {
    const s3 = await startS3({ conditions: 'ignored' });
    const { conditionalPut, problems } = await probeStore(s3.store(), random);
    expect(conditionalPut).toBe(false);
    expect(problems.join('\n')).toContain('If-None-Match is not honoured');
    expect(s3.objects.size).toBe(0);
  });

  test('that looks first and writes later is found out by the race', async () => {
    const s3 = await startS3({ conditions: 'racy' });
    const { conditionalPut, problems } = await probeStore(s3.store(), random);
    expect(conditionalPut).toBe(false);
    expect(problems.join('\n')).toMatch(
      new RegExp(`not atomic: of ${PROBE_RACERS} concurrent writers, \\d+ were told that they won`, 'u'),
    );
  });

  test('that refuses conditions is found out', async () => {
    class Refusing extends MemoryBlobStore {
      override async create(name: string, bytes: Uint8Array, options?: CallOptions): Promise<boolean> {
        await super.put(name, bytes, options);
        throw new UttrError('bad-remote', 'not offered');
      }
    }
    const { conditionalPut, problems } = await probeStore(new Refusing(), random);
    expect(conditionalPut).toBe(false);
    expect(problems).toEqual(['conditional writes are refused: not offered']);
  });

  test('opened as such is not tried', async () => {
    const s3 = await startS3();
    const probe = await probeStore(s3.store({ conditionalPut: false }), random);
    expect(probe).toEqual({ conditionalPut: false, problems: [] });
  });
});

describe('a store that spoils data', () => {
  test.each([
    ['flip', 'get', 'what is read is not what was written'],
    ['shorten', 'stat', 'the size is told as'],
    ['hide', 'list', 'a list is not exactly what was written'],
    ['drop', 'delete', 'a blob is still there after it was removed'],
  ] as const)('%s on %s is told', async (kind, method, problem) => {
    const store = new FaultyBlobStore(new MemoryBlobStore()).inject({ kind, method });
    expect((await probeStore(store, random)).problems.join('\n')).toContain(problem);
  });

  test('that does not let go of blobs is told', async () => {
    const store = new FaultyBlobStore(new MemoryBlobStore());
    store.inject({ kind: 'fail', method: 'delete', after: 2, times: Infinity });
    const { conditionalPut, problems } = await probeStore(store, random);
    expect(conditionalPut).toBe(true);
    expect(problems.join('\n')).toMatch(/what the probe wrote below probe\/[0-9a-f]{32}\/ cannot be removed/u);
  });

  test('that cannot be reached fails with its own error', async () => {
    const store = new FaultyBlobStore(new MemoryBlobStore()).inject({ kind: 'fail', times: Infinity });
    await expect(probeStore(store, random)).rejects.toMatchObject({ code: 'remote-unreachable' });
  });
});
