/**
 * An open working copy: its configuration, catalogue and chunks, local first, then the remote.
 *
 * Everything under `.uttr/` can be made again from a remote; what is only there (staged batches, versions not
 * pushed yet) is said by `status`.
 */
import { basename, join } from 'node:path';
import { UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import { UlidSource } from '../base/ulid.ts';
import { hintFor } from '../base/near-miss.ts';
import { type Clock, type Progress, type Random, SILENT } from '../base/ports.ts';
import { Catalogue } from '../catalogue/catalogue.ts';
import { CatalogueOutbox } from '../catalogue/outbox.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { ChunkStore } from '../store/chunk-store.ts';
import type { ChunkSource } from '../store/chunks.ts';
import { ensureDirectory } from '../store/durable-file.ts';
import { FileBlobStore } from '../store/file-blob-store.ts';
import type { FrameThread } from '../store/frame-thread.ts';
import { openStore, type StoreOptions } from '../store/open-store.ts';
import { PackSink } from '../store/pack-sink.ts';
import type { Config, DatasetConfig } from './config.ts';
import { Git } from './git.ts';
import { LazyRemote } from './lazy-remote.ts';
import { checkStoreFormat } from './store-format.ts';
import { LOCAL, readConfig, readPointerText, requireRoot, writePointerText } from './working-copy.ts';

/** What the edges lend: time, chance, settings of the environment, a place to report progress. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
  /** Opens the store of a remote by its address; `openStore` by default. */
  readonly openStore?: OpenStore;
}

export type OpenStore = (url: string, options: StoreOptions) => Promise<BlobStore>;

export class Repository {
  readonly root: string;
  /** @internal */
  readonly catalogue: Catalogue;
  /** @internal */
  readonly outbox: CatalogueOutbox;
  readonly local: BlobStore;
  readonly git: Git;
  readonly clock: Clock;
  readonly random: Random;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
  readonly openStore: OpenStore;
  /** Names for files that must not repeat. */
  readonly ulids: UlidSource;
  readonly #chunks: ChunkStore;
  readonly #lazy: LazyRemote;
  #localOnly: ChunkStore | undefined;
  #config: Config;
  #branch: Promise<string> | undefined;
  #thread: FrameThread | undefined;
  #isCompressing = false;

  private constructor(root: string, config: Config, catalogue: Catalogue, local: BlobStore, around: Surroundings) {
    this.root = root;
    this.#config = config;
    this.catalogue = catalogue;
    this.outbox = new CatalogueOutbox(catalogue.db);
    this.local = local;
    this.git = new Git(root);
    this.clock = around.clock;
    this.random = around.random;
    this.environment = around.environment;
    this.progress = around.progress ?? SILENT;
    this.signal = around.signal;
    this.openStore = around.openStore ?? openStore;
    this.ulids = new UlidSource(around.clock, around.random);
    this.#lazy = new LazyRemote(this);
    this.#chunks = this.#chunkStore(this.#lazy);
  }

  /** Opens the working copy at or above `directory`. @throws not-a-repository, bad-config, format-too-new */
  static async open(directory: string, around: Surroundings): Promise<Repository> {
    const root = requireRoot(directory);
    const config = readConfig(root);
    const folder = join(root, LOCAL);
    await ensureDirectory(folder);
    const local = await FileBlobStore.open(folder);
    await checkStoreFormat(local, 'write');
    const catalogue = Catalogue.open(join(folder, 'catalogue.db'));
    const repository = new Repository(root, config, catalogue, local, around);
    await repository.#recover();
    return repository;
  }

  get config(): Config {
    return this.#config;
  }

  /** Takes over a configuration that was just written. */
  setConfig(config: Config): void {
    this.#config = config;
  }

  /** Chunks from here, or from the remote where they are not here. */
  get chunks(): ChunkSource {
    return this.#chunks;
  }

  /** Chunks that are here; never asks a remote. */
  get localChunks(): ChunkStore {
    return this.#chunks;
  }

  /** As `chunks`, but what is not here is missing. */
  get localOnly(): ChunkSource {
    this.#localOnly ??= this.#chunkStore(undefined);
    return this.#localOnly;
  }

  get lazy(): LazyRemote {
    return this.#lazy;
  }

