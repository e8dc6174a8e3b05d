/**
 * Trains the intent classifier on one file and tests it on another:
 *
 *   node train.ts <train.jsonl> <test.jsonl> <predictions.jsonl>
 *
 * The first two files are what `uttr export` writes; the third is what `uttr eval record` reads.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { trainClassifier, type Utterance } from './classifier.ts';

/** What one training came to. */
export interface TrainingResult {
  /** Share of the test utterances whose intent was predicted; in [0, 1]. */
  readonly accuracy: number;
  readonly testRows: number;
  readonly trainRows: number;
  readonly intents: number;
}

interface TrainingFiles {
  readonly train: string;
  readonly test: string;
  readonly predictions: string;
}

/** Trains, predicts every utterance of the test file, writes the predictions and measures them. */
export function trainAndTest(files: TrainingFiles): TrainingResult {
  const train = readUtterances(files.train);
  const test = readUtterances(files.test);
  const classifier = trainClassifier(train);
  const predictions = test.map(({ id, text }) => ({
    ...(id === undefined ? {} : { id }),
    intent: classifier.predict(text),
    text,
  }));
  writeFileSync(files.predictions, predictions.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const right = predictions.filter((prediction, row) => prediction.intent === test[row]?.intent).length;
  return {
    accuracy: right / test.length,
    testRows: test.length,
    trainRows: train.length,
    intents: classifier.intents.length,
  };
}

/** The one line that is printed: `accuracy 0.873 on 148 test utterances (14 intents, trained on 452)`. */
export function formatResult({ accuracy, testRows, intents, trainRows }: TrainingResult): string {
  return `accuracy ${accuracy.toFixed(3)} on ${testRows} test utterances (${intents} intents, trained on ${trainRows})`;
}

function readUtterances(path: string): Utterance[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  const utterances = lines.flatMap((line, at): Utterance[] => {
    if (line === '') return [];
    const { id, text, intent } = JSON.parse(line) as Partial<Utterance>;
    if (typeof text !== 'string' || typeof intent !== 'string') {
      throw new TypeError(`${path}:${at + 1}: this example needs a "text" and one "intent" in every line`);
    }
    return [{ ...(id === undefined ? {} : { id }), text, intent }];
  });
  if (utterances.length === 0) throw new TypeError(`${path} holds no utterance`);
  return utterances;
}

if (import.meta.main) {
  const [train, test, predictions] = process.argv.slice(2);
  if (train === undefined || test === undefined || predictions === undefined) {
    console.error('usage: node train.ts <train.jsonl> <test.jsonl> <predictions.jsonl>');
    process.exitCode = 2;
  } else {
    console.log(formatResult(trainAndTest({ train, test, predictions })));
  }
}
