import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CheckedRecord } from '../../src/checks/check.ts';
import { groupColumn } from '../../src/records/key.ts';
import { findNeighbours, isSearchQuick } from '../../src/repo/similar-texts.ts';
import { trigrams } from '../checks/alike-texts.ts';
import { type Copy, DATASET, type Row, rows, World } from './world.ts';

const asked = (text: string): CheckedRecord => ({ record: { text }, side: 'train', group: groupColumn(text) });

/** What is found for each text: `similarity text side`. */
function search(
  copy: Copy,
  texts: readonly string[],
  threshold = 0.7,
  changed: readonly string[] = [],
): Promise<string[]> {
  return copy.open(async (repository) => {
    const find = findNeighbours(repository, await copy.head());
    const found = await find(texts.map(asked), threshold, (group) => changed.includes(group));
    return (found ?? [])
      .map(({ similarity, other }) => `${similarity.toFixed(3)} ${other.record.text} ${other.side}`)
      .sort();
  });
}

async function bruteForce(copy: Copy, texts: readonly string[], threshold = 0.7): Promise<string[]> {
  const there = Object.entries(await copy.records()).filter(([, place]) => !place.startsWith('unlabelled'));
  return texts
    .flatMap((text) => {
      const set = trigrams(text);
      return there.flatMap(([other, place]) => {
        const others = trigrams(other);
        const shared = [...set].filter((one) => others.has(one)).length;
        const similarity = shared / (set.size + others.size - shared);
        return similarity >= threshold ? `${similarity.toFixed(3)} ${other} ${place.split(' ')[0]}` : [];
      });
    })
    .sort();
}

const files = (copy: Copy): string[] => readdirSync(join(copy.root, '.uttr', 'similar')).sort();
const segments = (copy: Copy): string[] => files(copy).filter((name) => name.endsWith('.trigrams'));

const phrase = (at: number, word: string): Row => ({
  text: `please ${word} the order ${(at * 7919).toString(36)} for me`,
  intent: word,
});

describe('the index of like texts', () => {
  test('finds what comparing with all texts of the version finds, through a history', async () => {
    const copy = await new World().copy('ada', { remote: false });
    await copy.put(Array.from({ length: 40 }, (_, at) => phrase(at, 'cancel')));
    const texts = ['please cancel the order 64f for me', 'please change the order 64 for me', 'nothing of the kind'];
    for (let step = 1; step <= 12; step++) {
      const from = 40 + step * 5;
      await copy.put(Array.from({ length: 5 }, (_, at) => phrase(from + at, step % 2 === 0 ? 'cancel' : 'change')));
      if (step % 3 === 0) await copy.remove(phrase(step, 'cancel').text);
      if (step % 4 === 0) await copy.relabel(phrase(step + 1, 'cancel').text, 'other');
      // The nearest twenty of each text are told.
      const all = await bruteForce(copy, texts, 0.75);
      const found = await search(copy, texts, 0.75);
      expect(found.length).toBeGreaterThan(5);
      expect(all).toEqual(expect.arrayContaining(found));
      expect(found).toHaveLength(Math.min(all.length, found.length));
    }
    expect(segments(copy).length).toBeLessThanOrEqual(4);
  });

  test('leaves out what the batch changes, and texts without a label', async () => {
    const copy = await new World().copy('ada', { remote: false });
    await copy.put([...rows(0, 20), { text: 'utterance number 3!' }, { text: 'utterance number xx' }]);
    const found = await search(copy, ['utterance number 3'], 0.9);
    expect(found).toEqual(['1.000 utterance number 3 train']);
    expect(await search(copy, ['utterance number 3'], 0.9, ['utterance number 3'])).toEqual([]);
  });

  test('serves versions before and beside the one it was made for', async () => {
    const copy = await new World().copy('ada', { remote: false });
    await copy.put(rows(0, 10));
    const before = readFileSync(join(copy.root, 'manifests', `${DATASET}.json`));
    await copy.put([{ text: 'another thing entirely', intent: 'x' }]);
    expect(await search(copy, ['another thing entirely'], 0.9)).toHaveLength(1);
    writeFileSync(join(copy.root, 'manifests', `${DATASET}.json`), before);
    expect(await search(copy, ['another thing entirely'], 0.9)).toEqual([]);
    await copy.put([{ text: 'quite another thing', intent: 'x' }]);
    expect(await search(copy, ['quite another thing'], 0.9)).toHaveLength(1);
    expect(await search(copy, ['another thing entirely'], 0.9)).toEqual([]);
  });

  test.each<[string, (copy: Copy) => void]>([
    [
      'a segment is cut short',
      (copy) => truncateSync(join(copy.root, '.uttr/similar', segments(copy)[0] as string), 70),
    ],
    [
      'what says which there are is no JSON',
      (copy) => writeFileSync(join(copy.root, `.uttr/similar/${DATASET}.json`), '{'),
    ],
    [
      'it names a version that nobody knows',
      (copy) => {
        const path = join(copy.root, `.uttr/similar/${DATASET}.json`);
        const state = JSON.parse(readFileSync(path, 'utf8')) as object;
        writeFileSync(path, JSON.stringify({ ...state, version: '0'.repeat(64) }));
      },
    ],
  ])('is made again where %s', async (_, damage) => {
    const copy = await new World().copy('ada', { remote: false });
    await copy.put(rows(0, 30));
    const found = await search(copy, ['utterance number 3']);
    expect(found.length).toBeGreaterThan(3);
    damage(copy);
    expect(await search(copy, ['utterance number 3'])).toEqual(found);
    await copy.put(rows(30, 5));
    const texts = ['utterance number 31'];
    expect(await search(copy, texts, 0.8)).toEqual(await bruteForce(copy, texts, 0.8));
  });

  test('is made again for a likeness below the one it was made for', async () => {
    const copy = await new World().copy('ada', { remote: false });
    await copy.put(rows(0, 15));
    await search(copy, ['utterance number 3'], 0.9);
    expect(await search(copy, ['utterance'], 0.5)).toEqual(await bruteForce(copy, ['utterance'], 0.5));
  });

  test('finds long texts, whose keys are cut', async () => {
    const copy = await new World().copy('ada', { remote: false });
    const long = Array.from({ length: 200 }, (_, at) => (at * 7919).toString(36)).join(' ');
    await copy.put([...rows(0, 3), { text: long, intent: 'long' }]);
    expect(await search(copy, [`${long} x`], 0.9)).toHaveLength(1);
    await copy.put([{ text: `${long} y`, intent: 'long' }]);
    expect(await search(copy, [`${long} x`], 0.9)).toHaveLength(2);
  });

  test('is quick where there is one, or the dataset is small; a clone without the data is not read for it', async () => {
    const world = new World();
    const [ada] = [await world.copy('ada')];
    await ada.put(rows(0, 50_001));
    const isQuick = (copy: Copy): Promise<boolean> =>
      copy.open(async (repository) => isSearchQuick(repository, await copy.head()));
    expect(await isQuick(ada)).toBe(false);
    await search(ada, ['utterance number 3']);
    expect(await isQuick(ada)).toBe(true);
    await ada.push();
    const bob = world.clone(ada, 'bob');
    const found = await bob.open(async (repository) =>
      findNeighbours(repository, await bob.head())([asked('utterance number 3')], 0.9, () => false),
    );
    expect(found).toBeUndefined();
  });
});
