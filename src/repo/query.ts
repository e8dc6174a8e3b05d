/**
 * Questions about one version: its records, a search, a sample, counts.
 */
import { UttrError } from '../base/errors.ts';
import { sha256Bytes } from '../base/hash.ts';
import { decodeRecord } from '../records/encode-record.ts';
import { norm } from '../records/text.ts';
import { TreeReader } from '../tree/reader.ts';
import { labelNames } from '../records/stratum.ts';
import { type Manifest, UNLABELLED_PLACE as UNLABELLED } from '../records/manifest.ts';
import { balanceOf, type SideBalance, type StratumBalance, stratumLabel } from '../split/balance.ts';
import { sidesByShare } from '../split/policy.ts';
import { treeOf } from './record-changes.ts';
import type { Repository } from './repository.ts';
import type { Version } from './versions.ts';

/** Which records of a version are meant. */
export interface RecordFilter {
  /** `train`, `test`, …, or `unlabelled`; all by default. */
  readonly side?: string | undefined;
  readonly intent?: string | undefined;
  /** Substring of the normalised text, or a regular expression with `regex`. */
  readonly text?: string | undefined;
  readonly regex?: boolean | undefined;
}

export interface FoundRecord {
  readonly side: string;
  /** The record's canonical JSON. */
  readonly json: string;
}

/** Sides of a version, the largest share first. */
export function sideNames(manifest: Manifest): readonly string[] {
  return sidesByShare(manifest.split).filter((side) => Object.hasOwn(manifest.sides, side));
}

/** Names of the places of a version: its sides, then `unlabelled`. @throws bad-option for an unknown side */
export function placesOf(version: Version, side: string | undefined): string[] {
  const places = [...sideNames(version.manifest), UNLABELLED];
  if (side === undefined) return places;
  if (places.includes(side)) return [side];
  throw unknownSide(version.manifest, side, places);
}

export function unknownSide({ dataset }: Manifest, side: string, known: readonly string[]): UttrError {
  return new UttrError('bad-option', `${dataset} has no side "${side}"`, { hint: `its sides: ${known.join(', ')}` });
}

/** Records in key order side by side; stops after `limit`, reading no more than it needs. */
export async function* findRecords(
  repository: Repository,
  version: Version,
  filter: RecordFilter = {},
  limit = Infinity,
): AsyncIterable<readonly FoundRecord[]> {
  const matches = matcher(filter);
  let left = limit;
  for (const side of placesOf(version, filter.side)) {
    if (left <= 0) return;
    const tree = treeOf(version.manifest, side);
    if (tree.root === null) continue;
    for await (const entries of new TreeReader(repository.chunks, tree).scan({})) {
      const found: FoundRecord[] = [];
      for (const { value } of entries) {
        const json = value.toString('utf8');
        if (matches(json)) found.push({ side, json });
        if (found.length >= left) break;
      }
      left -= found.length;
      if (found.length > 0) yield found;
      if (left <= 0) return;
    }
  }
}

function matcher(filter: RecordFilter): (json: string) => boolean {
  const { intent, text, regex } = filter;
  if (intent === undefined && text === undefined) return () => true;
  const pattern = text === undefined ? undefined : regex === true ? expression(text) : undefined;
  const wanted = text === undefined || regex === true ? undefined : norm(text);
  return (json) => {
    const record = decodeRecord(json);
    const intents =
      record.intent === undefined ? [] : typeof record.intent === 'string' ? [record.intent] : record.intent;
    if (intent !== undefined && !intents.includes(intent)) return false;
    if (pattern !== undefined) return pattern.test(record.text);
    return wanted === undefined || norm(record.text).includes(wanted);
  };
}

function expression(text: string): RegExp {
  try {
    return new RegExp(text, 'iu');
  } catch (error) {
    throw new UttrError('bad-option', `not a regular expression: ${text}`, { cause: error });
  }
}

/**
 * A random sample without repetition, in key order. The same version, count and seed give the same sample.
 *
 * Positions are drawn by Floyd's method from SHA-256(seed, 0x00, counter); only the leaves that hold them are read.
 *
 * @see R. W. Floyd, "A sample of brilliance", Communications of the ACM 30 (1987)
 */
