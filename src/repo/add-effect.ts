/**
 * What staged files would do to their dataset: texts of each intent before and after, new texts that are nearly equal to
 * others, and what the checks say.
 */
import { type CheckedRecord, intentsOf, labelled } from '../checks/check.ts';
import { CHECKS } from '../checks/registry.ts';
import type { CheckReport, Neighbour } from '../checks/run.ts';
import { joinSimilar } from '../checks/similarity-join.ts';
import { TrigramCorpus } from '../checks/trigram-corpus.ts';
import { type Manifest, UNLABELLED_PLACE } from '../records/manifest.ts';
import { labelNames } from '../records/stratum.ts';
import { fold } from '../records/text.ts';
import { checkStagedChange, recordsOf, type StagedChange } from './check-staged.ts';
import { type CommitPlan, CountTable, isNew, placedGroups, planCommit } from './commit-plan.ts';
import type { DatasetConfig } from './config.ts';
import type { Repository } from './repository.ts';
import { type FindNeighbours, findNeighbours, isSearchQuick } from './similar-texts.ts';
import type { Version } from './versions.ts';

/** New texts whose neighbours are looked for; of more, only `check` tells. */
const NEAR_TEXTS = 50_000;

/** Pairs within the batch that are looked at: what a template made has no end of them. */
const PAIRS_LIMIT = 1_000_000;

export interface IntentEffect {
  readonly intent: string;
  /** Records with a label in the version, and with what is staged. */
  readonly before: number;
  readonly after: number;
}

/** A new text that is nearly equal to another. */
export interface NearDuplicate {
  readonly text: string;
  readonly intent: string;
  readonly near: { readonly text: string; readonly intent: string };
  /** Share of equal character trigrams (Jaccard). */
  readonly similarity: number;
  /** Whether the two have an intent in common. */
  readonly sameIntent: boolean;
}

export interface AddEffect {
  /** Intents that the staged files touch, by name. */
  readonly intents: readonly IntentEffect[];
  /** By group; those with another intent first. undefined where they were not looked for. */
  readonly near: ReadonlyMap<string, NearDuplicate> | undefined;
  /** undefined where they did not run. */
  readonly checks: CheckReport | undefined;
}

/** What a batch is, and where it would go. */
export interface EffectInput {
  /** The staged file. */
  readonly path: string;
  readonly parent: Version | undefined;
  readonly config: DatasetConfig;
  /** What the file changes in the number of records of each label; of no use without a parent. */
  readonly labels: ReadonlyMap<string, number>;
  /** With the checks, and whatever an index of like texts takes. */
  readonly isThorough: boolean;
}

/** Looks at a staged file; without a search for like texts, it is not even opened. */
export async function addEffect(repository: Repository, input: EffectInput): Promise<AddEffect> {
  const { path, parent, config, isThorough } = input;
  if (!isThorough && parent !== undefined && !(await isSearchQuick(repository, parent))) {
    return { intents: intentEffects(parent.manifest, input.labels), near: undefined, checks: undefined };
  }
  const policy = parent?.manifest.split ?? config.split;
  const { identity } = config;
  const plan = await planCommit(path, policy, identity, parent?.manifest, { signal: repository.signal });
  const change: StagedChange = { path, policy, identity, parent, plan };
  const { added, touched } = await newTexts(change);
  const isFew = added.length <= NEAR_TEXTS;
  const neighbours = remembered(findNeighbours(repository, parent, { isQuick: !isThorough }));
  const { values, severity } = config.checks['near-duplicates'] ?? { values: {}, severity: 'off' };
  const find: Search = (texts, threshold) => neighbours(texts, threshold, (group) => touched.has(group));
  const only = isFew ? undefined : QUICK_CHECKS;
  const today = repository.clock.now().toISOString().slice(0, 10);
  const checks = isThorough
    ? await checkStagedChange(change, { settings: config.checks, neighbours, chunks: repository.chunks, today, only })
    : undefined;
  const near =
    severity === 'off' || !isFew ? undefined : await nearDuplicates(added, Number(values['threshold']), find);
  return { intents: intentEffects(parent?.manifest, labelsOf(plan, parent)), near, checks };
}

/** A search that answers again from what it found for a likeness that is lower: the checks ask for more than near-duplicates. */
function remembered(search: FindNeighbours): FindNeighbours {
  let last: { readonly threshold: number; readonly found: readonly Neighbour[] | undefined } | undefined;
  return async (texts, threshold, isChanged) => {
    if (last === undefined || last.threshold > threshold) {
      last = { threshold, found: await search(texts, threshold, isChanged) };
    }
    return last.found?.filter(({ similarity }) => similarity >= threshold);
  };
}

