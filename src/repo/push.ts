/**
 * Push: what the remote lacks, then the head, then the log.
 *
 * Packs first (each checked on arrival), the head by compare-and-swap last: a remote never names what it does not
 * hold. An interrupted push goes on where it was: packs that arrived are remembered.
 */
import { crashPoint } from '../base/crash-points.ts';
import { UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { Manifest } from '../records/manifest.ts';
import type { ChunkIndex } from '../store/chunk-index.ts';
import { MemoryChunkIndex } from '../store/memory-chunk-index.ts';
import type { PackIndex } from '../store/pack.ts';
import { PackSink } from '../store/pack-sink.ts';
import { RemoteChunks } from '../store/remote-chunks.ts';
import { copyChunks } from '../store/transfer.ts';
import type { TreeRoot } from '../tree/build.ts';
import { newChunks } from '../tree/new-chunks.ts';
import { append, changeEvent, isAnnounced } from './change-event.ts';
import { changeTotals } from './change-totals.ts';
import { footerCache } from './lazy-remote.ts';
import { moveHead, readHead, readHeads, type RemoteHead, type TaggedHead, writeLog, writeTag } from './remote-heads.ts';
import { openRemote, type OpenRemote, requireRemote } from './remotes.ts';
import type { Repository } from './repository.ts';
import { headVersion, history, loadVersion, type Version } from './versions.ts';

export interface TransferSummary {
  readonly remote: string;
  readonly packs: number;
  readonly blocks: number;
  readonly bytes: number;
  readonly versions: number;
  readonly datasets: readonly DatasetTransfer[];
}

export interface DatasetTransfer {
  readonly dataset: string;
  readonly branch: string;
  readonly version: string;
  readonly moved: boolean;
  readonly versions: number;
  /** A sentence for the person. */
  readonly note?: string;
}

/** Packs and what they hold, counted while they arrive. */
export class TransferCount {
  packs = 0;
  blocks = 0;
  bytes = 0;

  add(pack: PackIndex): void {
    this.packs++;
    this.blocks += pack.chunks.length;
    this.bytes += pack.sizeBytes;
  }
}

/** Sends the versions of the given datasets and moves their heads. @throws head-moved, unknown-remote, … */
export async function push(
  repository: Repository,
  remoteName: string | undefined,
  datasets: readonly string[],
): Promise<TransferSummary> {
  const remote = await openRemote(repository, requireRemote(repository, remoteName), 'write');
  const count = new TransferCount();
  const done: DatasetTransfer[] = [];
  try {
    const branch = await repository.branch();
    for (const dataset of datasets) {
      const result = await pushDataset(repository, remote, dataset, branch, count);
      if (result !== undefined) done.push(result);
    }
    const versions = done.reduce((sum, item) => sum + item.versions, 0);
    const { packs, blocks, bytes } = count;
    return { remote: remote.name, packs, blocks, bytes, versions, datasets: done };
  } finally {
    await remote.store.close();
  }
}

async function pushDataset(
  repository: Repository,
  remote: OpenRemote,
  dataset: string,
  branch: string,
  count: TransferCount,
): Promise<DatasetTransfer | undefined> {
  const options = { signal: repository.signal };
  const version = await headVersion(repository, dataset);
  if (version === undefined) return undefined;
  const there = await readHead(remote.store, dataset, branch, options);
  const outcome = { dataset, branch, version: version.hash };
  if (there?.head.version === version.hash) {
    await writeLog(remote.store, there.head, options);
    await pushTags(repository, remote, dataset);
    rememberHead(repository, remote, there.head);
    return { ...outcome, moved: false, versions: 0 };
  }
  const heads = await readHeads(remote.store, dataset, options);
  const known = new Set<Hash>(heads.map((head) => head.version));
  const missing = await missingVersions(repository, version, known, there, branch);
  if (missing === 'behind') {
    return { ...outcome, moved: false, versions: 0, note: `${remote.name} is ahead of this version already` };
  }
  await sendVersions(repository, remote, missing, known, count);
  crashPoint('push.packs-sent');
  if (there !== undefined) await writeLog(remote.store, there.head, options);
  const move = {
    dataset,
    branch,
    version: version.hash,
    time: repository.clock.now().toISOString(),
    author: version.manifest.author,
  };
  const head = await moveHead(remote.store, there, move, repository.random, options);
  crashPoint('push.head-moved');
  await writeLog(remote.store, head, options);
  crashPoint('push.log-written');
  await announce(repository, remote, head, version);
  await pushTags(repository, remote, dataset);
  crashPoint('push.recorded');
  return { ...outcome, moved: true, versions: missing.length };
}

/**
 * Versions the remote lacks, oldest first; 'behind' when its head descends from ours.
 *
 * @throws head-moved when ours does not descend from its head
 */
async function missingVersions(
  repository: Repository,
  version: Version,
  known: ReadonlySet<Hash>,
  there: TaggedHead | undefined,
  branch: string,
): Promise<Version[] | 'behind'> {
  const missing: Version[] = [];
  const seen = new Set<Hash>();
  let meetsHead = there === undefined;
  const open: Hash[] = [version.hash];
  while (open.length > 0) {
    const hash = open.pop() as Hash;
    if (seen.has(hash)) continue;
    seen.add(hash);
    if (hash === there?.head.version) meetsHead = true;
    if (known.has(hash)) continue;
    const loaded = await loadVersion(repository, hash);
    missing.push(loaded);
    open.push(...loaded.manifest.parents);
  }
  if (!meetsHead && there !== undefined) {
    if (await isAncestor(repository, version.hash, there.head.version)) return 'behind';
    // Our history may hold the head behind another branch's head that stopped the walk.
    if (!(await isAncestor(repository, there.head.version, version.hash))) throw notFirst(version.manifest, branch);
  }
  return parentsFirst(missing);
}

function notFirst(manifest: Manifest, branch: string): UttrError {
  return new UttrError(
    'head-moved',
    `somebody else was first: ${manifest.dataset} on branch ${branch} has versions that yours do not build on`,
    {
      hint: 'git pull (or uttr pull), then push again',
      details: { dataset: manifest.dataset, branch },
    },
  );
}

/** Whether `ancestor` is `of` or lies in its history; versions the remote alone has are read from it. */
export async function isAncestor(repository: Repository, ancestor: Hash, of: Hash): Promise<boolean> {
  for await (const version of history(repository, of)) if (version.hash === ancestor) return true;
  return false;
}

function parentsFirst(versions: readonly Version[]): Version[] {
  const byHash = new Map(versions.map((version) => [version.hash, version]));
  const ordered = new Set<Version>();
  for (const start of versions) {
    const open: Version[] = [start];
    while (open.length > 0) {
      const version = open.at(-1) as Version;
      const waiting = version.manifest.parents.flatMap((hash) => {
        const parent = byHash.get(hash);
        return parent === undefined || ordered.has(parent) ? [] : [parent];
      });
      if (waiting.length > 0) open.push(...waiting);
      else {
        ordered.add(version);
        open.pop();
      }
    }
  }
  return [...ordered];
}

/** Every tree of a version: what a remote must hold for it. */
export function treesOf(manifest: Manifest): TreeRoot[] {
  const { sides, unlabelled, retired, changes } = manifest;
  return [...Object.values(sides), unlabelled, retired, ...(changes.list === null ? [] : [changes.list])];
}

async function sendVersions(
  repository: Repository,
  remote: OpenRemote,
  versions: readonly Version[],
  known: ReadonlySet<Hash>,
  count: TransferCount,
): Promise<void> {
  const { catalogue } = repository;
  const footers = footerCache(repository, remote.url);
  const chunksThere = new RemoteChunks(remote.store, { footers, signal: repository.signal });
  const sent = await alreadySent(repository, remote, chunksThere);
  const sink = new PackSink(remote.store, {
    index: sent,
    source: repository.chunks,
    random: repository.random,
    clock: repository.clock,
    signal: repository.signal,
    onPack: (pack) => {
      count.add(pack);
      catalogue.transaction(() => catalogue.addSentPack(remote.url, pack.name, pack.sizeBytes));
    },
  });
  try {
    await copyChunks({
      from: repository.localChunks,
      to: sink,
      wanted: chunksOf(repository, versions, known),
      alreadyThere: (hash) => sent.has(hash),
      depthThere: async (hash) => sent.find(hash)?.frame.depth ?? chunksThere.depthOf(hash),
      progress: repository.progress,
      signal: repository.signal,
    });
    await sink.finish();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

/** Chunks of packs that an interrupted push sent; a pack that is gone or short does not count. */
async function alreadySent(
  repository: Repository,
  remote: OpenRemote,
  chunks: RemoteChunks,
): Promise<MemoryChunkIndex & ChunkIndex> {
  const index = new MemoryChunkIndex();
  for (const { pack, sizeBytes } of repository.catalogue.sentPacks(remote.url)) {
    const stat = await remote.store.stat(pack, { signal: repository.signal });
    if (stat?.sizeBytes === sizeBytes) index.add(await chunks.packIndex(pack));
  }
  return index;
}

/** The chunks of versions, parents first, each version's own only. */
async function* chunksOf(
  repository: Repository,
  versions: readonly Version[],
  known: ReadonlySet<Hash>,
): AsyncIterable<readonly Hash[]> {
  for (const version of versions) {
    const bases: Manifest[] = [];
    for (const parent of version.manifest.parents) bases.push((await loadVersion(repository, parent)).manifest);
    for (const hash of known) if (bases.length === 0) bases.push((await loadVersion(repository, hash)).manifest);
    for (const [place, tree] of placesOf(version.manifest)) {
      const from = bases.map((base) => placesOf(base).get(place)).filter((root) => root !== undefined);
      for await (const batch of newChunks(repository.chunks, from, tree)) yield batch.map((chunk) => chunk.hash);
    }
    yield [version.hash];
  }
}

function placesOf(manifest: Manifest): Map<string, TreeRoot> {
  const places = new Map<string, TreeRoot>(
    Object.entries(manifest.sides).map(([side, tree]) => [`side ${side}`, tree]),
  );
  places.set('unlabelled', manifest.unlabelled).set('retired', manifest.retired);
  if (manifest.changes.list !== null) places.set('changes', manifest.changes.list);
  return places;
}

/** One transaction: what we know of the remote now, and the event. */
async function announce(repository: Repository, remote: OpenRemote, head: RemoteHead, version: Version): Promise<void> {
  const { catalogue } = repository;
  const previous = head.previous === null ? undefined : await loadVersion(repository, head.previous);
  const event = isAnnounced(repository, head.branch)
    ? await changeEvent(repository, {
        version,
        previous,
        totals: await changeTotals(repository, previous, version),
        branch: head.branch,
        remote: { name: remote.name, url: remote.url },
      })
    : undefined;
  catalogue.transaction(() => {
    rememberHeadNow(repository, remote, head);
    catalogue.clearSentPacks(remote.url);
    if (event !== undefined) append(repository, event);
  });
}

function rememberHead(repository: Repository, remote: OpenRemote, head: RemoteHead): void {
  repository.catalogue.transaction(() => rememberHeadNow(repository, remote, head));
}

function rememberHeadNow(repository: Repository, remote: OpenRemote, head: RemoteHead): void {
  repository.catalogue.setRemoteHead(remote.url, head);
  repository.catalogue.addRemoteVersion(remote.url, head.version);
}

async function pushTags(repository: Repository, remote: OpenRemote, dataset: string): Promise<void> {
  for (const { name, version } of repository.catalogue.tags(dataset)) {
    if (await isPushed(repository, remote, dataset, version)) await writeTag(remote.store, dataset, name, version);
  }
}

async function isPushed(repository: Repository, remote: OpenRemote, dataset: string, version: Hash): Promise<boolean> {
  if (repository.catalogue.isRemoteVersion(remote.url, version)) return true;
  for (const head of repository.catalogue.remoteHeads(remote.url, dataset)) {
    if (await isAncestor(repository, version, head.version)) return true;
  }
  return false;
}
