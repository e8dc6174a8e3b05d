/**
 * `fsck`: everything is read again and held against its hash, its index and the rules of the split.
 */
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isUttrError, UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import { openDatabase } from '../catalogue/database.ts';
import { decodeManifest, type Manifest, UNLABELLED_PLACE } from '../records/manifest.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { ChunkSource } from '../store/chunks.ts';
import type { PackIndex } from '../store/pack.ts';
import { checkPack, verifyPack } from '../store/pack-verify.ts';
import { RemoteChunks } from '../store/remote-chunks.ts';
import { newChunks } from '../tree/new-chunks.ts';
import { TreeReader } from '../tree/reader.ts';
import { verifyTree } from '../tree/verify.ts';
import { treesOf } from './push.ts';
import { treeOf } from './record-changes.ts';
import { readHeads } from './remote-heads.ts';
import { openRemote, requireRemote } from './remotes.ts';
import type { Repository } from './repository.ts';
import { loadVersion, type Version } from './versions.ts';
import { LOCAL, pointedDatasets, readPointer, requireRoot } from './working-copy.ts';

export interface Problem {
  readonly code: string;
  readonly what: string;
  readonly where: string;
}

export interface FsckReport {
  readonly ok: boolean;
  readonly blocks: number;
  readonly packs: number;
  readonly versions: number;
  readonly problems: readonly Problem[];
}

/** Checks the local store: every byte of every pack, the index, every version that is all here, every pointer. */
export async function fsck(repository: Repository, options: { readonly rebuildIndex: boolean }): Promise<FsckReport> {
  const check = new Check(repository);
  if (options.rebuildIndex) await rebuildIndex(repository, check);
  await check.packs(repository.local);
  await check.localVersions();
  await check.pointers();
  const { chunks, packs, versions } = repository.catalogue.counts();
  return check.report(chunks, packs, versions);
}

/** Checks a remote: every pack, and that each head has all it needs. */
export async function fsckRemote(repository: Repository, name: string | undefined): Promise<FsckReport> {
  const remote = await openRemote(repository, requireRemote(repository, name), 'read');
  const check = new Check(repository);
  try {
    const chunks = new RemoteChunks(remote.store, { signal: repository.signal });
    const counts = await check.packs(remote.store, chunks);
    const datasets = new Set<string>();
    for await (const blob of remote.store.list('heads/')) datasets.add(blob.name.split('/')[1] ?? '');
    const seen = new Set<Hash>();
    for (const dataset of datasets) {
      for (const { version } of await readHeads(remote.store, dataset))
        await check.remoteHistory(version, chunks, seen);
    }
    return check.report(counts.chunks, counts.packs, seen.size);
  } finally {
    await remote.store.close();
  }
}

/** A catalogue that cannot be opened is put aside, so that one can be made anew. @returns where it is now */
export async function setAsideCatalogue(directory: string): Promise<string | undefined> {
  const path = join(requireRoot(directory), LOCAL, 'catalogue.db');
  if (!existsSync(path)) return undefined;
  try {
    openDatabase(path).close();
    return undefined;
  } catch (error) {
    if (!isUttrError(error, 'catalogue-unusable')) throw error;
  }
  const aside = `${path}.damaged`;
  await rename(path, aside);
  for (const suffix of ['-wal', '-shm']) {
    if (existsSync(path + suffix)) await rename(path + suffix, aside + suffix);
  }
  return aside;
}

/** Makes the index anew from the packs alone; packs that cannot be read are left out and reported. */
async function rebuildIndex(repository: Repository, check: Check): Promise<void> {
  const { catalogue, local } = repository;
  const manifests: Hash[] = [];
  const packs: PackIndex[] = [];
  for await (const { name } of local.list('packs/')) {
    try {
      packs.push(checkPack(name, await local.get(name)));
    } catch (error) {
      check.add(error, name);
    }
  }
  catalogue.transaction(() => {
    catalogue.clearIndex();
    catalogue.addPacks(packs);
  });
  for (const pack of packs) {
    if (!pack.name.startsWith('packs/m/')) continue;
    for (const { hash } of pack.chunks) {
      const bytes = await repository.chunks.get(hash).catch(() => undefined);
      if (bytes !== undefined && bytes[0] === OPEN_BRACE && !bytes.includes(TAB)) manifests.push(hash);
    }
  }
  await adoptVersions(repository, manifests);
}

