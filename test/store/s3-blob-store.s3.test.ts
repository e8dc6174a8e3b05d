import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BlobStore } from '../../src/store/blob-store.ts';
import { openStore } from '../../src/store/open-store.ts';
import { probeStore } from '../../src/store/probe.ts';
import { describeBlobStore } from '../contract/blob-store.ts';
import { describeS3, uniqueUrl } from '../contract/s3-server.ts';

const random = { bytes: (count: number) => randomBytes(count) };

describeS3('a real S3 server', (s3) => {
  const open = async (options = {}): Promise<BlobStore> =>
    openStore(uniqueUrl(s3), { endpoint: s3.endpoint, ...options });

  describeBlobStore('S3, real', open);

  test('passes the probe: of 16 concurrent writers exactly one wins', async () => {
    expect(await probeStore(await open(), random)).toEqual({ conditionalPut: true, problems: [] });
  });

  test('a wrong secret is access-denied, and a wrong bucket bad-remote', async () => {
    const stranger = await open({ credentials: { accessKeyId: 'AKNOBODY', secretAccessKey: 'wrong' } });
    await expect(stranger.get('blob')).rejects.toMatchObject({ code: 'access-denied' });
    const nowhere = await openStore('s3://uttr-no-such-bucket-here/x', { endpoint: s3.endpoint });
    await expect(nowhere.put('blob', random.bytes(3))).rejects.toMatchObject({ code: 'bad-remote' });
  });

  test.skipIf(s3.folder === undefined)('objects are plain files with the bytes that were put', async () => {
    const store = await open();
    await store.put('packs/d/one', Buffer.from('hello'));
    expect(readdirSync(join(s3.folder ?? '', new URL(store.url).pathname.slice(1), 'packs', 'd'))).toEqual(['one']);
  });
});
