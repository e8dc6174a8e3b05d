/**
 * Chunks that are not here, read from the remote one by one and kept: a question asked twice is answered from
 * here the second time.
 */
import { UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { ChunkSource } from '../store/chunks.ts';
import { RemoteChunks } from '../store/remote-chunks.ts';
import { copyChunks } from '../store/transfer.ts';
import { defaultRemote, openRemote, type OpenRemote } from './remotes.ts';
import type { Repository } from './repository.ts';

/** Stored bytes of fetched frames that are kept for later questions. */
const KEEP_BYTES = 64 * 2 ** 20;

interface Connection {
  readonly remote: OpenRemote;
  readonly chunks: RemoteChunks;
}

export class LazyRemote implements ChunkSource {
  readonly #repository: Repository;
  #open: Promise<Connection> | undefined;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  async get(hash: Hash): Promise<Buffer> {
    return (await this.#chunks(hash)).get(hash);
  }

  async getMany(hashes: readonly Hash[]): Promise<Buffer[]> {
    const [first] = hashes;
    if (first === undefined) return [];
    return (await this.#chunks(first)).getMany(hashes);
  }

  /** Requests and bytes read from the remote so far. */
  async traffic(): Promise<{ readonly requests: number; readonly bytes: number }> {
    return this.#open === undefined ? { requests: 0, bytes: 0 } : (await this.#open).chunks.traffic;
  }

  /**
   * Asks an open remote from now on, instead of the default one: what a pull or push walks through comes from the
   * remote it works with, and nothing is read twice. The remote is closed with the repository.
   */
  async use(remote: OpenRemote): Promise<RemoteChunks> {
    await this.keep();
    await this.close();
    const chunks = this.#chunksOf(remote);
    this.#open = Promise.resolve({ remote, chunks });
    return chunks;
  }

  /**
   * Copies what was fetched to the local store, so that it is not fetched again. Called before new chunks are
   * written, too: only chunks that are here serve as dictionaries.
   */
  async keep(): Promise<void> {
    if (this.#open === undefined) return;
    const { chunks } = await this.#open;
    const { catalogue } = this.#repository;
    const wanted = (await chunks.keptChunks()).filter((hash) => !catalogue.has(hash));
    if (wanted.length === 0) {
      chunks.forgetKept();
      return;
    }
    const sink = this.#repository.newSink();
    try {
      await copyChunks({
        from: chunks,
        to: sink,
        wanted: (async function* one() {
          yield wanted;
        })(),
        alreadyThere: (hash) => catalogue.has(hash),
        depthThere: (hash) => catalogue.find(hash)?.frame.depth,
      });
      const packs = await sink.finish();
      catalogue.transaction(() => catalogue.addPacks(packs));
      chunks.forgetKept();
    } catch (error) {
      await sink.abort();
      throw error;
    }
  }

  async close(): Promise<void> {
    const open = await this.#open?.catch(() => undefined);
    this.#open = undefined;
    await open?.remote.store.close();
  }

  async #chunks(wanted: Hash): Promise<RemoteChunks> {
    this.#open ??= this.#connect(wanted);
    try {
      return (await this.#open).chunks;
    } catch (error) {
      // The next question may find the remote up again.
      this.#open = undefined;
      throw error;
    }
  }

  async #connect(wanted: Hash): Promise<Connection> {
    const repository = this.#repository;
    const name = defaultRemote(repository);
    if (name === undefined) {
      throw new UttrError('missing-chunk', `chunk ${wanted.slice(0, 12)} is not here, and there is no remote to ask`, {
        hint: 'restore .uttr from a backup, or add the remote that has the data: uttr remote add origin <url>',
        details: { chunk: wanted },
      });
    }
    const remote = await openRemote(repository, name, 'read');
    return { remote, chunks: this.#chunksOf(remote) };
  }

  #chunksOf(remote: OpenRemote): RemoteChunks {
    return new RemoteChunks(remote.store, {
      footers: footerCache(this.#repository, remote.url),
      keepBytes: KEEP_BYTES,
      signal: this.#repository.signal,
    });
  }
}

/** Footers of a remote's packs, kept in the catalogue: packs never change. */
export function footerCache(
  repository: Repository,
  url: string,
): { get(pack: string): Buffer | undefined; put(pack: string, bytes: Buffer): void } {
  const { catalogue } = repository;
  return {
    get: (pack) => catalogue.footer(url, pack),
    put: (pack, bytes) => catalogue.transaction(() => catalogue.setFooter(url, pack, bytes)),
  };
}
