/**
 * docs/format.md is complete and right: a reader written from the page alone reads stores that the code wrote, derives
 * again all that can be derived, and finds what `uttr cat` prints. Nothing here imports anything of src.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonical, type Json, keyOf, type StoredRecord } from './forms.ts';
import { type MadeStore, makeStore, packDigests } from './made-store.ts';
import { PAGE, tableRows } from './page.ts';
import { absent, recover, whySkipped } from './recovery.ts';
import { assign, groupOf, independentSha256, sideByHash, sideOrder, placeOf, stratumOf } from './split.ts';
import { contentOf, DecodedStore, type Entry, type Manifest, pointerOf, recordOf } from './store-decoder.ts';

const GOLDEN = new URL('../golden/store-v1/', import.meta.url).pathname;
const UNLABELLED = 'unlabelled';

interface Decoded {
  readonly store: DecodedStore;
  /** Versions by dataset, parents first. */
  readonly versions: ReadonlyMap<string, readonly string[]>;
}

let made: MadeStore;
const stores = new Map<string, Decoded>();

beforeAll(() => {
  made = makeStore();
  stores.set('made', { store: new DecodedStore(made.folder), versions: new Map([['support', made.versions]]) });
  const expected = JSON.parse(readFileSync(join(GOLDEN, 'expected.json'), 'utf8')) as Record<string, string>[];
  const versions = Map.groupBy(expected, ({ dataset }) => dataset as string);
  stores.set('frozen', {
    store: new DecodedStore(join(GOLDEN, 'remote')),
    versions: new Map([...versions].map(([dataset, rows]) => [dataset, rows.map(({ version }) => version as string)])),
  });
}, 120_000);

afterAll(() => {
  rmSync(made.root, { recursive: true, force: true });
});

const decoded = (name: string): Decoded => stores.get(name) as Decoded;

/** Every version of a store with its manifest. */
function manifests(
  name: string,
): { readonly version: string; readonly manifest: Manifest; readonly store: DecodedStore }[] {
  const { store, versions } = decoded(name);
  return [...versions.values()].flat().map((version) => ({ version, manifest: store.manifest(version), store }));
}

/** The entries of a version by place. */
function placesOf(store: DecodedStore, manifest: Manifest): Map<string, Entry[]> {
  const trees = [...Object.entries(manifest.sides), [UNLABELLED, manifest.unlabelled] as const];
  return new Map(trees.map(([place, tree]) => [place, store.entries(tree)]));
}

/** Group column to side. */
function sidesOf(store: DecodedStore, manifest: Manifest): Map<string, string> {
  const sides = new Map<string, string>();
  for (const [place, entries] of placesOf(store, manifest)) {
    if (place === UNLABELLED) continue;
    for (const { key } of entries) {
      const side = sides.get(groupOf(key));
      if (side !== undefined && side !== place) throw new Error(`${groupOf(key)} is on ${side} and ${place}`);
      sides.set(groupOf(key), place);
    }
  }
  return sides;
}

/** Counts as a manifest has them: no zeros, no empty rows. */
function countTable(pairs: readonly (readonly [string, string])[]): Record<string, Record<string, number>> {
  const table: Record<string, Record<string, number>> = {};
  for (const [row, column] of pairs) {
    const counts = (table[row] ??= {});
    counts[column] = (counts[column] ?? 0) + 1;
  }
  return table;
}

