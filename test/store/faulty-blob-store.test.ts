import { describe, expect, test } from 'vitest';
import { describeBlobStore } from '../contract/blob-store.ts';
import { FaultyBlobStore } from '../doubles/faulty-blob-store.ts';
import { MemoryBlobStore } from '../doubles/memory-blob-store.ts';

describeBlobStore('faulty, without faults', async () => new FaultyBlobStore(new MemoryBlobStore()));

const text = (content: string): Buffer => Buffer.from(content);

describe('FaultyBlobStore', () => {
  test('a fault strikes the calls it names, so many times, and no others', async () => {
    const store = new FaultyBlobStore(new MemoryBlobStore());
    store.inject({ kind: 'fail', method: 'put', name: /^packs\//u, after: 1, times: 2 });
    await store.put('heads/x', text('1'));
    await store.put('packs/1', text('1'));
    await expect(store.put('packs/2', text('1'))).rejects.toMatchObject({ code: 'remote-unreachable' });
    await expect(store.put('packs/2', text('1'))).rejects.toMatchObject({ code: 'remote-unreachable' });
    await store.put('packs/2', text('1'));
    expect(store.transcript).toEqual(['put heads/x', 'put packs/1', 'put packs/2', 'put packs/2', 'put packs/2']);
    expect(store.calls.map((call) => call.fault)).toEqual([undefined, undefined, 'fail', 'fail', undefined]);
  });

  test('lose-answer does the work and fails', async () => {
    const store = new FaultyBlobStore(new MemoryBlobStore()).inject({ kind: 'lose-answer', method: 'replace' });
    await expect(store.replace('head', undefined, text('new'))).rejects.toMatchObject({ code: 'remote-unreachable' });
    expect((await store.get('head')).toString()).toBe('new');
  });

  test('drop claims success and does nothing', async () => {
    const store = new FaultyBlobStore(new MemoryBlobStore()).inject({ kind: 'drop', times: 3 });
    await store.put('a', text('1'));
    expect(await store.create('a', text('1'))).toBe(true);
    await store.replace('a', undefined, text('1'));
    expect(await store.stat('a')).toBeUndefined();
  });

  test('flip and shorten spoil reads and writes, hide hides', async () => {
    const store = new FaultyBlobStore(new MemoryBlobStore());
    await store.put('a', text('abc'));
    store.inject({ kind: 'flip', method: 'get' }).inject({ kind: 'shorten', method: 'get' });
    expect((await store.get('a')).toString()).toBe('acc');
    expect((await store.get('a')).toString()).toBe('ab');
    store.inject({ kind: 'hide', times: Infinity });
    await expect(store.get('a')).rejects.toMatchObject({ code: 'blob-not-found' });
    expect(await store.read('a')).toBeUndefined();
    expect(await store.stat('a')).toBeUndefined();
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
    store.heal();
    store.inject({ kind: 'shorten', method: 'put' });
    await store.put('a', text('abc'));
    expect(await store.stat('a')).toEqual({ name: 'a', sizeBytes: 2 });
  });
});
