/**
 * Durable files: the one module that writes files which something else will rely on.
 *
 *   temporary file beside the destination (O_CREAT | O_EXCL)
 *   -> write in a loop -> compare the size -> fsync -> close
 *   -> rename (or link, where the name must be free) -> fsync of the directory
 *
 * D1  At the destination there is the old file or the whole new one, whenever the machine stops.
 * D2  When a call returns, the new file survives a power loss.
 * D3  When a call fails, the old file is there (or the whole new one, if only the last sync failed) and no temporary one.
 *
 * Two traps shape the code. Node's `write` returns a short count instead of ENOSPC when part of the bytes fitted,
 * so every write is a loop and the size is compared before the rename. After a failed fsync the kernel may call the
 * lost pages clean, so fsync is never tried twice: the file is thrown away, and the caller may write it anew.
 */
import { randomBytes } from 'node:crypto';
import { constants, type Dirent } from 'node:fs';
import { lstat, link, mkdir, open, readdir, rename, rm, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { kill, pid as ownPid } from 'node:process';
import { crashPoint } from '../base/crash-points.ts';
import { isUttrError, UttrError, type ErrorCode } from '../base/errors.ts';

/** How names that are ours, but no data, begin: temporary files and the lock. */
export const RESERVED_PREFIX = '.uttr-';

/** A temporary file of a dead process is kept this long: its process may have run on another machine. */
export const STALE_TEMP_MS = 3_600_000;

/** Pieces smaller than this are gathered before they are written. */
export const GATHER_BYTES = 256 * 1024;

const TEMP_NAME = /^\.uttr-tmp-(?<pid>\d+)-[0-9a-f]{16}$/u;

export interface PublishOptions {
  /** Publish only if nothing has the name yet. */
  readonly createOnly?: boolean;
}

export interface WriteOptions extends PublishOptions {
  /** Where the temporary file goes; on the same file system as the destination, whose directory is the default. */
  readonly temporaryDirectory?: string;
}

/**
 * Writes a whole file durably, replacing what is there.
 *
 * @returns false, having changed nothing, when `createOnly` is set and the name is taken.
 * @throws disk-full, access-denied, io-failed
 */
export async function writeDurably(
  path: string,
  parts: Uint8Array | readonly Uint8Array[],
  options: WriteOptions = {},
): Promise<boolean> {
  const file = await DurableFile.open(path, options.temporaryDirectory);
  for (const part of parts instanceof Uint8Array ? [parts] : parts) await file.append(part);
  return file.publish(options);
}

/**
 * A large file written piece by piece. It appears at its path with `publish`, and not before.
 * After any failure the temporary file is gone and the object is of no further use.
 */
export class DurableFile {
  readonly path: string;
  readonly #temporary: string;
  #handle: FileHandle | undefined;
  #sizeBytes = 0;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #isSettled = false;
  /** Published or given up. */
  #isOver = false;

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /** Begins a file; its directory must exist. @throws disk-full, access-denied, io-failed */
  static async open(path: string, temporaryDirectory = dirname(path)): Promise<DurableFile> {
    const temporary = join(temporaryDirectory, temporaryName());
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
    try {
      return new DurableFile(path, temporary, await open(temporary, flags));
    } catch (error) {
      throw fileError(error, 'write', path);
    }
  }

  /** Where what was appended lies until it is published: to read it back once it is settled. */
  get temporaryPath(): string {
    return this.#temporary;
  }

  /** Bytes appended so far. */
  get sizeBytes(): number {
    return this.#sizeBytes + this.#gatheredBytes;
  }

  /**
   * Adds bytes at the end. They must not change before `publish` returns, as small pieces are gathered; a piece of
   * GATHER_BYTES or more is written when the call returns, and may.
   */
  async append(bytes: Uint8Array): Promise<void> {
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes >= GATHER_BYTES) await this.#orDiscard(() => this.#flush());
  }

  /** Makes what was appended durable, which was all: then `publish` has only the name to give. */
  async settle(): Promise<void> {
    if (this.#isSettled) return;
    await this.#orDiscard(async () => {
      await this.#flush();
      crashPoint('file.written');
      await this.#sync();
      crashPoint('file.synced');
    });
    this.#isSettled = true;
  }

  /**
   * Makes the file durable and gives it its name.
   * @returns false, having changed nothing, when `createOnly` is set and the name is taken.
   */
  async publish(options: PublishOptions = {}): Promise<boolean> {
    await this.settle();
    return this.#orDiscard(async () => {
      if (!(await this.#rename(options.createOnly === true))) return false;
      this.#isOver = true;
      crashPoint('file.renamed');
      await syncDirectory(dirname(this.path));
      crashPoint('file.directory-synced');
      return true;
    });
  }

  /** Gives the file up. Does nothing after `publish`. */
  async abort(): Promise<void> {
    if (!this.#isOver) await this.#discard();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort();
  }

  async #flush(): Promise<void> {
    if (this.#gatheredBytes === 0) return;
    const [first, ...rest] = this.#gathered;
    const bytes = rest.length === 0 && first !== undefined ? first : Buffer.concat(this.#gathered, this.#gatheredBytes);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    const handle = this.#open();
    for (let offset = 0; offset < bytes.length;) {
      const { bytesWritten } = await handle.write(bytes, offset, bytes.length - offset);
      if (bytesWritten === 0) throw new UttrError('io-failed', `nothing more could be written to ${this.path}`);
      offset += bytesWritten;
    }
    this.#sizeBytes += bytes.length;
  }

  async #sync(): Promise<void> {
    const handle = this.#open();
    const { size } = await handle.stat();
    if (size !== this.#sizeBytes) {
      throw new UttrError('io-failed', `${this.path} has ${size} bytes after writing ${this.#sizeBytes}`);
    }
    await handle.sync();
    this.#handle = undefined;
    await handle.close();
  }

  async #rename(createOnly: boolean): Promise<boolean> {
    if (!createOnly) {
      await rename(this.#temporary, this.path);
      return true;
    }
    try {
      await link(this.#temporary, this.path);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
      await this.#discard();
      return false;
    }
    // The file is published: a leftover second name is no failure, and removeStaleTemps finds it.
    await unlink(this.#temporary).catch(() => undefined);
    return true;
  }

  #open(): FileHandle {
    if (this.#handle === undefined) throw new UttrError('internal', `${this.path} is no longer open for writing`);
    return this.#handle;
  }

  async #orDiscard<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      await this.#discard();
      throw fileError(error, 'write', this.path);
    }
  }

  /** Clears up after a failure, which is what the caller must hear of: failures here are not reported. */
  async #discard(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    this.#isSettled = false;
    this.#isOver = true;
    await handle?.close().catch(() => undefined);
    await unlink(this.#temporary).catch(() => undefined);
  }
}

