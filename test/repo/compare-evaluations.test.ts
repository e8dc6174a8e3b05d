/** The split is sticky: what was on a test side is there in later versions, so that two models meet on the same rows. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Comparison } from '../../src/evaluation/compare.ts';
import { mcnemarExact } from '../../src/evaluation/mcnemar.ts';
import { compareEvaluations } from '../../src/repo/compare-evaluations.ts';
import { BatchInput } from '../../src/repo/input.ts';
import { findRecords } from '../../src/repo/query.ts';
import {
  type KeptEvaluation,
  keptEvaluations,
  readEvaluation,
  recordEvaluation,
} from '../../src/repo/record-evaluation.ts';
import { headVersion, type Version } from '../../src/repo/versions.ts';
import { type Copy, DATASET, rows, World } from './world.ts';

type Row = { readonly text: string; readonly intent: string };

const testSide = (copy: Copy): Promise<Row[]> =>
  copy.open(async (repository) => {
    const version = (await headVersion(repository, DATASET)) as Version;
    const found = (await Array.fromAsync(findRecords(repository, version, { side: 'test' }))).flat();
    return found.map(({ json }) => JSON.parse(json) as Row);
  });

/** Records what a model says of HEAD's test side. */
async function evaluate(copy: Copy, model: string, predict: (row: Row) => string): Promise<KeptEvaluation> {
  const path = join(copy.root, 'predictions.jsonl');
  const lines = (await testSide(copy)).map((row) => JSON.stringify({ text: row.text, intent: predict(row) }));
  writeFileSync(path, lines.join('\n'));
  const input = await BatchInput.open({ kind: 'file', path, name: path });
  try {
    return await copy.open(async (repository) => {
      const version = (await headVersion(repository, DATASET)) as Version;
      const recorded = await recordEvaluation(repository, version, input, { model });
      return readEvaluation({ kind: 'file', path: recorded.path, name: recorded.path });
    });
  } finally {
    await input.close();
  }
}

const compare = (copy: Copy, before: KeptEvaluation, after: KeptEvaluation): Promise<Comparison> =>
  copy.open((repository) => compareEvaluations(repository, before, after));

async function project(): Promise<Copy> {
  const copy = await new World().copy('here', { remote: false });
  await copy.add(rows(0, 200, 4));
  await copy.commit();
  return copy;
}

const numberOf = ({ text }: Row): number => Number(text.split(' ').at(-1));

describe('two models on the same version', () => {
  test('are compared row by row, with the counts that McNemar asks for', async () => {
    const copy = await project();
    const isWrongBefore = (row: Row): boolean => numberOf(row) % 3 === 0;
    const isWrongAfter = (row: Row): boolean => numberOf(row) % 5 === 0;
    const before = await evaluate(copy, 'a', (row) => (isWrongBefore(row) ? 'x' : row.intent));
    const after = await evaluate(copy, 'b', (row) => (isWrongAfter(row) ? 'y' : row.intent));
    const { common, change, added, gone, intents } = await compare(copy, before, after);
    const side = await testSide(copy);
    const onlyBefore = side.filter((row) => !isWrongBefore(row) && isWrongAfter(row)).length;
    const onlyAfter = side.filter((row) => isWrongBefore(row) && !isWrongAfter(row)).length;
    expect(common).toMatchObject({ rows: side.length, onlyBefore, onlyAfter, p: mcnemarExact(onlyBefore, onlyAfter) });
    expect([added.rows, gone.rows]).toEqual([0, 0]);
    expect(change?.data).toBe(0);
    expect(change?.model).toBeCloseTo((onlyAfter - onlyBefore) / side.length, 12);
    expect(Object.values(intents).reduce((sum, pair) => sum + pair.onlyAfter, 0)).toBe(onlyAfter);
  });
});

describe('two versions', () => {
  test('the same model is unchanged on the same rows; what is worse is the data, and adds up', async () => {
    const copy = await project();
    const knows = (row: Row): string => (numberOf(row) < 200 ? row.intent : 'no idea');
    const before = await evaluate(copy, 'm', knows);
    const old = await testSide(copy);
    await copy.add(rows(1000, 120, 4));
    await copy.commit();
    const after = await evaluate(copy, 'm', knows);
    const now = await testSide(copy);
    const comparison = await compare(copy, before, after);
    const fresh = now.length - old.length;
    expect(fresh).toBeGreaterThan(0);
    expect(comparison.common).toMatchObject({ rows: old.length, onlyBefore: 0, onlyAfter: 0, p: 1 });
    expect(comparison.added).toMatchObject({ rows: fresh, correct: 0 });
    expect(comparison.change).toEqual({
      whole: old.length / now.length - 1,
      model: 0,
      data: old.length / now.length - 1,
    });
    // The other way round, the new rows are those that are gone.
    expect((await compare(copy, after, before)).gone.rows).toBe(fresh);
  });

  test('relabelled rows are neither the model nor common', async () => {
    const copy = await project();
    const before = await evaluate(copy, 'm', (row) => row.intent);
    const [first] = (await testSide(copy)) as [Row];
    await copy.add([{ text: first.text, intent: 'intent 9' }], { onConflict: 'relabel' });
    await copy.commit();
    const after = await evaluate(copy, 'm', (row) => (row.text === first.text ? first.intent : row.intent));
    const { relabelled, common, change } = await compare(copy, before, after);
    expect([relabelled, common.rows, change?.model]).toEqual([1, (await testSide(copy)).length - 1, 0]);
    expect(change?.data).toBeLessThan(0);
  });
});

test('a file that names another version is refused', async () => {
  const copy = await project();
  const kept = await evaluate(copy, 'm', (row) => row.intent);
  await copy.add(rows(1000, 120, 4));
  await copy.commit();
  const version = (await copy.head()).hash;
  await expect(compare(copy, kept, { ...kept, version })).rejects.toMatchObject({ code: 'bad-format' });
});

test('kept evaluations come in the order of their times, and hold no utterance', async () => {
  const copy = await project();
  for (const model of ['z', 'a']) await evaluate(copy, model, () => 'x');
  const kept = await copy.open((repository) => keptEvaluations(repository, DATASET));
  expect(kept.map(({ model }) => model)).toEqual(['z', 'a']);
  const [{ version }] = kept as [KeptEvaluation];
  const text = readFileSync(join(copy.root, 'evaluations', DATASET, `${version.slice(0, 12)}-z.json`), 'utf8');
  expect(text).not.toContain('utterance number');
  expect(text.endsWith('}\n')).toBe(true);
});
