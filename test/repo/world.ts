/**
 * Working copies that share one folder as their remote, with a clock that ticks and chance that repeats.
 *
 * Every store is opened through a FaultyBlobStore, so that a test can count what is read and spoil what it likes.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { add } from '../../src/repo/add.ts';
import type { AddOptions } from '../../src/repo/add-options.ts';
import type { AddSummary } from '../../src/repo/add-summary.ts';
import { commit, type CommitOptions, type CommitSummary } from '../../src/repo/commit.ts';
import { relabelRecords, removeRecords } from '../../src/repo/edit-records.ts';
import { defaultDatasetConfig } from '../../src/repo/config.ts';
import { init } from '../../src/repo/init.ts';
import { pull, type PullOptions, type PullSummary, transferable } from '../../src/repo/pull.ts';
import { push, type TransferSummary } from '../../src/repo/push.ts';
import { findRecords } from '../../src/repo/query.ts';
import { Repository } from '../../src/repo/repository.ts';
import { headVersion, type Version } from '../../src/repo/versions.ts';
import { editConfig } from '../../src/repo/working-copy.ts';
import type { BlobStore } from '../../src/store/blob-store.ts';
import { openStore } from '../../src/store/open-store.ts';
import { FaultyBlobStore } from '../doubles/faulty-blob-store.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

export interface Row {
  readonly text: string;
  readonly intent?: string | readonly string[];
  readonly [field: string]: unknown;
}

export const DATASET = 'support';

export class World {
  readonly root = temporaryDirectory();
  readonly notes: string[] = [];
  readonly #stores = new Map<string, FaultyBlobStore>();
  #nowMs = Date.UTC(2026, 0, 1);
  #seed: number;
  readonly #openRemote: (url: string) => Promise<BlobStore>;

  constructor(seed = 1, openRemote: (url: string) => Promise<BlobStore> = openStore) {
    this.#seed = seed;
    this.#openRemote = openRemote;
  }

  get remoteUrl(): string {
    return join(this.root, 'remote');
  }

  readonly clock = { now: (): Date => new Date((this.#nowMs += 1000)) };

  readonly random = {
    bytes: (count: number): Uint8Array =>
      Uint8Array.from({ length: count }, () => {
        this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) & 0x7fffffff;
        return (this.#seed >>> 16) & 0xff;
      }),
  };

  /** The store at an address, as every working copy of this world opens it. */
  async store(url = this.remoteUrl): Promise<FaultyBlobStore> {
    let store = this.#stores.get(url);
    if (store === undefined) {
      store = new FaultyBlobStore(await this.#openRemote(url));
      this.#stores.set(url, store);
    }
    return store;
  }

  /** A new working copy of the dataset; with the shared remote unless told otherwise. */
  async copy(name: string, { remote = true }: { readonly remote?: boolean } = {}): Promise<Copy> {
    const copy = new Copy(this, join(this.root, name));
    await init(copy.root);
    await editConfig(copy.root, (config) => {
      config['datasets'] = { [DATASET]: defaultDatasetConfig(DATASET) };
      if (remote) config['remotes'] = { origin: { url: this.remoteUrl } };
    });
    return copy;
  }

  /** A working copy as git would bring it: configuration and pointers, but no data. */
  clone(from: Copy, name: string): Copy {
    const copy = new Copy(this, join(this.root, name));
    for (const part of ['uttr.json', 'manifests'])
      cpSync(join(from.root, part), join(copy.root, part), { recursive: true });
    return copy;
  }
}

export interface Fork {
  readonly world: World;
  readonly ada: Copy;
  readonly bob: Copy;
}

/** Two people with one version: Ada has pushed it, and Bob has pulled it; without rows neither has any. */
export async function fork(base: readonly Row[]): Promise<Fork> {
  const world = new World();
  const [ada, bob] = [await world.copy('ada'), await world.copy('bob')];
  if (base.length > 0) {
    await ada.put(base);
    await ada.push();
    await bob.pull();
  }
  return { world, ada, bob };
}

export class Copy {
  readonly root: string;
  readonly world: World;
  environment: Record<string, string> = { UTTR_AUTHOR: 'Ada' };

  constructor(world: World, root: string) {
    this.world = world;
    this.root = root;
  }

  async open<T>(work: (repository: Repository) => Promise<T>): Promise<T> {
    const { world } = this;
    const repository = await Repository.open(this.root, {
      clock: world.clock,
      random: world.random,
      environment: this.environment,
      progress: { update: () => undefined, note: (message) => void world.notes.push(message) },
      openStore: (url) => world.store(url),
    });
    try {
      return await work(repository);
    } finally {
      await repository.close();
    }
  }

  add(rows: readonly Row[], options: AddOptions = {}): Promise<AddSummary> {
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    return this.open((repository) =>
      add(repository, DATASET, [{ kind: 'stream', name: 'batch.jsonl', stream: once(lines) }], {
        format: 'jsonl',
        onConflict: 'relabel',
        ...options,
      }),
    );
  }

  commit(options: CommitOptions = {}): Promise<CommitSummary> {
    return this.open((repository) => commit(repository, DATASET, options));
  }

  /** Adds rows and commits them. */
  async put(rows: readonly Row[], options: AddOptions = {}): Promise<CommitSummary> {
    await this.add(rows, options);
    return this.commit();
  }

  async remove(...texts: readonly string[]): Promise<CommitSummary> {
    await this.open((repository) => removeRecords(repository, DATASET, { texts }, false));
    return this.commit();
  }

  async relabel(text: string, intent: string): Promise<CommitSummary> {
    await this.open((repository) => relabelRecords(repository, DATASET, { texts: [text] }, intent, false));
    return this.commit();
  }

  push(remote?: string): Promise<TransferSummary> {
    return this.open(async (repository) => push(repository, remote, await transferable(repository)));
  }

  pull(options: Partial<PullOptions> = {}): Promise<PullSummary> {
    return this.open(async (repository) => pull(repository, { datasets: await transferable(repository), ...options }));
  }

  head(): Promise<Version> {
    return this.open(async (repository) => {
      const version = await headVersion(repository, DATASET);
      if (version === undefined) throw new Error('there is no version');
      return version;
    });
  }

  /** Records of HEAD: `side intent` by text. */
  async records(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    await this.open(async (repository) => {
      const version = await headVersion(repository, DATASET);
      if (version === undefined) return;
      for await (const batch of findRecords(repository, version)) {
        for (const { side, json } of batch) {
          const { text, intent } = JSON.parse(json) as Row;
          found[text] = `${side} ${JSON.stringify(intent ?? null)}`;
        }
      }
    });
    return found;
  }
}

async function* once(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

/** Rows with texts of their own, in so many intents. */
export function rows(from: number, count: number, intents = 3): Row[] {
  return Array.from({ length: count }, (_, at) => ({
    text: `utterance number ${from + at}`,
    intent: `intent ${(from + at) % intents}`,
  }));
}

/** Bytes read from a store since `start` calls were made. */
export function bytesRead(store: FaultyBlobStore, start = 0): number {
  return store.calls
    .slice(start)
    .filter(({ method }) => method === 'get' || method === 'read')
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
