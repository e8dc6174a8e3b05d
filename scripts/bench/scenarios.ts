/** What is measured: each scenario is a part of docs/performance.md. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import type { Figure, Target } from './figures.ts';
import { longHistory } from './history.ts';
import { measure, median, type Run } from './measure.ts';
import { DATASET, folderBytes, type Project, type Sizes } from './project.ts';
import { readBytes } from './read-bytes.ts';
import { readers } from './readers.ts';
import type { World } from './world.ts';

export interface Scenario {
  /** The part of the page, and what --only takes. */
  readonly name: string;
  readonly run: (world: World) => Promise<readonly Figure[]>;
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'import', run: firstImport },
  { name: 'batch', run: smallBatch },
  { name: 'relabels', run: relabelBatch },
  { name: 'diff', run: diff },
  { name: 'short', run: shortCommands },
  { name: 'whole', run: wholeDataset },
  { name: 'growth', run: growth },
  { name: 'history', run: longHistory },
  { name: 'readers', run: readers },
];

const BATCH_ROWS = 1000;
const RELABELS = 150;
/** Reads a JSONL file as the simplest program does, for comparison. */
const PARSE_LINES = `
const lines = require('node:readline').createInterface({ input: require('node:fs').createReadStream(process.argv[1]) });
(async () => { for await (const line of lines) JSON.parse(line); })();`;

/** Stores a file without understanding it, for comparison. */
const FLOOR = join(import.meta.dirname, 'floor.ts');

const seconds = (run: Run): number => run.wallMs / 1000;
const megabytes = (path: string): number => statSync(path).size / 1e6;

/** Half as many runs of what takes long. */
function fewer(world: World): number {
  return Math.ceil(world.options.repeat / 2);
}

async function firstImport(world: World): Promise<readonly Figure[]> {
  const { rows } = world;
  const file = await world.datasetFile(rows);
  const { runs, sizes } = await world.imported(rows, fewer(world));
  const parsed = await repeated(world, fewer(world), () => measure([process.execPath, '-e', PARSE_LINES, file]));
  const floors = await repeated(world, fewer(world), () => measure([process.execPath, FLOOR, file]));
  const floor = median(floors.map(({ wallMs }) => wallMs));
  const peaks = runs.map(({ add, commit }) => Math.max(add.peakRssBytes, commit.peakRssBytes));
  return [
    {
      what: '`add` and `commit` together',
      unit: 'rows/s',
      values: runs.map(({ add, commit }) => rows / (seconds(add) + seconds(commit))),
      target: world.promised({ atLeast: 150_000 }),
    },
    { what: 'peak memory', unit: 'bytes', values: peaks, target: world.promised({ atMost: 600e6 }) },
    { what: '`add`', unit: 'ms', values: runs.map(({ add }) => add.wallMs) },
    { what: '`commit`', unit: 'ms', values: runs.map(({ commit }) => commit.wallMs) },
    { what: '`push` to a folder', unit: 'ms', values: runs.map(({ push }) => push.wallMs) },
    { what: 'the JSONL file', unit: 'bytes', values: [statSync(file).size] },
    { what: 'packs', unit: 'bytes', values: [sizes.packBytes] },
    { what: 'SQLite file', unit: 'bytes', values: [sizes.catalogueBytes] },
    { what: 'pushed', unit: 'bytes', values: [sizes.remoteBytes] },
    {
      what: 'for comparison: reading the file with `readline` and `JSON.parse`',
      unit: 'rows/s',
      values: parsed.map((run) => rows / seconds(run)),
    },
    {
      what: 'for comparison: reading, hashing and compressing the file on two threads',
      unit: 'ms',
      values: floors.map(({ wallMs }) => wallMs),
    },
    {
      what: '`add` and `commit`, in proportion to that',
      unit: 'times',
      values: runs.map(({ add, commit }) => (add.wallMs + commit.wallMs) / floor),
      target: { atMost: 3 },
    },
  ];
}

async function smallBatch(world: World): Promise<readonly Figure[]> {
  const file = await world.batchFile(BATCH_ROWS);
  const batches = await batchRuns(world, world.rows, file, [], MORE_RUNS);
  return [
    ...timeFigures(batches, world.promised({ atMost: 600 })),
    ...sizeFigures(batches, file, world.promised({ atMost: 8 })),
  ];
}

