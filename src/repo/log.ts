/**
 * `log` and `show`: history, and one version of it.
 */
import type { ManifestBatch } from '../records/manifest.ts';
import type { ChangeCounts } from './group-state.ts';
import { versionStats, type VersionStats } from './query.ts';
import type { Repository } from './repository.ts';
import { history, parseTarget, resolveVersion, type Version } from './versions.ts';

export interface LogEntry {
  readonly dataset: string;
  readonly version: string;
  readonly parents: readonly string[];
  readonly time: string;
  readonly author: string;
  readonly message: string;
  readonly rows: number;
  readonly sides: Readonly<Record<string, number>>;
  readonly changes: ChangeCounts;
  readonly crossed: number;
  /** Checks whose errors were let pass. */
  readonly allowed: readonly string[];
  readonly batches: readonly ManifestBatch[];
  readonly tags: readonly string[];
}

export interface ShownVersion extends LogEntry, Pick<VersionStats, 'intents' | 'groups' | 'unlabelled'> {
  readonly content: string;
}

/** Versions from a target back, newest first. */
export async function log(
  repository: Repository,
  name: string | undefined,
  limit: number,
): Promise<{ readonly dataset: string; readonly versions: readonly LogEntry[] }> {
  const target = parseTarget(repository, name);
  const start = await resolveVersion(repository, target);
  const tags = tagsByVersion(repository, target.dataset);
  const versions: LogEntry[] = [];
  if (limit > 0) {
    for await (const version of history(repository, start.hash)) {
      versions.push(entry(version, tags));
      if (versions.length >= limit) break;
    }
  }
  return { dataset: target.dataset, versions };
}

/** One version with its counts. */
export async function show(repository: Repository, name: string | undefined): Promise<ShownVersion> {
  const target = parseTarget(repository, name);
  const version = await resolveVersion(repository, target);
  const { intents, groups, unlabelled } = versionStats(version);
  return {
    ...entry(version, tagsByVersion(repository, target.dataset)),
    content: version.manifest.content,
    groups,
    unlabelled,
    intents,
  };
}

function tagsByVersion(repository: Repository, dataset: string): Map<string, string[]> {
  const tags = new Map<string, string[]>();
  for (const { name, version } of repository.catalogue.tags(dataset)) {
    tags.set(version, [...(tags.get(version) ?? []), name]);
  }
  return tags;
}

function entry(version: Version, tags: ReadonlyMap<string, readonly string[]>): LogEntry {
  const { manifest, hash } = version;
  const { added, relabelled, updated, removed } = manifest.changes;
  const { rows, sides } = versionStats(version);
  return {
    dataset: manifest.dataset,
    version: hash,
    parents: manifest.parents,
    time: manifest.time,
    author: manifest.author,
    message: manifest.message,
    rows,
    sides,
    changes: { added, relabelled, updated, removed },
    crossed: manifest.crossed,
    allowed: manifest.allowed ?? [],
    batches: manifest.batches,
    tags: tags.get(hash) ?? [],
  };
}