  /** A sink whose packs land in `.uttr/`; the caller records them in the catalogue. */
  newSink(): PackSink {
    return new PackSink(this.local, {
      index: this.catalogue,
      source: this.#chunks,
      random: this.random,
      clock: this.clock,
      compress: this.#isCompressing ? this.#thread?.compress : undefined,
    });
  }

  /** Has another thread compress what new sinks are given: for work that is worth its start, some 20 ms. */
  async startCompressing(): Promise<void> {
    await this.startThread();
    this.#isCompressing = true;
  }

  /** Starts the thread that compresses, opens and checks frames, or gives the one that runs. @internal */
  async startThread(): Promise<FrameThread> {
    const { FrameThread: Thread } = await import('../store/frame-thread.ts');
    return (this.#thread ??= new Thread());
  }

  #chunkStore(fallback: ChunkSource | undefined): ChunkStore {
    return new ChunkStore(this.local, this.catalogue, {
      fallback,
      signal: this.signal,
      startOpening: async () => (await this.startThread()).open,
    });
  }

  path(...parts: string[]): string {
    return join(this.root, LOCAL, ...parts);
  }

  /** A folder in `.uttr/`, made if it is not there. */
  async ensureFolder(name: string): Promise<string> {
    const folder = this.path(name);
    await ensureDirectory(folder);
    return folder;
  }

  /** What the repository is called in events where no remote names it: its folder. */
  get name(): string {
    return basename(this.root);
  }

  /** The branch that heads mirror: git's, or `main` outside git and on a detached head. */
  branch(): Promise<string> {
    this.#branch ??= this.git.branch().then((branch) => branch ?? 'main');
    return this.#branch;
  }

  /** Who commits where nobody says: git's user, or the user of this machine. */
  async defaultAuthor(): Promise<string> {
    const { UTTR_AUTHOR, USER, USERNAME } = this.environment;
    return UTTR_AUTHOR ?? (await this.git.author()) ?? USER ?? USERNAME ?? 'unknown';
  }

  isHere(hash: Hash): boolean {
    return this.catalogue.has(hash);
  }

  /** The configuration of a dataset. @throws unknown-dataset */
  dataset(name: string): DatasetConfig {
    const config = this.#config.datasets[name];
    if (config !== undefined) return config;
    const known = Object.keys(this.#config.datasets);
    throw new UttrError('unknown-dataset', `there is no dataset "${name}"`, {
      hint: known.length === 0 ? `make it with: uttr add ${name} <file>` : hintFor(name, known, 'datasets'),
    });
  }

  /** The dataset meant where none is named. @throws unknown-dataset when there are several, or none */
  onlyDataset(): string {
    const names = Object.keys(this.#config.datasets);
    if (names.length === 1) return names[0] as string;
    throw new UttrError(
      'unknown-dataset',
      names.length === 0 ? 'this project has no dataset yet' : `name the dataset: ${names.join(', ')}`,
      { hint: names.length === 0 ? 'make one with: uttr add <dataset> <file>' : undefined },
    );
  }

  async #recover(): Promise<void> {
    if (!this.catalogue.hasPacks()) {
      const { recoverCatalogue } = await import('./index-rebuild.ts');
      await recoverCatalogue(this);
    }
    await this.#finishPointers();
  }

  /** W2: writes pointers of commits that ended between the catalogue and the working tree. */
  async #finishPointers(): Promise<void> {
    for (const pending of this.catalogue.pendingPointers()) {
      const text = await readPointerText(this.root, pending.dataset);
      const before = text ?? null;
      if (before === pending.previous && before !== pending.text) {
        await writePointerText(this.root, pending.dataset, pending.text);
        this.progress.note(
          `finished an interrupted command: the pointer of ${pending.dataset} now names ${pending.version.slice(0, 12)}`,
        );
      }
      this.catalogue.transaction(() => this.catalogue.clearPointer(pending.dataset));
    }
  }

  async close(): Promise<void> {
    try {
      await this.#lazy.keep();
    } catch (error) {
      // The answer is given; what could not be kept is fetched again.
      this.progress.note(`what was fetched could not be kept: ${(error as Error).message}`);
    }
    await this.#thread?.close();
    await this.#lazy.close();
    this.catalogue.close();
    await this.local.close();
  }
}
