import { spawnSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { setCrashHook, type CrashPoint } from '../../src/base/crash-points.ts';
import {
  DurableFile,
  ensureDirectory,
  fileError,
  removeStaleTemps,
  syncDirectory,
  writeDurably,
} from '../../src/store/durable-file.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

const text = (content: string): Buffer => Buffer.from(content);

afterEach(() => setCrashHook(undefined));

describe('writeDurably', () => {
  test('D1: the whole file appears, from one part or many', async () => {
    const folder = temporaryDirectory();
    const path = join(folder, 'file');
    expect(await writeDurably(path, text('one'))).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('one');
    expect(await writeDurably(path, [text('t'), text(''), text('wo')])).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('two');
    await writeDurably(path, []);
    expect(readFileSync(path, 'utf8')).toBe('');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('createOnly leaves a file that is there alone', async () => {
    const folder = temporaryDirectory();
    const path = join(folder, 'file');
    expect(await writeDurably(path, text('one'), { createOnly: true })).toBe(true);
    expect(await writeDurably(path, text('two'), { createOnly: true })).toBe(false);
    expect(readFileSync(path, 'utf8')).toBe('one');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('D3: a folder in place of the file fails with io-failed and leaves nothing behind', async () => {
    const folder = temporaryDirectory();
    mkdirSync(join(folder, 'file', 'full'), { recursive: true });
    await expect(writeDurably(join(folder, 'file'), text('x'))).rejects.toMatchObject({
      code: 'io-failed',
      details: { path: join(folder, 'file') },
    });
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('a missing folder fails with io-failed', async () => {
    const path = join(temporaryDirectory(), 'missing', 'file');
    await expect(writeDurably(path, text('x'))).rejects.toMatchObject({
      code: 'io-failed',
      details: { errno: 'ENOENT' },
    });
  });

  test('D1: at each crash point before the rename the old file is there, afterwards the new one', async () => {
    const path = join(temporaryDirectory(), 'file');
    await writeDurably(path, text('old'));
    const seen: [CrashPoint, string][] = [];
    setCrashHook((point) => seen.push([point, readFileSync(path, 'utf8')]));
    await writeDurably(path, text('new'));
    expect(seen).toEqual([
      ['file.written', 'old'],
      ['file.synced', 'old'],
      ['file.renamed', 'new'],
      ['file.directory-synced', 'new'],
    ]);
  });

  test('D3: a failure at any step removes the temporary file', async () => {
    const folder = temporaryDirectory();
    const path = join(folder, 'file');
    await writeDurably(path, text('old'));
    for (const failing of ['file.written', 'file.synced'] as const) {
      setCrashHook((point) => {
        if (point === failing) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      });
      await expect(writeDurably(path, text('new'))).rejects.toMatchObject({ code: 'disk-full' });
      expect(readdirSync(folder)).toEqual(['file']);
      expect(readFileSync(path, 'utf8')).toBe('old');
    }
  });
});

describe('DurableFile', () => {
  test('a large file written in odd pieces comes out whole', async () => {
    const path = join(temporaryDirectory(), 'file');
    const pieces = Array.from({ length: 300 }, (_, index) => Buffer.alloc((index * 7919) % 9000, index));
    pieces.splice(100, 0, Buffer.alloc(700_000, 1));
    const file = await DurableFile.open(path);
    for (const piece of pieces) await file.append(piece);
    const whole = Buffer.concat(pieces);
    expect(file.sizeBytes).toBe(whole.length);
    expect(existsSync(path)).toBe(false);
    await file.publish();
    expect(readFileSync(path).equals(whole)).toBe(true);
    expect(file.sizeBytes).toBe(whole.length);
  });

  test('abort, and leaving the block without publish, remove the temporary file', async () => {
    const folder = temporaryDirectory();
    const aborted = await DurableFile.open(join(folder, 'file'));
    await aborted.append(text('x'));
    await aborted.abort();
    await aborted.abort();
    await expect(aborted.publish()).rejects.toMatchObject({ code: 'internal' });
    {
      await using left = await DurableFile.open(join(folder, 'file'));
      await left.append(text('x'));
      expect(readdirSync(folder)).toHaveLength(1);
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  test('abort after publish does nothing', async () => {
    const folder = temporaryDirectory();
    {
      await using file = await DurableFile.open(join(folder, 'file'));
      await file.publish();
    }
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('a file that was settled has its name to get, and can still be given up', async () => {
    const folder = temporaryDirectory();
    const published = await DurableFile.open(join(folder, 'published'));
    await published.append(text('x'));
    const points: string[] = [];
    setCrashHook((point) => points.push(point));
    await published.settle();
    expect(points).toEqual(['file.written', 'file.synced']);
    await published.publish();
    expect(points).toEqual(['file.written', 'file.synced', 'file.renamed', 'file.directory-synced']);
    const aborted = await DurableFile.open(join(folder, 'aborted'));
    await aborted.append(text('x'));
    await aborted.settle();
    await aborted.abort();
    await expect(aborted.publish()).rejects.toMatchObject({ code: 'internal' });
    expect(readdirSync(folder)).toEqual(['published']);
    expect(readFileSync(join(folder, 'published'), 'utf8')).toBe('x');
  });

  test('a file that grew by other hands is not published', async () => {
    const folder = temporaryDirectory();
    const file = await DurableFile.open(join(folder, 'file'));
    await file.append(Buffer.alloc(300_000));
    const [temporary = ''] = readdirSync(folder);
    writeFileSync(join(folder, temporary), 'more', { flag: 'a' });
    await expect(file.publish()).rejects.toMatchObject({ code: 'io-failed' });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a disk that runs full', () => {
  const writer = fileURLToPath(new URL('../doubles/durable-writer.ts', import.meta.url));
  const shell = (script: string, path: string, mebibytes: number) =>
    spawnSync('sh', ['-c', script, 'sh', process.execPath, writer, path, String(mebibytes), dirname(path)], {
      encoding: 'utf8',
    });

  test('P6: a limit on the size of files gives disk-full and leaves nothing behind', () => {
    const path = join(temporaryDirectory(), 'file');
    // 2,048 units of 512 or 1,024 bytes, as the shell counts.
    expect(shell('ulimit -f 2048; "$1" "$2" "$3" "$4"', path, 8).stdout).toBe('disk-full');
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  const mounts = spawnSync('unshare', ['-m', 'true']).status === 0;
  const reason = mounts ? '' : ' (skipped: needs root and Linux)';
  test.skipIf(!mounts)(`P6: a full disk gives disk-full, and the old file stays${reason}`, () => {
    const path = join(temporaryDirectory(), 'disk', 'file');
    mkdirSync(dirname(path));
    const script = [
      'mount -t tmpfs -o size=4m tmpfs "$5" && printf old > "$3"',
      'for size in 8 5 4 2; do "$1" "$2" "$3" "$size"; echo " $(stat -c %s "$3") $(ls -A "$5" | wc -l)"; done',
    ].join('\n');
    const { stdout } = shell(`unshare -m sh -c '${script}' sh "$@"`, path, 0);
    expect(stdout.trim().split('\n')).toEqual(['disk-full 3 1', 'disk-full 3 1', 'disk-full 3 1', 'true 2097152 1']);
  });
});

describe('ensureDirectory', () => {
  test('folders are made with those above them, and again without harm', async () => {
    const root = temporaryDirectory();
    await ensureDirectory(join(root, 'a', 'b', 'c'), root);
    await ensureDirectory(join(root, 'a', 'b', 'c'), root);
    await ensureDirectory(join(root, 'a', 'b', 'c'));
    await ensureDirectory(join(root, 'x', 'y'), join(root, 'x'));
    expect(statSync(join(root, 'a', 'b', 'c')).isDirectory()).toBe(true);
    expect(statSync(join(root, 'x', 'y')).isDirectory()).toBe(true);
  });

  test('a file in the way fails with io-failed', async () => {
    const root = temporaryDirectory();
    writeFileSync(join(root, 'a'), '');
    await expect(ensureDirectory(join(root, 'a', 'b'))).rejects.toMatchObject({ code: 'io-failed' });
  });

  test('syncing a folder that is not there fails with io-failed', async () => {
    await expect(syncDirectory(join(temporaryDirectory(), 'missing'))).rejects.toMatchObject({ code: 'io-failed' });
  });
});

describe('removeStaleTemps', () => {
  const now = new Date('2026-12-01T12:00:00Z');
  const old = new Date('2026-12-01T10:59:59Z');
  const recent = new Date('2026-12-01T11:00:01Z');
  const dead = spawnSync(process.execPath, ['-e', '']).pid;

  const place = (path: string, changed: Date): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'x');
    utimesSync(path, changed, changed);
  };

  test('only old files of dead processes go', async () => {
    const root = temporaryDirectory();
    place(join(root, `.uttr-tmp-${dead}-0000000000000001`), old);
    place(join(root, 'packs', 'd', `.uttr-tmp-${dead}-0000000000000002`), old);
    place(join(root, `.uttr-tmp-${dead}-0000000000000003`), recent);
    place(join(root, `.uttr-tmp-${process.pid}-0000000000000004`), old);
    place(join(root, '.uttr-tmp-mine'), old);
    place(join(root, 'packs', 'd', 'pack'), old);
    expect(await removeStaleTemps(root, now)).toBe(2);
    expect(readdirSync(root).sort((a, b) => (a < b ? -1 : 1))).toEqual(
      [
        `.uttr-tmp-${dead}-0000000000000003`,
        `.uttr-tmp-${process.pid}-0000000000000004`,
        '.uttr-tmp-mine',
        'packs',
      ].sort((a, b) => (a < b ? -1 : 1)),
    );
    expect(readdirSync(join(root, 'packs', 'd'))).toEqual(['pack']);
  });

  test('a published file whose temporary name was left keeps its bytes', async () => {
    const root = temporaryDirectory();
    place(join(root, 'file'), old);
    linkSync(join(root, 'file'), join(root, `.uttr-tmp-${dead}-0000000000000001`));
    expect(await removeStaleTemps(root, now)).toBe(1);
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('x');
  });

  test('a half-made lock folder goes, and a missing folder is fine', async () => {
    const root = temporaryDirectory();
    const draft = join(root, `.uttr-tmp-${dead}-0000000000000001`);
    mkdirSync(join(draft, 'free'), { recursive: true });
    utimesSync(draft, old, old);
    expect(await removeStaleTemps(root, now)).toBe(1);
    expect(await removeStaleTemps(join(root, 'missing'), now)).toBe(0);
  });
});

describe('fileError', () => {
  test.each([
    ['ENOSPC', 'disk-full'],
    ['EDQUOT', 'disk-full'],
    ['EFBIG', 'disk-full'],
    ['EACCES', 'access-denied'],
    ['EPERM', 'access-denied'],
    ['EROFS', 'access-denied'],
    ['EIO', 'io-failed'],
    ['EMFILE', 'io-failed'],
  ])('%s becomes %s, with the cause, the path and a hint', (errno, code) => {
    const cause = Object.assign(new Error(errno), { code: errno });
    const error = fileError(cause, 'write', '/x/y');
    expect(error).toMatchObject({ code, cause, message: `cannot write /x/y (${errno})` });
    expect(error.details).toEqual({ path: '/x/y', errno });
    expect(error.hint).toBeTypeOf('string');
  });
});
