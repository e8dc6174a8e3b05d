/**
 * The file sink: one event a line.
 *
 * E9  An acknowledged event is on disk. A line cut short by a crash or a full disk never swallows the next event:
 *     that one begins on a fresh line, and readers skip a line that is not JSON.
 */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { EventRow } from '../../base/event-rows.ts';
import { throwIfAborted } from '../../base/errors.ts';
import type { DeliveryOutcome, Sink } from './sink.ts';

const LINE_FEED = 0x0a;

export interface FileSinkOptions {
  readonly name: string;
  readonly fingerprint: string;
  readonly retryForMs: number;
  /** The folder that a relative path starts from. */
  readonly root: string;
  readonly path: string;
}

/** Appends each event to a JSON Lines file, made with its folders where absent. */
export class FileSink implements Sink {
  readonly name: string;
  readonly fingerprint: string;
  readonly retryForMs: number;
  readonly #path: string;

  constructor(options: FileSinkOptions) {
    this.name = options.name;
    this.fingerprint = options.fingerprint;
    this.retryForMs = options.retryForMs;
    this.#path = resolve(options.root, options.path);
  }

  async deliver(
    event: EventRow,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<DeliveryOutcome> {
    throwIfAborted(options.signal);
    try {
      await this.#append(event.body);
      return { kind: 'delivered' };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return { kind: 'failed', reason: `the file cannot be written (${code ?? message})` };
    }
  }

  async #append(body: string): Promise<void> {
    const firstMade = await mkdir(dirname(this.#path), { recursive: true });
    const file = await open(this.#path, 'a+');
    try {
      const { size } = await file.stat();
      const torn = size > 0 && (await lastByte(file, size)) !== LINE_FEED;
      await writeAll(file, Buffer.from(`${torn ? '\n' : ''}${body}\n`));
      await file.sync();
      // A new name is durable only when its folder is.
      if (size === 0) await syncFolders(dirname(this.#path), firstMade);
    } finally {
      await file.close();
    }
  }
}

async function lastByte(file: FileHandle, sizeBytes: number): Promise<number | undefined> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, sizeBytes - 1);
  return buffer[0];
}

/** Writes every byte: one `write` may write less than it is given and still succeed (a full disk). */
async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written);
    if (bytesWritten === 0) throw new Error('nothing was written');
    written += bytesWritten;
  }
}

/** Makes `folder` durable, and the ones above it down from `firstMade`, the topmost that was just made. */
async function syncFolders(folder: string, firstMade: string | undefined): Promise<void> {
  const topmost = firstMade === undefined ? folder : dirname(firstMade);
  for (let current = folder; ; current = dirname(current)) {
    const handle = await open(current, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (current === topmost || current === dirname(current)) return;
  }
}
