import { MemoryBlobStore } from '../doubles/memory-blob-store.ts';
import { describeBlobStore } from '../contract/blob-store.ts';

describeBlobStore('memory', async () => new MemoryBlobStore());
