/**
 * A lock between processes, made of nothing but renames.
 *
 * The lock is a folder that always holds exactly one entry, the token, itself an empty folder:
 *
 *   .uttr-lock/free                              nobody holds it
 *   .uttr-lock/held-<host>-<pid>-<random>        one tenure; the name is never used again
 *
 * Taking is rename(free, held-…), giving back is rename(held-…, free). A rename whose source is gone fails, so of
 * many takers one wins. A tenure whose process is dead, or whose name has not changed for a while, is taken over by
 * rename(held-old, held-new): again one wins, and never of a *newer* tenure, since names do not repeat.
 *
 * L1  What the holder is about to publish lies as a temporary file *inside* its token, and publishing is one rename
 *     (or link) out of it. A holder that was wrongly thought dead (stopped, or on another machine) finds its path gone:
 *     it fails with ENOENT instead of publishing late. Safety therefore rests on no clock and no time limit;
 *     they only decide how soon a dead holder stops being in the way.
 * L2  Whoever takes the token empties it before reading what the lock protects, so that nothing of an earlier tenure
 *     can still be published after that read.
 * L3  The folder comes into being with its token in it, by one rename, so a second token cannot appear.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pid as ownPid } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted, UttrError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { errnoOf, fileError, isProcessAlive, RESERVED_PREFIX, temporaryName } from './durable-file.ts';

/** A tenure seen unchanged for this long is over; a real one takes milliseconds. */
const STALE_MS = 30_000;

/** Waiting longer than this is reported instead. */
const WAIT_MS = 120_000;

const LONGEST_PAUSE_MS = 25;

const HOST = sha256(hostname()).slice(0, 8);

const HELD = /^held-(?<host>[0-9a-f]{8})-(?<pid>\d+)-[0-9a-f]{16}$/u;

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Shortens the wait for a dead holder of another machine, in tests. */
  readonly staleMs?: number | undefined;
}

/**
 * Runs `step` while holding the lock of a folder.
 *
 * @param step gets the token: a folder for its temporary file. Publishing from there fails with ENOENT once the
 *   lock has been taken over; see L1.
 * @throws io-failed when the lock stays taken for two minutes
 */
export async function withFolderLock<T>(
  folder: string,
  options: LockOptions,
  step: (token: string) => Promise<T>,
): Promise<T> {
  const lock = join(folder, `${RESERVED_PREFIX}lock`);
  const token = await take(lock, options);
  try {
    await empty(token);
    return await step(token);
  } finally {
    // If it was taken over meanwhile, the token is not ours to give back.
    await rename(token, join(lock, 'free')).catch(() => undefined);
  }
}

async function take(lock: string, options: LockOptions): Promise<string> {
  const mine = join(lock, `held-${HOST}-${ownPid}-${randomBytes(8).toString('hex')}`);
  const began = performance.now();
  let seen = { name: '', since: began };
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    throwIfAborted(options.signal);
    if (await moved(join(lock, 'free'), mine)) return mine;
    const holder = await holderOf(lock);
    const now = performance.now();
    if (holder !== seen.name) seen = { name: holder, since: now };
    if (isStale(holder, now - seen.since, options.staleMs ?? STALE_MS) && (await moved(join(lock, holder), mine))) {
      return mine;
    }
    if (now - began > WAIT_MS) {
      throw new UttrError('io-failed', `another process holds the lock ${lock}`, {
        details: { path: lock, holder },
        hint: 'if no uttr is running on any machine that uses this folder, remove the lock folder',
      });
    }
    // Different pauses keep waiters from meeting again and again.
    await sleep(pauseMs * (0.5 + (randomBytes(1)[0] as number) / 255));
  }
}

/** Whether `from` became `to`; false when somebody else was faster. Makes the lock where there is none. */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw fileError(error, 'lock', from);
    return false;
  }
}

/** The name of the present tenure; empty while it changes hands. */
async function holderOf(lock: string): Promise<string> {
  try {
    return (await readdir(lock)).find((name) => HELD.test(name)) ?? '';
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw fileError(error, 'lock', lock);
    await makeLock(lock);
    return '';
  }
}

async function makeLock(lock: string): Promise<void> {
  const draft = join(lock, '..', temporaryName());
  try {
    await mkdir(join(draft, 'free'), { recursive: true });
    await rename(draft, lock);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Somebody else made it: a folder is not renamed onto one that holds something.
    if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(errnoOf(error) ?? '')) throw fileError(error, 'lock', lock);
  }
}

function isStale(holder: string, unchangedMs: number, staleMs: number): boolean {
  const { host, pid } = HELD.exec(holder)?.groups ?? {};
  if (host === undefined || pid === undefined) return false;
  return unchangedMs >= staleMs || (host === HOST && !isProcessAlive(Number(pid)));
}

async function empty(token: string): Promise<void> {
  for (const name of await readdir(token)) await rm(join(token, name), { force: true });
}
