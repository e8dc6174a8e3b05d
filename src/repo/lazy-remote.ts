/**
 * Chunks that are not here, read from the remote one by one and kept: a question asked twice is answered from
 * here the second time.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { assert, isUttrError, UttrError } from '../base/errors.ts';
import type { Hash, ShortName } from '../base/hash.ts';
import type { ChunkLocation, FrameLocation } from '../store/chunk-index.ts';
import type { ChunkReading } from '../store/chunks.ts';
import type { FrameSource, WholeFrame } from '../store/frame-reader.ts';
import { RemoteChunks } from '../store/remote-chunks.ts';
import { namesIn } from '../store/chunk-index.ts';
import { copyToEnd } from '../store/transfer.ts';
import { defaultRemote, openRemote, type OpenRemote } from './remotes.ts';
import type { Repository } from './repository.ts';
import { LOCAL } from './working-copy.ts';

/** Stored bytes of fetched frames that are kept for later questions. */
const KEEP_BYTES = 64 * 2 ** 20;

interface Connection {
  readonly remote: OpenRemote;
  readonly chunks: RemoteChunks;
}

/**
 * Other work trees on this machine and the configured remotes as one source: the default remote is asked first, the
 * others for what it lacks.
 */
export class LazyRemote implements FrameSource {
  readonly #repository: Repository;
  readonly #connections = new Map<string, Promise<Connection>>();
  #siblings: Promise<Connection[]> | undefined;
  /** Where the packs lie in which chunks were located. */
  readonly #packs = new Map<string, RemoteChunks>();
  /** The remote that a command works with. */
  #first: string | undefined;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  async get(hash: Hash, reading?: ChunkReading): Promise<Buffer> {
    const [chunk] = await this.getMany([hash], reading);
    return chunk as Buffer;
  }

  async getMany(hashes: readonly Hash[], reading?: ChunkReading): Promise<Buffer[]> {
    const found = new Map<Hash, Buffer>();
    let wanted = [...new Set(hashes)];
    for await (const { chunks } of this.#ask()) {
      const located = await chunks.locate(wanted, reading);
      const there = wanted.filter((_, position) => located[position] !== undefined);
      for (const [position, bytes] of (await chunks.getMany(there, reading)).entries())
        found.set(there[position] as Hash, bytes);
      wanted = wanted.filter((hash) => !found.has(hash));
      if (wanted.length === 0) return hashes.map((hash) => found.get(hash) as Buffer);
    }
    throw this.#missing(wanted[0] as Hash);
  }

  async locate(names: readonly (Hash | ShortName)[], reading?: ChunkReading): Promise<(ChunkLocation | undefined)[]> {
    const found: (ChunkLocation | undefined)[] = names.map(() => undefined);
    for await (const { chunks } of this.#ask()) {
      const open = [...found.keys()].filter((position) => found[position] === undefined);
      const asked = open.map((position) => names[position] as Hash | ShortName);
      const located = await chunks.locate(asked, reading);
      for (const [at, position] of open.entries()) {
        const location = located[at];
        found[position] = location;
        if (location !== undefined) this.#packs.set(location.frame.pack, chunks);
      }
      if (!found.includes(undefined)) break;
    }
    return found;
  }

  async readFrames(frames: readonly FrameLocation[]): Promise<WholeFrame[]> {
    const read = new Map<FrameLocation, WholeFrame>();
    for (const [chunks, there] of Map.groupBy(frames, (frame) => this.#packs.get(frame.pack))) {
      assert(chunks !== undefined, 'frames are read where they were located');
      for (const [position, whole] of (await chunks.readFrames(there)).entries()) {
        read.set(there[position] as FrameLocation, whole);
      }
    }
    return frames.map((frame) => read.get(frame) as WholeFrame);
  }

  /** Requests and bytes read from remotes so far. */
  async traffic(): Promise<{ readonly requests: number; readonly bytes: number }> {
    let [requests, bytes] = [0, 0];
    for (const { chunks } of await this.#opened()) {
      requests += chunks.traffic.requests;
      bytes += chunks.traffic.bytes;
    }
    return { requests, bytes };
  }

  /**
   * Asks an open remote first from now on: what a pull or push walks through comes from the remote it works with,
   * and nothing is read twice. The remote is closed with the repository.
   */
  async use(remote: OpenRemote): Promise<RemoteChunks> {
    await this.keep();
    await this.close();
    const chunks = this.#chunksOf(remote);
    this.#first = remote.name;
    this.#connections.set(remote.name, Promise.resolve({ remote, chunks }));
    return chunks;
  }

  /**
   * Copies what was fetched to the local store, so that it is not fetched again. Called before new chunks are
   * written, too: only chunks that are here serve as dictionaries.
   */
  async keep(): Promise<void> {
    for (const { chunks } of await this.#opened()) await this.#keep(chunks);
  }

  async #keep(chunks: RemoteChunks): Promise<void> {
    const { catalogue } = this.#repository;
    const wanted = (await chunks.keptChunks()).filter(({ hash }) => !catalogue.has(hash));
    if (wanted.length === 0) {
      chunks.forgetKept();
      return;
    }
    const sink = this.#repository.newSink();
    const packs = await copyToEnd({
      from: chunks,
      to: sink,
      wanted: (async function* one() {
        yield wanted;
      })(),
      alreadyThere: (names) => namesIn(catalogue, names),
      depthThere: (name) => catalogue.find(name)?.frame.depth,
    });
    catalogue.transaction(() => catalogue.addPacks(packs));
    chunks.forgetKept();
  }

  async close(): Promise<void> {
    const open = [...(await this.#opened()), ...((await this.#siblings) ?? [])];
    this.#siblings = undefined;
    this.#connections.clear();
    this.#packs.clear();
    this.#first = undefined;
    for (const { remote } of open) await remote.store.close();
  }

  async #opened(): Promise<Connection[]> {
    const settled = await Promise.allSettled(this.#connections.values());
    return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  }

  /** What other work trees of the git repository hold: the data of a version lies where it was made. */
  async #worktrees(): Promise<Connection[]> {
    const { git, openStore, signal } = this.#repository;
    const connections: Connection[] = [];
    for (const folder of await git.elsewhere()) {
      const path = join(folder, LOCAL);
      if (!existsSync(join(path, 'packs'))) continue;
      const store = await openStore(path, {});
      connections.push({ remote: { name: folder, url: path, store }, chunks: new RemoteChunks(store, { signal }) });
    }
    return connections;
  }

  /** The remotes in the order they are asked. One that cannot be reached matters only if no other has the answer. */
  async *#ask(): AsyncIterable<Connection> {
    this.#siblings ??= this.#worktrees();
    yield* await this.#siblings;
    let failure: UttrError | undefined;
    for (const name of this.#names()) {
      let connection: Connection;
      try {
        connection = await this.#connect(name);
      } catch (error) {
        if (!(error instanceof UttrError)) throw error;
        failure ??= error;
        continue;
      }
      yield connection;
    }
    // Whoever comes here did not find what it looked for.
    if (failure !== undefined) throw failure;
  }

  #names(): string[] {
    const first = this.#first ?? defaultRemote(this.#repository);
    const names = Object.keys(this.#repository.config.remotes);
    return first === undefined ? names : [first, ...names.filter((name) => name !== first)];
  }

  #connect(name: string): Promise<Connection> {
    const known = this.#connections.get(name);
    if (known !== undefined) return known;
    const connection = openRemote(this.#repository, name, 'read').then((remote) => ({
      remote,
      chunks: this.#chunksOf(remote),
    }));
    this.#connections.set(name, connection);
    // The next question may find the remote up again.
    connection.catch(() => this.#connections.delete(name));
    return connection;
  }

  #chunksOf(remote: OpenRemote): RemoteChunks {
    return new RemoteChunks(remote.store, {
      footers: footerCache(this.#repository, remote.url),
      atHand: (names) => this.#atHand(names),
      keepBytes: KEEP_BYTES,
      startChecking: async () => (await this.#repository.startThread()).check,
      signal: this.#repository.signal,
    });
  }

  /** The chunks that are here. What cannot be read here is no failure of the remote, which has it, too. */
  async #atHand(names: readonly ShortName[]): Promise<ReadonlyMap<ShortName, Buffer>> {
    const { catalogue, localOnly } = this.#repository;
    const located = catalogue.findMany(names);
    const here = names.filter((_, position) => located[position] !== undefined);
    try {
      const chunks = await localOnly.getMany(here);
      return new Map(here.map((name, position) => [name, chunks[position] as Buffer]));
    } catch (error) {
      if (isUttrError(error, 'missing-chunk', 'bad-checksum', 'bad-pack', 'wrong-answer')) return new Map();
      throw error;
    }
  }

  #missing(wanted: Hash): UttrError {
    const names = this.#names();
    const where = names.length === 0 ? 'and there is no remote to ask' : `nor on ${names.join(' or ')}`;
    return new UttrError('missing-chunk', `chunk ${wanted.slice(0, 12)} is not here, ${where}`, {
      hint:
        names.length === 0
          ? 'restore .uttr from a backup, or add the remote that has the data: uttr remote add origin <url>'
          : 'whoever has the data can push it again; to see what is lost, run: uttr fsck',
      details: { chunk: wanted },
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
    get: (pack) => catalogue.remotes.footer(url, pack),
    put: (pack, bytes) => catalogue.transaction(() => catalogue.remotes.setFooter(url, pack, bytes)),
  };
}
