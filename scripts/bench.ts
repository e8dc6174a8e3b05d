/**
 * Measures the built package on generated data and writes docs/performance.md: `npm run bench -- [options]`.
 *
 *   --rows <count>   rows of the dataset, by default 1e6, the size for which targets are promised
 *   --runs <count>   of what is short, by default 5; half as many of what takes long
 *   --quick          20,000 rows and few runs: whether everything still works, not how fast
 *   --only <name>    one scenario (see scripts/bench/scenarios.ts); may be given again
 *   --out <file>     write the tables into this page, between its marks
 *   --data <kind>    generated, the default, or real: variations of the utterances in ../shared/data, whose tables go to
 *                    parts of their own (see scripts/bench/corpus.ts)
 *   --priority       on a busy machine: go before all other programs (needs root) instead of waiting for them
 *   --peers <names>  beside other programs instead, with commas between (see scripts/bench/peers/)
 *   --batches <n>    small batches of that comparison, by default 20
 *   --s3             to a real S3 server on this machine, not to a folder
 *   --link <speed>   over a link of so many Mbit/s each way, and 20 ms there and back, such as 100mbit; implies --s3
 *   --keep           keep the generated files for the next time, and the projects to look at
 *
 * Everything happens in a folder below the system's temporary one. The machine should have nothing else to do: a run
 * that others disturb is taken again, a few times, and how much they had in the end is printed below each table.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, describeProgram, describeRows, takePriority, versionOfPackage } from './bench/conditions.ts';
import { type Corpus, readRealCorpus } from './bench/corpus.ts';
import { figureTable } from './bench/figures.ts';
import { placePackage } from './bench/package.ts';
import { partFor, withPart } from './bench/page.ts';
import { QuietRuns } from './bench/quiet.ts';
import { SCENARIOS, type Scenario } from './bench/scenarios.ts';
import { findPeers } from './bench/peers/all.ts';
import { Absent } from './bench/peers/install.ts';
import type { Peer } from './bench/peers/peer.ts';
import { uttr } from './bench/peers/uttr.ts';
import type { LinkShape } from './bench/link.ts';
import { LARGE_PART, versus, VERSUS_PARTS } from './bench/versus.ts';
import { World } from './bench/world.ts';

const ROUND_TRIP_MS = 20;

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1e6' },
    runs: { type: 'string', default: '5' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    out: { type: 'string' },
    data: { type: 'string', default: 'generated' },
    priority: { type: 'boolean', default: false },
    peers: { type: 'string' },
    batches: { type: 'string', default: '20' },
    s3: { type: 'boolean', default: false },
    link: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});

function chosen(names: readonly string[]): readonly Scenario[] {
  const unknown = names.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown === undefined) return SCENARIOS.filter(({ name }) => names.length === 0 || names.includes(name));
  throw new Error(`no scenario is called ${unknown}: ${SCENARIOS.map(({ name }) => name).join(', ')}`);
}

/** Ends the program, as after any wrong command. */
function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}

function chosenCorpus(kind: string): Corpus | undefined {
  if (kind === 'generated') return undefined;
  if (kind !== 'real') refuse(`--data is generated or real, not ${kind}`);
  try {
    return readRealCorpus();
  } catch (error) {
    if (error instanceof Absent) refuse(`--data real cannot be had: ${error.message}`);
    throw error;
  }
}

/** A table, or several, with their conditions below. */
function withConditions(tables: string, world: World, program: string): string {
  const date = new Date().toISOString().slice(0, 10);
  const rows = describeRows(world.rows, world.options.corpus);
  const share = `${Math.round(world.options.quiet.takeLargestShare() * 100)} % of the CPU time`;
  const others = `other programs took at most ${share}${values.priority ? ', what this one left them' : ''}`;
  return `${tables}\n${date}, ${program}, ${rows}; ${others}.\n`;
}

/** `100mbit` in bits a second. */
function linkShape(speed: string | undefined): LinkShape | undefined {
  if (speed === undefined) return undefined;
  const megabits = Number(/^(?<megabits>\d+)mbit$/u.exec(speed)?.groups?.['megabits']);
  if (!(megabits > 0)) throw new Error('--link takes a speed such as 100mbit');
  return { bitsPerSecond: megabits * 1e6, roundTripMs: ROUND_TRIP_MS };
}

async function runVersus(world: World, names: readonly string[], own: Peer, program: string): Promise<void> {
  const link = linkShape(values.link);
  const remote = link !== undefined ? 'link' : values.s3 ? 's3' : 'folder';
  const peers = [own, ...findPeers(names, (text) => world.note(text))];
  const options = { s3: remote !== 'folder', link, batches: Number(values.batches) };
  const part = partFor(world.isLarge && remote === 's3' ? LARGE_PART : VERSUS_PARTS[remote], isReal);
  requirePart(part);
  const { tables, chart } = await versus(world, peers, options);
  if (values.out !== undefined) writeFileSync(join(dirname(values.out), `performance-${part}.svg`), chart);
  const picture = `![Wall times of all programs, on a logarithmic scale](performance-${part}.svg)`;
  report(part, withConditions(`${picture}\n\n${tables}`, world, program));
}

/** Fails before what takes hours, not after it, where the page has no place for a table. */
function requirePart(part: string): void {
  if (values.out !== undefined) withPart(readFileSync(values.out, 'utf8'), part, '');
}

function report(part: string, content: string): void {
  process.stdout.write(`\n${part}\n\n${content}`);
  if (values.out === undefined) return;
  writeFileSync(values.out, withPart(readFileSync(values.out, 'utf8'), part, content));
}

const scenarios = chosen(values.only);
if (values.quick && values.out !== undefined)
  throw new Error('--quick says nothing about speed: nothing to write down');
const corpus = chosenCorpus(values.data);
const isReal = corpus !== undefined;
if (values.priority) takePriority();
const base = join(tmpdir(), 'uttr-bench');
const dataFolder = join(base, partFor('data', isReal));
mkdirSync(dataFolder, { recursive: true });
const scratchFolder = mkdtempSync(join(base, 'run-'));
try {
  const command = await placePackage(root, join(scratchFolder, 'package'));
  const program = describeProgram(root);
  const world = new World({
    rows: values.quick ? 20_000 : Number(values.rows),
    corpus,
    repeat: values.quick ? 2 : Number(values.runs),
    command,
    dataFolder,
    scratchFolder,
    quiet: new QuietRuns(
      values.quick || values.priority ? { patienceMs: 0, attempts: 1 } : { patienceMs: 60_000, attempts: 5 },
    ),
    note: (text) => process.stderr.write(`${text}\n`),
  });
  report('machine', `${describeMachine()}.\n`);
  if (values.peers === undefined) {
    for (const { name } of scenarios) requirePart(partFor(name, isReal));
    for (const { name, run } of scenarios) {
      report(partFor(name, isReal), withConditions(figureTable(await run(world)), world, program));
    }
  } else {
    await runVersus(world, values.peers.split(','), uttr(command, versionOfPackage(root)), program);
  }
} finally {
  if (values.keep) process.stderr.write(`projects and generated files are in ${base}\n`);
  else rmSync(base, { recursive: true, force: true });
}
