import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { FileBlobStore } from '../../src/store/file-blob-store.ts';
import { openStore } from '../../src/store/open-store.ts';
import { S3BlobStore } from '../../src/store/s3-blob-store.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

describe('openStore', () => {
  test('opens a folder by its path or its URL', async () => {
    const folder = join(temporaryDirectory(), 'a folder');
    for (const address of [folder, pathToFileURL(folder).href]) {
      const store = await openStore(address);
      expect(store).toBeInstanceOf(FileBlobStore);
      expect(store.url).toBe(pathToFileURL(folder).href);
    }
  });

  test.each([
    ['s3://bucket', 's3://bucket/'],
    ['s3://bucket/', 's3://bucket/'],
    ['s3://bucket/a/b', 's3://bucket/a/b/'],
    ['s3://bucket/a b/c+d/', 's3://bucket/a b/c+d/'],
  ])('opens a bucket: %s', async (address, url) => {
    const store = await openStore(address, { conditionalPut: false });
    expect(store).toBeInstanceOf(S3BlobStore);
    expect(store.url).toBe(url);
    expect(store.supports.conditionalPut).toBe(false);
  });

  test.each([
    '',
    'folder',
    './folder',
    'https://example.com/bucket',
    'gs://bucket',
    's3://',
    's3:///prefix',
    's3://b',
    's3://bucket name/x',
    's3://bucket/../x',
    's3://bucket//x',
    's3://bucket/ä',
    `s3://bucket/${'x/'.repeat(300)}`,
    'file://host/share',
  ])('refuses %j with bad-remote and a hint', async (address) => {
    await expect(openStore(address)).rejects.toMatchObject({ code: 'bad-remote', hint: expect.any(String) as string });
  });

  test('refuses credentials in an address without repeating them', async () => {
    const attempts = [
      openStore('s3://key:hunter2@bucket/x'),
      openStore('ftp://user:hunter2@host/x'),
      openStore('s3://bucket/x', { endpoint: 'https://key:hunter2@host' }),
    ];
    for (const attempt of attempts) {
      const error: unknown = await attempt.catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'bad-remote' });
      expect(String(error)).not.toContain('hunter2');
    }
  });

  test.each(['http://localhost:9000', 'http://127.0.0.1:9000', 'http://[::1]:9000', 'https://s3.example.com'])(
    'takes the endpoint %s',
    async (endpoint) => {
      expect(await openStore('s3://bucket', { endpoint })).toBeInstanceOf(S3BlobStore);
    },
  );

  test('takes an endpoint without TLS elsewhere only when told so', async () => {
    const endpoint = 'http://minio.internal:9000';
    await expect(openStore('s3://bucket', { endpoint })).rejects.toMatchObject({ code: 'bad-remote' });
    expect(await openStore('s3://bucket', { endpoint, insecure: true })).toBeInstanceOf(S3BlobStore);
  });

  test.each(['minio:9000', 'ftp://host', 'host', ''])('refuses the endpoint %j', async (endpoint) => {
    await expect(openStore('s3://bucket', { endpoint })).rejects.toMatchObject({ code: 'bad-remote' });
  });
});
