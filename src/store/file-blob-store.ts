/**
 * Blobs as plain files in a folder: the local store, and remotes on a disk or network share.
 *
 * A name is the path below the folder. Names that begin with `.uttr-` are not blobs: temporary files, and the lock
 * under which `replace` compares and swaps (folder-lock.ts). Everything written goes through durable-file.ts.
 *
 * The tag of a head is the SHA-256 of its bytes. A head that goes from A to B and back to A would have its first tag
 * again; heads carry a random transaction id, so no two of them are equal and the tag names one state for ever.
 */
import { closeSync, constants, type Dirent, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { lstat, open, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { throwIfAborted, UttrError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import type { CallOptions } from '../base/ports.ts';
import {
  badRange,
  blobNotFound,
  checkBlobName,
  checkBlobPrefix,
  checkRange,
  headMoved,
  isBlobName,
  type BlobStat,
  type BlobStore,
  type ByteRange,
  type TaggedBlob,
} from './blob-store.ts';
import { ensureDirectory, errnoOf, fileError, removeStaleTemps, writeDurably } from './durable-file.ts';
import { withFolderLock } from './folder-lock.ts';

/** How many files of a folder are looked at together while listing. */
const LIST_BATCH = 32;

/** How often a writer whose lock was taken over begins again; once is rare. */
const REPLACE_ATTEMPTS = 5;

/** Up to this length a range is read on the calling thread. */
const SHORT_RANGE_BYTES = 1 << 20;

/** Opening a file for one more range takes about 10 µs, in which so much is read (measured, from the page cache). */
const REQUEST_COST_BYTES = 16 * 2 ** 10;

const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0);

/** What the system says when there is no such blob: nothing there, a folder, below a file, or a symbolic link. */
const ABSENT: readonly (string | undefined)[] = ['ENOENT', 'EISDIR', 'ENOTDIR', 'ELOOP'];

export class FileBlobStore implements BlobStore {
  readonly requestCostBytes = REQUEST_COST_BYTES;
  readonly supports = { conditionalPut: true };
  readonly url: string;
  /** The folder, absolute. */
  readonly path: string;
  /** Folders this store has made durable already. */
  readonly #ensured = new Set<string>();
  /** The end of the last `replace` of this object: waiting here is fairer than at the lock between processes. */
  #lastReplace: Promise<unknown> = Promise.resolve();

  private constructor(path: string) {
    this.path = path;
    this.url = pathToFileURL(path).href;
  }

  /** Opens a folder, which need not exist yet: an absent one is an empty store. @throws bad-remote */
  static async open(path: string): Promise<FileBlobStore> {
    const absolute = resolve(path);
    const found = await statOrAbsent(absolute, stat);
    if (found !== undefined && !found.isDirectory()) {
      throw new UttrError('bad-remote', `${absolute} is a file`, {
        hint: 'name a folder',
        details: { path: absolute },
      });
    }
    return new FileBlobStore(absolute);
  }

  async put(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<void> {
    await this.#write(name, bytes, false, options);
  }

  async create(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<boolean> {
    return this.#write(name, bytes, true, options);
  }

  async replace(
    name: string,
    expected: string | undefined,
    bytes: Uint8Array,
    options: CallOptions = {},
  ): Promise<string> {
    checkBlobName(name);
    const turn = this.#lastReplace.then(() => this.#replace(name, expected, bytes, options));
    this.#lastReplace = turn.catch(() => undefined);
    return turn;
  }

  async get(name: string, range?: ByteRange, options: CallOptions = {}): Promise<Buffer> {
    const path = this.#pathOf(name);
    checkRange(name, range);
    throwIfAborted(options.signal);
    try {
      if (range !== undefined && range.end - range.start <= SHORT_RANGE_BYTES) return readRange(path, name, range);
      await using file = await open(path, READ_FLAGS);
      if (range === undefined) return await readFile(file, { signal: options.signal });
      const bytes = Buffer.allocUnsafe(range.end - range.start);
      for (let filled = 0; filled < bytes.length;) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, range.start + filled);
        if (bytesRead === 0) throw badRange(name, range, range.start + filled);
        filled += bytesRead;
      }
      const { size } = await file.stat();
      if (size < range.end) throw badRange(name, range, size);
      return bytes;
    } catch (error) {
      throwIfAborted(options.signal);
      throw ABSENT.includes(errnoOf(error)) ? blobNotFound(name, this.url) : fileError(error, 'read', path);
    }
  }

  async read(name: string, options: CallOptions = {}): Promise<TaggedBlob | undefined> {
    const path = this.#pathOf(name);
    throwIfAborted(options.signal);
    try {
      const bytes = await readFile(path, { flag: READ_FLAGS });
      return { bytes, tag: sha256(bytes) };
    } catch (error) {
      if (ABSENT.includes(errnoOf(error))) return undefined;
      throw fileError(error, 'read', path);
    }
  }

  async stat(name: string, options: CallOptions = {}): Promise<BlobStat | undefined> {
    const path = this.#pathOf(name);
    throwIfAborted(options.signal);
    const found = await statOrAbsent(path, lstat);
    return found?.isFile() === true ? { name, sizeBytes: found.size } : undefined;
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<BlobStat> {
    checkBlobPrefix(prefix);
    yield* this.#listFolder(prefix.slice(0, prefix.lastIndexOf('/') + 1), prefix, options);
  }

  async delete(name: string, options: CallOptions = {}): Promise<void> {
    const path = this.#pathOf(name);
    throwIfAborted(options.signal);
    try {
      await unlink(path);
    } catch (error) {
      // Unlinking a folder is EISDIR or, on some systems, EPERM: there is no such blob.
      if (ABSENT.includes(errnoOf(error)) || (await this.stat(name)) === undefined) return;
      throw fileError(error, 'remove', path);
    }
  }

  /** Nothing is held open between calls. */
  async close(): Promise<void> {
    await this.#lastReplace;
  }

  /** Removes what writers that died over an hour ago left behind. @returns how many files. */
  async removeStaleTemps(now: Date): Promise<number> {
    return removeStaleTemps(this.path, now);
  }

  async #write(name: string, bytes: Uint8Array, createOnly: boolean, options: CallOptions): Promise<boolean> {
    const path = this.#pathOf(name);
    throwIfAborted(options.signal);
    await this.#ensureFolder(dirname(path));
    try {
      return await writeDurably(path, bytes, { createOnly });
    } catch (error) {
      if (!isGone(error)) throw error;
      // The folder went away since it was made: somebody cleared the store. Make it again, once.
      this.#ensured.clear();
      await this.#ensureFolder(dirname(path));
      return writeDurably(path, bytes, { createOnly });
    }
  }

  async #replace(name: string, expected: string | undefined, bytes: Uint8Array, options: CallOptions): Promise<string> {
    const path = this.#pathOf(name);
    throwIfAborted(options.signal);
    await this.#ensureFolder(dirname(path));
    for (let attempt = 1; ; attempt += 1) {
      try {
        await withFolderLock(this.path, options, async (token) => {
          if ((await this.read(name))?.tag !== expected) throw headMoved(name, this.url);
          // `create` takes no lock, so a head that must be absent is made the same way as there.
          const createOnly = expected === undefined;
          if (!(await writeDurably(path, bytes, { createOnly, temporaryDirectory: token }))) {
            throw headMoved(name, this.url);
          }
        });
        return sha256(bytes);
      } catch (error) {
        if (!isGone(error) || attempt === REPLACE_ATTEMPTS) throw error;
        // The lock was taken over while this process was stopped, and nothing was published: begin again.
        this.#ensured.clear();
        await this.#ensureFolder(dirname(path));
      }
    }
  }

  async *#listFolder(folder: string, prefix: string, options: CallOptions): AsyncGenerator<BlobStat> {
    throwIfAborted(options.signal);
    const names = await this.#entriesOf(folder);
    const wanted = names.filter((name) => name.startsWith(prefix) || (name.endsWith('/') && prefix.startsWith(name)));
    for (let start = 0; start < wanted.length; start += LIST_BATCH) {
      const batch = wanted.slice(start, start + LIST_BATCH);
      throwIfAborted(options.signal);
      const stats = await Promise.all(batch.map(async (name) => (name.endsWith('/') ? undefined : this.stat(name))));
      for (const [index, name] of batch.entries()) {
        const found = stats[index];
        if (name.endsWith('/')) yield* this.#listFolder(name, prefix, options);
        // Undefined: it was removed since the folder was read.
        else if (found !== undefined) yield found;
      }
    }
  }

  /** Blob names in a folder, and its folders with a `/` at the end, which is how they sort among full names. */
  async #entriesOf(folder: string): Promise<string[]> {
    const path = join(this.path, folder);
    let entries: Dirent[];
    try {
      entries = await readdir(path, { withFileTypes: true });
    } catch (error) {
      if (ABSENT.includes(errnoOf(error))) return [];
      throw fileError(error, 'read the folder', path);
    }
    return entries
      .filter((entry) => (entry.isFile() || entry.isDirectory()) && isBlobName(folder + entry.name))
      .map((entry) => folder + entry.name + (entry.isDirectory() ? '/' : ''))
      .sort();
  }

  /** Makes a folder of the store. A symbolic link on the way is refused: it could lead writes out of the store. */
  async #ensureFolder(folder: string): Promise<void> {
    if (this.#ensured.has(folder)) return;
    for (let path = folder; path.length > this.path.length; path = dirname(path)) {
      if ((await statOrAbsent(path, lstat))?.isSymbolicLink() === true) {
        throw new UttrError('access-denied', `${path} is a symbolic link inside a store`, {
          details: { path },
          hint: 'put the real folder in its place, or make the whole store the target of a link',
        });
      }
    }
    await ensureDirectory(folder, this.path);
    this.#ensured.add(folder);
  }

  #pathOf(name: string): string {
    checkBlobName(name);
    return join(this.path, sep === '/' ? name : name.replaceAll('/', sep));
  }
}

/** Reads a short stretch of a file at once: it takes less than the ways to the thread pool and back. */
function readRange(path: string, name: string, range: ByteRange): Buffer {
  const file = openSync(path, READ_FLAGS);
  try {
    const bytes = Buffer.allocUnsafe(range.end - range.start);
    for (let filled = 0; filled < bytes.length;) {
      const count = readSync(file, bytes, filled, bytes.length - filled, range.start + filled);
      if (count === 0) throw badRange(name, range, range.start + filled);
      filled += count;
    }
    if (bytes.length > 0) return bytes;
    // An empty range must lie within the blob too.
    const { size } = fstatSync(file);
    if (size < range.end) throw badRange(name, range, size);
    return bytes;
  } finally {
    closeSync(file);
  }
}

async function statOrAbsent(path: string, look: (path: string) => Promise<Stats>): Promise<Stats | undefined> {
  try {
    return await look(path);
  } catch (error) {
    if (ABSENT.includes(errnoOf(error))) return undefined;
    throw fileError(error, 'read', path);
  }
}

/** Whether a write failed because the folder of its temporary file is no longer there. */
function isGone(error: unknown): boolean {
  return error instanceof UttrError && error.details['errno'] === 'ENOENT';
}
