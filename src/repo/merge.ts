/**
 * Three-way merge of records.
 *
 * Only what the other branch changed is looked at: for each group it touched, the records in the base, here and
 * there are put side by side. A record that only one branch changed is taken from it; one that both changed in the
 * same way is taken as it is; the rest are conflicts for a person.
 *
 * M1  A group on different sides of the two branches goes to the side with the largest share and is counted as
 *     crossed: a model may have been trained on it (S8).
 */
import { rm } from 'node:fs/promises';
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';
import { crashPoint } from '../base/crash-points.ts';
import { UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import { decodeRecord } from '../records/encode-record.ts';
import { encodeManifest, type Manifest } from '../records/manifest.ts';
import { mergeSide } from '../split/merge-side.ts';
import type { Edit } from '../tree/edit.ts';
import { diffTrees } from '../tree/diff.ts';
import { BaseLookup, type BaseGroup } from './base-lookup.ts';
import { buildTrees, retiredValue } from './build-version.ts';
import type { ChangeTotals } from './change-totals.ts';
import { planCommit } from './commit-plan.ts';
import { manifestOf } from './commit.ts';
import { intentJson } from './group-state.ts';
import { recordChanges } from './record-changes.ts';
import type { Repository } from './repository.ts';
import { FORCED, formatStagedLine, NO_HOME, StagedWriter } from './staged-file.ts';
import { VersionSinks } from './version-sinks.ts';
import { history, type Version } from './versions.ts';

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

/**
 * Merges two versions that have gone on from `base` (undefined: from nothing). Packs are written; nothing is
 * recorded yet.
 */
export async function mergeRecords(
  repository: Repository,
  base: Version | undefined,
  ours: Version,
  theirs: Version,
  settle: Settle,
  options: MergeOptions,
): Promise<MergeResult> {
  requireSameSplit(ours.manifest, theirs.manifest);
  const path = repository.path('staged', `merge-${repository.ulids.next()}.lines`);
  await repository.ensureFolder('staged');
  const writer = await StagedWriter.open(path);
  const merge = new RecordMerge(repository, { base, ours, theirs }, settle, writer);
  try {
    await merge.run();
    if (merge.conflicts.length > 0) {
      await writer.abort();
      return { kind: 'conflicts', conflicts: merge.conflicts };
    }
    await writer.publish();
    return { kind: 'merged', ...(await build(repository, path, merge, ours, theirs, options)) };
  } catch (error) {
    await writer.abort();
    throw error;
  } finally {
    await rm(path, { force: true });
  }
}

async function build(
  repository: Repository,
  path: string,
  merge: RecordMerge,
  ours: Version,
  theirs: Version,
  options: MergeOptions,
): Promise<Omit<Extract<MergeResult, { kind: 'merged' }>, 'kind'>> {
  const policy = ours.manifest.split;
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
      parents: [ours, theirs],
      crossed: merge.crossedTexts.length,
      message: options.message ?? `merge ${theirs.hash.slice(0, 12)}`,
      author: options.author ?? (await repository.defaultAuthor()),
    });
    const { version, packs } = await sinks.finish(encodeManifest(manifest), ours.hash);
    crashPoint('commit.packs-written');
    return {
      merged: { version: { hash: version, manifest }, crossedTexts: merge.crossedTexts, totals: plan.totals },
      packs,
    };
  } catch (error) {
    await sinks.abort();
    throw error;
  }
}

function requireSameSplit(ours: Manifest, theirs: Manifest): void {
  const shape = ({ split, identity, normaliser }: Manifest): string =>
    canonicalJson({ split: split as unknown as JsonValue, identity: [...identity], normaliser });
  if (shape(ours) === shape(theirs)) return;
  throw new UttrError('bad-config', `the two versions of ${ours.dataset} have different splits or identities`, {
    hint: 'only versions with the same split can be merged',
  });
}

/** The nearest version that lies in the history of both; undefined when they share none. */
export async function commonAncestor(repository: Repository, a: Hash, b: Hash): Promise<Version | undefined> {
  const left = history(repository, a)[Symbol.asyncIterator]();
  const right = history(repository, b)[Symbol.asyncIterator]();
  const seenLeft = new Set<Hash>();
  const seenRight = new Set<Hash>();
  // Both histories come newest first: what both have seen first is the nearest, and the walk ends early.
  for (;;) {
    const [one, other] = [await left.next(), await right.next()];
    if (one.done !== true) {
      seenLeft.add(one.value.hash);
      if (seenRight.has(one.value.hash)) return one.value;
    }
    if (other.done !== true) {
      seenRight.add(other.value.hash);
      if (seenLeft.has(other.value.hash)) return other.value;
    }
    if (one.done === true && other.done === true) return undefined;
  }
}

