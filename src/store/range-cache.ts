/** Ranges of packs that were read, the ones not used for the longest time dropped when they exceed a number of bytes. */
export class RangeCache {
  readonly #limitBytes: number;
  readonly #packs = new Map<string, Set<Range>>();
  /** In order of last use. */
  readonly #ranges = new Set<Range>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes `[start, end)` of a pack, where one range that was read has all of them. */
  get(pack: string, start: number, end: number): Buffer | undefined {
    for (const range of this.#packs.get(pack) ?? []) {
      if (start < range.start || end > range.start + range.bytes.length) continue;
      this.#ranges.delete(range);
      this.#ranges.add(range);
      return range.bytes.subarray(start - range.start, end - range.start);
    }
    return undefined;
  }

  put(pack: string, start: number, bytes: Buffer): void {
    if (bytes.length > this.#limitBytes) return;
    const range = { pack, start, bytes };
    const ofPack = this.#packs.get(pack) ?? new Set();
    this.#packs.set(pack, ofPack.add(range));
    this.#ranges.add(range);
    this.#bytes += bytes.length;
    for (const oldest of this.#ranges) {
      if (this.#bytes <= this.#limitBytes) break;
      this.#drop(oldest);
    }
  }

  clear(): void {
    this.#packs.clear();
    this.#ranges.clear();
    this.#bytes = 0;
  }

  #drop(range: Range): void {
    this.#ranges.delete(range);
    this.#bytes -= range.bytes.length;
    const ofPack = this.#packs.get(range.pack);
    ofPack?.delete(range);
    if (ofPack?.size === 0) this.#packs.delete(range.pack);
  }
}

interface Range {
  readonly pack: string;
  readonly start: number;
  readonly bytes: Buffer;
}