async function relabelBatch(world: World): Promise<readonly Figure[]> {
  const file = await world.relabelFile(world.rows, RELABELS);
  const batches = await batchRuns(world, world.rows, file, ['--on-conflict', 'relabel'], MORE_RUNS);
  return [...timeFigures(batches), ...sizeFigures(batches, file)];
}

async function diff(world: World): Promise<readonly Figure[]> {
  const { repeat, scratchFolder } = world.options;
  const project = await twoVersions(world, world.rows);
  const warm = await repeated(world, repeat, () => project.uttr('diff'));
  const clone = join(scratchFolder, 'clone');
  const fresh = await repeated(
    world,
    repeat,
    () => project.uttrIn(clone, 'diff'),
    () => project.cloneTo(clone),
  );
  const kept = folderBytes(join(clone, '.uttr'));
  project.cloneTo(clone);
  const read = readBytes(project.commandLine('diff'), clone, project.remote);
  return [
    {
      what: '`diff`, all data here',
      unit: 'ms',
      values: warm.map(({ wallMs }) => wallMs),
      target: world.promised({ atMost: 250 }),
    },
    {
      what: '`diff` in a fresh clone',
      unit: 'ms',
      values: fresh.map(({ wallMs }) => wallMs),
      target: world.promised({ atMost: 500 }),
    },
    ...(read === undefined
      ? []
      : [
          {
            what: 'read from the remote by that',
            unit: 'bytes',
            values: [read],
            target: world.promised({ atMost: 1e6 }),
          } as const,
        ]),
    { what: '.uttr of the clone after that', unit: 'bytes', values: [kept] },
  ];
}

async function shortCommands(world: World): Promise<readonly Figure[]> {
  const { repeat } = world.options;
  const project = await twoVersions(world, world.rows);
  const time = async (what: string, args: readonly string[], target?: Target): Promise<Figure> => {
    const runs = await repeated(world, repeat * 2, () => project.uttr(...args));
    return { what, unit: 'ms', values: runs.map(({ wallMs }) => wallMs), target };
  };
  return [
    await time('`status`, nothing changed', ['status'], world.promised({ atMost: 120 })),
    await time('`log`', ['log']),
    await time('`--version`', ['--version']),
    await time('`stats`', ['stats', DATASET]),
    {
      what: 'for comparison: `node -e 0`',
      unit: 'ms',
      values: (await repeated(world, repeat * 2, () => measure([process.execPath, '-e', '0']))).map(
        ({ wallMs }) => wallMs,
      ),
    },
  ];
}

async function wholeDataset(world: World): Promise<readonly Figure[]> {
  const project = await twoVersions(world, world.rows);
  const target = join(world.options.scratchFolder, 'export');
  const exports = await repeated(world, fewer(world), () => project.uttr('export', '--output', target));
  const exported = ['train', 'test'].map((side) => megabytes(join(target, `${side}.jsonl`))).reduce((a, b) => a + b);
  const checks = await repeated(world, fewer(world), () => project.uttr('fsck'));
  return [
    {
      what: '`export` of both sides',
      unit: 'MB/s',
      values: exports.map((run) => exported / seconds(run)),
      target: world.promised({ atLeast: 120 }),
    },
    { what: 'peak memory of it', unit: 'bytes', values: exports.map(({ peakRssBytes }) => peakRssBytes) },
    { what: '`fsck` of both versions', unit: 'ms', values: checks.map(({ wallMs }) => wallMs) },
    { what: 'peak memory of it', unit: 'bytes', values: checks.map(({ peakRssBytes }) => peakRssBytes) },
  ];
}

/** The cost of one batch while the dataset grows a hundredfold. */
async function growth(world: World): Promise<readonly Figure[]> {
  const file = await world.batchFile(BATCH_ROWS);
  const figures: Figure[] = [];
  const times: number[][] = [];
  for (const rows of [world.rows / 10, world.rows, world.rows * 10]) {
    const batches = await batchRuns(world, rows, file, []);
    const values = batches.map(({ add, commit }) => add.wallMs + commit.wallMs);
    times.push(values);
    const count = rows.toLocaleString('en-US');
    const size = `onto ${count} rows`;
    figures.push({ what: `\`add\` and \`commit\` ${size}`, unit: 'ms', values });
    const { runs } = await world.imported(rows);
    const peaks = runs.map(({ add, commit }) => Math.max(add.peakRssBytes, commit.peakRssBytes));
    figures.push({ what: `peak memory of the first import of ${count} rows`, unit: 'bytes', values: peaks });
    figures.push({ what: `stored in packs ${size}`, unit: 'bytes', values: batches.map(({ stored }) => stored) });
  }
  const [least = [], , most = []] = times;
  const ratios = most.map((value, run) => value / (least[run] as number));
  return [
    ...figures,
    { what: 'time, largest to smallest', unit: 'times', values: ratios, target: world.promised({ atMost: 2 }) },
  ];
}