/**
 * Makes a directory and those above it, durably.
 *
 * @param top syncs also the entries of existing directories from `top` down to `path`: another process may have
 *   made them a moment ago and not have come to its own sync yet.
 */
export async function ensureDirectory(path: string, top?: string): Promise<void> {
  const wanted = resolve(path);
  try {
    const made = await mkdir(wanted, { recursive: true });
    const from = top === undefined ? made : higher(resolve(top), made);
    if (from === undefined) return;
    for (const directory of between(from, wanted)) await syncDirectory(dirname(directory));
  } catch (error) {
    throw fileError(error, 'make the folder', wanted);
  }
}

/** Makes the entries of a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY);
    await handle.sync();
  } catch (error) {
    // Some systems cannot sync a directory at all, and keep renames in order by themselves.
    if (!['EISDIR', 'EINVAL', 'EPERM', 'ENOTSUP'].includes(errnoOf(error) ?? '')) {
      throw fileError(error, 'sync the folder', path);
    }
  } finally {
    await handle?.close();
  }
}

/**
 * Removes temporary files, in a directory and (where it is searched deeply) those below it, that were last written
 * over an hour ago by a process that no longer runs. A missing directory is fine.
 *
 * @returns how many were removed.
 */
export async function removeStaleTemps(directory: string, now: Date, { deep } = { deep: true }): Promise<number> {
  let removed = 0;
  for (const entry of await entriesOf(directory)) {
    const path = join(directory, entry.name);
    const pid = TEMP_NAME.exec(entry.name)?.groups?.['pid'];
    if (pid === undefined) {
      if (deep && entry.isDirectory()) removed += await removeStaleTemps(path, now);
    } else if (!isProcessAlive(Number(pid)) && (await removeIfOld(path, now))) {
      removed += 1;
    }
  }
  return removed;
}

