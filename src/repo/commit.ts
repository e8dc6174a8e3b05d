/**
 * A commit: from the staged file to a new version.
 */
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';
import { crashPoint } from '../base/crash-points.ts';
import { UttrError } from '../base/errors.ts';
import {
  contentId,
  encodeManifest,
  type Manifest,
  type ManifestBatch,
  type SideState,
  type SplitPolicy,
  UNLABELLED_PLACE as UNLABELLED,
} from '../records/manifest.ts';
import { NORMALISER_VERSION } from '../records/text.ts';
import type { TreeRoot } from '../tree/build.ts';
import { type BuiltTrees, buildTrees } from './build-version.ts';
import type { StagedChange } from './check-staged.ts';
import { type CommitPlan, planCommit, type PlanOptions } from './commit-plan.ts';
import type { DatasetConfig } from './config.ts';
import { planFirst } from './first-version.ts';
import { AddedGroups, maintainFilter } from './group-filter.ts';
import type { ChangeCounts } from './group-state.ts';
import { versionStats } from './query.ts';
import { refuseOpenMerge } from './open-merge.ts';
import { recordVersion } from './record-version.ts';
import type { Repository } from './repository.ts';
import { restage } from './restage.ts';
import { checkStaged, discardStaged, type Staged, readStagedState } from './staged-state.ts';
import { VersionSinks } from './version-sinks.ts';
import { headVersion, type Version } from './versions.ts';
import { pointerPath } from './working-copy.ts';

/**
 * From this many staged records on, each side's leaves get packs of their own, so that one side can be fetched alone, and
 * another thread compresses: for fewer its start costs more than it saves.
 */
const BULK_RECORDS = 20_000;

export interface CommitOptions {
  readonly message?: string | undefined;
  readonly author?: string | undefined;
  /**
   * The commit is refused where a check of the dataset finds errors in what it changes, except for these checks; which of
   * them had errors is recorded. Nothing is checked where it is undefined.
   */
  readonly allow?: readonly string[] | undefined;
}

export interface CommitSummary {
  readonly dataset: string;
  readonly version: string;
  readonly parent: string | null;
  readonly content: string;
  readonly rows: number;
  readonly unlabelled: number;
  readonly sides: Readonly<Record<string, number>>;
  readonly changes: ChangeCounts;
  readonly crossed: number;
  /** Checks whose errors were let pass. */
  readonly allowed: readonly string[];
  readonly pointer: string;
  readonly warnings: readonly string[];
}

/** Makes a version of what is staged. @throws nothing-staged, conflict kinds, bad-config */
export async function commit(
  repository: Repository,
  dataset: string,
  options: CommitOptions = {},
): Promise<CommitSummary> {
  const config = repository.dataset(dataset);
  await refuseOpenMerge(repository, dataset);
  // Git answers while the staged batch is read; starting it costs more once much memory is in use.
  const author = options.author ?? repository.defaultAuthor();
  const settled = Promise.allSettled([author, repository.branch()]);
  const parent = await headVersion(repository, dataset);
  const staged = await currentStaged(repository, dataset, parent);
  const policy = settledPolicy(dataset, config, parent);
  const isBulk = staged.summary.lines >= BULK_RECORDS;
  if (isBulk) await repository.startCompressing();
  const groups = new AddedGroups(repository, dataset, parent?.hash, staged.summary.lines);
  const plan = await planOf(staged.path, policy, config.identity, parent?.manifest, {
    onNewGroup: (bytes, start, end) => {
      groups.add(bytes, start, end);
    },
    signal: repository.signal,
  });
  const sinks = new VersionSinks(repository, parent === undefined && isBulk);
  try {
    const trees = await buildTrees({
      path: staged.path,
      stratify: policy.stratify,
      identity: config.identity,
      plan,
      parent: parent?.manifest,
      source: repository.chunks,
      sinks,
      extraRetired: [],
      signal: repository.signal,
      progress: repository.progress,
    });
    checkCounts(repository, dataset, plan, trees);
    const change = { path: staged.path, policy, identity: config.identity, parent, plan };
    const allowed = await allowedErrors(repository, config, options, change);
    await settled;
    const manifest = manifestOf({
      ...change,
      repository,
      dataset,
      trees,
      batches: staged.summary.batches,
      parents: parent === undefined ? [] : [parent],
      crossed: 0,
      allowed,
      message: options.message ?? defaultMessage(staged),
      author: await author,
    });
    const { version, packs } = await sinks.finish(encodeManifest(manifest), parent?.hash);
    await groups.write();
    crashPoint('commit.packs-written');
    await recordVersion(repository, { hash: version, manifest }, packs, {
      previous: parent,
      stagedFile: staged.file,
      totals: parent === undefined ? undefined : plan.counter.totals,
      groups,
    });
    await discardStaged(repository, staged.file);
    crashPoint('commit.finished');
    await maintainFilter(repository, { hash: version, manifest });
    return summaryOf({ hash: version, manifest }, plan.warnings);
  } catch (error) {
    await sinks.abort();
    throw error;
  }
}

/** As `planCommit`; of a first version by the faster way, where that can be taken. */
async function planOf(
  path: string,
  policy: SplitPolicy,
  identity: readonly string[],
  parent: Manifest | undefined,
  options: PlanOptions,
): Promise<CommitPlan> {
  const first = parent === undefined ? await planFirst(path, policy, identity, options) : undefined;
  return first ?? planCommit(path, policy, identity, parent, options);
}