describe.each(['made', 'frozen'])('the %s store', (name) => {
  test('P3, P6: every pack reads from its end, every frame opens, every chunk has its name', () => {
    const { store } = decoded(name);
    expect(store.frames.length).toBeGreaterThan(10);
    for (const frame of store.frames) expect(store.open(frame).size).toBe(frame.chunks.length);
  });

  test('P7, P8: chains of dictionaries occur, and chunks lie in packs of their kind', () => {
    const { store } = decoded(name);
    expect(Math.max(...store.frames.map(({ depth }) => depth))).toBeGreaterThanOrEqual(3);
    expect(store.frames.some(({ dictionary }) => dictionary.length > 1) || name === 'frozen').toBe(true);
    for (const { version, manifest } of manifests(name)) {
      expect(store.kinds(version)).toEqual(['m']);
      for (const tree of [...Object.values(manifest.sides), manifest.unlabelled]) {
        const { leaves, nodes } = store.treeChunks(tree);
        for (const leaf of leaves) expect(store.kinds(leaf)).toEqual(['d']);
        for (const node of nodes) expect(store.kinds(node)).toEqual(['m']);
      }
    }
  });

  test('R13, R14: manifests are canonical and their content ids follow from their roots', () => {
    for (const { manifest } of manifests(name)) {
      expect(contentOf(manifest)).toBe(manifest.content);
      expect(manifest).toMatchObject({ uttr: 1, normaliser: 1 });
      expect(Object.keys(manifest.sides)).toEqual(Object.keys(manifest.split.sides));
    }
  });

  test('T1, T2, T4, T6, T9: trees have the order, the totals and the ends that the page says', () => {
    for (const { store, manifest } of manifests(name)) {
      const trees = [...Object.values(manifest.sides), manifest.unlabelled, manifest.retired, manifest.changes.list];
      for (const tree of trees.filter((each) => each !== null)) {
        expect(store.entries(tree)).toHaveLength(tree.records);
      }
    }
    const heights = manifests(name).flatMap(({ manifest }) =>
      Object.values(manifest.sides).map(({ height }) => height),
    );
    expect(Math.max(...heights)).toBeGreaterThanOrEqual(name === 'made' ? 2 : 1);
  });

  test('R5, R11: keys are derived again from records, and records are canonical', () => {
    const seen = new Set<string>();
    for (const { store, manifest } of manifests(name)) {
      for (const [place, entries] of placesOf(store, manifest)) {
        for (const { key, value } of entries.filter((entry) => !seen.has(`${place} ${entry.key} ${entry.value}`))) {
          seen.add(`${place} ${key} ${value}`);
          const record = recordOf(value);
          expect(keyOf(record, manifest.identity)).toBe(key);
          expect(record['intent'] === undefined).toBe(place === UNLABELLED);
          checkEntities(record);
        }
      }
    }
  });

  test('counts by label, stratum and side are those of the records', () => {
    for (const { store, manifest } of manifests(name)) {
      const intents: [string, string][] = [];
      const strata: [string, string][] = [];
      for (const [place, entries] of placesOf(store, manifest)) {
        const groups = new Set<string>();
        for (const { key, value } of entries) {
          const record = recordOf(value);
          intents.push([record['intent'] === undefined ? '' : canonical(record['intent']), place]);
          if (place === UNLABELLED || groups.has(groupOf(key))) continue;
          groups.add(groupOf(key));
          strata.push([stratumOf(record, manifest.split.stratify), place]);
        }
        expect(groups.size).toBe(manifest.sides[place]?.groups ?? 0);
      }
      expect(manifest.intents).toEqual(countTable(intents));
      expect(manifest.strata).toEqual(countTable(strata));
    }
  });

  test('S2, S4, S5: the sides of every commit are derived again', () => {
    for (const { store, manifest } of manifests(name)) {
      // A merge takes its sides from its parents.
      if (manifest.parents.length > 1) continue;
      const known = new Map<string, string>();
      for (const parent of manifest.parents.map((hash) => store.manifest(hash))) {
        for (const [group, side] of sidesOf(store, parent)) known.set(group, side);
        for (const { key, value } of store.entries(parent.retired)) known.set(key, JSON.parse(value) as string);
      }
      const places = [...placesOf(store, manifest)].filter(([place]) => place !== UNLABELLED);
      const labelled = places.flatMap(([, entries]) => entries);
      expect(assign(manifest.split, labelled, known)).toEqual(sidesOf(store, manifest));
    }
  });

  test('S1, S7, M1: a group keeps its side in every later version, and while it is retired', () => {
    for (const { store, manifest } of manifests(name)) {
      const now = sidesOf(store, manifest);
      const retired = new Map(
        store.entries(manifest.retired).map(({ key, value }) => [key, JSON.parse(value) as string]),
      );
      const order = sideOrder(manifest.split);
      const crossed = new Set<string>();
      const before = new Map<string, string>();
      for (const parent of manifest.parents.map((hash) => store.manifest(hash))) {
        const left = store.entries(parent.retired).map(({ key, value }) => [key, JSON.parse(value) as string] as const);
        for (const [group, side] of [...sidesOf(store, parent), ...left]) {
          const other = before.get(group);
          if (other !== undefined && other !== side) crossed.add(group);
          if (other === undefined || order.indexOf(side) > order.indexOf(other)) before.set(group, side);
        }
      }
      for (const [group, side] of before) {
        expect({ group, side: now.get(group) ?? retired.get(group) }).toEqual({ group, side });
      }
      for (const group of retired.keys()) expect(now.has(group)).toBe(false);
      expect(manifest.crossed).toBe(crossed.size);
    }
  });

  test('S6: under the method hash every group is on the side that its text draws', () => {
    for (const { store, manifest } of manifests(name)) {
      if (manifest.split.method !== 'hash') continue;
      for (const [group, side] of sidesOf(store, manifest)) {
        expect(sideByHash(manifest.split, placeOf(manifest.split.salt, group))).toBe(side);
      }
    }
  });

  test('lists of changes lead from the first parent to the version', () => {
    for (const { store, manifest } of manifests(name)) {
      const [parent] = manifest.parents;
      const { list, added, relabelled, updated, removed } = manifest.changes;
      if (parent === undefined || list === null) continue;
      const flat = (of: Manifest): Map<string, string> =>
        new Map([...placesOf(store, of).values()].flat().map(({ key, value }) => [key, value]));
      const [before, after] = [flat(store.manifest(parent)), flat(manifest)];
      const keys = new Set([...before.keys(), ...after.keys()]);
      const differing = [...keys].filter((key) => before.get(key) !== after.get(key));
      const listed = new Map(
        store.entries(list).map(({ key, value }) => [key, JSON.parse(value) as Record<string, Json>]),
      );
      expect([...listed.keys()].toSorted()).toEqual(differing.toSorted());
      expect(added + relabelled + updated + removed).toBe(listed.size);
      for (const [key, entry] of listed) {
        const [folded, normed] = key.split('\t');
        const text = normed === '' ? folded : normed;
        const whole = (record: Json | undefined): string | undefined =>
          record === undefined ? undefined : canonical({ text, ...(record as Record<string, Json>) } as Json);
        expect(whole(entry['before'])).toBe(before.get(key));
        expect(whole(entry['after'])).toBe(after.get(key));
      }
    }
  });
});