const OPEN_BRACE = 0x7b;
const TAB = 9;

async function adoptVersions(repository: Repository, candidates: readonly Hash[]): Promise<void> {
  const { catalogue } = repository;
  for (const hash of candidates) {
    const text = (await repository.chunks.get(hash)).toString('utf8');
    let manifest: Manifest;
    try {
      manifest = decodeManifest(text);
    } catch {
      continue;
    }
    const complete = await isWhole(repository, manifest);
    catalogue.transaction(() => {
      catalogue.addVersion({ hash, dataset: manifest.dataset, time: manifest.time, manifest: text });
      if (complete) catalogue.setComplete(hash);
    });
  }
}

/** Whether every chunk of a version is here. */
async function isWhole(repository: Repository, manifest: Manifest): Promise<boolean> {
  for (const tree of treesOf(manifest)) {
    if (tree.root !== null && !repository.isHere(tree.root)) return false;
    for await (const batch of newChunks(repository.localOnly, [], tree)) {
      if (batch.some(({ hash }) => !repository.isHere(hash))) return false;
    }
  }
  return true;
}

class Check {
  readonly #repository: Repository;
  readonly #problems: Problem[] = [];

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  report(blocks: number, packs: number, versions: number): FsckReport {
    return { ok: this.#problems.length === 0, blocks, packs, versions, problems: this.#problems };
  }

  add(error: unknown, where: string): void {
    if (!(error instanceof UttrError) || error.kind === 'aborted' || error.kind === 'unavailable') throw error;
    this.#problems.push({ code: error.code, what: error.message, where });
  }

  #say(code: string, what: string, where: string): void {
    this.#problems.push({ code, what, where });
  }

  /** Every byte of every pack; for the local store, that the index says the same. */
  async packs(store: BlobStore, remote?: ChunkSource): Promise<{ chunks: number; packs: number }> {
    const { catalogue, progress } = this.#repository;
    const counts = { chunks: 0, packs: 0 };
    const seen = new Set<string>();
    for await (const { name } of store.list('packs/')) {
      seen.add(name);
      counts.packs++;
      progress.update('checking packs', counts.packs, undefined, 'packs');
      try {
        const index = await verifyPack(name, await store.get(name), remote ?? this.#repository.chunks);
        counts.chunks += index.chunks.length;
        if (remote !== undefined) continue;
        if (!catalogue.hasPack(name)) this.#adopt(index);
        for (const { hash } of index.chunks) {
          if (!catalogue.has(hash)) this.#say('missing-chunk', `chunk ${hash.slice(0, 12)} is not in the index`, name);
        }
      } catch (error) {
        this.add(error, name);
      }
    }
    if (remote === undefined) {
      for (const { name } of catalogue.packs())
        if (!seen.has(name)) this.#say('bad-pack', 'the index names a pack that is not there', name);
    }
    return counts;
  }

  /** A pack that an interrupted command left: it is whole, so it may as well be used. */
  #adopt(index: Parameters<Repository['catalogue']['addPacks']>[0][number]): void {
    const { catalogue, progress } = this.#repository;
    catalogue.transaction(() => catalogue.addPacks([index]));
    progress.note(`${index.name} was left by an interrupted command; it is whole and now known`);
  }

  async localVersions(): Promise<void> {
    const { catalogue, progress } = this.#repository;
    const versions = catalogue.versions();
    for (const [index, { hash, dataset }] of versions.entries()) {
      progress.update('checking versions', index, versions.length, 'versions');
      if (!catalogue.isComplete(hash)) continue;
      try {
        await this.#version(await loadVersion(this.#repository, hash), this.#repository.localOnly);
      } catch (error) {
        this.add(error, `${dataset}@${hash.slice(0, 12)}`);
      }
    }
  }

