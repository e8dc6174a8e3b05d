/**
 * Pull and fetch: the data of a version from a remote to here; in a pull, also what others have pushed.
 *
 * The pointer of the working tree says which version is wanted; a pull never moves it away from what git has
 * checked out. It moves it only where both sides have gone on from a common version (the records are merged), or
 * where no git is there to bring the new pointer.
 */
import { crashPoint } from '../base/crash-points.ts';
import { isUttrError, UttrError } from '../base/errors.ts';
import { encodePointer, pointerOf } from '../records/pointer.ts';
import { namesIn } from '../store/chunk-index.ts';
import { PackSink } from '../store/pack-sink.ts';
import type { RemoteChunks } from '../store/remote-chunks.ts';
import { copyToEnd, type WantedChunk } from '../store/transfer.ts';
import type { TreeRoot } from '../tree/build.ts';
import { isAncestor } from './ancestry.ts';
import type { Checkpoint } from './checkpoint.ts';
import { defaultDatasetConfig } from './config.ts';
import { mergeVersions, type MergeSummary } from './merge-state.ts';
import { placesOf } from './query.ts';
import { treeOf } from './record-changes.ts';
import type { TransferSummary } from './push.ts';
import { readDatasets, readHead, readTags, type RemoteHead } from './remote-heads.ts';
import { noticeStepBack } from './remote-memory.ts';
import { openRemote, type OpenRemote, requireRemote } from './remotes.ts';
import type { Repository } from './repository.ts';
import { treesByPlace, treesOf, wantedOf } from './send-versions.ts';
import { TransferCount } from './transfer-count.ts';
import { headVersion, loadVersion, type Version } from './versions.ts';
import { editConfig, pointedDatasets, readPointerText, writePointerText } from './working-copy.ts';

export interface PullOptions {
  readonly remote?: string | undefined;
  /** Empty: every dataset that the remote has. */
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
  const chunks = await repository.lazy.use(remote);
  const job = new Pull(repository, remote, chunks, options);
  const names = options.datasets.length > 0 ? options.datasets : await readDatasets(remote.store);
  const datasets: PulledDataset[] = [];
  for (const dataset of names) datasets.push(...(await job.dataset(dataset)));
  const { packs, blocks, bytes } = job.count;
  return { remote: remote.name, packs, blocks, bytes, versions: job.versions, datasets };
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

  constructor(repository: Repository, remote: OpenRemote, chunks: RemoteChunks, options: PullOptions) {
    this.#repository = repository;
    this.#remote = remote;
    this.#chunks = chunks;
    this.#options = options;
  }

