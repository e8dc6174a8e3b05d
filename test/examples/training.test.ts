import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { trainClassifier, type Utterance } from '../../examples/assistant/classifier.ts';
import { formatResult, trainAndTest, type TrainingResult } from '../../examples/assistant/train.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/assistant');
const VERSION = '5f'.repeat(32);
/** Stands in for the installed command: writes the two files that an export has. */
const STAND_IN = `
import { mkdirSync, writeFileSync } from 'node:fs';
const [verb, version, flag, directory] = process.argv.slice(2);
if (verb !== 'export' || version !== 'support@${VERSION}' || flag !== '-o') process.exit(2);
mkdirSync(directory);
const lines = ['{"intent":"greet","text":"hello"}', '{"intent":"leave","text":"good bye"}', ''].join('\\n');
writeFileSync(directory + '/train.jsonl', lines);
writeFileSync(directory + '/test.jsonl', lines);
`;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'uttr-example-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function writeLines(name: string, rows: readonly object[]): string {
  const path = join(directory, name);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}

function trainOnBatches(count: number): TrainingResult {
  const rows = new Map<string, Utterance>();
  for (let number = 1; number <= count; number += 1) {
    for (const row of parse<Utterance>(readFileSync(join(EXAMPLE, `batch-${number}.csv`)), { columns: true })) {
      if (row.intent !== '') rows.set(row.text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, ' '), row);
    }
  }
  const all = [...rows.values()];
  return trainAndTest({
    train: writeLines(
      'train.jsonl',
      all.filter((_, at) => at % 4 !== 0),
    ),
    test: writeLines(
      'test.jsonl',
      all.filter((_, at) => at % 4 === 0),
    ),
    predictions: join(directory, 'predictions.jsonl'),
  });
}

describe('the classifier', () => {
  test('learns the three batches well enough, and more of them helps', () => {
    const [first, , third] = [1, 2, 3].map((count) => trainOnBatches(count).accuracy);
    expect(third).toBeGreaterThan(0.7);
    expect(third).toBeGreaterThan(first as number);
  });

  test('answers equal data with equal predictions', () => {
    const predictions = [1, 2].map(() => {
      trainOnBatches(1);
      return readFileSync(join(directory, 'predictions.jsonl'), 'utf8');
    });
    expect(predictions[0]).toBe(predictions[1]);
  });

  test('has an answer for a text without one known word', () => {
    const classifier = trainClassifier([
      { text: 'hello', intent: 'greet' },
      { text: 'good bye', intent: 'leave' },
    ]);
    expect(classifier.predict('')).toBe('greet');
    expect(classifier.predict('GOOD bye!')).toBe('leave');
  });
});

describe('train.ts', () => {
  test('writes one prediction a line, in the order of the test file, with the id where there is one', () => {
    const train = writeLines('train.jsonl', [
      { intent: 'greet', text: 'hello' },
      { intent: 'leave', text: 'good bye' },
    ]);
    const testFile = writeLines('test.jsonl', [
      { id: '7', intent: 'leave', text: 'bye' },
      { features: { role: 'hr' }, intent: 'greet', text: 'hello you' },
    ]);
    const predictions = join(directory, 'predictions.jsonl');
    const printed = execFileSync(process.execPath, [join(EXAMPLE, 'train.ts'), train, testFile, predictions]);
    expect(printed.toString()).toBe('accuracy 1.000 on 2 test utterances (2 intents, trained on 2)\n');
    expect(readFileSync(predictions, 'utf8')).toBe(
      '{"id":"7","intent":"leave","text":"bye"}\n{"intent":"greet","text":"hello you"}\n',
    );
  });

  test('says which line it cannot use', () => {
    const train = writeLines('train.jsonl', [{ intent: 'greet', text: 'hello' }, { text: 'unlabelled' }]);
    const run = (): TrainingResult => trainAndTest({ train, test: train, predictions: join(directory, 'p.jsonl') });
    expect(run).toThrow(`${train}:2: this example needs`);
  });

  test('rounds the accuracy to three places', () => {
    const line = formatResult({ accuracy: 2 / 3, testRows: 148, intents: 14, trainRows: 452 });
    expect(line).toBe('accuracy 0.667 on 148 test utterances (14 intents, trained on 452)');
  });
});

describe('on-change.ts', () => {
  function deliver(event: object): string {
    const uttr = join(directory, 'stand-in.ts');
    writeFileSync(uttr, STAND_IN);
    return execFileSync(process.execPath, [join(EXAMPLE, 'on-change.ts')], {
      cwd: directory,
      env: { ...process.env, UTTR_BIN: uttr },
      input: JSON.stringify(event),
    }).toString();
  }
  const data = { dataset: 'support', version: VERSION };

  test('trains on the version an event names, once however often it is delivered', () => {
    const line = 'accuracy 1.000 on 2 test utterances (2 intents, trained on 2)\n';
    expect(deliver({ type: 'dev.uttr.dataset.changed.v1', data })).toBe(line);
    expect(deliver({ type: 'dev.uttr.training.requested.v1', data })).toBe('');
    expect(readFileSync(join(directory, 'training-log.jsonl'), 'utf8')).toBe(
      `${JSON.stringify({ ...data, accuracy: 1, testRows: 2, trainRows: 2, intents: 2 })}\n`,
    );
    const predictions = readFileSync(join(directory, '.uttr-train', VERSION, 'predictions.jsonl'), 'utf8');
    expect(predictions.split('\n')).toHaveLength(3);
  });

  test('leaves events alone that bring no data', () => {
    expect(deliver({ type: 'dev.uttr.gate.decided.v1', data })).toBe('');
  });

  test('refuses a version that is no hash, as it becomes the name of a folder', () => {
    const event = { type: 'dev.uttr.dataset.changed.v1', data: { dataset: 'support', version: '../..' } };
    expect(() => deliver(event)).toThrow('full hash');
  });
});
