import { afterAll, beforeAll } from 'vitest';
import { describeBlobStore } from '../contract/blob-store.ts';
import { FakeS3 } from '../doubles/fake-s3.ts';

let s3: FakeS3;
let paging: FakeS3;
beforeAll(async () => {
  s3 = await FakeS3.start();
  paging = await FakeS3.start({ pageSize: 7 });
});
afterAll(async () => {
  await s3.stop();
  await paging.stop();
});

describeBlobStore('S3', async () => {
  s3.reset();
  return s3.store();
});

describeBlobStore('S3 with a prefix, in pages of 7', async () => {
  paging.reset();
  return paging.store({ prefix: 'a team/data+1/' });
});
