import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { FileBlobStore } from '../../src/store/file-blob-store.ts';
import { describeBlobStore } from '../contract/blob-store.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

describeBlobStore('file', async () => FileBlobStore.open(join(temporaryDirectory(), 'store')));

const APPENDER = fileURLToPath(new URL('../doubles/head-appender.ts', import.meta.url));

const text = (content: string): Buffer => Buffer.from(content);

describe('FileBlobStore', () => {
  test('opening makes nothing; the first write makes the folder', async () => {
    const path = join(temporaryDirectory(), 'not', 'yet');
    const store = await FileBlobStore.open(path);
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
    expect(readdirSync(join(path, '..', '..'))).toEqual([]);
    await store.put('a/b', text('x'));
    expect(readFileSync(join(path, 'a', 'b'), 'utf8')).toBe('x');
    expect(store.url).toBe(pathToFileURL(path).href);
  });

  test('a file in place of the folder is refused when opening', async () => {
    const path = join(temporaryDirectory(), 'file');
    writeFileSync(path, '');
    await expect(FileBlobStore.open(path)).rejects.toMatchObject({ code: 'bad-remote' });
  });

  test('temporary files, the lock, links and foreign names are not listed', async () => {
    const path = temporaryDirectory();
    const store = await FileBlobStore.open(path);
    await store.replace('heads/main', undefined, text('x'));
    writeFileSync(join(path, 'heads', '.uttr-tmp-1-0123456789abcdef'), '');
    writeFileSync(join(path, 'heads', 'é'), '');
    symlinkSync('/etc/hostname', join(path, 'heads', 'link'));
    symlinkSync('/etc', join(path, 'folder'));
    expect(await Array.fromAsync(store.list(''), (stat) => stat.name)).toEqual(['heads/main']);
    expect(await store.stat('heads/link')).toBeUndefined();
    await expect(store.get('heads/link')).rejects.toMatchObject({ code: 'blob-not-found' });
  });

  test('writes do not follow symbolic links out of the store', async () => {
    const path = temporaryDirectory();
    const outside = temporaryDirectory();
    symlinkSync(outside, join(path, 'packs'));
    symlinkSync(join(outside, 'target'), join(path, 'head'));
    const store = await FileBlobStore.open(path);
    await expect(store.put('packs/d/one', text('x'))).rejects.toMatchObject({ code: 'access-denied' });
    await store.put('head', text('x'));
    expect(readdirSync(outside)).toEqual([]);
    expect((await store.get('head')).toString()).toBe('x');
  });

  test('a name below an existing blob fails with io-failed', async () => {
    const store = await FileBlobStore.open(temporaryDirectory());
    await store.put('a', text('x'));
    await expect(store.put('a/b', text('x'))).rejects.toMatchObject({ code: 'io-failed' });
  });

  test('a store that is cleared while it is open can be written again', async () => {
    const path = temporaryDirectory();
    const store = await FileBlobStore.open(path);
    await store.put('a/b', text('x'));
    await store.replace('head/x', undefined, text('x'));
    rmSync(path, { recursive: true });
    await store.put('a/b', text('y'));
    await store.replace('head/x', undefined, text('y'));
    expect(await Array.fromAsync(store.list(''), (stat) => stat.name)).toEqual(['a/b', 'head/x']);
  });

  test('nothing temporary is left after many writes', async () => {
    const path = temporaryDirectory();
    const store = await FileBlobStore.open(path);
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => store.create(`a/${index % 5}`, text(String(index)))),
    );
    await store.replace('a/head', undefined, text('x'));
    await expect(store.replace('a/head', undefined, text('x'))).rejects.toMatchObject({ code: 'head-moved' });
    expect(new Set(readdirSync(path, { encoding: 'utf8', recursive: true }))).toEqual(
      new Set(['.uttr-lock', '.uttr-lock/free', 'a', 'a/0', 'a/1', 'a/2', 'a/3', 'a/4', 'a/head']),
    );
  });
});

describe('FileBlobStore between processes', () => {
  test('4 processes that add 10 lines each to one head lose none', { timeout: 60_000 }, async () => {
    const path = temporaryDirectory();
    const codes = await Promise.all([0, 1, 2, 3].map(async (writer) => run([APPENDER, path, String(writer), '10'])));
    expect(codes).toEqual([0, 0, 0, 0]);
    const store = await FileBlobStore.open(path);
    const lines = (await store.get('heads/shared')).toString().trimEnd().split('\n');
    expect(new Set(lines).size).toBe(40);
    expect(lines).toHaveLength(40);
  });
});

describe('FileBlobStore after a writer was killed', () => {
  test.each([
    ['file.written', false],
    ['file.synced', false],
    ['file.renamed', true],
    ['file.directory-synced', true],
  ])('at %s, its lock is not in the way, and its write counts or does not: %s', async (point, counts) => {
    const path = temporaryDirectory();
    await run([APPENDER, path, 'killed', '1', point]);
    const store = await FileBlobStore.open(path);
    const head = await store.read('heads/shared');
    expect(head?.bytes.toString()).toBe(counts ? 'writer killed line 0\n' : undefined);
    const tag = await store.replace('heads/shared', head?.tag, text('next'));
    expect(await store.read('heads/shared')).toEqual({ bytes: text('next'), tag });
    expect(readdirSync(join(path, '.uttr-lock'), { recursive: true })).toEqual(['free']);
    expect(readdirSync(join(path, 'heads'))).toEqual(['shared']);
  });
});

async function run(args: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  return new Promise((resolve) => child.once('exit', resolve));
}
