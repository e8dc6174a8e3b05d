/**
 * From two versions to the event "dataset changed", appended in the transaction that makes the change.
 */
import type { EventRow } from '../base/event-rows.ts';
import { appendEvents } from '../catalogue/outbox.ts';
import { datasetChanged, eventSource } from '../events/event.ts';
import type { Manifest } from '../records/manifest.ts';
import { sideContentId } from '../records/manifest.ts';
import { labelNames } from '../records/stratum.ts';
import { changeTotals, type ChangeTotals } from './change-totals.ts';
import type { Repository } from './repository.ts';
import type { Version } from './versions.ts';

/**
 * Prepares the event of a version made here. Where there is a remote, or the branch is not one of
 * `events.branches`, nothing is announced: the push will, or nobody needs to know.
 *
 * @returns what to call inside the transaction.
 */
export async function recordLocalChange(
  repository: Repository,
  version: Version,
  previous: Version | undefined,
  known?: ChangeTotals,
): Promise<() => void> {
  if (Object.keys(repository.config.remotes).length > 0) return () => undefined;
  const branch = await repository.branch();
  if (!isAnnounced(repository, branch)) return () => undefined;
  // The chunks of a version that is being recorded cannot be read yet: whoever made it knows what changed.
  const totals = known ?? (await changeTotals(repository, previous, version));
  const gitCommit = await repository.git.head();
  const event = changeEvent(repository, { version, previous, totals, branch, remote: undefined, gitCommit });
  return () => append(repository, event);
}

export function isAnnounced(repository: Repository, branch: string): boolean {
  return repository.config.events.branches.includes(branch);
}

/** Appends an event and what is owed to each sink, all configured ones by default. Call inside a transaction. */
export function append(repository: Repository, event: EventRow, sinks = sinkNames(repository)): void {
  appendEvents(repository.catalogue.db, [event], sinks, repository.clock.now().getTime());
}

export function sinkNames({ config }: Repository): readonly string[] {
  return config.events.sinks.map(({ name }) => name);
}

export interface Announcement {
  readonly version: Version;
  readonly previous: Version | undefined;
  readonly totals: ChangeTotals;
  readonly branch: string;
  readonly remote: { readonly name: string; readonly url: string } | undefined;
  /** The commit of git that was checked out when the change was made, where that is known. */
  readonly gitCommit: string | undefined;
}

export function changeEvent(repository: Repository, announcement: Announcement): EventRow {
  const { version, previous, totals, branch, remote, gitCommit } = announcement;
  const { manifest } = version;
  const before = intentNames(previous?.manifest);
  const after = intentNames(manifest);
  return datasetChanged({
    source: eventSource(remote?.url ?? repository.name),
    dataset: manifest.dataset,
    version: version.hash,
    previous: previous?.hash,
    content: manifest.content,
    sides: Object.fromEntries(Object.entries(manifest.sides).map(([side, tree]) => [side, sideContentId(tree.root)])),
    changes: totals.changes,
    changesBySide: totals.bySide,
    changesByIntent: totals.byIntent,
    newIntents: [...after].filter((intent) => !before.has(intent)),
    vanishedIntents: [...before].filter((intent) => !after.has(intent)),
    batches: manifest.batches,
    author: manifest.author,
    message: manifest.message,
    time: new Date(manifest.time),
    branch,
    gitCommit,
    remote,
  });
}

/** Names of the labels of a version; a record with several labels counts for each. */
export function intentNames(manifest: Manifest | undefined): Set<string> {
  const names = new Set<string>();
  for (const label of Object.keys(manifest?.intents ?? {})) {
    for (const name of labelNames(label)) names.add(name);
  }
  return names;
}
