/**
 * Whatever happens to a dataset in two working copies, it holds what a simple model says.
 *
 * Method: random batches, removals, relabellings, pushes and merges, on texts of a small alphabet with many equal
 * groups; after each version its records, sides, trees, counts and changes are compared with the model, which knows
 * nothing of trees, chunks or staged files. The seed is printed on failure.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isUttrError } from '../../src/base/errors.ts';
import type { Hash } from '../../src/base/hash.ts';
import { decodeRecord } from '../../src/records/encode-record.ts';
import { groupOfKey } from '../../src/records/key.ts';
import type { UtteranceRecord } from '../../src/records/record.ts';
import { add } from '../../src/repo/add.ts';
import { commit } from '../../src/repo/commit.ts';
import { relabelRecords, removeRecords } from '../../src/repo/edit-records.ts';
import { fsck } from '../../src/repo/fsck.ts';
import { mergeVersions, settleMerge } from '../../src/repo/merge-state.ts';
import { pull } from '../../src/repo/pull.ts';
import { push } from '../../src/repo/push.ts';
import { findRecords } from '../../src/repo/query.ts';
import { recordChanges } from '../../src/repo/record-changes.ts';
import type { Repository } from '../../src/repo/repository.ts';
import { headVersion, loadVersion, type Version } from '../../src/repo/versions.ts';
import {
  changeCounts,
  counts,
  differences,
  type Entries,
  keyOf,
  listed,
  mergeRecords,
  NOTHING,
  retired,
  roots,
  type Snapshot,
} from './model.ts';
import { DATASET, type Row, World } from './world.ts';

/** More of them, or others: UTTR_HISTORY_RUNS=500 UTTR_HISTORY_SEED=7. */
const RUNS = Number(process.env['UTTR_HISTORY_RUNS'] ?? 10);
const SEED = Number(process.env['UTTR_HISTORY_SEED'] ?? 20_260_101);

// Equal groups: "a b", "A b!" and "a, b" fold to one text; the first two words of two letters meet often.
const word = fc.constantFrom('a', 'b', 'é', '😀', 'A', "it's");
const text = fc
  .tuple(fc.array(word, { minLength: 1, maxLength: 2 }), fc.constantFrom('', '!', '?', ' .'))
  .map(([words, end]) => `${words.join(' ')}${end}`);
const label = fc.constantFrom('x', 'y', 'z');
const intent = fc.oneof(
  { weight: 6, arbitrary: label },
  { weight: 1, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constant(['x', 'y']) },
);
const row = fc
  .record({ text, intent, lang: fc.constantFrom(undefined, undefined, 'de', 'en') })
  .map((fields) => JSON.parse(JSON.stringify(fields)) as Row);
const who = fc.constantFrom(0, 1);

