/**
 * Finds chunks in a store that has no index at hand: reads the footers of its packs, newest first and only as
 * far as needed.
 */
import { isUttrError, UttrError } from '../base/errors.ts';
import type { Hash, ShortName } from '../base/hash.ts';
import { mapLimited } from '../base/parallel.ts';
import type { BlobStat, BlobStore } from './blob-store.ts';
import type { ChunkLocation } from './chunk-index.ts';
import { type OnRead, RANGES_IN_FLIGHT } from './frame-ranges.ts';
import type { LocateOptions } from './frame-reader.ts';
import { MemoryChunkIndex } from './memory-chunk-index.ts';
import { readFooterBytes, RecentPacks } from './pack-reader.ts';
import { badPack, decodeFooter, decodeFooterOf, packKind, packUlid, type PackIndex, type PackKind } from './pack.ts';

/** Keeps the footers of a remote's packs, which never change. */
export interface FooterCache {
  get(pack: string): Buffer | undefined;
  put(pack: string, bytes: Buffer): void;
}

export interface RemoteFootersOptions {
  readonly cache?: FooterCache | undefined;
  readonly onRead?: OnRead | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RemoteLocateOptions extends LocateOptions {
  /** Whether the packs listed once will do: a chunk pushed since then may be missed. */
  readonly asListed?: boolean;
  /** Whether a chunk counts only if it lies in the packs that searches begin with. */
  readonly likelyOnly?: boolean;
}

/** Where not told otherwise, packs of nodes and manifests are searched first: they are small. */
const KINDS: readonly PackKind[] = ['m', 'd'];
const LEAVES_FIRST: readonly PackKind[] = ['d', 'm'];

export class RemoteFooters {
  readonly #store: BlobStore;
  readonly #options: RemoteFootersOptions;
  readonly #index = new MemoryChunkIndex();
  /** Packs that were listed but whose footers were not read, oldest first. */
  readonly #unread: Record<PackKind, BlobStat[]> = { m: [], d: [] };
  readonly #listed = new Set<PackKind>();
  readonly #sizes = new Map<string, number>();
  /** Packs that could not be read; they matter only if a chunk is not found elsewhere. */
  readonly #damaged: unknown[] = [];
  readonly #recent = new RecentPacks((pack) => this.#read(pack));
  #isLikely: (ulid: string) => boolean = () => true;
  #locating: Promise<unknown> = Promise.resolve();

