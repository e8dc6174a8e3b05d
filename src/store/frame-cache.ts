/** Buffers by name, the least recently used ones dropped when they exceed a number of bytes. */
export class ByteCache {
  readonly #limitBytes: number;
  /** A Map keeps the order of insertion: the first entry is the one not used for the longest time. */
  readonly #entries = new Map<string, Buffer>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  get(name: string): Buffer | undefined {
    const bytes = this.#entries.get(name);
    if (bytes === undefined) return undefined;
    this.#entries.delete(name);
    this.#entries.set(name, bytes);
    return bytes;
  }

  put(name: string, bytes: Buffer): void {
    if (bytes.length > this.#limitBytes) return;
    this.#bytes += bytes.length - (this.#entries.get(name)?.length ?? 0);
    this.#entries.delete(name);
    this.#entries.set(name, bytes);
    for (const [oldest, dropped] of this.#entries) {
      if (this.#bytes <= this.#limitBytes) break;
      this.#entries.delete(oldest);
      this.#bytes -= dropped.length;
    }
  }
}