type Step =
  | { readonly kind: 'add'; readonly who: number; readonly rows: readonly Row[] }
  | {
      readonly kind: 'remove' | 'relabel';
      readonly who: number;
      readonly picks: readonly number[];
      readonly label: string;
    }
  | { readonly kind: 'sync'; readonly who: number }
  | { readonly kind: 'cross' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      who,
      rows: fc.array(row, { minLength: 1, maxLength: 8 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('remove' as const, 'relabel' as const),
      who,
      picks: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
      label,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sync' as const), who }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'cross' as const }) },
);

/** Two working copies, and the model of every version they made. */
class Histories {
  readonly #copies: readonly Repository[];
  readonly #snapshots = new Map<Hash, Snapshot>();
  readonly #parents = new Map<Hash, readonly Hash[]>();

  constructor(copies: readonly Repository[]) {
    this.#copies = copies;
  }

  async run(steps: readonly Step[]): Promise<this> {
    for (const one of steps) {
      if (one.kind === 'cross') await this.#cross();
      else if (one.kind === 'sync') await this.#sync(this.#copies[one.who] as Repository);
      else await this.#change(this.#copies[one.who] as Repository, one);
    }
    for (const copy of this.#copies) {
      expect((await fsck(copy, { rebuildIndex: false })).problems).toEqual([]);
      await this.#checkChanges(copy);
    }
    return this;
  }

  get versions(): number {
    return this.#snapshots.size;
  }

  async #change(copy: Repository, change: Exclude<Step, { kind: 'sync' | 'cross' }>): Promise<void> {
    const head = await headVersion(copy, DATASET);
    const before = this.#snapshotOf(head);
    const records = new Map(before.records);
    if (change.kind === 'add') {
      await addRows(copy, change.rows);
      applyRows(records, change.rows);
    } else {
      const keys = [...records.keys()];
      const picked = keys.length === 0 ? [] : change.picks.map((pick) => keys[pick % keys.length] as string);
      if (picked.length === 0) return;
      const texts = picked.map((key) => (records.get(key) as UtteranceRecord).text);
      if (change.kind === 'remove') await removeRecords(copy, DATASET, { texts }, false);
      else await relabelRecords(copy, DATASET, { texts }, change.label, false);
      for (const key of picked) {
        const record = records.get(key);
        if (change.kind === 'remove') records.delete(key);
        else if (record !== undefined) records.set(key, { ...record, intent: change.label });
      }
    }
    if (copy.catalogue.staged(DATASET) === undefined) {
      expect(differences(before, { records, sides: before.sides }).size).toBe(0);
      return;
    }
    await commit(copy, DATASET);
    const version = (await headVersion(copy, DATASET)) as Version;
    expect(version.manifest.crossed).toBe(0);
    await this.#learn(copy, version, records, before, before.sides);
  }

  /** Pushes; where somebody else was first, merges, settles for our side, and pushes again. */
  async #sync(copy: Repository): Promise<void> {
    try {
      await push(copy, undefined, [DATASET]);
      return;
    } catch (error) {
      if (!isUttrError(error, 'head-moved')) throw error;
    }
    const ours = (await headVersion(copy, DATASET)) as Version;
    await pull(copy, { datasets: [DATASET] }).catch(settled(copy));
    await this.#learnMerge(copy, ours, (await headVersion(copy, DATASET)) as Version);
    await push(copy, undefined, [DATASET]);
  }

  /** Each merges the other's head at the same time: both come to the same content where nobody had to decide. */
  async #cross(): Promise<void> {
    const [a, b] = this.#copies as [Repository, Repository];
    const [left, right] = [await headVersion(a, DATASET), await headVersion(b, DATASET)];
    if (left === undefined || right === undefined) return;
    await share(a, left);
    await share(b, right);
    let clean = true;
    const merged: Version[] = [];
    for (const [copy, ours, theirs] of [
      [a, left, right],
      [b, right, left],
    ] as const) {
      const other = await loadVersion(copy, theirs.hash);
      await mergeVersions(copy, ours, other, {}).catch(async (error: unknown) => {
        clean = false;
        await settled(copy)(error);
      });
      const version = (await headVersion(copy, DATASET)) as Version;
      if (version.hash !== ours.hash) await this.#learnMerge(copy, ours, version);
      merged.push(version);
    }
    const [one, two] = merged.map(({ manifest }) => manifest) as [Version['manifest'], Version['manifest']];
    if (!clean) return;
    expect(one.content).toBe(two.content);
    expect(one.retired.root).toBe(two.retired.root);
    expect([one.strata, one.intents]).toEqual([two.strata, two.intents]);
  }

  async #learnMerge(copy: Repository, ours: Version, version: Version): Promise<void> {
    if (this.#snapshots.has(version.hash)) return;
    const { parents, crossed } = version.manifest;
    expect(parents[0]).toBe(ours.hash);
    expect(parents).toHaveLength(2);
    const theirs = this.#snapshots.get(parents[1] as Hash) as Snapshot;
    const before = this.#snapshotOf(ours);
    const bases = this.#nearestCommon(ours.hash, parents[1] as Hash).map(
      (hash) => this.#snapshots.get(hash) as Snapshot,
    );
    const sides = new Map([...before.sides, ...theirs.sides]);
    let moved = 0;
    for (const [group, side] of before.sides) {
      const there = theirs.sides.get(group);
      sides.set(group, there === undefined || there === side ? side : 'train');
      if (sides.get(group) !== side) moved++;
    }
    expect(crossed).toBeGreaterThanOrEqual(moved);
    await this.#learn(copy, version, mergeRecords(bases, before, theirs), before, sides);
  }

  /** Checks a new version against the model, and remembers it. */
  async #learn(
    copy: Repository,
    version: Version,
    records: Entries,
    before: Snapshot,
    sides: ReadonlyMap<string, string>,
  ): Promise<void> {
    const { manifest } = version;
    const found = await read(copy, version);
    const known = new Map(sides);
    for (const [key, { place }] of found) {
      if (place !== 'unlabelled' && !known.has(groupOfKey(key))) known.set(groupOfKey(key), place);
    }
    const snapshot: Snapshot = { records, sides: known };
    expect([...found].map(([key, { place, json }]) => [key, `${place} ${json}`])).toEqual(listed(snapshot));
    const trees = await roots(snapshot);
    expect({ ...manifest.sides, unlabelled: manifest.unlabelled, retired: manifest.retired }).toMatchObject(trees);
    const { intents, strata, groups } = counts(snapshot);
    expect(manifest.intents).toEqual(intents);
    expect(manifest.strata).toEqual(strata);
    expect(Object.fromEntries(Object.entries(manifest.sides).map(([side, tree]) => [side, tree.groups]))).toEqual(
      groups,
    );
    expect(manifest.retired.records).toBe(retired(snapshot).size);
    const { list: _, ...changes } = manifest.changes;
    expect(changes).toEqual(changeCounts(before, snapshot));
    this.#snapshots.set(version.hash, snapshot);
    this.#parents.set(version.hash, manifest.parents);
  }

  /** Changes between any two versions of first parents are what the records say, however they are found. */
  async #checkChanges(copy: Repository): Promise<void> {
    const line: Hash[] = [];
    let at = (await headVersion(copy, DATASET))?.hash;
    while (at !== undefined) {
      line.push(at);
      at = this.#parents.get(at)?.[0];
    }
    for (const [age, hash] of line.entries()) {
      const [from, to] = [await loadVersion(copy, hash), await loadVersion(copy, line[Math.floor(age / 2)] as Hash)];
      const found = new Map<string, object>();
      for await (const batch of recordChanges(copy, from, to)) {
        for (const { key, before, after } of batch) {
          if (before !== after) found.set(key.toString(), { before, after });
        }
      }
      const [older, newer] = [this.#snapshots.get(from.hash) as Snapshot, this.#snapshots.get(to.hash) as Snapshot];
      expect([...found]).toEqual([...differences(older, newer)]);
    }
  }

  #snapshotOf(version: Version | undefined): Snapshot {
    return version === undefined ? NOTHING : (this.#snapshots.get(version.hash) as Snapshot);
  }

  #ancestors(hash: Hash): Set<Hash> {
    const found = new Set<Hash>([hash]);
    for (const one of found) for (const parent of this.#parents.get(one) ?? []) found.add(parent);
    return found;
  }

  #nearestCommon(a: Hash, b: Hash): Hash[] {
    const [left, right] = [this.#ancestors(a), this.#ancestors(b)];
    const common = [...left].filter((hash) => right.has(hash));
    return common.filter((hash) => !common.some((other) => other !== hash && this.#ancestors(other).has(hash)));
  }
}

function settled(copy: Repository): (error: unknown) => Promise<void> {
  return async (error) => {
    if (!isUttrError(error, 'merge-conflict')) throw error;
    await settleMerge(copy, DATASET, { kind: 'ours' }, {});
  };
}

/** Makes a version's chunks known to the remote, as a branch of its own would. */
async function share(copy: Repository, version: Version): Promise<void> {
  const branch = copy.branch.bind(copy);
  copy.branch = () => Promise.resolve(`side-${version.hash.slice(0, 12)}`);
  await push(copy, undefined, [DATASET]);
  copy.branch = branch;
}

async function addRows(copy: Repository, rows: readonly Row[]): Promise<void> {
  const lines = rows.map((one) => `${JSON.stringify(one)}\n`).join('');
  const stream = (async function* once() {
    yield Buffer.from(lines);
  })();
  await add(copy, DATASET, [{ kind: 'stream', name: 'b.jsonl', stream }], { format: 'jsonl', onConflict: 'relabel' });
}

function applyRows(records: Map<string, UtteranceRecord>, rows: readonly Row[]): void {
  for (const one of rows) {
    const record = one as unknown as UtteranceRecord;
    const key = keyOf(record);
    const there = records.get(key);
    records.set(key, there === undefined ? record : { ...there, ...record, text: there.text });
  }
}

async function read(copy: Repository, version: Version): Promise<Map<string, { place: string; json: string }>> {
  const found: [string, { place: string; json: string }][] = [];
  for await (const batch of findRecords(copy, version)) {
    for (const { side, json } of batch) found.push([keyOf(decodeRecord(json)), { place: side, json }]);
  }
  const bytes = (key: string): Buffer => Buffer.from(key);
  return new Map(found.sort(([a], [b]) => Buffer.compare(bytes(a), bytes(b))));
}

test('S1, S7: random histories in two working copies hold what the model holds', async () => {
  let versions = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), fc.nat(), async (steps, seed) => {
      const world = new World(seed);
      const [ada, bob] = [await world.copy('ada'), await world.copy('bob')];
      const histories = await ada.open((left) => bob.open((right) => new Histories([left, right]).run(steps)));
      versions += histories.versions;
    }),
    // A shrunk history would say more, but each run takes a second.
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  );
  expect(versions).toBeGreaterThan(RUNS);
});