/** Offsets count code points, and an entity has the text it covers. */
function checkEntities(record: StoredRecord): void {
  for (const entity of (record['entities'] ?? []) as readonly Record<string, Json>[]) {
    const covered = Array.from(record.text)
      .slice(entity['start'] as number, entity['end'] as number)
      .join('');
    expect(entity['text']).toBe(covered);
  }
}

describe('beside the packs', () => {
  test('P1: packs stay as they were written, under names of their own', () => {
    const now = packDigests(made.folder);
    expect(made.firstPacks.size).toBe(2);
    for (const [name, digest] of made.firstPacks) expect(now.get(name)).toBe(digest);
    const ulids = [...now.keys()].map((name) => name.slice(2));
    expect(new Set(ulids).size).toBe(ulids.length);
  });

  test('uttr cat prints the records that the reader finds, in its order', () => {
    const version = made.versions.at(-1) as string;
    const { store } = decoded('made');
    for (const [place, entries] of placesOf(store, store.manifest(version))) {
      const lines = entries.map(({ value }) => `${value}\n`).join('');
      expect(made.run('cat', `support@${version}`, '--side', place)).toBe(lines);
    }
    const first = made.versions[0] as string;
    const train = store.entries(store.manifest(first).sides['train'] as Manifest['sides'][string]);
    expect(made.run('cat', `support@${first}`, '--side', 'train')).toBe(
      train.map(({ value }) => `${value}\n`).join(''),
    );
  });

  test.skipIf(absent.length > 0)(`docs/recover.sh finds them too${whySkipped}`, () => {
    const version = made.versions.at(-1) as string;
    const out = join(made.root, 'recovered');
    expect(recover(made.folder, 'support', out, version)).toMatchObject({ code: 0 });
    const { store } = decoded('made');
    for (const [place, entries] of placesOf(store, store.manifest(version))) {
      const lines = entries.map(({ value }) => `${value}\n`).join('');
      expect(readFileSync(join(out, `${place}.jsonl`), 'utf8')).toBe(lines);
    }
  });

  test('R15, R16: the pointer is the one that follows from the manifest', () => {
    const version = made.versions.at(-1) as string;
    expect(made.read('manifests/support.json')).toBe(pointerOf(version, decoded('made').store.manifest(version)));
    for (const dataset of ['support', 'calls']) {
      const { store } = decoded('frozen');
      const head = store.json(`heads/${dataset}/main`) as { version: string };
      const pointer = readFileSync(join(GOLDEN, 'manifests', `${dataset}.json`), 'utf8');
      expect(pointer).toBe(pointerOf(head.version, store.manifest(head.version)));
    }
  });

  test('H1, H3: the log tells the moves of a head, each from where the last one ended', () => {
    const { store } = decoded('frozen');
    const log = readdirSync(join(store.folder, 'log/support/main')).map((name) =>
      store.json(`log/support/main/${name}`),
    );
    expect(log.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    for (const [at, entry] of log.entries()) expect(entry['previous']).toBe(log[at - 1]?.['version'] ?? null);
    expect(log.at(-1)).toEqual(store.json('heads/support/main'));
    expect(store.json('tags/support/v1%2E0')).toEqual({ version: log.at(-1)?.['version'] });
  });

  test('the batches of manifests are the files, by their digests', () => {
    const { store } = decoded('made');
    const files = new Map([...made.batches].map(([name, text]) => [independentSha256(text), name]));
    for (const version of made.versions) {
      for (const batch of store.manifest(version).batches) expect(files.get(batch.sha256)).toBe(batch.name);
    }
    expect(store.manifest(made.versions[0] as string).batches).toHaveLength(1);
  });

  test('E1: the ids of events follow from their versions', () => {
    const events = made
      .read('events.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as StoredEvent);
    expect(events.length).toBeGreaterThanOrEqual(made.versions.length - 1);
    for (const { id, type, data } of events) {
      const list = canonical([type, data.dataset, data.previous, data.version]);
      expect(independentSha256(list).slice(0, 32)).toBe(id);
    }
  });

  test('G1: a staged file has the columns of the page, and whole groups', () => {
    const [file, ...others] = readdirSync(join(made.folder, 'staged'));
    expect(file).toMatch(/^support-[0-9A-Z]{26}\.staged$/u);
    expect(others).toEqual([]);
    const text = readFileSync(join(made.folder, 'staged', file as string), 'utf8');
    const rows = text
      .slice(0, -1)
      .split('\n')
      .map((line) => line.split('\t'));
    expect(rows.filter(([home]) => home === '-').map((row) => row[1])).toEqual(['"intent_3"']);
    const before = '{"intent":"ours","text":"only ours"}';
    expect(rows.filter((row) => row[3] === 'only ours')).toEqual([
      ['train', '"ours"', before, 'only ours', '', '='],
      ['train', '"ours"', '', 'only ours', 'only ours!', '{"intent":"ours","text":"only ours!"}'],
    ]);
  });

  test('C4: the tables of the catalogue are those of the page', () => {
    const database = new DatabaseSync(join(made.folder, 'catalogue.db'), { readOnly: true });
    const tables = database
      .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
      .all();
    database.close();
    const listed = tableRows('tables').flatMap(([names]) =>
      [...(names as string).matchAll(/`(\w+)`/gu)].map(([, name]) => name),
    );
    expect(new Set(tables.map(({ name }) => name))).toEqual(new Set(listed));
  });

  test('the files of a store are those that the page lists', () => {
    const entries = readdirSync(join(GOLDEN, 'remote'));
    for (const entry of entries) expect(PAGE).toMatch(new RegExp(`\\| \`${entry}[\`/]`, 'u'));
    expect(entries.toSorted()).toEqual(['format.json', 'heads', 'log', 'packs', 'tags']);
  });
});

interface StoredEvent {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly dataset: string; readonly previous: string | null; readonly version: string };
}
