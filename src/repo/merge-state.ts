/**
 * Merging as a person meets it: a merge that goes through, one that waits for a decision, and settling it.
 */
import { canonicalJson } from '../base/canonical-json.ts';
import { UttrError } from '../base/errors.ts';
import { decodeRecord, encodeRecord } from '../records/encode-record.ts';
import { makeRecord } from '../records/make-record.ts';
import { commonAncestors } from './ancestry.ts';
import { labelText } from './group-state.ts';
import {
  type MergeConflict,
  type MergeInput,
  type MergedVersion,
  type MergeOptions,
  mergeRecords,
  type Settle,
} from './merge.ts';
import { type OpenMerge, readOpenMerge, refuseOpenMerge, type ShownConflict } from './open-merge.ts';
import { recordVersion, storeVersion } from './record-version.ts';
import type { Repository } from './repository.ts';
import { loadVersion, type Version } from './versions.ts';

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
  /** `none`: ours held everything already; `forwarded`: theirs did, and the pointer moved to it. */
  readonly outcome: 'merged' | 'forwarded' | 'none';
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
  await refuseOpenMerge(repository, ours.manifest.dataset);
  const bases = await commonAncestors(repository, ours.hash, theirs.hash);
  if (bases[0]?.hash === theirs.hash) return summary(ours, [], 'none');
  if (bases[0]?.hash === ours.hash) {
    await recordVersion(repository, theirs, [], { previous: ours });
    return summary(theirs, [], 'forwarded');
  }
  const input = { bases, ours, theirs };
  const result = await mergeRecords(repository, input, UNDECIDED, options);
  if (result.kind === 'conflicts') {
    remember(repository, input, false, result.conflicts);
    throw conflictError(ours.manifest.dataset, result.conflicts);
  }
  await recordVersion(repository, result.merged.version, result.packs, {
    previous: ours,
    totals: result.merged.totals,
  });
  return summary(result.merged.version, result.merged.crossedTexts, 'merged');
}

/** How git asks for a merge. */
export interface GitMergeOptions {
  /** Git merges two common ancestors for itself: nobody else sees the result, and nobody can settle a conflict. */
  readonly isInner: boolean;
}

/** As `mergeVersions` for git's merge driver: the new version is stored, the pointer is git's business. */
export async function mergeForGit(
  repository: Repository,
  input: MergeInput,
  { isInner }: GitMergeOptions,
): Promise<MergedVersion | { readonly conflicts: readonly MergeConflict[] }> {
  const { dataset } = input.ours.manifest;
  const result = await mergeRecords(repository, input, UNDECIDED, {});
  if (result.kind === 'conflicts') {
    if (!isInner) remember(repository, input, true, result.conflicts);
    return { conflicts: result.conflicts };
  }
  await storeVersion(
    repository,
    result.merged.version,
    result.packs,
    isInner ? undefined : { previous: input.ours, totals: result.merged.totals },
  );
  if (!isInner) repository.catalogue.transaction(() => repository.catalogue.clearMerge(dataset));
  return result.merged;
}

/** Finishes the open merge of a dataset by a decision. @throws no-merge, merge-conflict when some stay open */
export async function settleMerge(
  repository: Repository,
  dataset: string,
  decision: Decision,
  options: MergeOptions,
): Promise<MergeSummary & { readonly git: boolean }> {
  const open = await requireOpenMerge(repository, dataset);
  const bases: Version[] = [];
  for (const hash of open.bases) bases.push(await loadVersion(repository, hash));
  const ours = await loadVersion(repository, open.ours);
  const theirs = await loadVersion(repository, open.theirs);
  const result = await mergeRecords(repository, { bases, ours, theirs }, settleBy(decision), options);
  if (result.kind === 'conflicts') throw conflictError(dataset, result.conflicts);
  await recordVersion(repository, result.merged.version, result.packs, {
    previous: ours,
    totals: result.merged.totals,
    settles: true,
  });
  return { ...summary(result.merged.version, result.merged.crossedTexts, 'merged'), git: open.git };
}

/** Drops the open merge: the pointer stays at our side. @throws no-merge; bad-option for a merge that git began */
export async function abortMerge(repository: Repository, dataset: string): Promise<OpenMerge> {
  const open = await requireOpenMerge(repository, dataset);
  if (open.git) {
    throw new UttrError('bad-option', `git began the merge of ${dataset}, so git must drop it`, {
      hint: 'git merge --abort (or git rebase --abort, git cherry-pick --abort)',
    });
  }
  repository.catalogue.transaction(() => repository.catalogue.clearMerge(dataset));
  return open;
}

async function requireOpenMerge(repository: Repository, dataset: string): Promise<OpenMerge> {
  const open = await readOpenMerge(repository, dataset);
  if (open !== undefined) return open;
  throw new UttrError('no-merge', `no merge of ${dataset} waits for a decision`);
}

function remember(
  repository: Repository,
  { bases, ours, theirs }: MergeInput,
  git: boolean,
  conflicts: readonly MergeConflict[],
): void {
  const { dataset } = ours.manifest;
  const open: OpenMerge = {
    dataset,
    bases: bases.map(({ hash }) => hash),
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

function summary(version: Version, crossedTexts: readonly string[], outcome: MergeSummary['outcome']): MergeSummary {
  const { manifest, hash } = version;
  const { added, relabelled, updated, removed } = manifest.changes;
  const labelled = Object.values(manifest.sides).reduce((sum, side) => sum + side.records, 0);
  const merged = outcome === 'merged';
  return {
    dataset: manifest.dataset,
    version: hash,
    parents: manifest.parents,
    rows: labelled + manifest.unlabelled.records,
    changes: merged ? { added, relabelled, updated, removed } : { added: 0, relabelled: 0, updated: 0, removed: 0 },
    crossed: merged ? manifest.crossed : 0,
    crossedTexts,
    outcome,
  };
}
