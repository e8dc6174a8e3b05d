/**
 * Files and standard input as bytes to read, hashed on the way.
 */
import { isUtf8 } from 'node:buffer';
import type { Stats } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { throwIfAborted, UttrError } from '../base/errors.ts';
import { type Hash, sha256Stream } from '../base/hash.ts';
import { nearest } from '../base/near-miss.ts';
import { readBytes } from '../formats/document.ts';
import type { ByteInput } from '../formats/format.ts';
import { HEAD_BYTES } from '../formats/registry.ts';
import { packedFolder } from './folder-input.ts';

const READ_BYTES = 1 << 20;

/** A source of a batch: a path, or a stream that is open already. */
export type BatchSource =
  | { readonly kind: 'file'; readonly path: string; readonly name: string }
  | { readonly kind: 'stream'; readonly name: string; readonly stream: AsyncIterable<Uint8Array> };

/** Bytes that are counted and hashed while somebody reads them; the first ones can be looked at before. */
export class BatchInput implements ByteInput {
  readonly name: string;
  /** The name a version remembers: without folders. */
  readonly batchName: string;
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #hasher = sha256Stream();
  #head: Buffer = Buffer.alloc(0);
  #bytes = 0;
  #close: () => Promise<void>;

  private constructor(
    name: string,
    fileSizeBytes: number,
    pieces: AsyncIterator<Uint8Array>,
    close: () => Promise<void>,
  ) {
    this.fileSizeBytes = fileSizeBytes;
    this.name = name;
    this.batchName = basename(name);
    this.#pieces = pieces;
    this.#close = close;
  }

  /** @throws unreadable-file */
  static async open(source: BatchSource, signal?: AbortSignal): Promise<BatchInput> {
    if (source.kind === 'stream') {
      return new BatchInput(source.name, 0, untilAborted(source.stream, signal), async () => undefined);
    }
    let handle: FileHandle;
    try {
      handle = await open(source.path, 'r');
    } catch (error) {
      throw unreadable(source.name, error, await nearestFile(source.path, error));
    }
    const stat = await handle.stat();
    if (stat.isDirectory()) {
      await handle.close();
      return new BatchInput(source.name, 0, packedFolder(source.path, source.name, signal), async () => undefined);
    }
    return new BatchInput(source.name, stat.isFile() ? stat.size : 0, readPieces(handle, source.name, stat), () =>
      handle.close(),
    );
  }

  /** The first bytes, up to what the formats want to see; they are read again by `chunks`. */
  async head(): Promise<Buffer> {
    while (this.#head.length < HEAD_BYTES) {
      const piece = await this.#next();
      if (piece === undefined) break;
      this.#head = this.#head.length === 0 ? piece : Buffer.concat([this.#head, piece]);
    }
    return this.#head.subarray(0, HEAD_BYTES);
  }

  /** All bytes, which are read again by `chunks`. @throws bad-format where there are too many to hold */
  async gather(): Promise<Buffer> {
    const bytes = await readBytes(this);
    this.#head = bytes;
    return bytes;
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    if (this.#head.length > 0) yield this.#head;
    this.#head = Buffer.alloc(0);
    for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) yield piece;
  }

  /** Size of the file when it was opened; 0 for a stream or a pipe. */
  readonly fileSizeBytes: number;

  /** Bytes read so far. */
  get sizeBytes(): number {
    return this.#bytes;
  }

  /** SHA-256 of all bytes; to be asked once, after the last of them. */
  digest(): Hash {
    return this.#hasher.digest('hex') as Hash;
  }

  async close(): Promise<void> {
    await this.#close();
  }

  async #next(): Promise<Buffer | undefined> {
    const { value, done } = await this.#pieces.next();
    if (done === true) return undefined;
    const piece = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    this.#hasher.update(piece);
    this.#bytes += piece.length;
    return piece;
  }
}

/** The whole of a source as text. @throws unreadable-file, bad-format where it is not UTF-8 */
export async function readText(source: BatchSource): Promise<string> {
  const input = await BatchInput.open(source);
  try {
    const bytes = Buffer.concat(await Array.fromAsync(input.chunks()));
    if (isUtf8(bytes)) return bytes.toString('utf8').replace(/^\uFEFF/u, '');
    throw new UttrError('bad-format', `${input.name} is not UTF-8`, {
      hint: 'save it as UTF-8',
      details: { file: input.name },
    });
  } finally {
    await input.close();
  }
}

/** A stream that may be silent for hours must not keep an interrupted command waiting. */
async function* untilAborted(
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const pieces = stream[Symbol.asyncIterator]();
  const aborted = Promise.withResolvers<undefined>();
  const stop = (): void => aborted.resolve(undefined);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      throwIfAborted(signal);
      const next = await Promise.race([pieces.next(), aborted.promise]);
      throwIfAborted(signal);
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Reads a file to its end and makes sure that it was one state of it: what is hashed is what was read. */
async function* readPieces(handle: FileHandle, name: string, before: Stats): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(READ_BYTES);
      const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, null);
      if (bytesRead === 0) break;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw unreadable(name, error);
  }
  // What comes through a pipe is written while it is read.
  if (!before.isFile()) return;
  const after = await handle.stat();
  if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
    throw new UttrError('unreadable-file', `${name} changed while it was read`, {
      hint: 'wait until it is written, then run the command again',
      details: { file: name },
    });
  }
}

/** What was probably meant by a name that nothing has. */
async function nearestFile(path: string, error: unknown): Promise<string | undefined> {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return undefined;
  const names = await readdir(dirname(path)).catch(() => []);
  const near = nearest(basename(path), names);
  return near === undefined ? undefined : `did you mean ${near}?`;
}

function unreadable(name: string, cause: unknown, hint?: string): UttrError {
  const code = (cause as NodeJS.ErrnoException).code;
  const reasons: Record<string, string> = {
    ENOENT: 'does not exist',
    EACCES: 'may not be read by you',
    EPERM: 'may not be read by you',
    EISDIR: 'is a directory',
    ENOTDIR: 'does not exist: what should be a folder of its path is a file',
    ELOOP: 'is a link that leads back to itself',
    ENAMETOOLONG: 'has a name that is too long',
  };
  const reason = reasons[code ?? ''] ?? `cannot be read: ${(cause as Error).message}`;
  return new UttrError('unreadable-file', `${name} ${reason}`, { cause, hint, details: { file: name } });
}
