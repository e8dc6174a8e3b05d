/**
 * The demonstration: `npm run demo [-- --keep]`.
 *
 * A fresh git repository in a temporary folder takes the three batches of examples/assistant/ one after the other;
 * each is committed and pushed, and the push lets an event train the classifier. Every command is printed as it could
 * be typed. It ends with 1 when something is not as it should be: the content id, the separation of the sides, the
 * accuracy. `--keep` keeps the folder, to go on in it.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { decodePointer } from '../src/records/pointer.ts';
import { fold } from '../src/records/text.ts';
import { BATCH_FOLDER, DATASET, POINTER_PATH } from './rebuild-example.ts';

/** What the accuracy may not fall below: with 16 intents, guessing gives 0.06. */
const ACCURACY_FLOOR = 0.6;

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });

const folder = mkdtempSync(join(tmpdir(), 'uttr-demo-'));
const project = join(folder, 'project');
const programs = join(folder, 'bin');
const problems: string[] = [];

/** One line of training-log.jsonl, as examples/assistant/on-change.ts writes it. */
interface TrainingEntry {
  readonly version: string;
  readonly accuracy: number;
  readonly trainRows: number;
  readonly testRows: number;
}

interface VersionSummary {
  readonly version: string;
  readonly content: string;
  readonly rows: number;
  readonly crossed: number;
}

function say(text: string): void {
  console.log(`\n${styleText('cyan', text)}`);
}

function check(holds: boolean, claim: string): void {
  if (holds) return;
  problems.push(claim);
  console.log(styleText('red', `not as it should be: ${claim}`));
}

const environment = {
  // Settings of uttr would change what is shown.
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('UTTR_'))),
  PATH: [programs, dirname(process.execPath), process.env['PATH']].join(delimiter),
  // Settings of the person who runs this (signing, hooks, editors) have no say here.
  GIT_CONFIG_GLOBAL: join(folder, 'gitconfig'),
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_PAGER: 'cat',
};

