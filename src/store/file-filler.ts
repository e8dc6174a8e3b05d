/**
 * Gathers small pieces for a durable file, in two buffers in turn: one is filled while the other is written. Memory that
 * is used again is faster than fresh memory, which the system has to clear page by page.
 */
import { GATHER_BYTES, type DurableFile } from './durable-file.ts';

/** A buffer this full is written. */
const FULL_BYTES = 2 * GATHER_BYTES;

export class FileFiller {
  readonly #file: DurableFile;
  /** Filled up to `length` by whoever has reserved room. */
  buffer: Buffer = Buffer.allocUnsafeSlow(FULL_BYTES + GATHER_BYTES);
  length = 0;
  #other: Buffer = Buffer.allocUnsafeSlow(this.buffer.length);
  #written = Promise.resolve();

  constructor(file: DurableFile) {
    this.#file = file;
  }

  /** Makes room for so many more bytes, which may give another `buffer`. */
  reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + bytes));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }

  /** Whether `pass` should be awaited before much more is put in. */
  get isFull(): boolean {
    return this.length >= FULL_BYTES;
  }

  /** Passes on what a full buffer has, and waits for what was passed on before. @throws disk-full, access-denied, io-failed */
  async pass(): Promise<void> {
    await this.#written;
    const filled = this.buffer;
    this.#written = this.#file.append(filled.subarray(0, this.length));
    // The failure is thrown by the next call.
    this.#written.catch(() => {});
    this.buffer = this.#other;
    this.#other = filled;
    this.length = 0;
  }

  /** Passes on the rest; nothing may be put in after that. */
  async finish(): Promise<void> {
    await this.#written;
    await this.#file.append(this.buffer.subarray(0, this.length));
    this.length = 0;
  }
}
