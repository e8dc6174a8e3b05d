import { type ChangeCounts, changeKind, intentJson, noChanges } from './group-state.ts';
import { labelNames } from '../records/stratum.ts';
import { type RecordChange, recordChanges } from './record-changes.ts';
import type { Repository } from './repository.ts';
import type { Version } from './versions.ts';

/** What changed between two versions, counted. */
export interface ChangeTotals {
  readonly changes: ChangeCounts;
  readonly bySide: Readonly<Record<string, ChangeCounts>>;
  /** Each label that the change touches; a relabelled record counts for the old label and for the new one. */
  readonly byIntent: ReadonlyMap<string, ChangeCounts>;
}

/** Counts the changes from `from` (undefined: nothing) to `to`. */
export async function changeTotals(
  repository: Repository,
  from: Version | undefined,
  to: Version,
): Promise<ChangeTotals> {
  if (from === undefined) return firstTotals(to);
  const builder = new TotalsBuilder();
  for await (const batch of recordChanges(repository, from, to)) for (const change of batch) builder.add(change);
  return builder;
}

/** Adds changes up one by one. */
export class TotalsBuilder implements ChangeTotals {
  readonly changes = noChanges();
  readonly bySide: Record<string, ChangeCounts> = {};
  readonly byIntent = new Map<string, ChangeCounts>();
  readonly #labels = new Map<string, readonly string[]>();

  add(change: RecordChange): void {
    const kind = changeKind(change.before, change.after);
    if (kind === undefined) return;
    this.changes[kind]++;
    (this.bySide[change.side] ??= noChanges())[kind]++;
    const labels = new Set([...labelNames(intentJson(change.before)), ...labelNames(intentJson(change.after))]);
    for (const label of labels) this.#intent(label)[kind]++;
  }

  /** As `add` for a record that is new. @param label canonical JSON of its intent */
  addNew(label: string, side: string): void {
    this.changes.added++;
    (this.bySide[side] ??= noChanges()).added++;
    for (const name of this.#names(label)) this.#intent(name).added++;
  }

  #names(label: string): readonly string[] {
    let names = this.#labels.get(label);
    if (names === undefined) {
      names = labelNames(label);
      this.#labels.set(label, names);
    }
    return names;
  }

  #intent(label: string): ChangeCounts {
    let counts = this.byIntent.get(label);
    if (counts === undefined) {
      counts = noChanges();
      this.byIntent.set(label, counts);
    }
    return counts;
  }
}

/** A first version adds everything; its manifest has the counts. */
function firstTotals(version: Version): ChangeTotals {
  const { manifest } = version;
  const bySide: Record<string, ChangeCounts> = {};
  const byIntent = new Map<string, ChangeCounts>();
  for (const [label, places] of Object.entries(manifest.intents)) {
    for (const [place, records] of Object.entries(places)) {
      (bySide[place] ??= noChanges()).added += records;
      for (const name of labelNames(label)) {
        const counts = byIntent.get(name) ?? noChanges();
        counts.added += records;
        byIntent.set(name, counts);
      }
    }
  }
  const { added, relabelled, updated, removed } = manifest.changes;
  return { changes: { added, relabelled, updated, removed }, bySide, byIntent };
}
