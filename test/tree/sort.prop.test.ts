import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entriesOf } from '../../src/tree/lines.ts';
import { RunSorter } from '../../src/tree/sort.ts';
import { MemoryRunStore } from '../doubles/memory-run-store.ts';
import { keyText } from './model.ts';

/** Sorts keys and gives them back with their positions, which show the order of equal keys. */
async function sortKeys(
  keys: readonly string[],
  store: MemoryRunStore,
  budgetBytes: number,
): Promise<[string, number][]> {
  const sorter = new RunSorter(store, { budgetBytes });
  try {
    for (const [position, key] of keys.entries()) {
      const line = Buffer.from(`..${key}\t${position}\n..`);
      sorter.add(line, 2, 2 + Buffer.byteLength(key), line.length - 2);
      if (sorter.needsDrain) await sorter.drain();
    }
    const sorted: [string, number][] = [];
    for await (const lines of sorter.finish()) {
      for (const { key, value } of entriesOf(lines)) sorted.push([key.toString(), Number(value.toString())]);
    }
    return sorted;
  } finally {
    await sorter.close();
  }
}

function modelSort(keys: readonly string[]): [string, number][] {
  return keys
    .map((key, position): [string, number] => [key, position])
    .sort(([a, i], [b, j]) => Buffer.compare(Buffer.from(a), Buffer.from(b)) || i - j);
}

const longKey = fc
  .tuple(fc.constantFrom('', 'please turn on ', 'please turn off the '), keyText)
  .map((parts) => parts.join(''));
const keys = fc.array(fc.oneof(keyText, longKey), { maxLength: 300, size: 'max' });

describe('RunSorter', () => {
  test('lines come out by the bytes of their keys, equal keys in the order they were added', async () => {
    await fc.assert(
      fc.asyncProperty(keys, async (some) => {
        const store = new MemoryRunStore();
        expect(await sortKeys(some, store, 1 << 20)).toEqual(modelSort(some));
        expect(store.written).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test('the order is the same with any number of runs, and no run is left behind', async () => {
    await fc.assert(
      fc.asyncProperty(
        keys,
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 1, max: 100 }),
        async (some, budget, piece) => {
          const store = new MemoryRunStore(piece);
          expect(await sortKeys(some, store, budget)).toEqual(modelSort(some));
          expect(store.size).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('thousands of equal and of very long keys are sorted', async () => {
    const same = Array.from({ length: 3000 }, () => 'turn on the light');
    const long = Array.from({ length: 200 }, (_, index) => 'x'.repeat(5000) + String(index % 7));
    const some = [...long, ...same, '\u0000', '', 'a\u0000', 'a', ...long];
    expect(await sortKeys(some, new MemoryRunStore(), 1 << 18)).toEqual(modelSort(some));
  });

  test('more runs than are merged at once are merged in rounds', async () => {
    const some = Array.from({ length: 700 }, (_, index) => String((index * 7919) % 500));
    const store = new MemoryRunStore();
    expect(await sortKeys(some, store, 1)).toEqual(modelSort(some));
    expect(store.written).toBeGreaterThan(700);
    expect(store.size).toBe(0);
  });

  test('a caller that stops early leaves nothing behind either', async () => {
    const store = new MemoryRunStore();
    const sorter = new RunSorter(store, { budgetBytes: 1 });
    for (const key of ['b', 'a', 'c']) {
      sorter.add(Buffer.from(`${key}\t1\n`), 0, 1, 4);
      await sorter.drain();
    }
    for await (const lines of sorter.finish()) {
      expect(lines.count).toBe(3);
      break;
    }
    await sorter.close();
    expect(store.size).toBe(0);
  });

  test('a line that is not framed is a mistake of the caller', () => {
    const sorter = new RunSorter(new MemoryRunStore());
    expect(() => {
      sorter.add(Buffer.from('key value\n'), 0, 3, 10);
    }).toThrow('assertion failed');
  });
});
