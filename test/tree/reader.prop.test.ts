import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/tree/lines.ts';
import type { ChunkSource } from '../../src/store/chunks.ts';
import type { Hash } from '../../src/base/hash.ts';
import { TreeReader } from '../../src/tree/reader.ts';
import { MemoryChunks } from '../doubles/memory-chunks.ts';
import { build, keyText, listed, model } from './model.ts';

const asText = (entries: readonly Entry[]): [string, string][] =>
  entries.map(({ key, value }) => [key.toString(), value.toString()]);

const ascending = (keys: readonly string[]): Buffer[] =>
  [...new Set(keys)].map((key) => Buffer.from(key)).sort((a, b) => Buffer.compare(a, b));

describe('TreeReader', () => {
  test('getMany gives the value of every key there is, and undefined for the others', async () => {
    await fc.assert(
      fc.asyncProperty(model(200), fc.array(keyText, { maxLength: 60 }), async (entries, others) => {
        const chunks = new MemoryChunks();
        const reader = new TreeReader(chunks, await build(chunks, entries));
        const keys = ascending([...others, ...[...entries.keys()].filter((_, index) => index % 3 === 0)]);
        const values = await reader.getMany(keys);
        expect(values.map((value) => value?.toString())).toEqual(keys.map((key) => entries.get(key.toString())));
      }),
      { numRuns: 300 },
    );
  });

  test('prefixes gives whole groups', async () => {
    await fc.assert(
      fc.asyncProperty(model(200), fc.array(keyText, { maxLength: 12 }), async (entries, some) => {
        const chunks = new MemoryChunks();
        const reader = new TreeReader(chunks, await build(chunks, entries));
        const prefixes = ascending(some).filter(
          (prefix, index, all) =>
            !all.slice(0, index).some((before) => prefix.subarray(0, before.length).equals(before)),
        );
        const groups = await reader.prefixes(prefixes);
        const all = listed(entries);
        expect(groups.map(asText)).toEqual(
          prefixes.map((prefix) => all.filter(([key]) => key.startsWith(prefix.toString()))),
        );
      }),
      { numRuns: 400 },
    );
  });

  test('scan starts at a key or at a number', async () => {
    await fc.assert(
      fc.asyncProperty(model(200), keyText, fc.nat(220), async (entries, from, skip) => {
        const chunks = new MemoryChunks();
        const reader = new TreeReader(chunks, await build(chunks, entries));
        const all = listed(entries);
        expect(asText((await Array.fromAsync(reader.scan())).flat())).toEqual(all);
        expect(asText((await Array.fromAsync(reader.scan({ skip }))).flat())).toEqual(all.slice(skip));
        const start = Buffer.from(from);
        expect(asText((await Array.fromAsync(reader.scan({ from: start }))).flat())).toEqual(
          all.filter(([key]) => Buffer.compare(Buffer.from(key), start) >= 0),
        );
        const leaves = (await Array.fromAsync(reader.scanLines())).flat();
        const text = Buffer.concat(leaves.map(({ bytes }) => bytes)).toString();
        expect(text).toBe(all.map(([key, value]) => `${key}\t${value}\n`).join(''));
      }),
      { numRuns: 300 },
    );
  });

  test('at gives records by their number', async () => {
    await fc.assert(
      fc.asyncProperty(model(200), fc.array(fc.nat(), { maxLength: 30 }), async (entries, numbers) => {
        fc.pre(entries.size > 0);
        const chunks = new MemoryChunks();
        const reader = new TreeReader(chunks, await build(chunks, entries));
        const indices = numbers.map((number) => number % entries.size).sort((a, b) => a - b);
        const all = listed(entries);
        expect(asText(await reader.at(indices))).toEqual(indices.map((index) => all[index]));
      }),
      { numRuns: 200 },
    );
  });

  test('asks in bulk once a scan of a large tree is well under way, and never of a small one', async () => {
    const asked = async (rows: number): Promise<(boolean | undefined)[]> => {
      const chunks = new MemoryChunks();
      const value = `"${'x'.repeat(80_000)}"`;
      const entries = new Map(Array.from({ length: rows }, (_, row) => [`key ${1000 + row}`, value]));
      const tree = await build(chunks, entries);
      const readings: (boolean | undefined)[] = [];
      const source: ChunkSource = {
        get: (name) => chunks.get(name as Hash),
        getMany: (names, reading) => {
          if (reading?.leaves === true) readings.push(reading.bulk);
          return chunks.getMany(names as Hash[]);
        },
      };
      let lines = 0;
      for await (const leaves of new TreeReader(source, tree).scanLines()) {
        for (const { count } of leaves) lines += count;
      }
      expect(lines).toBe(rows);
      return readings;
    };
    const large = await asked(300);
    expect(large.slice(0, 4)).toEqual([undefined, undefined, undefined, undefined]);
    expect(large).toContain(true);
    expect(await asked(150)).not.toContain(true);
  });
});
