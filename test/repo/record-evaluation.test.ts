/** Predictions are bound to one version: exactly its test side, nothing of its training data. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { UtteranceRecord } from '../../src/records/record.ts';
import { BatchInput } from '../../src/repo/input.ts';
import { findRecords } from '../../src/repo/query.ts';
import { type EvaluationSource, recordEvaluation, type RecordedEvaluation } from '../../src/repo/record-evaluation.ts';
import { headVersion, type Version } from '../../src/repo/versions.ts';
import { type Copy, DATASET, rows, World } from './world.ts';

async function project(extra: readonly UtteranceRecord[] = []): Promise<Copy> {
  const copy = await new World().copy('here', { remote: false });
  await copy.add([...rows(0, 80, 4), ...extra] as Parameters<Copy['add']>[0]);
  await copy.commit();
  return copy;
}

const sideOf = (copy: Copy, side: string): Promise<UtteranceRecord[]> =>
  copy.open(async (repository) => {
    const version = (await headVersion(repository, DATASET)) as Version;
    const found = (await Array.fromAsync(findRecords(repository, version, { side }))).flat();
    return found.map(({ json }) => JSON.parse(json) as UtteranceRecord);
  });

async function record(
  copy: Copy,
  predictions: readonly unknown[] | string,
  source: EvaluationSource = { model: 'm' },
): Promise<RecordedEvaluation> {
  const path = join(copy.root, 'predictions.jsonl');
  const lines =
    typeof predictions === 'string' ? predictions : predictions.map((line) => JSON.stringify(line)).join('\n');
  writeFileSync(path, lines);
  const input = await BatchInput.open({ kind: 'file', path, name: 'predictions.jsonl' });
  try {
    return await copy.open(async (repository) =>
      recordEvaluation(repository, (await headVersion(repository, DATASET)) as Version, input, source),
    );
  } finally {
    await input.close();
  }
}

describe('an evaluation', () => {
  test('of right answers is 100 %, and is kept as a file that says what was measured', async () => {
    const copy = await project();
    const test = await sideOf(copy, 'test');
    const recorded = await record(
      copy,
      test.map(({ text, intent }) => ({ text, intent })),
      { model: 'm', code: 'abc' },
    );
    expect(recorded.evaluation).toMatchObject({ rows: test.length, correct: test.length, accuracy: { value: 1 } });
    const kept = JSON.parse(readFileSync(recorded.path, 'utf8')) as Record<string, unknown>;
    expect(kept).toMatchObject({ uttr: 1, dataset: DATASET, version: recorded.version, model: 'm', code: 'abc' });
    expect(kept['evaluation']).toEqual(JSON.parse(JSON.stringify(recorded.evaluation)));
    expect(recorded.path.slice(copy.root.length)).toBe(
      `/evaluations/${DATASET}/${recorded.version.slice(0, 12)}-m.json`,
    );
  });

  test('counts what was taken for what, no answer included, whatever the order of the file', async () => {
    const copy = await project();
    const test = (await sideOf(copy, 'test')).toReversed();
    const { evaluation } = await record(
      copy,
      test.map(({ text }, row) => ({
        text: ` ${text.toUpperCase()}`,
        intent: row === 0 ? null : 'intent 1',
        score: 0.5,
      })),
    );
    const right = test.filter(({ intent }, row) => row > 0 && intent === 'intent 1').length;
    expect(evaluation.correct).toBe(right);
    expect(evaluation.confusions.reduce((sum, { rows: count }) => sum + count, 0)).toBe(test.length - right);
    expect(evaluation.confusions).toContainEqual({ truth: test[0]?.intent, predicted: '', rows: 1 });
    expect(evaluation.calibration?.rows).toBe(test.length);
    expect(evaluation.intentsWithoutRows).toBe(1);
  });

  test('by id, with features as slices and entities', async () => {
    const extra = Array.from({ length: 40 }, (_, at) => ({
      id: String(at),
      text: `to Rome please ${at}`,
      intent: 'travel',
      lang: at % 2 === 0 ? 'en' : 'de',
      entities: [{ start: 3, end: 7, type: 'city', text: 'Rome' }],
    }));
    const copy = await project(extra);
    const test = await sideOf(copy, 'test');
    const { evaluation } = await record(
      copy,
      test.map(({ id, text, intent, entities }) =>
        id === undefined
          ? { text, intent }
          : { id, intent: id === test.find((row) => row.id !== undefined)?.id ? 'x' : intent, entities },
      ),
    );
    const travel = test.filter(({ id }) => id !== undefined);
    expect(travel.length).toBeGreaterThan(1);
    expect(evaluation.correct).toBe(test.length - 1);
    expect(evaluation.entities).toMatchObject({ support: travel.length, correct: travel.length, f1: 1 });
    const slices = Object.values(evaluation.slices['lang'] ?? {});
    expect(slices.reduce((sum, { rows: count }) => sum + count, 0)).toBe(travel.length);
    expect(slices.reduce((sum, { correct }) => sum + correct, 0)).toBe(travel.length - 1);
  });
});

describe('predictions are refused', () => {
  test('where a row of the side has none', async () => {
    const copy = await project();
    const test = await sideOf(copy, 'test');
    await expect(
      record(
        copy,
        test.slice(1).map(({ text, intent }) => ({ text, intent })),
      ),
    ).rejects.toMatchObject({
      code: 'wrong-predictions',
      message: `predictions.jsonl has no prediction of "${test[0]?.text}", of the test side of ${DATASET}`,
    });
    await expect(record(copy, '')).rejects.toMatchObject({ code: 'wrong-predictions' });
  });

  test('where a row was trained with, whatever else is in the file', async () => {
    const copy = await project();
    const all = [...(await sideOf(copy, 'test')), ...(await sideOf(copy, 'train'))];
    const line = all.length;
    const wrong = [...all.slice(0, line - 1), { text: 'never seen', intent: 'x' }, all.at(-1)];
    await expect(record(copy, wrong)).rejects.toMatchObject({
      code: 'wrong-predictions',
      message: expect.stringMatching(/^predictions\.jsonl:\d+: the utterance is of the train side of /u) as string,
    });
  });

  test('where a row is in no side', async () => {
    const copy = await project();
    const test = await sideOf(copy, 'test');
    await expect(record(copy, [...test, { text: 'never seen', intent: 'x' }])).rejects.toMatchObject({
      code: 'wrong-predictions',
      message: `predictions.jsonl:${test.length + 1}: the utterance is not in the test side of ${DATASET}`,
    });
  });

  test.each([
    ['{"text":"a","intent":"x"', 'predictions.jsonl:1: "line" is not valid JSON'],
    ['[1]', 'predictions.jsonl:1: "line" is no JSON object'],
    ['\n{"text":"a"}', 'predictions.jsonl:2: "intent" is missing'],
    ['{"text":"a","intent":7}', 'predictions.jsonl:1: "intent" is neither'],
    ['{"intent":"x"}', 'predictions.jsonl:1: "text" is missing, and there is no id'],
    ['{"text":"a","intent":"x","score":2}', 'predictions.jsonl:1: "score" is not a number from 0 to 1'],
    ['{"text":"a","intent":"x","entities":[{}]}', 'predictions.jsonl:1: "entities" is not a list'],
    ['{"text":"a","intent":"x"}\n{"text":"A","intent":"y"}', 'predictions.jsonl:2: "intent" is another than on line 1'],
  ])('%j, by line and field', async (content, message) => {
    const copy = await project();
    await expect(record(copy, content)).rejects.toMatchObject({
      code: 'wrong-predictions',
      message: expect.stringContaining(message) as string,
    });
  });

  test('for a model whose name is no name of a file', async () => {
    const copy = await project();
    await expect(record(copy, [], { model: '../x' })).rejects.toMatchObject({ code: 'bad-option' });
  });
});
