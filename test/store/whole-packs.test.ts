import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { FrameLocation } from '../../src/store/chunk-index.ts';
import type { PackIndex } from '../../src/store/pack.ts';
import { WholePacks } from '../../src/store/whole-packs.ts';
import { manyLeaves, TestRepository } from './chunk-fixtures.ts';

describe('packs read as a whole', () => {
  const leaves = manyLeaves(200);
  let repository: TestRepository;
  let pack: PackIndex;
  let whole: WholePacks;

  beforeEach(async () => {
    repository = new TestRepository();
    [pack] = (await repository.putLeaves(leaves)) as [PackIndex];
    whole = new WholePacks(repository.store, undefined);
  });

  test('give their frames as they are stored, with their chunks, after one read', async () => {
    const get = vi.spyOn(repository.store, 'get');
    const bytes = repository.packBytes(pack);
    const wanted = pack.frames.toReversed();
    const frames = await whole.frames(pack.name, wanted);
    expect(frames?.map(({ location }) => location)).toEqual(wanted);
    for (const { location, stored, chunks } of frames ?? []) {
      expect(stored).toEqual(bytes.subarray(location.offset, location.offset + location.storedBytes));
      expect(chunks).toEqual(pack.chunks.filter(({ frame }) => pack.frames[frame]?.offset === location.offset));
    }
    expect(await whole.frames(pack.name, pack.frames.slice(0, 1))).toHaveLength(1);
    expect(get).toHaveBeenCalledTimes(1);
    get.mockRestore();
  });

  test('are not read for a frame or two', async () => {
    expect(await whole.frames(pack.name, pack.frames.slice(0, 1))).toBeUndefined();
  });

  test('give no frame where any byte has changed', async () => {
    const bytes = repository.packBytes(pack);
    for (const at of [3, 500, bytes.length >> 1, bytes.length - 200, bytes.length - 3]) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 16, at);
      await repository.memory.put(pack.name, damaged);
      const fresh = new WholePacks(repository.store, undefined);
      expect(await fresh.frames(pack.name, pack.frames)).toBeUndefined();
      expect(await fresh.frames(pack.name, pack.frames)).toBeUndefined();
    }
  });

  test('give no frame that the index describes otherwise, or whose pack is gone', async () => {
    const frame = pack.frames[0] as FrameLocation;
    const others: Partial<FrameLocation>[] = [
      { offset: frame.offset + 1 },
      { storedBytes: frame.storedBytes - 1 },
      { rawBytes: frame.rawBytes + 1 },
      { depth: 1 },
      { dictionary: [pack.chunks[0]?.name as FrameLocation['dictionary'][number]] },
    ];
    for (const other of others) {
      const wanted = [...pack.frames.slice(1), { ...frame, ...other }];
      expect(await whole.frames(pack.name, wanted)).toBeUndefined();
    }
    expect(await whole.frames(pack.name, pack.frames)).toHaveLength(pack.frames.length);
    await repository.memory.delete(pack.name);
    expect(await new WholePacks(repository.store, undefined).frames(pack.name, pack.frames)).toBeUndefined();
  });
});
