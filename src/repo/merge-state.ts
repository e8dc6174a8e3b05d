/**
 * Merging as a person meets it: a merge that goes through, one that waits for a decision, and settling it.
 */
import { canonicalJson } from '../base/canonical-json.ts';
import { UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import { decodeRecord, encodeRecord } from '../records/encode-record.ts';
import { makeRecord } from '../records/make-record.ts';
import { labelText } from './group-state.ts';
import {
  commonAncestor,
  type MergeConflict,
  type MergedVersion,
  type MergeOptions,
  mergeRecords,
  type Settle,
} from './merge.ts';
import { recordVersion, storeVersion } from './record-version.ts';
import type { Repository } from './repository.ts';
import { loadVersion, type Version } from './versions.ts';

/** A merge that waits for a decision. */
export interface OpenMerge {
  readonly dataset: string;
  readonly base: Hash | null;
  readonly ours: Hash;
  readonly theirs: Hash;
  /** Whether git began it: then git wants to be told when it is settled. */
  readonly git: boolean;
  readonly conflicts: readonly ShownConflict[];
}

/** A conflict as people see it. */
export interface ShownConflict {
  readonly text: string;
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

export interface MergeSummary {
  readonly dataset: string;
  readonly version: string;
  readonly parents: readonly string[];
  readonly rows: number;
  readonly changes: {
    readonly added: number;
    readonly relabelled: number;
    readonly updated: number;
    readonly removed: number;
  };
  readonly crossed: number;
  /** Texts whose group moved to the training side for good. */
  readonly crossedTexts: readonly string[];
  readonly forwarded: boolean;
}

/** What to do about records that both branches changed. */
export type Decision =
  | { readonly kind: 'ours' }
  | { readonly kind: 'theirs' }
  /** By text: `ours`, `theirs`, or a label of its own. */
  | { readonly kind: 'table'; readonly keep: ReadonlyMap<string, string> };

/** Nothing is decided: every conflict stays open. */
const UNDECIDED: Settle = () => undefined;

/**
 * Merges `theirs` into `ours` and moves the pointer; where one contains the other, nothing needs merging.
 *
 * @throws merge-conflict after remembering the merge, to be settled with `settleMerge`
 */
export async function mergeVersions(
  repository: Repository,
  ours: Version,
  theirs: Version,
  options: MergeOptions,
): Promise<MergeSummary> {
  const base = await commonAncestor(repository, ours.hash, theirs.hash);
  if (base?.hash === theirs.hash) return summary(ours, [], false);
  if (base?.hash === ours.hash) {
    await recordVersion(repository, theirs, [], { previous: ours });
    return summary(theirs, [], true);
  }
  const result = await mergeRecords(repository, base, ours, theirs, UNDECIDED, options);
  if (result.kind === 'conflicts') {
    remember(repository, { base, ours, theirs, git: false }, result.conflicts);
    throw conflictError(ours.manifest.dataset, result.conflicts);
  }
  await recordVersion(repository, result.merged.version, result.packs, {
    previous: ours,
    totals: result.merged.totals,
  });
  return summary(result.merged.version, result.merged.crossedTexts, false);
}

/** As `mergeVersions` for git's merge driver: the new version is stored, the pointer is git's business. */
export async function mergeForGit(
  repository: Repository,
  base: Version | undefined,
  ours: Version,
  theirs: Version,
): Promise<MergedVersion | { readonly conflicts: readonly MergeConflict[] }> {
  const result = await mergeRecords(repository, base, ours, theirs, UNDECIDED, {});
  if (result.kind === 'conflicts') {
    remember(repository, { base, ours, theirs, git: true }, result.conflicts);
    return { conflicts: result.conflicts };
  }
  await storeVersion(repository, result.merged.version, result.packs, ours, result.merged.totals);
  repository.catalogue.transaction(() => repository.catalogue.clearMerge(ours.manifest.dataset));
  return result.merged;
}

/** Finishes the open merge of a dataset by a decision. @throws no-merge, merge-conflict when some stay open */
export async function settleMerge(
  repository: Repository,
  dataset: string,
  decision: Decision,
  options: MergeOptions,
): Promise<MergeSummary & { readonly git: boolean }> {
  const open = requireOpenMerge(repository, dataset);
  const base = open.base === null ? undefined : await loadVersion(repository, open.base);
  const ours = await loadVersion(repository, open.ours);
  const theirs = await loadVersion(repository, open.theirs);
  const result = await mergeRecords(repository, base, ours, theirs, settleBy(decision), options);
  if (result.kind === 'conflicts') throw conflictError(dataset, result.conflicts);
  await recordVersion(repository, result.merged.version, result.packs, {
    previous: ours,
    totals: result.merged.totals,
    settles: true,
  });
  return { ...summary(result.merged.version, result.merged.crossedTexts, false), git: open.git };
}

/** Drops the open merge: the pointer stays at our side. @throws no-merge */
export function abortMerge(repository: Repository, dataset: string): OpenMerge {
  const open = requireOpenMerge(repository, dataset);
  repository.catalogue.transaction(() => repository.catalogue.clearMerge(dataset));
  return open;
}

export function readOpenMerge(repository: Repository, dataset: string): OpenMerge | undefined {
  const state = repository.catalogue.merge(dataset);
  return state === undefined ? undefined : (JSON.parse(state) as OpenMerge);
}

function requireOpenMerge(repository: Repository, dataset: string): OpenMerge {
  const open = readOpenMerge(repository, dataset);
  if (open !== undefined) return open;
  throw new UttrError('no-merge', `no merge of ${dataset} waits for a decision`);
}

function remember(
  repository: Repository,
  { base, ours, theirs, git }: { base: Version | undefined; ours: Version; theirs: Version; git: boolean },
  conflicts: readonly MergeConflict[],
): void {
  const { dataset } = ours.manifest;
  const open: OpenMerge = {
    dataset,
    base: base?.hash ?? null,
    ours: ours.hash,
    theirs: theirs.hash,
    git,
    conflicts: conflicts.map(show),
  };
  repository.catalogue.transaction(() => repository.catalogue.setMerge(dataset, canonicalJson({ ...open } as never)));
}

function show(conflict: MergeConflict): ShownConflict {
  const state = (json: string | undefined): string =>
    json === undefined ? '(not there)' : labelText(decodeRecord(json).intent);
  const { text, base, ours, theirs } = conflict;
  const shown = { text, base: state(base), ours: state(ours), theirs: state(theirs) };
  if (shown.ours !== shown.theirs) return shown;
  // The labels agree: the difference lies in other fields, so those are shown.
  return { ...shown, ours: ours ?? shown.ours, theirs: theirs ?? shown.theirs };
}

export function conflictError(dataset: string, conflicts: readonly MergeConflict[]): UttrError {
  const [first] = conflicts.map(show);
  const example = first === undefined ? '' : `: "${first.text}" is ${first.ours} here and ${first.theirs} there`;
  const count = conflicts.length;
  return new UttrError(
    'merge-conflict',
    `${count} ${count === 1 ? 'record of' : 'records of'} ${dataset} ${count === 1 ? 'was' : 'were'} changed on both sides${example}`,
    {
      hint: `see them: uttr status; settle them: uttr merge ${dataset} --ours, --theirs or --edit`,
      details: { dataset, conflicts: conflicts.slice(0, 100).map((conflict) => ({ ...show(conflict) })) },
    },
  );
}

function settleBy(decision: Decision): Settle {
  return (conflict) => {
    if (decision.kind === 'ours') return { record: conflict.ours };
    if (decision.kind === 'theirs') return { record: conflict.theirs };
    const keep = decision.keep.get(conflict.text);
    if (keep === undefined || keep === '') return undefined;
    if (keep === 'ours') return { record: conflict.ours };
    if (keep === 'theirs') return { record: conflict.theirs };
    return { record: withLabel(conflict, keep) };
  };
}

function withLabel(conflict: MergeConflict, intent: string): string {
  const made = makeRecord({ ...decodeRecord((conflict.ours ?? conflict.theirs) as string), intent });
  if ('record' in made) return encodeRecord(made.record);
  throw new UttrError('bad-row', `"${intent.slice(0, 100)}" cannot be a label: ${made.problems[0]?.message ?? ''}`);
}

function summary(version: Version, crossedTexts: readonly string[], forwarded: boolean): MergeSummary {
  const { manifest, hash } = version;
  const { added, relabelled, updated, removed } = manifest.changes;
  const labelled = Object.values(manifest.sides).reduce((sum, side) => sum + side.records, 0);
  return {
    dataset: manifest.dataset,
    version: hash,
    parents: manifest.parents,
    rows: labelled + manifest.unlabelled.records,
    changes: { added, relabelled, updated, removed },
    crossed: manifest.crossed,
    crossedTexts,
    forwarded,
  };
}
