/**
 * Makes a finished version known: one transaction, then the pointer file.
 *
 * Packs are durable before this is called. The transaction holds the chunk index, the version, the pointer on its
 * way, the event and the end of what was staged; a crash before it leaves the old version, a crash after it the
 * new one, whose pointer the next command writes (W2).
 */
import { crashPoint } from '../base/crash-points.ts';
import { UttrError } from '../base/errors.ts';
import { encodeManifest, type Manifest } from '../records/manifest.ts';
import { encodePointer, pointerOf } from '../records/pointer.ts';
import type { PackIndex } from '../store/pack.ts';
import { recordLocalChange } from './change-event.ts';
import type { ChangeTotals } from './change-totals.ts';
import type { AddedGroups } from './group-filter.ts';
import type { Repository } from './repository.ts';
import type { Version } from './versions.ts';
import { readPointerNow, readPointerText, writePointerText } from './working-copy.ts';

export interface RecordOptions {
  readonly previous: Version | undefined;
  /** The staged file that this version was made of; it must still be the one. */
  readonly stagedFile?: string | undefined;
  /** What changed against `previous`, where the version was made here just now. */
  readonly totals?: ChangeTotals | undefined;
  /** The groups that the version adds to its parent. */
  readonly groups?: AddedGroups | undefined;
  /** The version settles the dataset's open merge. */
  readonly settles?: boolean | undefined;
}

/** @throws head-moved when another command was faster */
export async function recordVersion(
  repository: Repository,
  version: Version,
  packs: readonly PackIndex[],
  options: RecordOptions,
): Promise<void> {
  const { catalogue, root } = repository;
  const { dataset } = version.manifest;
  const text = encodePointer(pointerOf(version.hash, version.manifest));
  const before = await readPointerText(root, dataset);
  const announce = await recordLocalChange(repository, version, options.previous, options.totals);
  catalogue.transaction(() => {
    if (options.stagedFile !== undefined) takeStaged(repository, dataset, options.stagedFile);
    if (options.settles !== true) requireUnmoved(repository, dataset, options.previous);
    addVersion(repository, version, packs);
    options.groups?.record(version.hash);
    catalogue.setPointer({ dataset, previous: before ?? null, version: version.hash, text });
    if (options.settles === true) catalogue.clearMerge(dataset);
    announce();
  });
  crashPoint('commit.recorded');
  await writePointerText(root, dataset, text);
  crashPoint('commit.pointer-written');
  catalogue.transaction(() => catalogue.clearPointer(dataset));
}

/** Nobody else has moved the pointer since the version was begun: it would be lost from history. */
function requireUnmoved(repository: Repository, dataset: string, previous: Version | undefined): void {
  const isOnItsWay = repository.catalogue.pointer(dataset) !== undefined;
  if (!isOnItsWay && readPointerNow(repository.root, dataset)?.version === previous?.hash) return;
  throw new UttrError('head-moved', `another command moved the pointer of ${dataset} meanwhile`, {
    hint: 'run the command again',
  });
}

/**
 * Makes a version known without moving the pointer: git's merge driver writes that itself.
 *
 * @param change what to announce; undefined: nobody is to hear of the version
 */
export async function storeVersion(
  repository: Repository,
  version: Version,
  packs: readonly PackIndex[],
  change: { readonly previous: Version; readonly totals: ChangeTotals } | undefined,
): Promise<void> {
  const announce =
    change === undefined
      ? () => undefined
      : await recordLocalChange(repository, version, change.previous, change.totals);
  repository.catalogue.transaction(() => {
    addVersion(repository, version, packs);
    announce();
  });
  crashPoint('merge.recorded');
}

function addVersion(repository: Repository, version: Version, packs: readonly PackIndex[]): void {
  const { catalogue } = repository;
  catalogue.addPacks(packs);
  catalogue.addVersion(versionRow(version));
  // What a version made here does not share with its first parent is in its own packs.
  const [parent] = version.manifest.parents;
  if (packs.length > 0 && (parent === undefined || catalogue.isComplete(parent))) catalogue.setComplete(version.hash);
}

/** Two commits of one staged batch: the second finds it gone. */
function takeStaged(repository: Repository, dataset: string, file: string): void {
  if (repository.catalogue.staged(dataset)?.file !== file) {
    throw new UttrError('head-moved', `another command committed or changed what is staged for ${dataset}`, {
      hint: 'run the command again',
    });
  }
  repository.catalogue.clearStaged(dataset);
}

export function versionRow(version: Version): {
  hash: Version['hash'];
  dataset: string;
  time: string;
  manifest: string;
} {
  const manifest: Manifest = version.manifest;
  return { hash: version.hash, dataset: manifest.dataset, time: manifest.time, manifest: encodeManifest(manifest) };
}
