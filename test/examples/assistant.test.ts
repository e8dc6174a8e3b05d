/**
 * The assistant example promises certain things of its three batches: a new user meets duplicates, relabels and one
 * bad row at known places. Its README states the numbers; this test counts them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';

const DIRECTORY = join(import.meta.dirname, '../../examples/assistant');
const COLUMNS = ['text', 'intent', 'role', 'location'] as const;
type Row = Record<(typeof COLUMNS)[number], string>;

/** What the batch does to the dataset that the batches before it made. */
interface BatchEffect {
  readonly rows: number;
  /** Texts that nothing before resembles. */
  readonly added: number;
  /** Texts that differ from an earlier one at most in case and punctuation, with the same intent. */
  readonly repeated: number;
  /** Texts given exactly as before, with another intent. */
  readonly relabelled: number;
  readonly bad: number;
}

/** The form in which texts of one group are equal; written out here so that the test leans on no code under test. */
function fold(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/['’]/gu, '')
    .replaceAll(/[\p{P}\p{S}\s]+/gu, ' ')
    .trim();
}

function readBatch(number: number): Row[] {
  return parse<Row>(readFileSync(join(DIRECTORY, `batch-${number}.csv`)), { columns: true });
}

function applyBatch(dataset: Map<string, Row>, batch: readonly Row[]): BatchEffect {
  const effect = { rows: batch.length, added: 0, repeated: 0, relabelled: 0, bad: 0 };
  for (const row of batch) {
    if (row.intent === '') {
      effect.bad += 1;
      continue;
    }
    const before = dataset.get(fold(row.text));
    if (before === undefined) effect.added += 1;
    else if (before.intent === row.intent) effect.repeated += 1;
    else {
      expect(row).toStrictEqual({ ...before, intent: row.intent });
      effect.relabelled += 1;
    }
    dataset.set(fold(row.text), row);
  }
  return effect;
}

const batches = [1, 2, 3].map(readBatch);
const dataset = new Map<string, Row>();
const effects = batches.map((batch) => applyBatch(dataset, batch));
const intentsOf = (rows: Iterable<Row>): Set<string> => new Set(Array.from(rows, (row) => row.intent));

describe('the assistant example', () => {
  test('batches have the four columns, and a value in each but the one bad row', () => {
    for (const row of batches.flat()) {
      expect(Object.keys(row)).toStrictEqual([...COLUMNS]);
      expect([row.text, row.role, row.location]).not.toContain('');
      expect(row.text).toBe(row.text.trim());
    }
  });

  test('batches add, repeat and relabel as many rows as the README says', () => {
    expect(effects).toStrictEqual([
      { rows: 340, added: 340, repeated: 0, relabelled: 0, bad: 0 },
      { rows: 291, added: 269, repeated: 14, relabelled: 8, bad: 0 },
      { rows: 238, added: 220, repeated: 12, relabelled: 5, bad: 1 },
    ]);
    const readme = readFileSync(join(DIRECTORY, 'README.md'), 'utf8');
    effects.forEach(({ rows, added, repeated, relabelled, bad }, at) => {
      expect(readme).toContain(`| batch-${at + 1}.csv | ${rows} | ${added} | ${repeated} | ${relabelled} | ${bad} |`);
    });
    expect(readme).toContain(`${dataset.size} different utterances with ${intentsOf(dataset.values()).size} intents`);
  });

  test('batch 1 has no two rows of one group', () => {
    expect(new Set(batches[0]?.map((row) => fold(row.text))).size).toBe(340);
  });

  test('repeats keep the role and location of the first, and differ from it in writing', () => {
    const first = new Map(batches[0]?.map((row) => [fold(row.text), row]));
    const repeats = batches.slice(1).flatMap((batch) =>
      batch.filter((row) => {
        const before = first.get(fold(row.text));
        return before !== undefined && before.intent === row.intent && before.text !== row.text;
      }),
    );
    expect(repeats.length).toBeGreaterThan(15);
    for (const row of repeats) {
      expect(row).toStrictEqual({ ...first.get(fold(row.text)), text: row.text });
    }
  });

  test('intents grow from 11 to 15 to 16, each with at least 30 utterances in the end', () => {
    const seen = batches.map((_, at) => {
      const rows = batches.slice(0, at + 1).flat();
      return intentsOf(rows.filter((row) => row.intent !== '')).size;
    });
    expect(seen).toStrictEqual([11, 15, 16]);
    const rows = [...dataset.values()];
    const thin = [...intentsOf(rows)].filter((intent) => rows.filter((row) => row.intent === intent).length < 30);
    expect(thin).toStrictEqual([]);
  });

  test('utterances are no longer than a chat message and hold no address, link or long number', () => {
    for (const { text } of batches.flat()) {
      expect(text.length).toBeLessThan(160);
      expect(text).not.toMatch(/\S@\S|https?:|\d{6}/u);
    }
  });
});
