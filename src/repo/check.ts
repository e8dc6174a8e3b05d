/**
 * `check`: the dataset's checks over one version, every record read once.
 *
 * The trees of all sides are read together in key order, so that the records of a group come together wherever
 * they are.
 */
import { throwIfAborted, UttrError } from '../base/errors.ts';
import { hintFor } from '../base/near-miss.ts';
import type { CheckedRecord } from '../checks/check.ts';
import { CHECKS } from '../checks/registry.ts';
import { type CheckReport, chosenChecks, runChecks } from '../checks/run.ts';
import { decodeRecord } from '../records/encode-record.ts';
import type { Manifest } from '../records/manifest.ts';
import { diffTrees } from '../tree/diff.ts';
import type { Entry } from '../tree/lines.ts';
import { TreeReader } from '../tree/reader.ts';
import { BatchCursor } from './batch-cursor.ts';
import { intentNames } from './change-event.ts';
import { placesOf, sideNames } from './query.ts';
import { treeOf } from './record-changes.ts';
import type { Repository } from './repository.ts';
import { history, loadVersion, type Version } from './versions.ts';

export interface CheckOptions {
  /** Names of the checks to run; all that are not off by default. */
  readonly only?: readonly string[] | undefined;
}

export interface VersionCheck extends CheckReport {
  readonly dataset: string;
  readonly version: string;
}

/** Records handed on together. */
const BATCH_SIZE = 1024;

const TAB = 0x09;

/** Runs the checks that uttr.json declares for the dataset, the others with their defaults. @throws bad-option */
export async function checkVersion(
  repository: Repository,
  version: Version,
  { only }: CheckOptions = {},
): Promise<VersionCheck> {
  const { manifest, hash } = version;
  const settings = repository.dataset(manifest.dataset).checks;
  requireKnown(only);
  const chosen = chosenChecks({ settings, only });
  const needsHistory = chosen.some((check) => check.needsHistory?.(settings[check.name]?.values ?? {}) === true);
  const left = needsHistory ? await leftSides(repository, version) : new Map<string, Set<string>>();
  const report = await runChecks({
    sides: sideNames(manifest),
    identity: manifest.identity,
    parentIntents: await parentIntents(repository, manifest),
    leftSides: (group) => [...(left.get(group) ?? [])],
    records: checkedRecords(repository, version),
    settings,
    today: repository.clock.now().toISOString().slice(0, 10),
    only,
  });
  return { dataset: manifest.dataset, version: hash, ...report };
}

function requireKnown(only: readonly string[] | undefined): void {
  const known = CHECKS.map(({ name }) => name);
  const unknown = only?.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new UttrError('bad-option', `there is no check "${unknown}"`, { hint: hintFor(unknown, known, 'checks') });
}

async function parentIntents(repository: Repository, manifest: Manifest): Promise<ReadonlySet<string> | undefined> {
  const parent = manifest.parents[0];
  return parent === undefined ? undefined : intentNames((await loadVersion(repository, parent)).manifest);
}

/** All records of a version in key order, those of all sides together. */
async function* checkedRecords(repository: Repository, version: Version): AsyncIterable<readonly CheckedRecord[]> {
  const places = placesOf(version, undefined).filter((place) => treeOf(version.manifest, place).root !== null);
  const trees = places.map((place) => treeOf(version.manifest, place));
  const total = trees.reduce((sum, { records }) => sum + records, 0);
  const cursors = trees.map((tree) => new BatchCursor(new TreeReader(repository.chunks, tree).scan()));
  let done = 0;
  let batch: CheckedRecord[] = [];
  const groups = new GroupNames();
  for (;;) {
    for (const cursor of cursors) if (cursor.needsFill) await cursor.fill();
    const least = leastOf(cursors);
    const entry = cursors[least]?.head;
    if (entry === undefined) break;
    cursors[least]?.advance();
    batch.push({ record: decodeRecord(entry.value), side: places[least] as string, group: groups.of(entry.key) });
    if (batch.length < BATCH_SIZE) continue;
    done += batch.length;
    yield batch;
    batch = [];
    throwIfAborted(repository.signal);
    repository.progress.update('checking', done, total, 'records');
  }
  if (batch.length > 0) yield batch;
}

/** The cursor whose entry has the smallest key; the first where none has any. */
function leastOf(cursors: readonly BatchCursor<Entry>[]): number {
  let least = 0;
  for (let index = 1; index < cursors.length; index++) {
    const [one, best] = [cursors[index]?.head, cursors[least]?.head];
    if (one !== undefined && (best === undefined || one.key.compare(best.key) < 0)) least = index;
  }
  return least;
}

/** Names of groups as strings; neighbours of one group share one. */
class GroupNames {
  #bytes: Buffer = Buffer.alloc(0);
  #name = '';

  of(key: Buffer): string {
    const bytes = key.subarray(0, key.indexOf(TAB));
    if (!bytes.equals(this.#bytes)) {
      this.#bytes = bytes;
      this.#name = bytes.toString('utf8');
    }
    return this.#name;
  }
}

/**
 * The sides that records have left in the history of a version, by group. A version that only added records took
 * none from anywhere; of the others what differs from each parent is read.
 */
async function leftSides(repository: Repository, version: Version): Promise<Map<string, Set<string>>> {
  const left = new Map<string, Set<string>>();
  for await (const { manifest } of history(repository, version.hash)) {
    if (manifest.parents.length === 0 || isAddition(manifest)) continue;
    for (const hash of manifest.parents) {
      const parent = (await loadVersion(repository, hash)).manifest;
      if (parent.content !== manifest.content) await addLeft(repository, parent, manifest, left);
    }
  }
  return left;
}

function isAddition({ parents, changes, crossed }: Manifest): boolean {
  return parents.length === 1 && changes.removed + changes.relabelled + changes.updated + crossed === 0;
}

async function addLeft(
  repository: Repository,
  from: Manifest,
  to: Manifest,
  left: Map<string, Set<string>>,
): Promise<void> {
  for (const side of Object.keys(from.sides)) {
    for await (const batch of diffTrees(repository.chunks, treeOf(from, side), treeOf(to, side))) {
      throwIfAborted(repository.signal);
      for (const { key, after } of batch) {
        if (after !== undefined) continue;
        const group = key.toString('utf8', 0, key.indexOf(TAB));
        const sides = left.get(group);
        if (sides === undefined) left.set(group, new Set([side]));
        else sides.add(side);
      }
    }
  }
}
