import type { Hash } from '../base/hash.ts';
import type { ChunkSink } from '../store/chunks.ts';
import type { PackIndex } from '../store/pack.ts';
import type { PackSink } from '../store/pack-sink.ts';
import type { Repository } from './repository.ts';

/**
 * Where the chunks of one new version go: leaves to data packs, nodes, small trees and the manifest to a
 * metadata pack. In bulk every side has data packs of its own, so that one side can be fetched alone.
 */
export class VersionSinks {
  readonly meta: ChunkSink;
  /** Takes the list of changes, which is read from end to end. */
  readonly changes: ChunkSink;
  readonly #main: PackSink;
  readonly #own = new Map<string, PackSink>();
  readonly #repository: Repository;
  readonly #bulk: boolean;

  constructor(repository: Repository, bulk: boolean) {
    this.#repository = repository;
    this.#bulk = bulk;
    const main = repository.newSink();
    this.#main = main;
    this.meta = {
      leaf: (chunk) => main.node(chunk),
      node: (chunk) => main.node(chunk),
      drain: () => main.drain(),
    };
    this.changes = {
      leaf: (chunk) => main.node({ ...chunk, reading: 'whole' }),
      // Not with the leaves: the root is asked for before them.
      node: (chunk) => main.node(chunk),
      drain: () => main.drain(),
    };
  }

  data(place: string): ChunkSink {
    if (!this.#bulk) return this.#main;
    let leaves = this.#own.get(place);
    if (leaves === undefined) {
      leaves = this.#repository.newSink();
      this.#own.set(place, leaves);
    }
    const main = this.#main;
    const own = leaves;
    return {
      leaf: (chunk) => own.leaf(chunk),
      node: (chunk) => main.node(chunk),
      async drain() {
        await own.drain();
        await main.drain();
      },
    };
  }

  /** Writes what is open, the manifest last. */
  async finish(
    manifest: string,
    parent: Hash | undefined,
  ): Promise<{ readonly version: Hash; readonly packs: readonly PackIndex[] }> {
    const packs: PackIndex[] = [];
    for (const sink of this.#own.values()) packs.push(...(await sink.finish()));
    const version = this.#main.meta(Buffer.from(manifest), parent === undefined ? [] : [parent]);
    packs.push(...(await this.#main.finish()));
    return { version, packs };
  }

  async abort(): Promise<void> {
    for (const sink of [...this.#own.values(), this.#main]) await sink.abort();
  }
}
