import type { RunHandle, RunStore } from '../../src/tree/runs.ts';

/** Sorted runs in memory; gives them back cut into pieces of any size, as a file would. */
export class MemoryRunStore implements RunStore {
  readonly #runs = new Map<RunHandle, Buffer>();
  readonly #pieceBytes: number;
  /** Runs written so far, removed ones too. */
  written = 0;

  constructor(pieceBytes = 64 * 1024) {
    this.#pieceBytes = pieceBytes;
  }

  /** Runs that are still there. */
  get size(): number {
    return this.#runs.size;
  }

  async write(parts: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<RunHandle> {
    const handle = `run-${this.written++}`;
    const all: Buffer[] = [];
    for await (const part of parts) all.push(part);
    this.#runs.set(handle, Buffer.concat(all));
    return handle;
  }

  async *read(handle: RunHandle): AsyncGenerator<Buffer> {
    const bytes = this.#runs.get(handle);
    if (bytes === undefined) throw new Error(`no run ${handle}`);
    for (let at = 0; at < bytes.length; at += this.#pieceBytes) {
      yield await Promise.resolve(bytes.subarray(at, at + this.#pieceBytes));
    }
  }

  remove(handle: RunHandle): Promise<void> {
    this.#runs.delete(handle);
    return Promise.resolve();
  }
}