/** Runs one command line in the project, shows both, and checks how it ended. @returns what it printed */
function run(command: string, expectedStatus = 0): string {
  console.log(styleText('bold', `$ ${command}`));
  const { stdout, status, error } = spawnSync('sh', ['-c', `exec 2>&1\n${command}`], {
    cwd: project,
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (error !== undefined) throw error;
  process.stdout.write(stdout);
  check(status === expectedStatus, `"${command}" ended with ${status}, not ${expectedStatus}`);
  return stdout;
}

/** What a command answers to `--json`, for the checks; not shown. */
function ask(command: string): unknown {
  const { stdout } = spawnSync('sh', ['-c', command], { cwd: project, env: environment, encoding: 'utf8' });
  return JSON.parse(stdout);
}

function prepare(): void {
  for (const [program, args] of [
    ['git', ['--version']],
    ['sh', ['-c', 'true']],
  ] as const) {
    if (spawnSync(program, args).status !== 0) throw new Error(`the demo needs ${program} on the path`);
  }
  mkdirSync(project);
  mkdirSync(programs);
  const main = join(root, 'src', 'cli', 'main.ts');
  writeFileSync(join(programs, 'uttr'), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`, { mode: 0o755 });
  writeFileSync(environment.GIT_CONFIG_GLOBAL, '[user]\n\tname = Ada\n\temail = ada@example.org\n');
}

/** Writes the receiver of events into uttr.json, as a person would with an editor. */
function addSink(): void {
  const path = join(project, 'uttr.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  const events = {
    branches: ['main'],
    sinks: [{ name: 'train', type: 'command', command: ['node', join(BATCH_FOLDER, 'on-change.ts')] }],
  };
  writeFileSync(path, `${JSON.stringify({ ...config, events }, null, 2)}\n`);
  console.log(`uttr.json gets: "events": ${JSON.stringify(events)}`);
}

/** Takes in one batch, from the file to the trained model. */
function takeBatch(number: number, addOptions: string, message: string): VersionSummary {
  const file = `batch-${number}.csv`;
  run(`uttr add ${DATASET} ${file}${addOptions}`);
  run(`uttr commit -m "${message}"`);
  run(`git add . && git commit -q -m "${message}"`);
  run('uttr push');
  const summary = ask('uttr show --json') as VersionSummary;
  check(summary.crossed === 0, `no utterance crosses between the sides in batch ${number}`);
  return summary;
}

function readTrainings(): TrainingEntry[] {
  const lines = readFileSync(join(project, 'training-log.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as TrainingEntry);
}

function readGroups(version: string, side: string): Set<string> {
  const lines = readFileSync(join(project, '.uttr-train', version, `${side}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n');
  return new Set(lines.map((line) => fold((JSON.parse(line) as { text: string }).text)));
}

/** Texts that were on one side in some version and on the other in some version, by the files trainings really got. */
function countCrossed(versions: readonly VersionSummary[]): number {
  const everTrain = new Set(versions.flatMap(({ version }) => [...readGroups(version, 'train')]));
  const everTest = new Set(versions.flatMap(({ version }) => [...readGroups(version, 'test')]));
  return [...everTest].filter((group) => everTrain.has(group)).length;
}

function summarise(versions: readonly VersionSummary[]): void {
  const trainings = readTrainings();
  check(trainings.length === versions.length, 'every version is trained on once');
  const rows = versions.map((version, at) => {
    const training = trainings.find((entry) => entry.version === version.version);
    check(
      (training?.accuracy ?? 0) >= ACCURACY_FLOOR,
      `the accuracy after batch ${at + 1} is ${ACCURACY_FLOOR} or more`,
    );
    const accuracy = training?.accuracy.toFixed(3) ?? 'none';
    return [at + 1, version.rows, training?.trainRows ?? 0, training?.testRows ?? 0, version.crossed, accuracy];
  });
  const table = [['batch', 'rows', 'train', 'test', 'crossed', 'accuracy'], ...rows];
  for (const row of table) console.log(row.map((cell) => String(cell).padStart(10)).join(''));

  const crossed = countCrossed(versions);
  check(crossed === 0, 'no text is in the train file of one version and the test file of another');
  console.log(`Texts in the train file of any version and the test file of any version: ${crossed}.`);

  const expected = decodePointer(readFileSync(POINTER_PATH, 'utf8'), 'manifests/assistant.json').content;
  const { content } = versions.at(-1) as VersionSummary;
  check(content === expected, `the content id is that of manifests/${DATASET}.json: ${expected}`);
  console.log(`Content id ${content}, as in manifests/${DATASET}.json of uttr's own repository.`);
}

function tour(): void {
  say('A git repository becomes a uttr project with a shared store: here a folder, elsewhere an S3 bucket.');
  run('git init -q -b main');
  run(`uttr init --remote "file://${folder}/remote"`);
  run(`printf '%s\\n' '/*.csv' /.uttr-train/ /training-log.jsonl >> .gitignore`);

  say('Whoever wants to hear of new data is named in uttr.json. Each machine says once that it trusts them.');
  addSink();
  run('uttr events trust');

  say('Batch 1. The commit splits the data, the push announces it, and the event trains a model.');
  for (const number of [1, 2, 3])
    copyFileSync(join(BATCH_FOLDER, `batch-${number}.csv`), join(project, `batch-${number}.csv`));
  const first = takeBatch(1, '', 'First batch: eleven intents');

  say('Batch 2 disagrees with labels of batch 1. Nothing is overwritten before somebody says so.');
  run(`uttr add ${DATASET} batch-2.csv`, 3);
  const second = takeBatch(2, ' --on-conflict relabel', 'Parking, travel, payroll and tickets');

  say('Batch 3 has a row without an intent. The good rows go in, the bad one is set aside.');
  const third = takeBatch(3, ' --on-conflict relabel --rejects rejected.csv', 'Visitor badges');
  run('cat rejected.csv');

  say('What changed? uttr knows, and so does git.');
  run('uttr diff --intent visitor_badge --limit 8');
  run('git diff HEAD~1 -- manifests | head -n 20');
  run(`uttr blame ${DATASET} "A guest is coming on Monday, can he use the wifi?"`);
  run('uttr log');
  run('uttr fsck');

  say('The three versions, and what the models trained on them are worth:');
  summarise([first, second, third]);
}

try {
  prepare();
  tour();
} finally {
  if (values.keep) {
    console.log(
      `\nThe folder is kept. Go on there:\n  cd ${project}\n  export PATH="${programs}:${dirname(process.execPath)}:$PATH"`,
    );
  } else {
    rmSync(folder, { recursive: true, force: true });
    console.log(`\nIt all happened in ${folder}, which is removed again; npm run demo -- --keep leaves it to you.`);
  }
}
process.exitCode = problems.length === 0 ? 0 : 1;
