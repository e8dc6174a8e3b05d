/**
 * The checks of a dataset over what a staged file changes, before there is a version of it.
 *
 * Only the groups that the file touches are read, and of these only what the checks have to see. What the counting checks
 * ask is in the plan: records by intent and side, as the version will have them.
 */
import type { CheckedRecord } from '../checks/check.ts';
import { IntentCounts } from '../checks/intent-counts.ts';
import { type CheckReport, chosenChecks, runChecks, sightOf } from '../checks/run.ts';
import type { CheckSettings } from '../checks/settings.ts';
import { decodeRecord } from '../records/encode-record.ts';
import { groupOfKey } from '../records/key.ts';
import { type Manifest, type SplitPolicy, UNLABELLED_PLACE } from '../records/manifest.ts';
import { labelNames } from '../records/stratum.ts';
import { sidesByShare } from '../split/policy.ts';
import type { ChunkSource } from '../store/chunks.ts';
import type { Entry } from '../tree/lines.ts';
import { TreeReader } from '../tree/reader.ts';
import { type CommitPlan, type CountTable, placedGroups, type PlacedGroup, placeOf } from './commit-plan.ts';
import { intentNames } from './change-event.ts';
import { repeatedGroups } from './first-version.ts';
import type { FindNeighbours } from './similar-texts.ts';
import type { StagedLine } from './staged-file.ts';
import type { Version } from './versions.ts';

/** A staged file and what a commit would make of it. */
export interface StagedChange {
  readonly path: string;
  readonly policy: SplitPolicy;
  readonly identity: readonly string[];
  readonly parent: Version | undefined;
  /** Its counts must be complete. */
  readonly plan: CommitPlan;
}

export interface StagedCheckOptions {
  readonly settings: CheckSettings;
  readonly neighbours: FindNeighbours;
  readonly chunks: ChunkSource;
  readonly today: string;
  readonly only?: readonly string[] | undefined;
  readonly stoppingOnly?: boolean | undefined;
}

export async function checkStagedChange(change: StagedChange, options: StagedCheckOptions): Promise<CheckReport> {
  const { parent, plan, policy, identity } = change;
  const counts = countsFrom(plan.counter.intents);
  const changed = new Set<string>();
  const sight = sightOf(chosenChecks(options), options.settings, false);
  return runChecks({
    ...options,
    sides: sidesByShare(policy),
    identity,
    parentIntents: parent === undefined ? undefined : intentNames(parent.manifest),
    // A group stays on its side for ever, so a commit cannot bring it where it has not been.
    leftSides: () => [],
    records: sight === 'nothing' ? nothing() : sight === 'repeats' ? repeated(change) : touched(change, changed),
    change: {
      rows: [...plan.counter.intents.columnSums().values()].reduce((sum, count) => sum + count, 0),
      counts,
      intents: parent === undefined ? counts.names : [...plan.counter.totals.byIntent.keys()].sort(),
      neighbours: async (texts, threshold) =>
        (await options.neighbours(texts, threshold, (group) => changed.has(group))) ?? [],
      sample: () => sampleOf(options.chunks, parent?.manifest),
    },
  });
}

/** Records by label and place, as the checks count them. */
function countsFrom(table: CountTable): IntentCounts {
  const counts = new IntentCounts();
  table.forEach((label, place, count) => {
    if (place === UNLABELLED_PLACE || count === 0) return;
    for (const name of labelNames(label)) counts.addTexts(name, place, count);
  });
  return counts;
}

/** Records of the first, the middle and the last leaves of every side. */
async function sampleOf(chunks: ChunkSource, manifest: Manifest | undefined): Promise<CheckedRecord[]> {
  const sample: CheckedRecord[] = [];
  for (const [side, tree] of Object.entries(manifest?.sides ?? {})) {
    for (const part of [0, 1 / 3, 2 / 3]) {
      const scan = new TreeReader(chunks, tree).scan({ skip: Math.floor(part * tree.records) });
      const { value } = await scan.next();
      await scan.return(undefined);
      for (const { key, value: record } of (value as readonly Entry[] | undefined) ?? []) {
        sample.push({ record: decodeRecord(record), side, group: groupOfKey(key.toString('utf8')) });
      }
    }
  }
  return sample;
}

async function* nothing(): AsyncIterable<readonly CheckedRecord[]> {
  // An empty stream.
}

/** Every record of the touched groups, as it will be. @param names is given the names of the groups */
async function* touched(
  { path, identity, policy, plan }: StagedChange,
  names: Set<string>,
): AsyncIterable<readonly CheckedRecord[]> {
  for await (const groups of placedGroups(path, identity, policy.stratify, plan)) {
    for (const { move } of groups) names.add((move.lines[0] as StagedLine).fold.toString('utf8'));
    yield groups.flatMap((group) => recordsOf(group));
  }
}

export function recordsOf({ move, side }: PlacedGroup): CheckedRecord[] {
  return move.lines.flatMap((line) => {
    const place = placeOf(line, 'after', side);
    return place === undefined ? [] : [checkedRecord(line, place)];
  });
}

function checkedRecord(line: StagedLine, side: string): CheckedRecord {
  return { record: decodeRecord(line.after as Buffer), side, group: line.fold.toString('utf8') };
}

/** The groups that will have several records. */
async function* repeated(change: StagedChange): AsyncIterable<readonly CheckedRecord[]> {
  const { path, identity, policy, plan } = change;
  if (plan.isOnlyAdded) {
    yield* repeatedGroups(path, identity, plan);
    return;
  }
  for await (const groups of placedGroups(path, identity, policy.stratify, plan)) {
    yield groups.flatMap((group) => (group.move.lines.length < 2 ? [] : recordsOf(group)));
  }
}
