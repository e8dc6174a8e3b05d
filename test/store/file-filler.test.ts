import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DurableFile } from '../../src/store/durable-file.ts';
import { FileFiller } from '../../src/store/file-filler.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

test('pieces of any size come out in order, whatever is put in while others are written', async () => {
  const path = join(temporaryDirectory(), 'file');
  const file = await DurableFile.open(path);
  const filler = new FileFiller(file);
  const sizes = Array.from({ length: 900 }, (_, index) => (index * 7919) % 9000);
  // Larger than both buffers, with little in front of it.
  sizes.splice(3, 0, 3_000_000);
  sizes.splice(500, 0, 0, 1_500_000);
  const pieces = sizes.map((size, index) => Buffer.alloc(size, index));
  const before = filler.buffer;
  for (const piece of pieces) {
    filler.reserve(piece.length);
    filler.length += piece.copy(filler.buffer, filler.length);
    if (filler.isFull) await filler.pass();
  }
  await filler.finish();
  await file.publish();
  expect(readFileSync(path).equals(Buffer.concat(pieces))).toBe(true);
  expect(before.length).toBeLessThan(1_500_000);
});

test('a write that fails is told by the next call', async () => {
  const file = await DurableFile.open(join(temporaryDirectory(), 'file'));
  const filler = new FileFiller(file);
  await file.abort();
  filler.reserve(1_000_000);
  filler.length = 1_000_000;
  await filler.pass();
  await expect(filler.pass()).rejects.toMatchObject({ code: 'internal' });
});
