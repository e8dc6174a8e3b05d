/** How fast files are read in the formats that most batches come in, and that memory does not grow with them. */
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { formatByName } from '../../src/formats/registry.ts';
import type { Figure } from './figures.ts';
import { measure } from './measure.ts';
import type { World } from './world.ts';

const READ_FILE = join(import.meta.dirname, 'read-file.ts');

/** Formats with the speed that is promised, in MB/s of the file as it lies there; a workbook is compressed. */
const PROMISES: readonly (readonly [format: string, megabytesPerSecond: number])[] = [
  ['jsonl', 120],
  ['csv', 60],
  ['rasa-yaml', 15],
  ['xlsx', 10],
];
/** Of the file, for a workbook: its shared strings are needed in any order. */
const WORKBOOK_MEMORY = 10;

interface Reads {
  readonly bytes: number;
  readonly speeds: readonly number[];
  readonly peaks: readonly number[];
}

export async function readers(world: World): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [name, atLeast] of PROMISES) {
    const small = await readsOf(world, name, world.rows / 10);
    const large = await readsOf(world, name, world.rows);
    const what = `${name}, ${Math.round(large.bytes / 1e6)} MB`;
    const growth = large.peaks.map((peak, run) => peak / (small.peaks[run] as number));
    const ofFile = large.peaks.map((peak) => peak / large.bytes);
    figures.push(
      { what, unit: 'MB/s', values: large.speeds, target: world.promised({ atLeast }) },
      { what: `${name}, peak memory of the process`, unit: 'bytes', values: large.peaks },
      { what: `${name}, against a tenth of the rows`, unit: 'times', values: growth },
    );
    if (name !== 'xlsx') continue;
    const target = world.promised({ atMost: WORKBOOK_MEMORY });
    figures.push({ what: `${name}, memory against the file`, unit: 'times', values: ofFile, target });
  }
  return figures;
}

async function readsOf(world: World, name: string, rows: number): Promise<Reads> {
  const path = await fileIn(world, name, rows);
  const bytes = statSync(path).size;
  const speeds: number[] = [];
  const peaks: number[] = [];
  for (let run = 0; run < world.options.repeat; run += 1) {
    const { stdout, peakRssBytes } = await world.options.quiet.run(() =>
      measure([process.execPath, READ_FILE, name, path]),
    );
    const { records, ms } = JSON.parse(stdout.toString()) as { records: number; ms: number };
    if (records !== rows) throw new Error(`${path} has ${records} records, not ${rows}`);
    speeds.push(bytes / 1e3 / ms);
    peaks.push(peakRssBytes);
  }
  return { bytes, speeds, peaks };
}

/** The dataset in another format. */
async function fileIn(world: World, name: string, rows: number): Promise<string> {
  const dataset = await world.datasetFile(rows);
  if (name === 'jsonl') return dataset;
  const path = join(world.options.scratchFolder, `dataset-${rows}.${name}`);
  world.note(`making ${path}`);
  const format = formatByName(name);
  const writing = format.write?.(async function* () {
    const input = { name: dataset, chunks: () => createReadStream(dataset) };
    for await (const { records } of formatByName('jsonl').read(input)) yield records;
  });
  if (writing === undefined) throw new Error(`${name} has no writer`);
  await pipeline(writing, createWriteStream(path));
  return path;
}
