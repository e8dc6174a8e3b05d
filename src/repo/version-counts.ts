/**
 * What a manifest counts, counted again: from all records, or from the parent's counts and the groups that differ.
 */
import { canonicalJson } from '../base/canonical-json.ts';
import { UttrError } from '../base/errors.ts';
import { decodeRecord } from '../records/encode-record.ts';
import { type Manifest, UNLABELLED_PLACE as UNLABELLED } from '../records/manifest.ts';
import type { UtteranceRecord } from '../records/record.ts';
import { labelKey, stratumOf } from '../records/stratum.ts';
import type { ChunkSource } from '../store/chunks.ts';
import type { Entry } from '../tree/lines.ts';
import { TreeReader } from '../tree/reader.ts';
import { CountTable } from './commit-plan.ts';
import { treeOf } from './record-changes.ts';

const TAB = 9;

/** The counts of a manifest, as tables that can be changed. */
export class VersionCounts {
  readonly strata: CountTable;
  readonly intents: CountTable;
  readonly groups: Map<string, number>;
  readonly #stratify: readonly string[];
  readonly #labels = new Map<string, string>();

  /** @param from counts to go on from; undefined: none */
  constructor(manifest: Manifest, from: Manifest | undefined) {
    this.strata = CountTable.from(from?.strata ?? {});
    this.intents = CountTable.from(from?.intents ?? {});
    this.groups = new Map(Object.keys(manifest.sides).map((side) => [side, from?.sides[side]?.groups ?? 0]));
    this.#stratify = manifest.split.stratify;
  }

  /** Counts a record in or out. @throws bad-chunk when it is no record, or one that must not lie there */
  addRecord(place: string, value: Buffer, count: 1 | -1): UtteranceRecord {
    const record = decodeRecord(value);
    const { intent } = record;
    if ((intent === undefined) !== (place === UNLABELLED)) {
      throw new UttrError(
        'bad-chunk',
        `a record ${intent === undefined ? 'without' : 'with'} a label lies in ${place}`,
      );
    }
    this.intents.add(this.#labelKey(intent), place, count);
    return record;
  }

  /** Counts a group in or out. @param first its first labelled record */
  addGroup(side: string, first: UtteranceRecord, count: 1 | -1): void {
    this.strata.add(stratumOf(first, this.#stratify), side, count);
    this.groups.set(side, (this.groups.get(side) ?? 0) + count);
  }

  /** The label's key; those of single labels, which come in millions, are made once. */
  #labelKey(intent: UtteranceRecord['intent']): string {
    if (typeof intent !== 'string') return labelKey(intent);
    let key = this.#labels.get(intent);
    if (key === undefined) {
      key = labelKey(intent);
      this.#labels.set(intent, key);
    }
    return key;
  }

  /** How a manifest's counts differ from these, as sentences. */
  differences(manifest: Manifest): string[] {
    const found: string[] = [];
    for (const [side, groups] of this.groups) {
      const says = manifest.sides[side]?.groups;
      if (groups !== says) found.push(`${side} has ${groups} groups, its manifest says ${says}`);
    }
    for (const [name, table] of [
      ['strata', this.strata],
      ['intents', this.intents],
    ] as const) {
      const [counted, says] = [canonicalJson(table.toObject()), canonicalJson(manifest[name])];
      if (counted !== says) found.push(`the ${name} that its manifest counts are not those of its records`);
    }
    return found;
  }
}

/**
 * The group's column of a key with the TAB behind it: all keys that begin so, and no others, are of the group. Keys
 * lie in the order of these prefixes, which is not quite that of the columns: a control character may precede TAB.
 */
export function groupPrefix(key: Buffer): Buffer {
  return key.subarray(0, key.indexOf(TAB) + 1);
}

/** Prefixes of the groups of a place, ascending, in batches; `use` sees every record, and whether it is a group's first. */
export async function* groupsOf(
  chunks: ChunkSource,
  manifest: Manifest,
  place: string,
  use: (entry: Entry, isFirst: boolean) => void,
): AsyncGenerator<readonly Buffer[]> {
  const tree = treeOf(manifest, place);
  if (tree.root === null) return;
  let last: Buffer | undefined;
  for await (const entries of new TreeReader(chunks, tree).scan()) {
    const groups: Buffer[] = [];
    for (const entry of entries) {
      const prefix = groupPrefix(entry.key);
      const isFirst = last === undefined || !prefix.equals(last);
      if (isFirst) groups.push(prefix);
      last = prefix;
      use(entry, isFirst);
    }
    yield groups;
  }
}

/** The side that a retired group had. @throws bad-chunk when it is none of the version's */
export function retiredSide(manifest: Manifest, value: Buffer): string {
  for (const side of Object.keys(manifest.sides)) {
    if (value.equals(Buffer.from(JSON.stringify(side)))) return side;
  }
  throw new UttrError('bad-chunk', 'a retired group has no side');
}