async function removeIfOld(path: string, now: Date): Promise<boolean> {
  try {
    if (now.getTime() - (await lstat(path)).mtimeMs < STALE_TEMP_MS) return false;
    await rm(path, { recursive: true });
    return true;
  } catch (error) {
    // Another process clears up too.
    if (errnoOf(error) === 'ENOENT') return false;
    throw fileError(error, 'remove', path);
  }
}

/**
 * Removes a file or folder that nothing refers to any more. Whether that works is nobody's concern: what was to be
 * done is done, and fsck finds what is left.
 */
export async function discard(path: string): Promise<void> {
  // Nearly always it is a file, and that takes one call.
  await unlink(path).catch(() => rm(path, { recursive: true, force: true }).catch(() => undefined));
}

/** A name for a temporary file that no other process and no other call has. Naming it takes no reproducible chance. */
export function temporaryName(): string {
  return `${RESERVED_PREFIX}tmp-${ownPid}-${randomBytes(8).toString('hex')}`;
}

/** Whether a process of this machine runs; a process of another user counts as running. */
export function isProcessAlive(pid: number): boolean {
  try {
    return kill(pid, 0);
  } catch (error) {
    return errnoOf(error) !== 'ESRCH';
  }
}

/** The system's name for a failure, such as ENOENT. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

const FILE_ERRORS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOSPC: ['disk-full', 'free some space on that disk and run the command again: nothing was changed'],
  EDQUOT: ['disk-full', 'your disk quota is used up: free some space and run the command again'],
  EFBIG: ['disk-full', 'the file is larger than the file system or the limit of the shell (ulimit -f) allows'],
  EACCES: ['access-denied', 'check who owns the file and its folder, and their permissions'],
  EPERM: ['access-denied', 'check who owns the file and its folder, and their permissions'],
  EROFS: ['access-denied', 'the disk is mounted read-only'],
  EMFILE: ['io-failed', 'too many files are open: raise the limit (ulimit -n)'],
  EXDEV: ['io-failed', 'the folders of a store must lie on one file system'],
  ENOTDIR: ['io-failed', 'something on the way to it is a file where a folder is needed'],
};

/**
 * Turns a failure of the file system into an error of ours: `disk-full`, `access-denied` or `io-failed`.
 * @param action what was tried, as it reads after "cannot".
 */
export function fileError(error: unknown, action: string, path: string): UttrError {
  if (isUttrError(error)) return error;
  const errno = errnoOf(error);
  const [code, hint] = FILE_ERRORS[errno ?? ''] ?? ['io-failed', 'check the disk and the folder, then try again'];
  const details = errno === undefined ? { path } : { path, errno };
  const reason = errno === undefined ? '' : ` (${errno})`;
  return new UttrError(code, `cannot ${action} ${path}${reason}`, { cause: error, details, hint });
}

async function entriesOf(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw fileError(error, 'read the folder', directory);
  }
}

function higher(top: string, made: string | undefined): string {
  return made === undefined || made.length >= top.length ? top : made;
}

/** The directories from `top`, which holds `path` or is it, down to `path`. */
function between(top: string, path: string): string[] {
  const steps = relative(top, path).split(sep).filter(Boolean);
  return [top, ...steps.map((_, index) => join(top, ...steps.slice(0, index + 1)))];
}
