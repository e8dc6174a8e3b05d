/**
 * Three-way merge of records.
 *
 * Only what the other branch changed is looked at: for each group it touched, the records in the base, here and
 * there are put side by side and merged field by field; what cannot be merged so is a conflict for a person.
 *
 * M1  A group on different sides of the two branches goes to the side with the largest share and is counted as
 *     crossed: a model may have been trained on it (S7).
 */
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';
import { crashPoint } from '../base/crash-points.ts';
import { UttrError } from '../base/errors.ts';
import { decodeRecord } from '../records/encode-record.ts';
import { encodeManifest, type Manifest } from '../records/manifest.ts';
import { mergeSide } from '../split/merge-side.ts';
import { discard } from '../store/durable-file.ts';
import type { Edit } from '../tree/edit.ts';
import { changedFolds } from './folds.ts';
import { compareGroups } from './group-order.ts';
import { isAncestor } from './ancestry.ts';
import { BaseLookup, type BaseGroup } from './base-lookup.ts';
import { buildTrees, retiredValue } from './build-version.ts';
import type { ChangeTotals } from './change-totals.ts';
import { planCommit } from './commit-plan.ts';
import { manifestOf } from './commit.ts';
import { intentJson } from './group-state.ts';
import { mergeRecord } from './merge-record.ts';
import type { Repository } from './repository.ts';
import { FORCED, formatStagedLine, NO_HOME, StagedWriter } from './staged-file.ts';
import { VersionSinks } from './version-sinks.ts';
import type { Version } from './versions.ts';

const WINDOW_GROUPS = 1024;

/** A record that both branches changed differently. States are canonical JSON; undefined: not there. */
export interface MergeConflict {
  readonly key: string;
  readonly text: string;
  readonly base: string | undefined;
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
}

/** Settles a conflict; undefined leaves it open. The answer's `record` undefined removes the record. */
export type Settle = (conflict: MergeConflict) => { readonly record: string | undefined } | undefined;

export interface MergedVersion {
  readonly version: Version;
  readonly crossedTexts: readonly string[];
  /** What changed against our side. */
  readonly totals: ChangeTotals;
}

export type MergeResult =
  | {
      readonly kind: 'merged';
      readonly merged: MergedVersion;
      readonly packs: Awaited<ReturnType<VersionSinks['finish']>>['packs'];
    }
  | { readonly kind: 'conflicts'; readonly conflicts: readonly MergeConflict[] };

export interface MergeOptions {
  readonly message?: string | undefined;
  readonly author?: string | undefined;
}

/** Merges two versions that have gone on from common ones. Packs are written; nothing is recorded yet. */
export async function mergeRecords(
  repository: Repository,
  input: MergeInput,
  settle: Settle,
  options: MergeOptions,
): Promise<MergeResult> {
  requireSameSplit(input.ours.manifest, input.theirs.manifest);
  const path = repository.path('staged', `merge-${repository.ulids.next()}.lines`);
  await repository.ensureFolder('staged');
  const writer = await StagedWriter.open(path);
  const merge = new RecordMerge(repository, input, settle, writer);
  try {
    await merge.run();
    if (merge.conflicts.length > 0) {
      await writer.abort();
      return { kind: 'conflicts', conflicts: merge.conflicts };
    }
    await writer.publish();
    return { kind: 'merged', ...(await build(repository, path, merge, input, options)) };
  } catch (error) {
    await writer.abort();
    throw error;
  } finally {
    await discard(path);
  }
}

async function build(
  repository: Repository,
  path: string,
  merge: RecordMerge,
  { bases, ours, theirs }: MergeInput,
  options: MergeOptions,
): Promise<Omit<Extract<MergeResult, { kind: 'merged' }>, 'kind'>> {
  const policy = ours.manifest.split;
  const parents = (await takesAll(repository, bases, ours, theirs)) ? [ours, theirs] : [ours];
  // The records that are rewritten were read just now: where they came from a remote, they serve as dictionaries.
  await repository.lazy.keep();
  const plan = await planCommit(path, policy, ours.manifest.identity, ours.manifest);
  const sinks = new VersionSinks(repository, false);
  try {
    const trees = await buildTrees({
      path,
      stratify: policy.stratify,
      identity: ours.manifest.identity,
      plan,
      parent: ours.manifest,
      source: repository.chunks,
      sinks,
      extraRetired: merge.retired,
      signal: repository.signal,
      progress: repository.progress,
    });
    const manifest = manifestOf({
      repository,
      dataset: ours.manifest.dataset,
      identity: ours.manifest.identity,
      policy,
      plan,
      trees,
      batches: theirs.manifest.batches,
      parents,
      crossed: merge.crossedTexts.length,
      message: options.message ?? `merge ${theirs.hash.slice(0, 12)}`,
      author: options.author ?? (await repository.defaultAuthor()),
    });
    const { version, packs } = await sinks.finish(encodeManifest(manifest), ours.hash);
    crashPoint('commit.packs-written');
    return {
      merged: { version: { hash: version, manifest }, crossedTexts: merge.crossedTexts, totals: plan.counter.totals },
      packs,
    };
  } catch (error) {
    await sinks.abort();
    throw error;
  }
}

/**
 * Whether the merged version holds everything that the other one was made of. A cherry-pick and a rebase apply one
 * step of it only: its history must not be taken for merged.
 */
async function takesAll(
  repository: Repository,
  bases: readonly Version[],
  ours: Version,
  theirs: Version,
): Promise<boolean> {
  for (const { hash } of bases) {
    if (!(await isAncestor(repository, hash, ours.hash))) return false;
    if (!(await isAncestor(repository, hash, theirs.hash))) return false;
  }
  return true;
}

