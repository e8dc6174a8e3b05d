import { type PackIndex, packUlid } from '../store/pack.ts';

/** Packs and what they hold, counted while they arrive. */
export class TransferCount {
  packs = 0;
  blocks = 0;
  bytes = 0;
  /** Bytes of all packs that the versions lie in. */
  weight = 0;
  /** The least and the greatest ULID of the packs; undefined where there is none. */
  firstPack: string | undefined;
  lastPack: string | undefined;
  /** Of frames that stand alone. */
  readonly #alone = { stored: 0, raw: 0 };

  /** Stored bytes of a raw one in frames that stand alone; 0 where there is none. */
  get shareAlone(): number {
    return this.#alone.stored / Math.max(1, this.#alone.raw);
  }

  addAll(other: TransferCount): void {
    this.packs += other.packs;
    this.blocks += other.blocks;
    this.bytes += other.bytes;
  }

  add(pack: PackIndex): void {
    this.packs++;
    this.blocks += pack.chunks.length;
    this.bytes += pack.sizeBytes;
    this.weigh(pack);
  }

  /** As `add`, of a pack that was sent before: it counts for what fetching takes, not for what was done now. */
  weigh(pack: PackIndex): void {
    this.weight += pack.sizeBytes;
    const ulid = packUlid(pack.name);
    if (this.firstPack === undefined || ulid < this.firstPack) this.firstPack = ulid;
    if (this.lastPack === undefined || ulid > this.lastPack) this.lastPack = ulid;
    for (const { depth, storedBytes, rawBytes } of pack.frames) {
      if (depth > 0) continue;
      this.#alone.stored += storedBytes;
      this.#alone.raw += rawBytes;
    }
  }
}
