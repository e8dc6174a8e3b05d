/**
 * Which groups a version does not have, known without reading its trees: most rows of a batch are new, and looking
 * each of them up on every side would cost more than all the rest of `add`.
 *
 * A dataset has a Bloom filter in a file that never changes, and in the catalogue the groups added since it was written
 * and the versions it covers.
 *
 * N1  Of a version that is covered, every group is in the filter or its additions: those with records on any side,
 *     those without a label, and those that left the data. So what is in neither is new.
 * N2  A version becomes covered in the transaction that adds its groups. Nothing is taken out of a filter.
 *
 * It is a cache of one working copy: where it is missing, damaged, or the version is not covered, the trees are asked.
 */
import type { Hash } from '../base/hash.ts';
import { xxh32 } from '../base/xxhash.ts';
import { countOf, type FilterAddition, type FilterRow, HASH_BYTES } from '../catalogue/filter-rows.ts';
import { BloomBuilder, BloomFile } from '../store/bloom-filter.ts';
import { discard, writeDurably } from '../store/durable-file.ts';
import { changedFolds, eachFold } from './folds.ts';
import { versionStats } from './query.ts';
import type { Repository } from './repository.ts';
import { loadVersion, type Version } from './versions.ts';

export const FILTERS = 'filters';
const SEED = 0x666f6c64;

/** A filter is made for so many times the groups that there are, so that it lasts, and for no fewer than so many. */
const ROOM = 2;
const LEAST_CAPACITY = 1024;
/** Additions are read by every `add`: beyond so many they are put into the file. */
const ADDITIONS_LIMIT = 65_536;
/** Versions made elsewhere are covered by what they changed, within limits. */
const STEP_LIMIT = 64;
const CHANGES_LIMIT = 100_000;

/** The hash by which a filter knows a group, of its folded text `bytes[start..end)`. */
const hashOf = (bytes: Buffer, start = 0, end: number = bytes.length): number => xxh32(bytes, start, end, SEED);

/** Hashes on their way into the catalogue. */
class HashList {
  #bytes = Buffer.alloc(64 * HASH_BYTES);
  #length = 0;