  constructor(store: BlobStore, options: RemoteFootersOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** The first error met in a pack's footer: why a chunk may be missing. */
  get damage(): unknown {
    return this.#damaged[0];
  }

  /** Where the chunks lie; undefined for what the store does not hold. */
  locate(
    names: readonly (Hash | ShortName)[],
    options: RemoteLocateOptions = {},
  ): Promise<(ChunkLocation | undefined)[]> {
    const wanted = new Map<Hash | ShortName, number>(
      names.map((name, position) => [name, options.depths?.[position] ?? Infinity]),
    );
    // One after the other: what one call reads, the next one finds.
    const kinds = options.leaves === true ? LEAVES_FIRST : KINDS;
    const located = this.#locating.then(() => this.#locate(wanted, kinds, options));
    this.#locating = located.catch(() => {});
    return located.then(() =>
      names.map((name) => {
        const location = this.#index.find(name);
        const counts =
          location !== undefined && (options.likelyOnly !== true || this.#isLikely(packUlid(location.frame.pack)));
        return counts ? location : undefined;
      }),
    );
  }

  /** Has searches begin with the packs of these ULIDs: the others are looked at if they do not have all. */
  beginWith(isLikely: (ulid: string) => boolean): void {
    this.#isLikely = isLikely;
  }

  /** What the footer of one pack says. */
  read(pack: string): Promise<PackIndex> {
    return this.#recent.get(pack);
  }

  async #locate(
    wanted: Map<Hash | ShortName, number>,
    kinds: readonly PackKind[],
    { asListed = false, likelyOnly = false }: RemoteLocateOptions,
  ): Promise<void> {
    this.#dropFound(wanted);
    const listedBefore = [...this.#listed];
    for (const kind of kinds) {
      if (wanted.size > 0 && !this.#listed.has(kind)) await this.#list(kind);
      await this.#search(kind, wanted, (ulid) => this.#isLikely(ulid));
    }
    if (likelyOnly) return;
    for (const kind of kinds) await this.#search(kind, wanted);
    if (asListed) return;
    // Somebody may have pushed since the packs were listed.
    for (const kind of kinds.filter((one) => listedBefore.includes(one))) {
      if (wanted.size === 0) return;
      await this.#list(kind);
      await this.#search(kind, wanted);
    }
  }

  #dropFound(wanted: Map<Hash | ShortName, number>): void {
    for (const [name, depth] of wanted) {
      const location = this.#index.find(name);
      if (location !== undefined && location.frame.depth < depth) wanted.delete(name);
    }
  }

  /** Reads footers, newest first, in steps of 1, 2, 4, … packs, until all wanted chunks are found. */
  async #search(
    kind: PackKind,
    wanted: Map<Hash | ShortName, number>,
    isMeant: (ulid: string) => boolean = () => true,
  ): Promise<void> {
    const open = this.#unread[kind].filter(({ name }) => isMeant(packUlid(name)));
    for (let step = 1; wanted.size > 0 && open.length > 0; step = Math.min(2 * step, RANGES_IN_FLIGHT)) {
      const packs = open.splice(-step).reverse();
      // Where one fails, nothing is added: these packs are looked at again by the next call.
      const indexes = await mapLimited(packs, RANGES_IN_FLIGHT, ({ name }) => this.#readOrSetAside(name));
      const read = new Set(packs);
      this.#unread[kind] = this.#unread[kind].filter((pack) => !read.has(pack));
      for (const index of indexes) if (index !== undefined) this.#index.add(index);
      this.#dropFound(wanted);
    }
  }

  async #list(kind: PackKind): Promise<void> {
    const { signal } = this.#options;
    for await (const stat of this.#store.list(`packs/${kind}/`, { signal })) {
      if (packKind(stat.name) !== kind || this.#sizes.has(stat.name)) continue;
      this.#sizes.set(stat.name, stat.sizeBytes);
      this.#unread[kind].push(stat);
    }
    this.#listed.add(kind);
  }

  /** A damaged pack must not hide the others. */
  async #readOrSetAside(pack: string): Promise<PackIndex | undefined> {
    try {
      return await this.#recent.get(pack);
    } catch (error) {
      if (!isUttrError(error, 'wrong-answer', 'format-too-new')) throw error;
      this.#damaged.push(error);
      return undefined;
    }
  }

  async #read(pack: string): Promise<PackIndex> {
    let sizeBytes = this.#sizes.get(pack);
    const kept = this.#readKept(pack, sizeBytes);
    if (kept !== undefined) return kept;
    try {
      sizeBytes ??= (await this.#store.stat(pack, { signal: this.#options.signal }))?.sizeBytes;
      if (sizeBytes === undefined) throw badPack(pack, `it is not in ${this.#store.url}`);
      const bytes = await readFooterBytes(this.#store, pack, sizeBytes, this.#options);
      const index = decodeFooterOf(pack, sizeBytes, bytes);
      this.#options.cache?.put(pack, bytes);
      return index;
    } catch (error) {
      if (!isUttrError(error, 'bad-pack')) throw error;
      throw new UttrError('wrong-answer', `${this.#store.url} answered with a damaged footer of pack ${pack}`, {
        details: { pack, store: this.#store.url },
        hint: 'try again; if it stays so, run `uttr fsck` on the remote',
        cause: error,
      });
    }
  }

  #readKept(pack: string, sizeBytes: number | undefined): PackIndex | undefined {
    const bytes = this.#options.cache?.get(pack);
    if (bytes === undefined) return undefined;
    try {
      const index = decodeFooter(pack, bytes);
      return sizeBytes === undefined || index.sizeBytes === sizeBytes ? index : undefined;
    } catch (error) {
      // What is kept is only a copy: a damaged one is read again and replaced.
      if (isUttrError(error, 'bad-pack', 'format-too-new')) return undefined;
      throw error;
    }
  }
}
