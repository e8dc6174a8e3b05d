/**
 * `fsck`: everything is read again and held against its hash, its index and the rules of the split.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isUttrError } from '../base/errors.ts';
import { type Hash, sha256 } from '../base/hash.ts';
import { type AsideCatalogue, setAsideDamaged } from '../catalogue/salvage.ts';
import { decodeManifest } from '../records/manifest.ts';
import { encodePointer, pointerOf } from '../records/pointer.ts';
import type { ChunkSource } from '../store/chunks.ts';
import { RemoteChunks } from '../store/remote-chunks.ts';
import { auditFilters } from './filter-audit.ts';
import { auditCursors, auditHeads } from './head-audit.ts';
import { parentsFirst, rebuildIndex } from './index-rebuild.ts';
import { removeLeftovers } from './leftovers.ts';
import { auditPacks, IndexAudit } from './pack-audit.ts';
import { type Problem, ProblemList } from './problem-list.ts';
import { openRemote, requireRemote } from './remotes.ts';
import type { Repository } from './repository.ts';
import { auditStaged } from './staged-audit.ts';
import { checkFormatBytes } from './store-format.ts';
import { VersionAudit } from './version-audit.ts';
import type { Version } from './versions.ts';
import { LOCAL, parsePointer, pointedDatasets, pointerPath, readPointerText, requireRoot } from './working-copy.ts';

export interface FsckReport {
  readonly ok: boolean;
  readonly blocks: number;
  readonly packs: number;
  readonly versions: number;
  readonly problems: readonly Problem[];
}

/**
 * Checks the local store: every byte of every pack, the index, every version that is all here, what is staged, every
 * pointer. No remote is asked. What dead commands left is removed.
 */
export async function fsck(
  repository: Repository,
  options: { readonly rebuildIndex?: boolean } = {},
): Promise<FsckReport> {
  const { catalogue, local, localOnly, progress, signal } = repository;
  const problems = new ProblemList();
  if (options.rebuildIndex === true) await rebuildIndex(repository, problems);
  for (const what of catalogue.damage()) problems.say('catalogue-unusable', what, 'catalogue.db');
  await checkFormatBytes(local, problems);
  const index = new IndexAudit(catalogue, problems, progress);
  await auditPacks(local, localOnly, problems, { progress, signal, use: (pack) => index.take(pack) });
  index.finish();
  await checkLocalVersions(repository, problems);
  await auditStaged(repository, problems);
  await auditFilters(repository, problems);
  await checkPointers(repository, problems);
  const removed = await removeLeftovers(repository);
  if (removed > 0) progress.note(`removed ${removed} files that interrupted commands had left`);
  const { chunks, packs, versions } = catalogue.counts();
  return report(problems, chunks, packs, versions);
}

/** Checks a remote: every pack, and that each head and tag has all it needs. */
export async function fsckRemote(repository: Repository, name: string | undefined): Promise<FsckReport> {
  const { signal, progress } = repository;
  const remote = await openRemote(repository, requireRemote(repository, name), 'read');
  const problems = new ProblemList();
  try {
    const chunks = new RemoteChunks(remote.store, { signal });
    const counts = await auditPacks(remote.store, chunks, problems, { progress, signal });
    await checkFormatBytes(remote.store, problems);
    let versions = 0;
    await auditCursors(remote.store, problems, { signal });
    for (const tips of (await auditHeads(remote.store, problems, { signal })).values()) {
      const known = await walkHistory(tips, chunks, problems);
      versions += known.length;
      await checkVersions(repository, known, chunks, problems);
    }
    return report(problems, counts.chunks, counts.packs, versions);
  } finally {
    await remote.store.close();
  }
}

/**
 * A catalogue that is damaged is put aside, and one with what can still be read of it takes its place: staged
 * batches, the outbox, tags. The index is to be rebuilt then.
 *
 * @returns undefined where nothing was wrong
 */
export function setAsideCatalogue(directory: string): AsideCatalogue | undefined {
  const path = join(requireRoot(directory), LOCAL, 'catalogue.db');
  return existsSync(path) ? setAsideDamaged(path) : undefined;
}

function report(problems: ProblemList, blocks: number, packs: number, versions: number): FsckReport {
  return { ok: problems.count === 0, blocks, packs, versions, problems: problems.all };
}

async function checkLocalVersions(repository: Repository, problems: ProblemList): Promise<void> {
  const { catalogue } = repository;
  const complete: Version[] = [];
  for (const { hash, dataset } of catalogue.versions()) {
    const where = `${dataset}@${hash.slice(0, 12)}`;
    const text = catalogue.version(hash)?.manifest ?? '';
    if (sha256(text) !== hash) {
      problems.say('bad-manifest', 'the catalogue has other bytes of its manifest than its name says', where);
      continue;
    }
    try {
      if (catalogue.isComplete(hash)) complete.push({ hash, manifest: decodeManifest(text) });
    } catch (error) {
      problems.add(error, where);
    }
  }
  await checkVersions(repository, complete, repository.localOnly, problems);
}

async function checkVersions(
  repository: Repository,
  versions: readonly Version[],
  chunks: ChunkSource,
  problems: ProblemList,
): Promise<void> {
  const audit = new VersionAudit(chunks, problems);
  const byHash = new Map(versions.map((version) => [version.hash, version]));
  for (const [index, version] of parentsFirst(versions).entries()) {
    repository.progress.update('checking versions', index, versions.length, 'versions');
    const [parent] = version.manifest.parents;
    await audit.check(version, parent === undefined ? undefined : byHash.get(parent));
  }
}

/** Every version in the history of some. */
async function walkHistory(tips: readonly Hash[], chunks: ChunkSource, problems: ProblemList): Promise<Version[]> {
  const found = new Map<Hash, Version>();
  const seen = new Set<Hash>();
  const open = [...tips];
  for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
    if (seen.has(hash)) continue;
    seen.add(hash);
    try {
      const manifest = decodeManifest((await chunks.get(hash)).toString('utf8'));
      found.set(hash, { hash, manifest });
      open.push(...manifest.parents);
    } catch (error) {
      problems.add(error, hash.slice(0, 12));
    }
  }
  return [...found.values()];
}

async function checkPointers(repository: Repository, problems: ProblemList): Promise<void> {
  for (const dataset of await pointedDatasets(repository.root)) {
    const where = `manifests/${dataset}.json`;
    try {
      const text = (await readPointerText(repository.root, dataset)) ?? '';
      const { version } = parsePointer(text, dataset);
      const manifest = await localManifest(repository, version);
      if (manifest === undefined) {
        // On a clone the version may be on a remote that nobody has asked yet.
        if (Object.keys(repository.config.remotes).length === 0) {
          problems.say('unknown-version', `version ${version.slice(0, 12)} is not here, and there is no remote`, where);
        }
      } else if (encodePointer(pointerOf(version, manifest)) !== text) {
        problems.say('bad-pointer', `${pointerPath(dataset)} is not the pointer of the version that it names`, where);
      }
    } catch (error) {
      problems.add(error, where);
    }
  }
}

async function localManifest(repository: Repository, version: Hash): Promise<Version['manifest'] | undefined> {
  const text = repository.catalogue.version(version)?.manifest;
  if (text !== undefined && sha256(text) === version) return decodeManifest(text);
  try {
    return decodeManifest((await repository.localOnly.get(version)).toString('utf8'));
  } catch (error) {
    if (isUttrError(error, 'missing-chunk')) return undefined;
    throw error;
  }
}