export async function sampleRecords(
  repository: Repository,
  version: Version,
  count: number,
  seed: string,
  side?: string,
): Promise<FoundRecord[]> {
  const places = placesOf(version, side).map((place) => ({ place, tree: treeOf(version.manifest, place) }));
  const total = places.reduce((sum, { tree }) => sum + tree.records, 0);
  const positions = draw(Math.min(count, total), total, seed);
  const found: FoundRecord[] = [];
  let before = 0;
  for (const { place, tree } of places) {
    const within = positions.filter((at) => at >= before && at < before + tree.records).map((at) => at - before);
    before += tree.records;
    if (within.length === 0) continue;
    const entries = await new TreeReader(repository.chunks, tree).at(within);
    for (const { value } of entries) found.push({ side: place, json: value.toString('utf8') });
  }
  return found;
}

function draw(count: number, total: number, seed: string): number[] {
  const chosen = new Set<number>();
  for (let index = 0; index < count; index++) {
    const last = total - count + index;
    const bytes = sha256Bytes(`${seed}\0${index}`);
    // 48 bits spread over at most 2^31 positions: the bias is below 2^-16.
    const at = bytes.readUIntBE(0, 6) % (last + 1);
    chosen.add(chosen.has(at) ? last : at);
  }
  return [...chosen].sort((a, b) => a - b);
}

export interface IntentCounts {
  readonly rows: number;
  readonly [side: string]: number;
}

export interface VersionStats {
  readonly dataset: string;
  readonly version: string;
  readonly rows: number;
  readonly groups: number;
  readonly unlabelled: number;
  readonly sides: Readonly<Record<string, number>>;
  /** Share of each side that the split aims at. */
  readonly ideal: Readonly<Record<string, number>>;
  readonly intents: Readonly<Record<string, IntentCounts>>;
  /** How near the groups of each stratum are to their shares: what the split is after. */
  readonly strata: readonly NamedStratum[];
  readonly crossed: number;
}

export interface NamedStratum extends StratumBalance {
  /** As a person reads it: `greet`, `greet, agent`. */
  readonly stratum: string;
}

function strataOf({ split, strata }: Manifest): NamedStratum[] {
  const order = sidesByShare(split);
  return [...balanceOf(split, strata).strata].map(([name, { groups, sides }]) => ({
    stratum: stratumLabel(name),
    groups,
    sides: Object.fromEntries(order.map((side) => [side, sides[side] as SideBalance])),
  }));
}

/** Counts of a version, from its manifest alone. */
export function versionStats(version: Version): VersionStats {
  const { manifest } = version;
  const sides: Record<string, number> = {};
  let groups = 0;
  for (const side of sideNames(manifest)) {
    const tree = manifest.sides[side];
    sides[side] = tree?.records ?? 0;
    groups += tree?.groups ?? 0;
  }
  // Without a prototype: an intent may be called `toString`.
  const intents = Object.create(null) as Record<string, Record<string, number> & { rows: number }>;
  for (const [label, counts] of Object.entries(manifest.intents)) {
    if (label === '') continue;
    const name = labelNames(label).join(' + ');
    const row = (intents[name] ??= Object.assign(Object.fromEntries(Object.keys(sides).map((side) => [side, 0])), {
      rows: 0,
    }));
    for (const [side, count] of Object.entries(counts)) {
      row[side] = (row[side] ?? 0) + count;
      row.rows += count;
    }
  }
  return {
    dataset: manifest.dataset,
    version: version.hash,
    rows: Object.values(sides).reduce((sum, count) => sum + count, 0) + manifest.unlabelled.records,
    groups,
    unlabelled: manifest.unlabelled.records,
    sides,
    ideal: Object.fromEntries(sidesByShare(manifest.split).map((side) => [side, manifest.split.sides[side] ?? 0])),
    intents,
    strata: strataOf(manifest),
    crossed: manifest.crossed,
  };
}
