/**
 * Push and pull through an S3 server that fails in every way, at every kind of request: what comes of it is right,
 * or a typed error, and the next attempt succeeds.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isUttrError } from '../../src/base/errors.ts';
import { fsck, fsckRemote } from '../../src/repo/fsck.ts';
import { S3_FAULTS } from '../doubles/fake-s3-faults.ts';
import { FakeS3, type S3FaultKind, type S3Operation } from '../doubles/fake-s3.ts';
import { rows, World } from './world.ts';

vi.setConfig({ testTimeout: 120_000 });

describe('a bucket whose server fails', () => {
  let s3: FakeS3;
  beforeAll(async () => {
    s3 = await FakeS3.start();
  });
  afterAll(async () => s3.stop());

  /** What an outcome may be: done, or an error that says whose fault it is. */
  async function attempt(work: () => Promise<unknown>): Promise<string> {
    try {
      await work();
      return 'done';
    } catch (error) {
      return isUttrError(error) ? error.kind : String(error);
    }
  }

  const cases = S3_FAULTS.flatMap((kind): [S3FaultKind, S3Operation][] => [
    [kind, 'put'],
    [kind, 'get'],
    [kind, 'list'],
  ]);
  // Each fault at one kind of request, the kinds in turn; UTTR_ALL_FAULTS=1 tries every pair.
  const tried = process.env['UTTR_ALL_FAULTS'] === '1' ? cases : cases.filter((_, at) => at % 4 === 0);

  test.each(tried)('%s of a %s spoils neither a push nor a pull', async (kind, operation) => {
    s3.reset();
    const world = new World(1, () => Promise.resolve(s3.store({ prefix: 'data/' })));
    const ada = await world.copy('ada');
    await ada.put(rows(0, 60));
    s3.inject({ kind, operation, times: 4 });
    const pushed = await attempt(() => ada.push());
    expect(['done', 'unavailable', 'corrupt', 'usage', 'conflict']).toContain(pushed);
    s3.heal();
    await ada.push();
    const clone = world.clone(ada, 'clone');
    s3.inject({ kind, operation, times: 4 });
    const pulled = await attempt(() => clone.pull());
    expect(['done', 'unavailable', 'corrupt', 'usage']).toContain(pulled);
    s3.heal();
    await clone.pull();
    expect(await clone.records()).toEqual(await ada.records());
    const { outbox } = await ada.open(async (repository) => ({ outbox: repository.outbox.list({}) }));
    expect(outbox).toHaveLength(1);
    await clone.open(async (repository) => {
      expect((await fsck(repository, { rebuildIndex: false })).problems).toEqual([]);
      expect((await fsckRemote(repository, 'origin')).problems).toEqual([]);
    });
  });
});
