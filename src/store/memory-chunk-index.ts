import { shortName, type Hash, type ShortName } from '../base/hash.ts';
import type { ChunkIndex, ChunkLocation } from './chunk-index.ts';
import type { PackFrame, PackIndex } from './pack.ts';

/** The chunk index of the packs whose footers were read in this process. */
export class MemoryChunkIndex implements ChunkIndex {
  readonly #locations = new Map<ShortName, ChunkLocation>();

  /** Adds the chunks of a pack; a chunk known already keeps its location unless the new one is shallower. */
  add(pack: PackIndex): void {
    for (const { name, frame: number, offset, length } of pack.chunks) {
      const frame = pack.frames[number] as PackFrame;
      const known = this.#locations.get(name);
      if (known === undefined || frame.depth < known.frame.depth) this.#locations.set(name, { frame, offset, length });
    }
  }

  find(name: Hash | ShortName): ChunkLocation | undefined {
    return this.#locations.get(shortName(name));
  }

  findMany(names: readonly (Hash | ShortName)[]): (ChunkLocation | undefined)[] {
    return names.map((name) => this.find(name));
  }

  has(name: Hash | ShortName): boolean {
    return this.#locations.has(shortName(name));
  }
}
