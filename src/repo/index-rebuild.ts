/**
 * Makes the index and the versions of the catalogue anew from the packs alone.
 */
import { sha256, type Hash } from '../base/hash.ts';
import { isUttrError } from '../base/errors.ts';
import { decodeManifest, type Manifest } from '../records/manifest.ts';
import type { PackIndex } from '../store/pack.ts';
import { checkPack } from '../store/pack-verify.ts';
import { newChunks } from '../tree/new-chunks.ts';
import { append, changeEvent, isAnnounced } from './change-event.ts';
import { changeTotals } from './change-totals.ts';
import { ProblemList } from './problem-list.ts';
import type { Repository } from './repository.ts';
import { treesOf } from './send-versions.ts';
import { loadVersion, type Version } from './versions.ts';
import { pointedDatasets, readPointer } from './working-copy.ts';

/** Chunks read together in search of manifests. */
const WINDOW_CHUNKS = 256;

const OPEN_BRACE = 0x7b;
const TAB = 9;

/** Reads every pack; those that cannot be read are left out of the index and said to be a problem. */
export async function rebuildIndex(repository: Repository, problems: ProblemList): Promise<void> {
  const { catalogue, local, progress, signal } = repository;
  const packs: PackIndex[] = [];
  for await (const { name } of local.list('packs/', { signal })) {
    progress.update('reading packs', packs.length, undefined, 'packs');
    try {
      packs.push(checkPack(name, await local.get(name, undefined, { signal })));
    } catch (error) {
      problems.add(error, name);
    }
  }
  catalogue.transaction(() => {
    catalogue.clearIndex();
    catalogue.addPacks(packs);
  });
  await adoptVersions(repository, await findManifests(repository, packs));
}

/**
 * Opens a catalogue that was lost: there are packs and pointers, but the index knows nothing. What the packs do not
 * hold is gone: staged batches, tags that were not pushed, and which events were delivered. So that no receiver
 * misses the state as it is now, the newest version of each dataset is announced once more, under the same id.
 *
 * @returns whether anything had been lost
 */
export async function recoverCatalogue(repository: Repository): Promise<boolean> {
  if (!(await isCatalogueLost(repository))) return false;
  await rebuildIndex(repository, new ProblemList());
  const { versions } = repository.catalogue.counts();
  repository.progress.note(`the catalogue was lost and was made anew from the packs: ${versions} versions`);
  if (repository.outbox.list({ limit: 1 }).length === 0) await announceNewest(repository);
  return true;
}

async function isCatalogueLost(repository: Repository): Promise<boolean> {
  if (repository.catalogue.hasPacks()) return false;
  // Without a pointer nothing was ever committed: packs are those of a command that runs, or was interrupted.
  if ((await pointedDatasets(repository.root)).length === 0) return false;
  for await (const _ of repository.local.list('packs/')) return true;
  return false;
}

async function announceNewest(repository: Repository): Promise<void> {
  const branch = await repository.branch();
  if (Object.keys(repository.config.remotes).length > 0 || !isAnnounced(repository, branch)) return;
  for (const dataset of await pointedDatasets(repository.root)) {
    try {
      const pointer = await readPointer(repository.root, dataset);
      if (pointer === undefined || !repository.catalogue.isComplete(pointer.version)) continue;
      const version = await loadVersion(repository, pointer.version, dataset);
      const [parent] = version.manifest.parents;
      const previous = parent === undefined ? undefined : await loadVersion(repository, parent);
      const totals = await changeTotals(repository, previous, version);
      const gitCommit = await repository.git.head();
      const event = changeEvent(repository, { version, previous, totals, branch, remote: undefined, gitCommit });
      repository.catalogue.transaction(() => append(repository, event));
    } catch (error) {
      // A pointer that cannot be read, or a parent that is not here: the command that needs it says so.
      if (!isUttrError(error)) throw error;
    }
  }
}

/** The manifests among the chunks of the metadata packs. */
async function findManifests(repository: Repository, packs: readonly PackIndex[]): Promise<Version[]> {
  const found = new Map<Hash, Manifest>();
  for (const pack of packs) {
    if (!pack.name.startsWith('packs/m/')) continue;
    for (let at = 0; at < pack.chunks.length; at += WINDOW_CHUNKS) {
      const names = pack.chunks.slice(at, at + WINDOW_CHUNKS).map(({ name }) => name);
      // Together is faster; one by one where a damaged pack keeps some from being read.
      const chunks = await repository.localOnly
        .getMany(names)
        .catch(() => Promise.all(names.map((name) => repository.localOnly.get(name).catch(() => undefined))));
      for (const bytes of chunks) {
        const manifest = bytes === undefined ? undefined : parseManifest(bytes);
        if (bytes !== undefined && manifest !== undefined) found.set(sha256(bytes), manifest);
      }
    }
  }
  return [...found].map(([hash, manifest]) => ({ hash, manifest }));
}

function parseManifest(bytes: Buffer): Manifest | undefined {
  // Nodes begin with a word, and lines of leaves hold a TAB.
  if (bytes[0] !== OPEN_BRACE || bytes.includes(TAB)) return undefined;
  try {
    return decodeManifest(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

async function adoptVersions(repository: Repository, versions: readonly Version[]): Promise<void> {
  const { catalogue, progress } = repository;
  const whole = new Map<Hash, Manifest>();
  const ordered = parentsFirst(versions);
  for (const [index, { hash, manifest }] of ordered.entries()) {
    progress.update('reading versions', index, ordered.length, 'versions');
    if (await isWhole(repository, manifest, whole)) whole.set(hash, manifest);
    const text = (await repository.localOnly.get(hash)).toString('utf8');
    catalogue.transaction(() => {
      catalogue.addVersion({ hash, dataset: manifest.dataset, time: manifest.time, manifest: text });
      if (whole.has(hash)) catalogue.setComplete(hash);
    });
  }
}

/** Versions in an order in which none comes before its parents. */
export function parentsFirst(versions: readonly Version[]): Version[] {
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
      if (waiting.length > 0) {
        open.push(...waiting);
        continue;
      }
      ordered.add(version);
      open.pop();
    }
  }
  return [...ordered];
}

/** Whether every chunk of a version is here; what it shares with a parent that is whole is not looked at again. */
async function isWhole(
  repository: Repository,
  manifest: Manifest,
  whole: ReadonlyMap<Hash, Manifest>,
): Promise<boolean> {
  const parents = manifest.parents.flatMap((hash) => whole.get(hash) ?? []);
  const shared = parents.flatMap((parent) => treesOf(parent));
  try {
    for (const tree of treesOf(manifest)) {
      if (tree.root !== null && !repository.isHere(tree.root)) return false;
      for await (const batch of newChunks(repository.localOnly, shared, tree)) {
        if (batch.some(({ hash }) => !repository.isHere(hash))) return false;
      }
    }
    return true;
  } catch (error) {
    if (isUttrError(error) && error.kind === 'corrupt') return false;
    throw error;
  }
}
