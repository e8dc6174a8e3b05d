import { expect, test } from 'vitest';
import { describeBlobStore } from '../contract/blob-store.ts';
import { MemoryBlobStore } from '../doubles/memory-blob-store.ts';
import { SlowBlobStore } from '../doubles/slow-blob-store.ts';

describeBlobStore('slow', async () => new SlowBlobStore(new MemoryBlobStore(), 1));

test('a slow call ends as soon as its signal fires', async () => {
  const store = new SlowBlobStore(new MemoryBlobStore(), 60_000);
  const control = new AbortController();
  const stat = store.stat('blob', { signal: control.signal });
  control.abort();
  await expect(stat).rejects.toMatchObject({ code: 'aborted' });
});

test('the peak of calls under way is counted', async () => {
  const store = new SlowBlobStore(new MemoryBlobStore(), 1);
  await Promise.all(['a', 'b', 'c'].map(async (name) => store.stat(name)));
  await store.stat('d');
  expect(store.peakInFlight).toBe(3);
});
