/**
 * What a dataset should hold, kept the slow and simple way: records by key, the side of every group there ever was.
 */
import { canonicalJson, type JsonValue } from '../../src/base/canonical-json.ts';
import { groupOfKey, recordKey } from '../../src/records/key.ts';
import type { UtteranceRecord } from '../../src/records/record.ts';
import { labelKey, stratumOf } from '../../src/records/stratum.ts';
import { TreeBuilder, type TreeRoot } from '../../src/tree/build.ts';
import { MemoryChunks } from '../doubles/memory-chunks.ts';

export type Entries = ReadonlyMap<string, UtteranceRecord>;

export interface Snapshot {
  readonly records: Entries;
  /** Group to the side it is on, or was on when it left. */
  readonly sides: ReadonlyMap<string, string>;
}

export const NOTHING: Snapshot = { records: new Map(), sides: new Map() };

export const keyOf = (record: UtteranceRecord): string => recordKey(record, []);

const json = (record: UtteranceRecord | undefined): string | undefined =>
  record === undefined ? undefined : canonicalJson(record as unknown as JsonValue);

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Where a record lies: the side of its group, or with the unlabelled. */
export function placeOf({ sides }: Snapshot, key: string, record: UtteranceRecord): string {
  return record.intent === undefined ? 'unlabelled' : (sides.get(groupOfKey(key)) ?? 'nowhere');
}

/** `place json` by key, in key order. */
export function listed(snapshot: Snapshot): [string, string][] {
  return [...snapshot.records]
    .sort(([a], [b]) => byBytes(a, b))
    .map(([key, record]) => [key, `${placeOf(snapshot, key, record)} ${json(record)}`]);
}

/** Groups without a labelled record that were once on a side. */
export function retired(snapshot: Snapshot): Map<string, string> {
  const live = new Set(
    [...snapshot.records].flatMap(([key, record]) => (record.intent === undefined ? [] : [groupOfKey(key)])),
  );
  return new Map([...snapshot.sides].filter(([group]) => !live.has(group)));
}

/** Roots of a version's trees, built at once from the records. */
export async function roots(snapshot: Snapshot): Promise<Record<string, TreeRoot>> {
  const trees: Record<string, [string, string][]> = { train: [], test: [], unlabelled: [], retired: [] };
  for (const [key, record] of snapshot.records) {
    trees[placeOf(snapshot, key, record)]?.push([key, json(record) as string]);
  }
  for (const [group, side] of retired(snapshot)) trees['retired']?.push([group, JSON.stringify(side)]);
  const built: Record<string, TreeRoot> = {};
  for (const [place, entries] of Object.entries(trees)) {
    const builder = new TreeBuilder(new MemoryChunks());
    for (const [key, value] of entries.sort(([a], [b]) => byBytes(a, b))) {
      builder.add(Buffer.from(key), Buffer.from(value));
    }
    built[place] = await builder.finish();
  }
  return built;
}

type Table = Record<string, Record<string, number>>;

/** Counts that a manifest should have. */
export function counts(snapshot: Snapshot): { intents: Table; strata: Table; groups: Record<string, number> } {
  const [intents, strata]: [Table, Table] = [{}, {}];
  const groups: Record<string, number> = { train: 0, test: 0 };
  const seen = new Set<string>();
  const add = (table: Table, row: string, column: string): void => {
    const columns = (table[row] ??= {});
    columns[column] = (columns[column] ?? 0) + 1;
  };
  for (const [key, record] of [...snapshot.records].sort(([a], [b]) => byBytes(a, b))) {
    const place = placeOf(snapshot, key, record);
    add(intents, labelKey(record.intent), place);
    const group = groupOfKey(key);
    if (record.intent === undefined || seen.has(group)) continue;
    seen.add(group);
    groups[place] = (groups[place] ?? 0) + 1;
    add(strata, stratumOf(record, ['intent']), place);
  }
  return { intents, strata, groups };
}

export interface Difference {
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** Records that differ, by key. */
export function differences(from: Snapshot, to: Snapshot): Map<string, Difference> {
  const found = new Map<string, Difference>();
  for (const key of [...new Set([...from.records.keys(), ...to.records.keys()])].sort(byBytes)) {
    const [before, after] = [json(from.records.get(key)), json(to.records.get(key))];
    if (before !== after) found.set(key, { before, after });
  }
  return found;
}

/** How many were added, relabelled, updated and removed. */
export function changeCounts(from: Snapshot, to: Snapshot): Record<string, number> {
  const result = { added: 0, relabelled: 0, updated: 0, removed: 0 };
  for (const key of differences(from, to).keys()) {
    const [before, after] = [from.records.get(key), to.records.get(key)];
    if (before === undefined) result.added++;
    else if (after === undefined) result.removed++;
    else if (labelKey(before.intent) === labelKey(after.intent)) result.updated++;
    else result.relabelled++;
  }
  return result;
}

/** Merges three snapshots record by record, field by field; conflicts go to `ours`. */
export function mergeRecords(bases: readonly Snapshot[], ours: Snapshot, theirs: Snapshot): Entries {
  const merged = new Map<string, UtteranceRecord>();
  for (const key of new Set([...ours.records.keys(), ...theirs.records.keys()])) {
    const was = bases.map(({ records }) => records.get(key));
    const record = mergeOne(was, ours.records.get(key), theirs.records.get(key));
    if (record !== undefined) merged.set(key, record);
  }
  return merged;
}

function mergeOne(
  bases: readonly (UtteranceRecord | undefined)[],
  ours: UtteranceRecord | undefined,
  theirs: UtteranceRecord | undefined,
): UtteranceRecord | undefined {
  const old = new Set(bases.length === 0 ? [undefined] : bases.map(json));
  const [here, there] = [json(ours), json(theirs)];
  if (here === there || (old.has(there) && !old.has(here))) return ours;
  if (old.has(here) && !old.has(there)) return theirs;
  if (ours === undefined || theirs === undefined) return ours;
  const fields: Record<string, unknown> = {};
  for (const name of ['text', 'intent', 'lang'] as const) {
    const known = new Set(bases.length === 0 ? [undefined] : bases.map((base) => canonicalJson(base?.[name] ?? null)));
    const [a, b] = [canonicalJson(ours[name] ?? null), canonicalJson(theirs[name] ?? null)];
    const absent = bases.every((base) => base === undefined);
    const [aIsOld, bIsOld] = absent ? [a === 'null', b === 'null'] : [known.has(a), known.has(b)];
    if (a !== b && aIsOld === bIsOld) return ours;
    const value = a === b || bIsOld ? ours[name] : theirs[name];
    if (value !== undefined) fields[name] = value;
  }
  return fields as unknown as UtteranceRecord;
}
