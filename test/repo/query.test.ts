import { describe, expect, test } from 'vitest';
import { findRecords, placesOf, sampleRecords, sideNames, versionStats } from '../../src/repo/query.ts';
import type { Version } from '../../src/repo/versions.ts';
import { editConfig } from '../../src/repo/working-copy.ts';
import { type Copy, DATASET, rows, World } from './world.ts';

async function copyOf(records: Parameters<Copy['put']>[0]): Promise<Copy> {
  const copy = await new World().copy('ada', { remote: false });
  await copy.put(records);
  return copy;
}

const texts = (found: readonly { readonly json: string }[]): string[] =>
  found.map(({ json }) => (JSON.parse(json) as { text: string }).text);

describe('findRecords', () => {
  test('stops at the limit, over all sides', async () => {
    const copy = await copyOf(rows(0, 40));
    await copy.open(async (repository) => {
      const version = await copy.head();
      for (const limit of [0, 1, 31, 40, 100]) {
        const found = (await Array.fromAsync(findRecords(repository, version, {}, limit))).flat();
        expect(found).toHaveLength(Math.min(limit, 40));
      }
    });
  });

  test('searches by words as records are compared, by expression, and by intent', async () => {
    const copy = await copyOf([
      { text: 'Caf\u00E9 au lait', intent: ['drink', 'order'] },
      { text: 'a.c', intent: 'letters' },
      { text: 'abc', intent: 'letters' },
      { text: 'no label' },
    ]);
    await copy.open(async (repository) => {
      const version = await copy.head();
      const search = async (filter: Parameters<typeof findRecords>[2]): Promise<string[]> =>
        texts((await Array.fromAsync(findRecords(repository, version, filter))).flat());
      expect(await search({ text: 'CAFE\u0301  au' })).toEqual(['Caf\u00E9 au lait']);
      expect(await search({ text: 'a.c' })).toEqual(['a.c']);
      expect((await search({ text: '^a.c$', regex: true })).sort()).toEqual(['a.c', 'abc']);
      expect(await search({ intent: 'order' })).toEqual(['Caf\u00E9 au lait']);
      expect(await search({ intent: 'ord' })).toEqual([]);
      expect(await search({ side: 'unlabelled' })).toEqual(['no label']);
      await expect(search({ text: '(', regex: true })).rejects.toMatchObject({ code: 'bad-option' });
      expect(() => placesOf(version, 'dev')).toThrow('has no side "dev"');
    });
  });
});

describe('sampleRecords', () => {
  test('draws without repetition, the same for the same seed, from every place', async () => {
    const copy = await copyOf(rows(0, 60));
    await copy.open(async (repository) => {
      const version = await copy.head();
      const once = await sampleRecords(repository, version, 20, 'a');
      expect(new Set(texts(once)).size).toBe(20);
      expect(texts(await sampleRecords(repository, version, 20, 'a'))).toEqual(texts(once));
      expect(texts(await sampleRecords(repository, version, 20, 'b'))).not.toEqual(texts(once));
      expect(await sampleRecords(repository, version, 1000, 'a')).toHaveLength(60);
      expect(await sampleRecords(repository, version, 0, 'a')).toEqual([]);
      const test = await sampleRecords(repository, version, 1000, 'a', 'test');
      expect(new Set(test.map(({ side }) => side))).toEqual(new Set(['test']));
    });
  });

  test('draws every record about as often', async () => {
    const copy = await copyOf(rows(0, 10));
    const counts = new Map<string, number>();
    await copy.open(async (repository) => {
      const version = await copy.head();
      for (let seed = 0; seed < 300; seed++) {
        for (const text of texts(await sampleRecords(repository, version, 3, String(seed)))) {
          counts.set(text, (counts.get(text) ?? 0) + 1);
        }
      }
    });
    // 90 expected of each; 45 is six standard deviations away.
    for (const count of counts.values()) expect(Math.abs(count - 90)).toBeLessThan(45);
    expect(counts.size).toBe(10);
  });
});

describe('versionStats', () => {
  test('counts rows by side and intent, and groups by stratum', async () => {
    const copy = await copyOf([
      ...rows(0, 12, 1),
      { text: 'Utterance number 0!', intent: 'intent 0' },
      { text: 'two at once', intent: ['b', 'a'] },
      { text: 'no label' },
    ]);
    const stats = versionStats(await copy.head());
    expect(stats).toMatchObject({ dataset: DATASET, rows: 15, groups: 13, unlabelled: 1, crossed: 0 });
    expect(stats.intents['intent 0']?.rows).toBe(13);
    expect(stats.intents['a + b']?.rows).toBe(1);
    expect(stats.strata.map(({ stratum, groups }) => [stratum, groups])).toEqual([
      ['intent 0', 12],
      ['a + b', 1],
    ]);
    expect(stats.strata[0]?.sides).toEqual({
      train: { groups: 9, ideal: 9, deviation: 0 },
      test: { groups: 3, ideal: 3, deviation: 0 },
    });
  });

  test('names sides by falling share, whatever their names', async () => {
    const copy = await new World().copy('ada', { remote: false });
    await editConfig(copy.root, (config) => {
      const datasets = config['datasets'] as Record<string, { split: { sides: Record<string, number> } }>;
      const dataset = datasets[DATASET];
      if (dataset !== undefined) dataset.split.sides = { dev: 0.1, a_test: 0.2, train: 0.7 };
    });
    await copy.put(rows(0, 40));
    const version: Version = await copy.head();
    expect(sideNames(version.manifest)).toEqual(['train', 'a_test', 'dev']);
    expect(Object.keys(versionStats(version).sides)).toEqual(['train', 'a_test', 'dev']);
    expect(placesOf(version, undefined)).toEqual(['train', 'a_test', 'dev', 'unlabelled']);
  });
});
