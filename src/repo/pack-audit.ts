/**
 * Checks of packs: every byte of them, and for the local store that its index says what they say, both ways.
 */
import type { CallOptions, Progress } from '../base/ports.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { ChunkSource } from '../store/chunks.ts';
import type { PackChunk, PackFrame, PackIndex } from '../store/pack.ts';
import { verifyPack } from '../store/pack-verify.ts';
import type { ProblemList } from './problem-list.ts';

export interface PackCounts {
  readonly packs: number;
  readonly chunks: number;
}

/**
 * Reads every pack of a store in full.
 *
 * @param outside reads the chunks that other packs hold
 * @param use is given each pack that is sound
 */
export async function auditPacks(
  store: BlobStore,
  outside: ChunkSource,
  problems: ProblemList,
  options: CallOptions & { readonly use?: (index: PackIndex) => void },
): Promise<PackCounts> {
  let packs = 0;
  let chunks = 0;
  for await (const { name } of store.list('packs/', { signal: options.signal })) {
    packs++;
    options.progress?.update('checking packs', packs, undefined, 'packs');
    try {
      const index = await verifyPack(name, await store.get(name, undefined, { signal: options.signal }), outside);
      chunks += index.chunks.length;
      options.use?.(index);
    } catch (error) {
      problems.add(error, name);
    }
  }
  return { packs, chunks };
}

/** Holds the index of the local packs against the packs. */
export class IndexAudit {
  readonly #catalogue: Catalogue;
  readonly #problems: ProblemList;
  readonly #progress: Progress;
  readonly #seen = new Set<string>();
  /** Rows of the index that a pack has confirmed. */
  #confirmed = 0;

  constructor(catalogue: Catalogue, problems: ProblemList, progress: Progress) {
    this.#catalogue = catalogue;
    this.#problems = problems;
    this.#progress = progress;
  }

  /** Takes a sound pack; one that the index does not know was left by an interrupted command, and is made known. */
  take(pack: PackIndex): void {
    const catalogue = this.#catalogue;
    this.#seen.add(pack.name);
    if (!catalogue.hasPack(pack.name)) {
      catalogue.transaction(() => catalogue.addPacks([pack]));
      this.#progress.note(`${pack.name} was left by an interrupted command; it is whole and now known`);
    }
    const confirmed = new Set<string>();
    for (const chunk of pack.chunks) {
      const found = catalogue.find(chunk.name);
      if (found === undefined) {
        this.#problems.say('missing-chunk', `chunk ${chunk.name.slice(0, 12)} is not in the index`, pack.name);
      } else if (found.frame.pack === pack.name && isSame(found, chunk, pack.frames[chunk.frame] as PackFrame)) {
        confirmed.add(chunk.name);
      }
    }
    this.#confirmed += confirmed.size;
  }

  /** Says what the index has and no pack does. */
  finish(): void {
    let unread = 0;
    for (const { name } of this.#catalogue.packs()) {
      if (this.#seen.has(name)) continue;
      unread++;
      this.#problems.say('bad-pack', 'the index names a pack that is not there, or cannot be read', name);
    }
    const { chunks } = this.#catalogue.counts();
    if (unread === 0 && chunks !== this.#confirmed) {
      const what = `${chunks - this.#confirmed} of ${chunks} chunks do not lie where the index says`;
      this.#problems.say('catalogue-unusable', what, 'catalogue.db');
    }
  }
}

function isSame(found: NonNullable<ReturnType<Catalogue['find']>>, chunk: PackChunk, frame: PackFrame): boolean {
  const { offset, storedBytes, rawBytes, depth, dictionary } = found.frame;
  return (
    found.offset === chunk.offset &&
    found.length === chunk.length &&
    offset === frame.offset &&
    storedBytes === frame.storedBytes &&
    rawBytes === frame.rawBytes &&
    depth === frame.depth &&
    dictionary.join() === frame.dictionary.join()
  );
}
