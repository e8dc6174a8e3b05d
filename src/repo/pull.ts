/**
 * Pull and fetch: the data of a version from a remote to here; in a pull, also what others have pushed.
 *
 * The pointer of the working tree says which version is wanted; a pull never moves it away from what git has
 * checked out. It moves it only where both sides have gone on from a common version (the records are merged), or
 * where no git is there to bring the new pointer.
 */
import { crashPoint } from '../base/crash-points.ts';
import type { Hash } from '../base/hash.ts';
import { encodePointer, pointerOf } from '../records/pointer.ts';
import { PackSink } from '../store/pack-sink.ts';
import { RemoteChunks } from '../store/remote-chunks.ts';
import { copyChunks } from '../store/transfer.ts';
import type { TreeRoot } from '../tree/build.ts';
import { newChunks } from '../tree/new-chunks.ts';
import { footerCache } from './lazy-remote.ts';
import { mergeVersions, type MergeSummary } from './merge-state.ts';
import { placesOf } from './query.ts';
import { treeOf } from './record-changes.ts';
import { isAncestor, TransferCount, type TransferSummary, treesOf } from './push.ts';
import { readHead, readTags } from './remote-heads.ts';
import { openRemote, type OpenRemote, requireRemote } from './remotes.ts';
import type { Repository } from './repository.ts';
import { headVersion, loadVersion, type Version } from './versions.ts';
import { pointedDatasets, readPointerText, writePointerText } from './working-copy.ts';

export interface PullOptions {
  readonly remote?: string | undefined;
  readonly datasets: readonly string[];
  /** One side only: for a training job that needs no more. */
  readonly side?: string | undefined;
  /** Moves the pointer forward to the remote's head even where git is there. */
  readonly latest?: boolean | undefined;
  /** Fetch: the remote's head is wanted, the pointer stays as it is. */
  readonly fetchOnly?: boolean | undefined;
}

export interface PulledDataset {
  readonly dataset: string;
  readonly version: string;
  readonly action: 'up-to-date' | 'fetched' | 'forwarded' | 'merged' | 'behind';
  readonly merge?: MergeSummary;
}

export interface PullSummary extends Omit<TransferSummary, 'datasets'> {
  readonly datasets: readonly PulledDataset[];
}

/** Brings data here. @throws unknown-remote, remote-unreachable, merge-conflict, wrong-answer … */
export async function pull(repository: Repository, options: PullOptions): Promise<PullSummary> {
  const remote = await openRemote(repository, requireRemote(repository, options.remote), 'read');
  const job = new Pull(repository, remote, options);
  try {
    const datasets: PulledDataset[] = [];
    for (const dataset of options.datasets) datasets.push(...(await job.dataset(dataset)));
    const { packs, blocks, bytes } = job.count;
    return { remote: remote.name, packs, blocks, bytes, versions: job.versions, datasets };
  } finally {
    await remote.store.close();
  }
}

/** Datasets to transfer where none is named: all that have a pointer or are configured. */
export async function transferable(repository: Repository): Promise<string[]> {
  return [...new Set([...Object.keys(repository.config.datasets), ...(await pointedDatasets(repository.root))])].sort();
}

class Pull {
  readonly count = new TransferCount();
  versions = 0;
  readonly #repository: Repository;
  readonly #remote: OpenRemote;
  readonly #options: PullOptions;
  readonly #chunks: RemoteChunks;

  constructor(repository: Repository, remote: OpenRemote, options: PullOptions) {
    this.#repository = repository;
    this.#remote = remote;
    this.#options = options;
    const footers = footerCache(repository, remote.url);
    this.#chunks = new RemoteChunks(remote.store, { footers, signal: repository.signal });
  }