  add(hash: number): void {
    if (this.#length === this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#length)]);
    this.#length = this.#bytes.writeUInt32LE(hash, this.#length);
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}

function* hashesIn(additions: readonly FilterAddition[]): Generator<number> {
  for (const { hashes: bytes } of additions) {
    for (let at = 0; at < bytes.length; at += HASH_BYTES) yield bytes.readUInt32LE(at);
  }
}

/** The filter, open. */
export class GroupFilter {
  readonly #file: BloomFile;
  readonly #added: ReadonlySet<number>;

  private constructor(file: BloomFile, additions: readonly FilterAddition[]) {
    this.#file = file;
    this.#added = new Set(hashesIn(additions));
  }

  /** undefined where the trees have to be asked. */
  static async open(repository: Repository, parent: Version | undefined): Promise<GroupFilter | undefined> {
    if (parent === undefined) return undefined;
    const { catalogue } = repository;
    const { dataset } = parent.manifest;
    if (catalogue.filters.get(dataset) === undefined || !(await cover(repository, parent))) return undefined;
    const [row, additions] = catalogue.transaction(() => [
      // Another command may have made a new filter meanwhile.
      catalogue.filters.covers(dataset, parent.hash) ? catalogue.filters.get(dataset) : undefined,
      catalogue.filters.additions(dataset),
    ]);
    if (row === undefined) return undefined;
    const file = additions === undefined ? undefined : BloomFile.open(repository.path(FILTERS, row.file));
    if (file !== undefined && additions !== undefined) return new GroupFilter(file, additions);
    catalogue.transaction(() => {
      // The next commit makes another.
      if (catalogue.filters.get(dataset)?.file === row.file) catalogue.filters.clear(dataset);
    });
    return undefined;
  }

  /** false: there is no such group. */
  mayHave(fold: Buffer): boolean {
    const hash = hashOf(fold);
    return this.#added.has(hash) || this.#file.mayHave(hash);
  }

  close(): void {
    this.#file.close();
  }
}

/**
 * Has a version covered that was made elsewhere, or by a merge: going back along first parents to one that is covered,
 * by the changes that each step lists and the groups it retired.
 *
 * @returns whether the version is covered now
 */
async function cover(repository: Repository, version: Version): Promise<boolean> {
  const { catalogue } = repository;
  const { dataset } = version.manifest;
  const steps: { readonly version: Version; readonly parent: Version }[] = [];
  let changes = 0;
  for (let child = version; !catalogue.filters.covers(dataset, child.hash);) {
    const { list } = child.manifest.changes;
    const [before] = child.manifest.parents;
    changes += list?.records ?? 0;
    if (list === null || before === undefined || steps.length === STEP_LIMIT || changes > CHANGES_LIMIT) return false;
    const parent = await loadVersion(repository, before);
    steps.push({ version: child, parent });
    child = parent;
  }
  for (const { version: child, parent } of steps.toReversed()) {
    const hashes = new HashList();
    for await (const fold of changedFolds(repository, parent, child)) hashes.add(hashOf(fold));
    catalogue.transaction(() => {
      if (catalogue.filters.covers(dataset, parent.hash)) catalogue.filters.cover(dataset, child.hash, hashes.bytes);
    });
  }
  return true;
}

/** The groups that a commit adds: those of a first version go into a filter of their own. */
export class AddedGroups {
  readonly #repository: Repository;
  readonly #dataset: string;
  readonly #parent: Hash | undefined;
  readonly #capacity: number;
  readonly #hashes = new HashList();
  readonly #filter: BloomBuilder | undefined;
  #groups = 0;
  #file: string | undefined;

  /** @param records at least as many as there are groups to come */
  constructor(repository: Repository, dataset: string, parent: Hash | undefined, records: number) {
    this.#repository = repository;
    this.#dataset = dataset;
    this.#parent = parent;
    this.#capacity = capacityFor(records);
    if (parent === undefined) this.#filter = BloomBuilder.empty(this.#capacity);
  }

  /** The folded text `bytes[start..end)` of a group. */
  add(bytes: Buffer, start: number, end: number): void {
    this.#groups++;
    (this.#filter ?? this.#hashes).add(hashOf(bytes, start, end));
  }

  /** Writes the file of a first version; a version can do without. */
  async write(): Promise<void> {
    if (this.#filter === undefined) return;
    try {
      this.#file = await writeFilter(this.#repository, this.#dataset, this.#filter);
    } catch {
      // maintainFilter tries again, and tells of it.
    }
  }

  /** Covers the new version. Call inside the transaction that makes it known. */
  record(version: Hash): void {
    const { filters } = this.#repository.catalogue;
    const dataset = this.#dataset;
    if (this.#file !== undefined) {
      filters.replace(dataset, { file: this.#file, groups: this.#groups, capacity: this.#capacity });
      filters.cover(dataset, version, Buffer.alloc(0));
    } else if (this.#parent !== undefined && filters.covers(dataset, this.#parent)) {
      filters.cover(dataset, version, this.#hashes.bytes);
    }
  }
}

/**
 * Keeps the filter of a dataset fit for use: puts many additions into the file, and makes a new one from the trees where
 * there is none, or the dataset has outgrown it. Then it costs one reading of the dataset, which doubles before the next.
 */
export async function maintainFilter(repository: Repository, version: Version): Promise<void> {
  try {
    await maintain(repository, version);
  } catch (error) {
    // The version is made, and without a filter the trees are asked.
    repository.progress.note(
      `the filter of ${version.manifest.dataset} is not up to date: ${(error as Error).message}`,
    );
  }
}

async function maintain(repository: Repository, version: Version): Promise<void> {
  const { catalogue } = repository;
  const { dataset } = version.manifest;
  const row = catalogue.filters.get(dataset);
  const additions = catalogue.filters.additions(dataset);
  if (row === undefined || additions === undefined || !catalogue.filters.covers(dataset, version.hash)) {
    await rebuild(repository, version, row);
    return;
  }
  const added = countOf(additions);
  if (added <= ADDITIONS_LIMIT) return;
  const hasRoom = row.groups + added <= row.capacity;
  const filter = hasRoom ? BloomBuilder.read(repository.path(FILTERS, row.file)) : undefined;
  if (filter === undefined) {
    await rebuild(repository, version, row);
    return;
  }
  for (const hash of hashesIn(additions)) filter.add(hash);
  await exchange(repository, dataset, row, filter, (file) => {
    catalogue.filters.absorb(dataset, file, additions);
  });
}

async function rebuild(repository: Repository, version: Version, row: FilterRow | undefined): Promise<void> {
  const { catalogue, progress } = repository;
  const { manifest } = version;
  const most = versionStats(version).rows + manifest.retired.records;
  // What is not here is not fetched for this.
  if (!catalogue.isComplete(version.hash)) return;
  const capacity = capacityFor(most);
  const filter = BloomBuilder.empty(capacity);
  let groups = 0;
  await eachFold(repository.localOnly, manifest, (bytes, start, end) => {
    filter.add(hashOf(bytes, start, end));
    if (++groups % 10_000 === 0) progress.update('listing groups', groups, most, 'groups');
  });
  await exchange(repository, manifest.dataset, row, filter, (file) => {
    catalogue.filters.replace(manifest.dataset, { file, groups, capacity });
    catalogue.filters.cover(manifest.dataset, version.hash, Buffer.alloc(0));
  });
}

/** Puts another filter in the place of the one that was read, unless another command was faster. */
async function exchange(
  repository: Repository,
  dataset: string,
  row: FilterRow | undefined,
  filter: BloomBuilder,
  record: (file: string) => void,
): Promise<void> {
  const { catalogue } = repository;
  const file = await writeFilter(repository, dataset, filter);
  const isFirst = catalogue.transaction(() => {
    if (catalogue.filters.get(dataset)?.file !== row?.file) return false;
    record(file);
    return true;
  });
  const gone = isFirst ? row?.file : file;
  if (gone !== undefined) await discard(repository.path(FILTERS, gone));
}

function capacityFor(groups: number): number {
  return Math.max(LEAST_CAPACITY, ROOM * groups);
}

async function writeFilter(repository: Repository, dataset: string, filter: BloomBuilder): Promise<string> {
  const file = `${dataset}-${repository.ulids.next()}.bloom`;
  await repository.ensureFolder(FILTERS);
  await writeDurably(repository.path(FILTERS, file), filter.finish());
  return file;
}