  async dataset(dataset: string): Promise<PulledDataset[]> {
    const repository = this.#repository;
    const branch = await repository.branch();
    const there = (await readHead(this.#remote.store, dataset, branch, { signal: repository.signal }))?.head;
    // A name that nobody knows, here or there, is a typing error.
    if (there === undefined && !(await transferable(repository)).includes(dataset)) repository.dataset(dataset);
    noticeStepBack(repository, this.#remote, dataset, branch, there);
    this.#direct(dataset, there?.checkpoint);
    await this.#takeTags(dataset);
    if (this.#options.fetchOnly === true) {
      if (there === undefined) return [];
      await this.#bring(await this.#theirs(dataset, there));
      this.#remember(there);
      return [{ dataset, version: there.version, action: 'fetched' }];
    }
    const here = await headVersion(repository, dataset);
    if (here === undefined) {
      return there === undefined ? [] : [await this.#forward(await this.#theirs(dataset, there), there)];
    }
    await this.#bring(here);
    if (there === undefined) return [{ dataset, version: here.hash, action: 'up-to-date' }];
    return [await this.#bringTogether(here, there)];
  }

  /** Has chunks looked for where they are small. */
  #direct(dataset: string, checkpoint: Checkpoint | undefined): void {
    const { catalogue } = this.#repository;
    const { first = '', last = '' } = checkpoint ?? {};
    const seen = catalogue.remotes.newestFooter(this.#remote.url);
    if (seen === undefined || catalogue.completeVersions(dataset, 1).length === 0) {
      this.#chunks.beginWith((pack) => pack >= first);
    } else {
      // What a version here lacks was sent as deltas, too: the packs that have all of it are large.
      this.#chunks.beginWith((pack) => pack > seen && (pack < first || pack > last));
    }
  }

  /** Takes in what others have pushed, as far as git leaves that to us. */
  async #bringTogether(here: Version, there: RemoteHead): Promise<PulledDataset> {
    const repository = this.#repository;
    const { dataset } = here.manifest;
    const theirs = await this.#theirs(dataset, there);
    if (await isAncestor(repository, theirs.hash, here.hash)) {
      this.#remember(there);
      return { dataset, version: here.hash, action: 'up-to-date' };
    }
    if (await isAncestor(repository, here.hash, theirs.hash)) {
      // The remote has it with the history of its head.
      repository.catalogue.transaction(() => repository.catalogue.remotes.addVersion(this.#remote.url, here.hash));
      if (this.#options.latest === true || (await repository.git.topLevel()) === undefined) {
        return this.#forward(theirs, there);
      }
      this.#remember(there);
      return { dataset, version: here.hash, action: 'behind' };
    }
    // A merge reads what differs on every side.
    await this.#bring(theirs, undefined);
    this.#remember(there);
    const merge = await mergeVersions(repository, here, theirs, {});
    return { dataset, version: merge.version, action: 'merged', merge };
  }

  /** The version that a head names. @throws wrong-answer when the remote does not have it */
  async #theirs(dataset: string, head: RemoteHead): Promise<Version> {
    try {
      return await loadVersion(this.#repository, head.version, dataset);
    } catch (error) {
      if (!isUttrError(error, 'unknown-version')) throw error;
      throw new UttrError(
        'wrong-answer',
        `${this.#remote.name} names version ${head.version.slice(0, 12)} of ${dataset} but does not hold it`,
        { cause: error, hint: 'look at it with: uttr fsck --remote; whoever has the data can push it again' },
      );
    }
  }

  #remember(head: RemoteHead): void {
    const { catalogue } = this.#repository;
    catalogue.transaction(() => {
      catalogue.remotes.setHead(this.#remote.url, head);
      catalogue.remotes.addVersion(this.#remote.url, head.version);
    });
  }

  /** Moves the pointer to a version of the remote, its data first. */
  async #forward(version: Version, head: RemoteHead): Promise<PulledDataset> {
    const repository = this.#repository;
    const { dataset } = version.manifest;
    await this.#bring(version);
    this.#remember(head);
    await this.#configure(version);
    const before = await readPointerText(repository.root, dataset);
    const text = encodePointer(pointerOf(version.hash, version.manifest));
    repository.catalogue.transaction(() =>
      repository.catalogue.setPointer({ dataset, previous: before ?? null, version: version.hash, text }),
    );
    crashPoint('pull.recorded');
    await writePointerText(repository.root, dataset, text);
    crashPoint('pull.pointer-written');
    repository.catalogue.transaction(() => repository.catalogue.clearPointer(dataset));
    return { dataset, version: version.hash, action: 'forwarded' };
  }

  /** A project that is told of a dataset by the remote alone takes its settings from the version. */
  async #configure({ manifest }: Version): Promise<void> {
    const { dataset, identity, split } = manifest;
    const repository = this.#repository;
    if (dataset in repository.config.datasets) return;
    repository.setConfig(
      await editConfig(repository.root, (config) => {
        const datasets = (config['datasets'] ??= {}) as Record<string, unknown>;
        datasets[dataset] = { ...defaultDatasetConfig(dataset), identity, split };
      }),
    );
  }

  async #takeTags(dataset: string): Promise<void> {
    const { catalogue, progress, signal } = this.#repository;
    const tags = await readTags(this.#remote.store, dataset, { signal });
    const others: string[] = [];
    catalogue.transaction(() => {
      for (const [name, version] of tags) {
        const ours = catalogue.tag(dataset, name);
        if (ours === undefined) catalogue.setTag(dataset, name, version);
        else if (ours !== version) others.push(name);
      }
    });
    if (others.length > 0) {
      progress.note(
        `${this.#remote.name} has other versions for tags of ${dataset} that are here already: ${others.join(', ')}; ` +
          'yours stay (uttr tag --delete <name>, then uttr fetch, takes theirs)',
      );
    }
  }

  /** Copies what a version needs and is not here; each pack is known as soon as it is durable. */
  async #bring(version: Version, side = this.#options.side): Promise<void> {
    const { catalogue } = this.#repository;
    if (catalogue.isComplete(version.hash)) return;
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
    await copyToEnd({
      from: this.#chunks,
      to: sink,
      wanted: this.#wanted(version, side),
      alreadyThere: (names) => namesIn(catalogue, names),
      depthThere: (hash) => catalogue.find(hash)?.frame.depth,
      progress: this.#repository.progress,
      signal: this.#repository.signal,
    });
    // All that is needed of what was read is here; the rest only led to it.
    this.#chunks.forgetKept();
    this.versions++;
    if (side === undefined) catalogue.transaction(() => catalogue.setComplete(version.hash));
  }

  /** Chunks of the version that no version here is known to share. */
  async *#wanted(version: Version, side: string | undefined): AsyncIterable<readonly WantedChunk[]> {
    const repository = this.#repository;
    const { manifest } = version;
    if (!repository.isHere(version.hash)) yield [{ hash: version.hash, kind: 'node' }];
    const bases: Version[] = [];
    for (const hash of repository.catalogue.completeVersions(manifest.dataset, 2)) {
      bases.push(await loadVersion(repository, hash));
    }
    const places = side === undefined ? treesByPlace(manifest) : [[side, sideTree(version, side)] as const];
    const from = bases.flatMap((base) => treesOf(base.manifest));
    for (const [place, tree] of places) yield* wantedOf(repository, place, from, tree);
  }
}

function sideTree(version: Version, side: string): TreeRoot {
  const [place] = placesOf(version, side);
  return treeOf(version.manifest, place as string);
}