  async dataset(dataset: string): Promise<PulledDataset[]> {
    const repository = this.#repository;
    const branch = await repository.branch();
    const signal = { signal: repository.signal };
    const there = (await readHead(this.#remote.store, dataset, branch, signal))?.head;
    await this.#takeTags(dataset);
    if (there !== undefined) {
      repository.catalogue.transaction(() => repository.catalogue.setRemoteHead(this.#remote.url, there));
    }
    if (this.#options.fetchOnly === true) {
      if (there === undefined) return [];
      await this.#bring(await loadVersion(repository, there.version, dataset));
      return [{ dataset, version: there.version, action: 'fetched' }];
    }
    const here = await headVersion(repository, dataset);
    if (here === undefined) return there === undefined ? [] : [await this.#forward(dataset, there.version)];
    await this.#bring(here);
    if (there === undefined || (await isAncestor(repository, there.version, here.hash))) {
      return [{ dataset, version: here.hash, action: 'up-to-date' }];
    }
    if (await isAncestor(repository, here.hash, there.version)) {
      if (this.#options.latest === true || (await repository.git.topLevel()) === undefined) {
        return [await this.#forward(dataset, there.version)];
      }
      return [{ dataset, version: here.hash, action: 'behind' }];
    }
    const theirs = await loadVersion(repository, there.version, dataset);
    await this.#bring(theirs);
    const merge = await mergeVersions(repository, here, theirs, {});
    return [{ dataset, version: merge.version, action: 'merged', merge }];
  }

  /** Moves the pointer to a version of the remote, its data first. */
  async #forward(dataset: string, hash: Hash): Promise<PulledDataset> {
    const repository = this.#repository;
    const version = await loadVersion(repository, hash, dataset);
    await this.#bring(version);
    const before = await readPointerText(repository.root, dataset);
    const text = encodePointer(pointerOf(hash, version.manifest));
    repository.catalogue.transaction(() =>
      repository.catalogue.setPointer({ dataset, previous: before ?? null, version: hash, text }),
    );
    crashPoint('pull.recorded');
    await writePointerText(repository.root, dataset, text);
    crashPoint('pull.pointer-written');
    repository.catalogue.transaction(() => repository.catalogue.clearPointer(dataset));
    return { dataset, version: hash, action: 'forwarded' };
  }

  async #takeTags(dataset: string): Promise<void> {
    const { catalogue, signal } = this.#repository;
    const tags = await readTags(this.#remote.store, dataset, { signal });
    catalogue.transaction(() => {
      for (const [name, version] of tags)
        if (catalogue.tag(dataset, name) === undefined) catalogue.setTag(dataset, name, version);
    });
  }

  /** Copies what a version needs and is not here; each pack is known as soon as it is durable. */
  async #bring(version: Version): Promise<void> {
    const { catalogue } = this.#repository;
    if (catalogue.isComplete(version.hash)) return;
    const { side } = this.#options;
    const sink = new PackSink(this.#repository.local, {
      index: catalogue,
      source: this.#repository.chunks,
      random: this.#repository.random,
      clock: this.#repository.clock,
      signal: this.#repository.signal,
      onPack: (pack) => {
        this.count.add(pack);
        catalogue.transaction(() => catalogue.addPacks([pack]));
        crashPoint('pull.packs-written');
      },
    });
    try {
      await copyChunks({
        from: this.#chunks,
        to: sink,
        wanted: this.#wanted(version, side),
        alreadyThere: (hash) => catalogue.has(hash),
        depthThere: (hash) => catalogue.find(hash)?.frame.depth,
        progress: this.#repository.progress,
        signal: this.#repository.signal,
      });
      await sink.finish();
    } catch (error) {
      await sink.abort();
      throw error;
    }
    this.versions++;
    if (side === undefined) catalogue.transaction(() => catalogue.setComplete(version.hash));
  }

  /** Chunks of the version that no version here is known to share. */
  async *#wanted(version: Version, side: string | undefined): AsyncIterable<readonly Hash[]> {
    const repository = this.#repository;
    const { manifest } = version;
    if (!repository.isHere(version.hash)) yield [version.hash];
    const bases: Version[] = [];
    for (const hash of repository.catalogue.completeVersions(manifest.dataset, 2)) {
      bases.push(await loadVersion(repository, hash));
    }
    const trees = side === undefined ? treesOf(manifest) : [sideTree(version, side)];
    const from = bases.flatMap((base) => treesOf(base.manifest));
    for (const tree of trees) {
      for await (const batch of newChunks(repository.chunks, from, tree)) yield batch.map((chunk) => chunk.hash);
    }
  }
}

function sideTree(version: Version, side: string): TreeRoot {
  const [place] = placesOf(version, side);
  return treeOf(version.manifest, place as string);
}
