/**
 * Generated datasets: reproducible to the byte, and of the shape that measurements assume.
 *
 * The golden lines and digests freeze the generator: where they change, older measurements cannot be compared.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  batch,
  generate,
  relabels,
  rowAt,
  writeLines,
  type DatasetShape,
  type GeneratedRow,
} from '../../../scripts/bench/generate.ts';

const THOUSAND: DatasetShape = { rows: 1000, seed: 1 };
const parse = (line: string): GeneratedRow => JSON.parse(line) as GeneratedRow;
const digest = (lines: Iterable<string>): string => {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(line);
  return hash.digest('hex');
};
const fold = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll("'", '')
    .replaceAll(/[\p{P}\p{S}\s]+/gu, ' ')
    .trim();

describe('a generated dataset', () => {
  test('is the same for ever', () => {
    expect([...generate({ rows: 3, seed: 1 })]).toStrictEqual([
      '{"features":{"location":"berlin","role":"engineer"},"intent":"flight_open","text":"am i able to set up flight for Cyrus Halaton near Innsbruck"}\n',
      '{"features":{"location":"madrid","role":"manager"},"intent":"delivery_cancel","text":"i want to cancel the package 5956627"}\n',
      '{"features":{"location":"berlin","role":"support"},"intent":"appointment_open","text":"get my appointment id 185541 by Modanova"}\n',
    ]);
    expect(digest(generate(THOUSAND))).toBe('66ae52549ebc62ba1a23b9abf8b4b9273b18fc30e14d407d0d5a1a791ffa093a');
  });

  test('starts with the rows of a smaller one of the same seed', () => {
    expect([...generate({ rows: 1000, seed: 1 })].slice(0, 10)).toStrictEqual([...generate({ rows: 10, seed: 1 })]);
  });

  test('gives every row without the others', () => {
    const lines = [...generate(THOUSAND)];
    expect(rowAt(THOUSAND, 777)).toStrictEqual(parse(lines[777] as string));
  });

  test('has other rows for another seed', () => {
    const other = new Set(Array.from(generate({ rows: 1000, seed: 2 }), (line) => parse(line).text));
    expect([...generate(THOUSAND)].filter((line) => other.has(parse(line).text))).toStrictEqual([]);
  });

  test('is one line a row, about 143 bytes of them, 3 to 20 words with a median of 9', () => {
    const lines = [...generate({ rows: 20_000, seed: 3 })];
    for (const line of lines) expect(line).toBe(`${JSON.stringify(parse(line))}\n`);
    const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
    expect(bytes / lines.length).toBeGreaterThan(142);
    expect(bytes / lines.length).toBeLessThan(146);
    const words = lines.map((line) => parse(line).text.split(' ').length).sort((a, b) => a - b);
    expect([words[0], words[words.length / 2]]).toStrictEqual([3, 9]);
    expect(words.at(-1)).toBeLessThanOrEqual(20);
  });

  test('never gives one text two intents, and hardly ever the same text twice', () => {
    const intents = new Map<string, string>();
    let repeated = 0;
    let contradicted = 0;
    for (const line of generate({ rows: 100_000, seed: 4 })) {
      const { text, intent } = parse(line);
      const before = intents.get(fold(text));
      if (before !== undefined) repeated += 1;
      if (before !== undefined && before !== intent) contradicted += 1;
      intents.set(fold(text), intent);
    }
    expect(contradicted).toBe(0);
    expect(repeated).toBeLessThan(10);
  });

  test("spreads intents by Zipf's law over as many as asked for", () => {
    const counts = new Map<string, number>();
    for (const line of generate({ rows: 100_000, seed: 5 })) {
      const { intent } = parse(line);
      counts.set(intent, (counts.get(intent) ?? 0) + 1);
    }
    const sorted = [...counts.values()].sort((a, b) => b - a);
    expect(sorted).toHaveLength(150);
    // The harmonic number of 150 is 5.59, so the first intent has 17.9 % of the rows, the second half of that.
    expect(sorted[0]).toBeCloseTo(17_885, -3);
    expect(sorted[1]).toBeCloseTo(8942, -3);
    expect(sorted[9]).toBeCloseTo(1788, -3);

    const few = new Set(Array.from(generate({ ...THOUSAND, intents: 5 }), (line) => parse(line).intent));
    expect(few.size).toBe(5);
  });

  test('refuses a shape that it cannot make', () => {
    expect(() => generate({ rows: 1, seed: 1, intents: 151 }).next()).toThrow(RangeError);
    expect(() => generate({ rows: 1, seed: 1.5 }).next()).toThrow(RangeError);
    expect(() => generate({ rows: 1, seed: -1 }).next()).toThrow(RangeError);
    expect(() => generate({ rows: Number.NaN, seed: 1 }).next()).toThrow(RangeError);
  });

  test('is written to a file as it is', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'uttr-bench-'));
    try {
      const path = join(directory, 'rows.jsonl');
      const bytes = await writeLines(path, generate({ rows: 5000, seed: 1 }));
      const written = readFileSync(path);
      expect(written).toHaveLength(bytes);
      expect(digest([written.toString()])).toBe(digest(generate({ rows: 5000, seed: 1 })));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('a generated batch', () => {
  test('brings new texts of the intents that the dataset has', () => {
    const rows = Array.from(generate({ rows: 20_000, seed: 1 }), parse);
    const texts = new Set(rows.map((row) => row.text));
    const intents = new Set(rows.map((row) => row.intent));
    const added = Array.from(batch(THOUSAND), parse);
    expect(added.filter((row) => texts.has(row.text))).toStrictEqual([]);
    expect(added.filter((row) => !intents.has(row.intent))).toStrictEqual([]);
    expect(digest(batch(THOUSAND))).toBe('10bb80ee76ad322ed924eb05a02de7169762782e7f453422228761bd57f925a9');
  });
});

describe('generated relabels', () => {
  test('are rows of the dataset with nothing but another intent', () => {
    const rows = new Map(Array.from(generate(THOUSAND), (line) => [parse(line).text, parse(line)]));
    const changed = Array.from(relabels(THOUSAND, 100, 1), parse);
    for (const row of changed) {
      const before = rows.get(row.text);
      expect(before).toStrictEqual({ ...row, intent: before?.intent });
      expect(row.intent).not.toBe(before?.intent);
    }
    expect(new Set(changed.map((row) => row.text)).size).toBe(100);
  });

  test('lie scattered over the dataset, in its order', () => {
    const places = new Map(Array.from(generate(THOUSAND), (line, at) => [parse(line).text, at]));
    const changed = Array.from(relabels(THOUSAND, 10, 1), (line) => places.get(parse(line).text) as number);
    changed.forEach((place, at) => expect(Math.floor(place / 100)).toBe(at));
  });

  test('can be all rows but no more', () => {
    expect([...relabels({ rows: 20, seed: 1 }, 20, 1)]).toHaveLength(20);
    expect(() => relabels({ rows: 20, seed: 1 }, 21, 1).next()).toThrow(RangeError);
  });
});