interface Three {
  readonly base: Version | undefined;
  readonly ours: Version;
  readonly theirs: Version;
}

class RecordMerge {
  readonly conflicts: MergeConflict[] = [];
  readonly crossedTexts: string[] = [];
  readonly retired: Edit[] = [];
  readonly #repository: Repository;
  readonly #three: Three;
  readonly #settle: Settle;
  readonly #writer: StagedWriter;
  readonly #lookups: { readonly base: BaseLookup; readonly ours: BaseLookup; readonly theirs: BaseLookup };

  constructor(repository: Repository, three: Three, settle: Settle, writer: StagedWriter) {
    this.#repository = repository;
    this.#three = three;
    this.#settle = settle;
    this.#writer = writer;
    const { chunks } = repository;
    this.#lookups = {
      base: new BaseLookup(chunks, three.base?.manifest),
      ours: new BaseLookup(chunks, three.ours.manifest),
      theirs: new BaseLookup(chunks, three.theirs.manifest),
    };
  }

  async run(): Promise<void> {
    const folds = await this.#touchedFolds();
    for (let at = 0; at < folds.length; at += WINDOW_GROUPS) {
      const window = folds.slice(at, at + WINDOW_GROUPS);
      const base = await this.#lookups.base.groups(window);
      const ours = await this.#lookups.ours.groups(window);
      const theirs = await this.#lookups.theirs.groups(window);
      for (const [index, fold] of window.entries()) {
        this.#group(fold, base[index] as BaseGroup, ours[index] as BaseGroup, theirs[index] as BaseGroup);
      }
      await this.#writer.flush();
      this.#repository.progress.update('merging', at + window.length, folds.length, 'groups');
    }
  }

  /** Groups in which the other branch changed a record, or that left its data; ascending, each once. */
  async #touchedFolds(): Promise<Buffer[]> {
    const { base, theirs } = this.#three;
    const folds = new Set<string>();
    for await (const batch of recordChanges(this.#repository, base, theirs)) {
      for (const { key } of batch) folds.add(key.subarray(0, key.indexOf(9)).toString('utf8'));
    }
    const retired = base?.manifest.retired ?? { root: null, height: 0, records: 0, bytes: 0 };
    for await (const batch of diffTrees(this.#repository.chunks, retired, theirs.manifest.retired)) {
      for (const { key } of batch) folds.add(key.toString('utf8'));
    }
    return [...folds].map((fold) => Buffer.from(fold)).sort(Buffer.compare);
  }

  #group(fold: Buffer, base: BaseGroup, ours: BaseGroup, theirs: BaseGroup): void {
    const keys = [...new Set([...ours.members.keys(), ...theirs.members.keys(), ...base.members.keys()])]
      .map((key) => Buffer.from(key))
      .sort(Buffer.compare)
      .map((key) => key.toString('utf8'));
    const side = this.#side(ours, theirs, keys);
    const home = side === undefined ? ours.home : `${ours.home}${FORCED}${side}`;
    let lines = 0;
    for (const key of keys) {
      const [was, here, there] = [base.members.get(key), ours.members.get(key), theirs.members.get(key)];
      const after = this.#record(key, was, here, there);
      if (here === undefined && after === undefined) continue;
      this.#writer.write(formatStagedLine(key, home, intentJson(after), after, here));
      lines++;
    }
    if (lines === 0 && side !== undefined) this.retired.push({ key: fold, value: retiredValue(side) });
  }

  /** The side that the merge decides on; undefined where neither branch has the group on one. */
  #side(ours: BaseGroup, theirs: BaseGroup, keys: readonly string[]): string | undefined {
    const [here, there] = [sideOfHome(ours.home), sideOfHome(theirs.home)];
    if (here === undefined || there === undefined) return here ?? there;
    const { side, crossed } = mergeSide(this.#three.ours.manifest.split, here, there);
    if (crossed) {
      const record = [...ours.members.values(), ...theirs.members.values()][0];
      this.crossedTexts.push(record === undefined ? (keys[0] ?? '') : decodeRecord(record).text);
    }
    return side;
  }

  #record(
    key: string,
    was: string | undefined,
    here: string | undefined,
    there: string | undefined,
  ): string | undefined {
    if (there === was || there === here) return here;
    if (here === was) return there;
    const text = decodeRecord((here ?? there ?? was) as string).text;
    const conflict = { key, text, base: was, ours: here, theirs: there };
    const settled = this.#settle(conflict);
    if (settled !== undefined) return settled.record;
    this.conflicts.push(conflict);
    return here;
  }
}

function sideOfHome(home: string): string | undefined {
  if (home === NO_HOME) return undefined;
  return home.startsWith('~') ? home.slice(1) : home;
}