function requireSameSplit(ours: Manifest, theirs: Manifest): void {
  const shape = ({ split, identity, normaliser }: Manifest): string =>
    canonicalJson({ split: split as unknown as JsonValue, identity: [...identity], normaliser });
  if (shape(ours) === shape(theirs)) return;
  throw new UttrError('bad-config', `the two versions of ${ours.dataset} have different splits or identities`, {
    hint: 'only versions with the same split can be merged',
  });
}

/** The versions of a merge. Several bases: after merges in both directions no single one is the nearest. */
export interface MergeInput {
  readonly bases: readonly Version[];
  readonly ours: Version;
  readonly theirs: Version;
}

class RecordMerge {
  readonly conflicts: MergeConflict[] = [];
  readonly crossedTexts: string[] = [];
  readonly retired: Edit[] = [];
  readonly #repository: Repository;
  readonly #input: MergeInput;
  readonly #settle: Settle;
  readonly #writer: StagedWriter;
  readonly #lookups: { readonly bases: readonly BaseLookup[]; readonly ours: BaseLookup; readonly theirs: BaseLookup };

  constructor(repository: Repository, input: MergeInput, settle: Settle, writer: StagedWriter) {
    this.#repository = repository;
    this.#input = input;
    this.#settle = settle;
    this.#writer = writer;
    const lookup = ({ manifest }: Version): BaseLookup => new BaseLookup(repository.chunks, manifest);
    this.#lookups = { bases: input.bases.map(lookup), ours: lookup(input.ours), theirs: lookup(input.theirs) };
  }

  async run(): Promise<void> {
    const folds = await this.#touchedFolds();
    for (let at = 0; at < folds.length; at += WINDOW_GROUPS) {
      const window = folds.slice(at, at + WINDOW_GROUPS);
      const bases: BaseGroup[][] = [];
      for (const lookup of this.#lookups.bases) bases.push(await lookup.groups(window));
      const ours = await this.#lookups.ours.groups(window);
      const theirs = await this.#lookups.theirs.groups(window);
      for (const [index, fold] of window.entries()) {
        const base = bases.map((groups) => groups[index] as BaseGroup);
        this.#group(fold, base, ours[index] as BaseGroup, theirs[index] as BaseGroup);
      }
      await this.#writer.drain();
      this.#repository.progress.update('merging', at + window.length, folds.length, 'groups');
    }
  }

  /** Groups in which the other branch changed a record or the side; ascending, each once. */
  async #touchedFolds(): Promise<Buffer[]> {
    const { bases, theirs } = this.#input;
    const folds = new Set<string>();
    for (const base of bases.length === 0 ? [undefined] : bases) {
      for await (const fold of changedFolds(this.#repository, base, theirs)) folds.add(fold.toString('utf8'));
    }
    return [...folds].map((fold) => Buffer.from(fold)).sort(compareGroups);
  }

  #group(fold: Buffer, bases: readonly BaseGroup[], ours: BaseGroup, theirs: BaseGroup): void {
    const keys = [...new Set([ours, theirs, ...bases].flatMap(({ members }) => [...members.keys()]))]
      .map((key) => Buffer.from(key))
      .sort((a, b) => Buffer.compare(a, b))
      .map((key) => key.toString('utf8'));
    const side = this.#side(fold, ours, theirs);
    const home = side === undefined ? ours.home : `${ours.home}${FORCED}${side}`;
    let isLabelled = false;
    for (const key of keys) {
      const here = ours.members.get(key);
      const after = this.#record(
        key,
        bases.map((base) => base.members.get(key)),
        here,
        theirs.members.get(key),
      );
      if (here === undefined && after === undefined) continue;
      const intent = intentJson(after);
      isLabelled ||= intent !== '';
      this.#writer.write(formatStagedLine(key, home, intent, after, here));
    }
    // A group that leaves a side here is remembered by the commit itself; others only the merge knows of.
    const leaves = ours.home !== NO_HOME && !isRetired(ours.home);
    if (!isLabelled && !leaves && side !== undefined) this.retired.push({ key: fold, value: retiredValue(side) });
  }

  /** The side that the merge decides on; undefined where neither branch has the group on one. */
  #side(fold: Buffer, ours: BaseGroup, theirs: BaseGroup): string | undefined {
    const [here, there] = [sideOfHome(ours.home), sideOfHome(theirs.home)];
    if (here === undefined || there === undefined) return here ?? there;
    const { side, crossed } = mergeSide(this.#input.ours.manifest.split, here, there);
    if (crossed) {
      const record = [...ours.members.values(), ...theirs.members.values()][0];
      this.crossedTexts.push(record === undefined ? fold.toString('utf8') : decodeRecord(record).text);
    }
    return side;
  }

  #record(
    key: string,
    bases: readonly (string | undefined)[],
    here: string | undefined,
    there: string | undefined,
  ): string | undefined {
    const merged = mergeRecord(bases, here, there);
    if (merged !== undefined) return merged.value;
    const text = decodeRecord((here ?? there) as string).text;
    const conflict = { key, text, base: bases.find((base) => base !== undefined), ours: here, theirs: there };
    const settled = this.#settle(conflict);
    if (settled !== undefined) return settled.record;
    this.conflicts.push(conflict);
    return here;
  }
}

function isRetired(home: string): boolean {
  return home.startsWith('~');
}

function sideOfHome(home: string): string | undefined {
  if (home === NO_HOME) return undefined;
  return isRetired(home) ? home.slice(1) : home;
}