  async remoteHistory(head: Hash, chunks: ChunkSource, seen: Set<Hash>): Promise<void> {
    const open = [head];
    while (open.length > 0) {
      const hash = open.pop() as Hash;
      if (seen.has(hash)) continue;
      seen.add(hash);
      try {
        const manifest = decodeManifest((await chunks.get(hash)).toString('utf8'));
        await this.#version({ hash, manifest }, chunks);
        open.push(...manifest.parents);
      } catch (error) {
        this.add(error, hash.slice(0, 12));
      }
    }
  }

  async #version({ hash, manifest }: Version, chunks: ChunkSource): Promise<void> {
    const where = `${manifest.dataset}@${hash.slice(0, 12)}`;
    let damaged = false;
    for (const tree of treesOf(manifest)) {
      for (const problem of await verifyTree(chunks, tree)) {
        damaged = true;
        this.#say('bad-chunk', problem.message, where);
      }
    }
    if (!damaged) await this.#split(manifest, chunks, where);
  }

  /** S1: no group is on two sides, and none that is retired is on a side; the counts are right. */
  async #split(manifest: Manifest, chunks: ChunkSource, where: string): Promise<void> {
    const sides = Object.keys(manifest.sides);
    const streams = sides.map((side) => groupsOf(chunks, manifest, side));
    const retired = groupsOf(chunks, manifest, undefined);
    const heads = await Promise.all([...streams, retired].map((stream) => stream.next()));
    const counts = sides.map(() => 0);
    for (;;) {
      let least: Buffer | undefined;
      for (const head of heads) {
        if (head.done !== true && (least === undefined || Buffer.compare(head.value, least) < 0)) least = head.value;
      }
      if (least === undefined) break;
      const on: string[] = [];
      for (const [index, head] of heads.entries()) {
        if (head.done === true || !head.value.equals(least)) continue;
        on.push(sides[index] ?? 'retired');
        if (index < sides.length) counts[index] = (counts[index] ?? 0) + 1;
        heads[index] = await ([...streams, retired][index] as AsyncGenerator<Buffer>).next();
      }
      if (on.length > 1)
        this.#say(
          'bad-manifest',
          `the group "${least.toString('utf8').slice(0, 80)}" is on ${on.join(' and ')}`,
          where,
        );
    }
    for (const [index, side] of sides.entries()) {
      if (counts[index] !== manifest.sides[side]?.groups) {
        this.#say(
          'bad-manifest',
          `${side} has ${counts[index]} groups, its manifest says ${manifest.sides[side]?.groups}`,
          where,
        );
      }
    }
  }

  async pointers(): Promise<void> {
    for (const dataset of await pointedDatasets(this.#repository.root)) {
      try {
        const pointer = await readPointer(this.#repository.root, dataset);
        if (pointer === undefined) continue;
        const { manifest } = await loadVersion(this.#repository, pointer.version, dataset);
        if (manifest.content !== pointer.content)
          this.#say('bad-pointer', 'the pointer names another content than its version', `manifests/${dataset}.json`);
      } catch (error) {
        this.add(error, `manifests/${dataset}.json`);
      }
    }
  }
}

/** Folded texts of a side's groups, or of the retired ones, ascending, each once. */
async function* groupsOf(chunks: ChunkSource, manifest: Manifest, side: string | undefined): AsyncGenerator<Buffer> {
  const tree = side === undefined ? manifest.retired : treeOf(manifest, side);
  if (tree.root === null || side === UNLABELLED_PLACE) return;
  let last: Buffer | undefined;
  for await (const entries of new TreeReader(chunks, tree).scan()) {
    for (const { key } of entries) {
      const tab = key.indexOf(TAB);
      const fold = tab === -1 ? key : key.subarray(0, tab);
      if (last === undefined || !fold.equals(last)) yield fold;
      last = fold;
    }
  }
}
