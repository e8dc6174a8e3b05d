/**
 * Rebuilds the example dataset from its batches: `node scripts/rebuild-example.ts [--update | --restore]`.
 *
 * The pointer in manifests/ must name what the batches give, to the last byte: the content id depends on the records
 * and the split alone, and with the clock and author fixed here the version's own hash follows too. `--update` writes
 * the pointer; `--restore` puts the data behind it into `.uttr/`, so that `uttr log` and `uttr diff` work in this
 * project itself.
 */
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Clock } from '../src/base/ports.ts';
import { add } from '../src/repo/add.ts';
import type { AddOptions } from '../src/repo/add-options.ts';
import { commit, type CommitSummary } from '../src/repo/commit.ts';
import { init } from '../src/repo/init.ts';
import { Repository } from '../src/repo/repository.ts';

export const DATASET = 'assistant';
export const BATCH_FOLDER = join(import.meta.dirname, '..', 'examples', 'assistant');
export const POINTER_PATH = join(import.meta.dirname, '..', 'manifests', `${DATASET}.json`);

const LOCAL_DATA = join(import.meta.dirname, '..', '.uttr');
const AUTHOR = 'The uttr project';

interface ExampleBatch {
  readonly file: string;
  readonly message: string;
  /** When this batch was committed, as far as the pointer is concerned. */
  readonly time: string;
  readonly options: Pick<AddOptions, 'onConflict'>;
  /** Whether the batch has bad rows, which are set aside. */
  readonly hasRejects: boolean;
}

/** The batches in the order in which they came, and how each is taken in. */
export const BATCHES: readonly ExampleBatch[] = [
  {
    file: 'batch-1.csv',
    message: 'First batch: eleven intents',
    time: '2026-01-05T09:00:00.000Z',
    options: {},
    hasRejects: false,
  },
  {
    file: 'batch-2.csv',
    message: 'Parking, travel, payroll and tickets; labels put right',
    time: '2026-01-19T09:00:00.000Z',
    options: { onConflict: 'relabel' },
    hasRejects: false,
  },
  {
    file: 'batch-3.csv',
    message: 'Visitor badges; labels put right',
    time: '2026-02-02T09:00:00.000Z',
    options: { onConflict: 'relabel' },
    hasRejects: true,
  },
];

/** What a rebuild gives: the pointer's text, and a summary of each commit. */
export interface RebuiltExample {
  readonly pointer: string;
  readonly commits: readonly CommitSummary[];
}

/** Makes a project in the empty folder `directory` and commits the batches there, one after the other. */
export async function rebuildExample(directory: string): Promise<RebuiltExample> {
  const commits: CommitSummary[] = [];
  await init(directory);
  for (const batch of BATCHES) commits.push(await commitBatch(directory, batch));
  return { pointer: readFileSync(join(directory, 'manifests', `${DATASET}.json`), 'utf8'), commits };
}

async function commitBatch(directory: string, batch: ExampleBatch): Promise<CommitSummary> {
  const clock: Clock = { now: () => new Date(batch.time) };
  const repository = await Repository.open(directory, { clock, random: { bytes: randomBytes }, environment: {} });
  try {
    const path = join(BATCH_FOLDER, batch.file);
    await add(repository, DATASET, [{ kind: 'file', path, name: basename(path) }], {
      ...batch.options,
      ...(batch.hasRejects ? { rejects: join(directory, `rejected-${batch.file}`) } : {}),
    });
    return await commit(repository, DATASET, { message: batch.message, author: AUTHOR });
  } finally {
    await repository.close();
  }
}

function restoreData(directory: string): void {
  if (existsSync(LOCAL_DATA)) throw new Error(`${LOCAL_DATA} is there already; remove it first`);
  mkdirSync(LOCAL_DATA);
  cpSync(join(directory, '.uttr'), LOCAL_DATA, { recursive: true });
  console.log('the data behind manifests/assistant.json is in .uttr/ now; try: uttr log');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { update: { type: 'boolean', default: false }, restore: { type: 'boolean', default: false } },
  });
  const directory = mkdtempSync(join(tmpdir(), 'uttr-example-'));
  try {
    const { pointer, commits } = await rebuildExample(directory);
    for (const { version, rows, sides, crossed } of commits) {
      console.log(
        `${version.slice(0, 12)}  ${rows} rows, train ${sides['train']}, test ${sides['test']}, ${crossed} crossed`,
      );
    }
    if (values.update) writeFileSync(POINTER_PATH, pointer);
    const kept = existsSync(POINTER_PATH) ? readFileSync(POINTER_PATH, 'utf8') : '';
    if (kept !== pointer) {
      console.error(`manifests/assistant.json does not name what the batches give, which is:\n${pointer}`);
      console.error('if that is meant, run: node scripts/rebuild-example.ts --update');
      process.exitCode = 1;
      return;
    }
    console.log(`manifests/assistant.json names content ${commits.at(-1)?.content}: rebuilt from its batches`);
    if (values.restore) restoreData(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

if (import.meta.main) await main();