/** What a commit would change in the number of records of each label. */
function labelsOf({ counter }: CommitPlan, parent: Version | undefined): ReadonlyMap<string, number> {
  const labels = new Map<string, number>();
  const add = (table: CountTable, sign: number): void => {
    table.forEach((label, place, count) => {
      if (place !== UNLABELLED_PLACE) labels.set(label, (labels.get(label) ?? 0) + sign * count);
    });
  };
  add(counter.intents, 1);
  add(CountTable.from(parent?.manifest.intents ?? {}), -1);
  return labels;
}

/** Texts that no version has had, and the names of all groups that the file touches; completes the counts of the plan. */
async function newTexts({ path, identity, policy, parent, plan }: StagedChange): Promise<{
  readonly added: readonly CheckedRecord[];
  readonly touched: ReadonlySet<string>;
}> {
  const added: CheckedRecord[] = [];
  const touched = new Set<string>();
  for await (const groups of placedGroups(path, identity, policy.stratify, plan)) {
    for (const group of groups) {
      const { move, side } = group;
      // Of a first version the plan counts on the way.
      if (parent === undefined) plan.counter.add(move, side);
      const first = isNew(move) ? labelled(recordsOf(group)) : undefined;
      if (first !== undefined) added.push(first);
      const [line] = move.lines;
      if (line !== undefined) touched.add(line.fold.toString('utf8'));
    }
  }
  return { added, touched };
}

type Search = (texts: readonly CheckedRecord[], threshold: number) => Promise<readonly Neighbour[] | undefined>;

/** Checks that need no search for like texts. */
const QUICK_CHECKS = CHECKS.filter(({ likeness }) => likeness === undefined).map(({ name }) => name);

function intentEffects(parent: Manifest | undefined, labels: ReadonlyMap<string, number>): IntentEffect[] {
  const before = new Map<string, number>();
  CountTable.from(parent?.intents ?? {}).forEach((label, place, count) => {
    if (place === UNLABELLED_PLACE) return;
    for (const name of labelNames(label)) before.set(name, (before.get(name) ?? 0) + count);
  });
  const after = new Map<string, number>();
  for (const [label, change] of labels) {
    if (change === 0) continue;
    for (const name of labelNames(label)) after.set(name, (after.get(name) ?? before.get(name) ?? 0) + change);
  }
  return [...after]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([intent, count]) => ({ intent, before: before.get(intent) ?? 0, after: count }));
}

/** For each new text that is nearly equal to another one, the one that says most: of another intent, then the nearest. */
async function nearDuplicates(
  added: readonly CheckedRecord[],
  threshold: number,
  neighbours: Search,
): Promise<ReadonlyMap<string, NearDuplicate> | undefined> {
  const there = await neighbours(added, threshold);
  if (there === undefined) return undefined;
  const found = new Map<string, NearDuplicate>();
  const tell = (one: CheckedRecord, other: CheckedRecord, similarity: number): void => {
    const near = nearDuplicate(one, other, similarity);
    const before = found.get(one.group);
    if (before === undefined || byWeight(near, before) < 0) found.set(one.group, near);
  };
  const groups = new Set(added.map(({ group }) => group));
  for (const { changed, other, similarity } of there) {
    if (groups.has(changed.group)) tell(changed, other, similarity);
  }
  const corpus = new TrigramCorpus();
  for (const { record } of added) corpus.add(fold(record.text));
  let pairs = 0;
  joinSimilar(corpus.finish(), threshold, (a, b, similarity) => {
    const [left, right] = [added[a] as CheckedRecord, added[b] as CheckedRecord];
    tell(left, right, similarity);
    tell(right, left, similarity);
    return ++pairs < PAIRS_LIMIT;
  });
  return new Map([...found].sort(([, a], [, b]) => byWeight(a, b)));
}

function byWeight(a: NearDuplicate, b: NearDuplicate): number {
  return Number(a.sameIntent) - Number(b.sameIntent) || b.similarity - a.similarity || (a.text < b.text ? -1 : 1);
}

function nearDuplicate({ record }: CheckedRecord, other: CheckedRecord, similarity: number): NearDuplicate {
  const [own, others] = [intentsOf(record), intentsOf(other.record)];
  return {
    text: record.text,
    intent: own.join(' + '),
    near: { text: other.record.text, intent: others.join(' + ') },
    similarity,
    sameIntent: own.some((intent) => others.includes(intent)),
  };
}