/** Commands of half a second vary by a fifth from one to the next, and the median of five with them. */
const MORE_RUNS = 3;

/** What one batch cost. */
interface BatchRun {
  readonly add: Run;
  readonly commit: Run;
  readonly push: Run;
  readonly stored: number;
  readonly pushed: number;
  readonly catalogue: number;
}

/** Adds, commits and pushes a batch, each time onto the same first version. */
async function batchRuns(
  world: World,
  rows: number,
  file: string,
  options: readonly string[],
  times = 1,
): Promise<readonly BatchRun[]> {
  const batches: BatchRun[] = [];
  const { project } = await world.imported(rows);
  for (let run = 0; run < times * world.options.repeat; run += 1) {
    batches.push(
      await world.options.quiet.run(
        () => batchOnce(project, file, options),
        async () => {
          project.restore();
          // A first command, so that no run finds colder caches than the others.
          await project.uttr('status');
        },
      ),
    );
  }
  return batches;
}

async function batchOnce(project: Project, file: string, options: readonly string[]): Promise<BatchRun> {
  const before = project.sizes();
  const add = await project.uttr('add', DATASET, file, ...options);
  const commit = await project.uttr('commit', '--message', 'a batch');
  const committed = project.sizes();
  const push = await project.uttr('push');
  return { add, commit, push, ...growthOf(before, committed, project.sizes()) };
}

function growthOf(before: Sizes, committed: Sizes, pushed: Sizes): Pick<BatchRun, 'stored' | 'pushed' | 'catalogue'> {
  return {
    stored: committed.packBytes - before.packBytes,
    pushed: pushed.remoteBytes - committed.remoteBytes,
    catalogue: committed.catalogueBytes - before.catalogueBytes,
  };
}

function timeFigures(batches: readonly BatchRun[], target?: Target): readonly Figure[] {
  const figure = (what: string, values: readonly number[], promise?: Target): Figure => ({
    what,
    unit: 'ms',
    values,
    target: promise,
  });
  return [
    figure(
      '`add` and `commit` together',
      batches.map(({ add, commit }) => add.wallMs + commit.wallMs),
      target,
    ),
    figure(
      '`add`',
      batches.map(({ add }) => add.wallMs),
    ),
    figure(
      '`commit`',
      batches.map(({ commit }) => commit.wallMs),
    ),
    figure(
      '`push` to a folder',
      batches.map(({ push }) => push.wallMs),
    ),
  ];
}

function sizeFigures(batches: readonly BatchRun[], file: string, target?: Target): readonly Figure[] {
  const alone = zstdCompressSync(readFileSync(file), { params: { [constants.ZSTD_c_compressionLevel]: 3 } }).length;
  const values = (of: (batch: BatchRun) => number): readonly number[] => batches.map((batch) => of(batch));
  return [
    { what: 'the batch alone, zstd level 3', unit: 'bytes', values: [alone] },
    { what: 'stored in packs', unit: 'bytes', values: values(({ stored }) => stored) },
    { what: 'pushed', unit: 'bytes', values: values(({ pushed }) => pushed) },
    {
      what: 'stored, against the batch alone',
      unit: 'times',
      values: values(({ stored }) => stored / alone),
      target,
    },
    {
      what: 'pushed, against the batch alone',
      unit: 'times',
      values: values(({ pushed }) => pushed / alone),
      target,
    },
    { what: 'growth of the SQLite file', unit: 'bytes', values: values(({ catalogue }) => catalogue) },
  ];
}

/** A project whose second version is a batch, pushed and in git. */
async function twoVersions(world: World, rows: number): Promise<Project> {
  const { project } = await world.imported(rows);
  await project.uttr('add', DATASET, await world.batchFile(BATCH_ROWS));
  await project.uttr('commit', '--message', 'a batch');
  await project.uttr('push');
  project.commitToGit('a batch');
  return project;
}

async function repeated(
  world: World,
  count: number,
  run: () => Promise<Run>,
  before?: () => void,
): Promise<readonly Run[]> {
  const runs: Run[] = [];
  for (let at = 0; at < count; at += 1) runs.push(await world.options.quiet.run(run, before));
  return runs;
}
