import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { writeDurably } from '../../src/store/durable-file.ts';
import { withFolderLock } from '../../src/store/folder-lock.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

const THIS_HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

const entries = (folder: string): string[] => readdirSync(join(folder, '.uttr-lock'));

test('L3: the lock is free again afterwards, also when the step fails', async () => {
  const folder = temporaryDirectory();
  await expect(
    withFolderLock(folder, {}, async () => {
      expect(entries(folder)).toEqual([expect.stringMatching(/^held-/u)]);
      throw new Error('step failed');
    }),
  ).rejects.toThrow('step failed');
  expect(entries(folder)).toEqual(['free']);
});

test('L3: of many first users of a folder, one makes the lock, and one at a time holds it', async () => {
  const folder = temporaryDirectory();
  let holders = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 12 }, async () =>
      withFolderLock(folder, {}, async () => {
        holders += 1;
        most = Math.max(most, holders);
        await sleep(1);
        holders -= 1;
      }),
    ),
  );
  expect(most).toBe(1);
  expect(readdirSync(folder)).toEqual(['.uttr-lock']);
});

test('L2: the lock of a dead process is taken over at once, and what it left is removed', async () => {
  const folder = temporaryDirectory();
  holdAs(folder, THIS_HOST, await pidOfDeadProcess());
  const found = await withFolderLock(folder, {}, async (token) => readdirSync(token));
  expect(found).toEqual([]);
  expect(entries(folder)).toEqual(['free']);
});

test('the lock of another machine is taken over after its name has not changed for a while', async () => {
  const folder = temporaryDirectory();
  holdAs(folder, '00000000', 1);
  const control = new AbortController();
  setTimeout(() => control.abort(), 50);
  await expect(withFolderLock(folder, { signal: control.signal }, async () => 'in')).rejects.toMatchObject({
    code: 'aborted',
  });
  expect(await withFolderLock(folder, { staleMs: 20 }, async () => 'in')).toBe('in');
});

test('L1: a holder whose lock was taken over cannot publish any more', async () => {
  const folder = temporaryDirectory();
  const path = join(folder, 'head');
  writeFileSync(path, 'old');
  const late = withFolderLock(folder, {}, async (token) => {
    // Another process takes this one for dead, and moves the head.
    renameSync(token, join(folder, '.uttr-lock', 'held-00000000-1-0123456789abcdef'));
    writeFileSync(path, 'of the new holder');
    await writeDurably(path, Buffer.from('late'), { temporaryDirectory: token });
  });
  await expect(late).rejects.toMatchObject({ code: 'io-failed', details: { errno: 'ENOENT' } });
  expect(readFileSync(path, 'utf8')).toBe('of the new holder');
  expect(entries(folder)).toEqual(['held-00000000-1-0123456789abcdef']);
});

/** Puts the folder's lock into the state that a process leaves when it dies while publishing. */
function holdAs(folder: string, host: string, pid: number): void {
  const token = join(folder, '.uttr-lock', `held-${host}-${pid}-0123456789abcdef`);
  mkdirSync(token, { recursive: true });
  writeFileSync(join(token, '.uttr-tmp-1-0123456789abcdef'), 'left over');
}

async function pidOfDeadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.once('exit', resolve));
  return child.pid ?? 0;
}
