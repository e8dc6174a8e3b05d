/**
 * What a `command` sink runs when the data has changed: export that version, train on it, keep the score.
 *
 *   { "name": "train", "type": "command", "command": ["node", "examples/assistant/on-change.ts"] }
 *
 * The event comes as one JSON document on standard input. An event may be delivered more than once, and a change
 * and the training request it leads to name the same version: a version that is in the log is not trained again.
 * The files go to `.uttr-train/<version>/`, the score to `training-log.jsonl`, both in the working directory.
 */
import { execFile } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { formatResult, trainAndTest } from './train.ts';

const TRAINING_LOG = 'training-log.jsonl';
/** The events that name a version worth training on; evaluations and gate decisions are not among them. */
const DATA_EVENTS = /^dev\.uttr\.(?:dataset\.changed|training\.requested)\.v1$/u;

interface DatasetVersion {
  readonly dataset: string;
  readonly version: string;
}

/** Finds the dataset and version in the event, or in the environment where the event's data has none. */
function versionToTrain(event: unknown): DatasetVersion | undefined {
  const { type, data } = event as { type?: string; data?: Partial<DatasetVersion> };
  if (type === undefined || !DATA_EVENTS.test(type)) return undefined;
  const dataset = data?.dataset ?? process.env['UTTR_DATASET'];
  const version = data?.version ?? process.env['UTTR_VERSION'];
  if (dataset === undefined || version === undefined) throw new TypeError('the event names no dataset version');
  // The version becomes the name of a folder.
  if (!/^[0-9a-f]{64}$/u.test(version)) throw new TypeError('the event names no version by its full hash');
  return { dataset, version };
}

function isTrained({ dataset, version }: DatasetVersion): boolean {
  if (!existsSync(TRAINING_LOG)) return false;
  return readFileSync(TRAINING_LOG, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as DatasetVersion)
    .some((entry) => entry.dataset === dataset && entry.version === version);
}

async function exportVersion({ dataset, version }: DatasetVersion, directory: string): Promise<void> {
  const uttr = process.env['UTTR_BIN'] ?? 'uttr';
  const args = ['export', `${dataset}@${version}`, '-o', directory];
  const isScript = /\.[jt]s$/u.test(uttr);
  await promisify(execFile)(isScript ? process.execPath : uttr, isScript ? [uttr, ...args] : args);
}

const target = versionToTrain(await json(process.stdin));
if (target !== undefined && !isTrained(target)) {
  const directory = join('.uttr-train', target.version);
  mkdirSync('.uttr-train', { recursive: true });
  await exportVersion(target, directory);
  const result = trainAndTest({
    train: join(directory, 'train.jsonl'),
    test: join(directory, 'test.jsonl'),
    predictions: join(directory, 'predictions.jsonl'),
  });
  console.log(formatResult(result));
  appendFileSync(TRAINING_LOG, `${JSON.stringify({ ...target, ...result })}\n`);
}