/** What is staged, prepared against the version that will be its parent. */
async function currentStaged(repository: Repository, dataset: string, parent: Version | undefined): Promise<Staged> {
  const staged = readStagedState(repository, dataset);
  if (staged === undefined || staged.summary.lines === 0) {
    throw new UttrError('nothing-staged', `nothing is staged for ${dataset}`, {
      hint: `add a batch first: uttr add ${dataset} <file>`,
    });
  }
  await checkStaged(staged);
  if (staged.summary.parent === (parent?.hash ?? null)) return staged;
  const carried = await restage(repository, dataset, staged, parent);
  if (carried !== undefined) return carried;
  throw new UttrError('nothing-staged', `the version checked out has all that was staged for ${dataset}`, {
    hint: 'nothing is left to commit; see: uttr status',
  });
}

/**
 * The split as the dataset's versions have it. It never changes silently: a configuration that says otherwise is
 * an error until it agrees again.
 */
function settledPolicy(dataset: string, config: DatasetConfig, parent: Version | undefined): SplitPolicy {
  if (parent === undefined) return config.split;
  const { split, identity } = parent.manifest;
  const same =
    canonicalJson(split as unknown as JsonValue) === canonicalJson(config.split as unknown as JsonValue) &&
    canonicalJson([...identity]) === canonicalJson([...config.identity]);
  if (same) return split;
  throw new UttrError('bad-config', `the split or identity of ${dataset} in uttr.json is not that of its versions`, {
    hint:
      `put it back: "split": ${canonicalJson(split as unknown as JsonValue)}, "identity": ${canonicalJson([...identity])}; ` +
      'another split needs a new dataset, so that train and test stay apart',
  });
}

/**
 * A record that was taken for new and is there already would show here: it takes the place of the old one, and the tree
 * has fewer than were counted.
 */
function checkCounts(repository: Repository, dataset: string, plan: CommitPlan, trees: BuiltTrees): void {
  const counted = plan.counter.intents.columnSums();
  const places = Object.entries({ ...trees.sides, [UNLABELLED]: trees.unlabelled });
  const wrong = places.flatMap(([place, { records }]) => ((counted.get(place) ?? 0) === records ? [] : [place]));
  if (wrong.length === 0) return;
  repository.catalogue.transaction(() => {
    repository.catalogue.filters.clear(dataset);
  });
  throw new UttrError('catalogue-unusable', `what is staged for ${dataset} has records as new that are there already`, {
    hint: `nothing was committed; run: uttr reset ${dataset}, then add the files again`,
    details: { dataset, places: wrong },
  });
}

/** Checks whose errors are let pass. @throws check-failed */
async function allowedErrors(
  repository: Repository,
  config: DatasetConfig,
  { allow }: CommitOptions,
  change: StagedChange,
): Promise<readonly string[]> {
  if (allow === undefined) return [];
  const { passChecks } = await import('./commit-checks.ts');
  return passChecks(repository, change, config.checks, allow);
}

function defaultMessage(staged: Staged): string {
  const names = staged.summary.batches.map((batch) => batch.name);
  return names.length === 0 ? 'edit' : `add ${names.slice(0, 5).join(', ')}`;
}

interface ManifestParts {
  readonly repository: Repository;
  readonly dataset: string;
  readonly identity: readonly string[];
  readonly policy: SplitPolicy;
  readonly plan: CommitPlan;
  readonly trees: BuiltTrees;
  readonly batches: readonly ManifestBatch[];
  readonly parents: readonly Version[];
  readonly crossed: number;
  /** Checks whose errors somebody let pass. */
  readonly allowed?: readonly string[];
  readonly message: string;
  readonly author: string;
}

/** The manifest of a version whose trees are built. */
export function manifestOf(parts: ManifestParts): Manifest {
  const { plan, trees, parents } = parts;
  const sides: Record<string, SideState> = {};
  for (const side of plan.sides) {
    sides[side] = { ...(trees.sides[side] as TreeRoot), groups: plan.groups.get(side) ?? 0 };
  }
  return {
    uttr: 1,
    dataset: parts.dataset,
    parents: parents.map((parent) => parent.hash),
    content: contentId(sides, trees.unlabelled),
    sides,
    unlabelled: trees.unlabelled,
    retired: trees.retired,
    split: parts.policy,
    identity: parts.identity,
    normaliser: NORMALISER_VERSION,
    strata: plan.strata.toObject(),
    intents: plan.counter.intents.toObject(),
    batches: parts.batches,
    changes: { ...plan.counter.totals.changes, list: trees.changes },
    ...(parts.allowed === undefined || parts.allowed.length === 0 ? {} : { allowed: parts.allowed }),
    crossed: parts.crossed,
    author: parts.author,
    message: parts.message,
    time: versionTime(parts.repository, parents),
  };
}

/** Now, but always after every parent: history is walked by time, and clocks differ or stand still. */
function versionTime(repository: Repository, parents: readonly Version[]): string {
  const earliest = parents.map((parent) => Date.parse(parent.manifest.time) + 1);
  return new Date(Math.max(repository.clock.now().getTime(), ...earliest)).toISOString();
}

export function summaryOf(version: Version, warnings: readonly string[]): CommitSummary {
  const { manifest } = version;
  const { rows, sides } = versionStats(version);
  const { list: _, ...changes } = manifest.changes;
  return {
    dataset: manifest.dataset,
    version: version.hash,
    parent: manifest.parents[0] ?? null,
    content: manifest.content,
    rows,
    unlabelled: manifest.unlabelled.records,
    sides,
    changes,
    crossed: manifest.crossed,
    allowed: manifest.allowed ?? [],
    pointer: pointerPath(manifest.dataset),
    warnings,
  };
}
