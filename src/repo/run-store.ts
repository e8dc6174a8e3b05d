import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { pid } from 'node:process';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { discard, fileError } from '../store/durable-file.ts';

const READ_BYTES = 1 << 18;

/** What the folder of a sort is called: it names the process, so that what a dead one left can be told. */
export const SORT_FOLDER = /^sort-(?<pid>\d+)-/u;

/**
 * Sorted runs of an external sort, as files in a folder that lives as long as the sort. They need no durability:
 * an interrupted sort starts again.
 */
export class FileRunStore {
  readonly #parent: string;
  /** Made for the first run: most batches are sorted in memory. */
  #folder: Promise<string> | undefined;
  #next = 0;

  /** @param parent a folder on the disk where the sorted data will lie */
  constructor(parent: string) {
    this.#parent = parent;
  }

  async write(parts: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<string> {
    const path = join(await this.#open(), `run-${this.#next++}`);
    try {
      await pipeline(Readable.from(parts, { objectMode: true, highWaterMark: 4 }), createWriteStream(path));
    } catch (error) {
      throw fileError(error, 'write', path);
    }
    return path;
  }

  async *read(handle: string): AsyncIterable<Buffer> {
    try {
      yield* createReadStream(handle, { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>;
    } catch (error) {
      throw fileError(error, 'read', handle);
    }
  }

  async remove(handle: string): Promise<void> {
    await discard(handle);
  }

  async close(): Promise<void> {
    if (this.#folder !== undefined) await discard(await this.#folder);
  }

  async #open(): Promise<string> {
    this.#folder ??= mkdtemp(join(this.#parent, `sort-${pid}-`));
    try {
      return await this.#folder;
    } catch (error) {
      this.#folder = undefined;
      throw fileError(error, 'make a folder in', this.#parent);
    }
  }
}
