/**
 * Reads a Hugging Face dataset folder: its data files one after another, each by the format it is in.
 *
 * Rows are numbered through the whole set; the pointer of a row is the path of its file, and its line is that in the
 * file. Which file is of which split is said by README.md, or by the names of the files.
 */
import { isUttrError, throwIfAborted, UttrError } from '../../base/errors.ts';
import { openArchive, rootedAt, type Archive } from '../archive.ts';
import { labelNamesOf, type LabelNames, numberedLabels } from '../class-labels.ts';
import { csvFormat, tsvFormat } from '../csv.ts';
import { readBytes } from '../document.ts';
import type { ByteInput, Format, ReadBatch, ReadOptions, RowProblem } from '../format.ts';
import { jsonFormat } from '../json.ts';
import { jsonlFormat } from '../jsonl.ts';
import { parquetFormat } from '../parquet/parquet.ts';
import type { ReportBuilder } from '../read-report.ts';
import { binaryKind, isZip } from '../signature.ts';
import { parseStrictJson } from '../strict-json.ts';
import { readCard } from './dataset-card.ts';
import type { Shard } from './shards.ts';

const SHARD_FORMATS: ReadonlyMap<string, Format> = new Map(
  [parquetFormat, jsonlFormat, jsonFormat, csvFormat, tsvFormat].map((format) => [format.name, format]),
);

const CARD = 'README.md';

export async function* readHuggingFace(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const folder = await openFolder(input);
  const paths = folder.entries.map(({ path }) => path);
  const card = readCard(await textOf(folder, CARD), paths, `${report.file}/${CARD}`);
  const { shards } = card;
  if (shards.length === 0) throw noData(report.file, paths);
  const labelNames = new Map([...(await legacyNames(folder, report.file)), ...card.labelNames]);
  noteOthers(paths, shards, report);
  if (shards.some(({ split }) => split !== undefined)) report.splitColumn = 'the files';
  for (const shard of shards) {
    const bytes = await folder.entries.find(({ path }) => path === shard.path)?.read();
    if (bytes === undefined) continue;
    yield* readShard(shard, bytes, { ...options, labelNames }, report);
    throwIfAborted(options.signal);
  }
}

/** From where README.md lies; else as it is. @throws bad-format */
async function openFolder(input: ByteInput): Promise<Archive> {
  const bytes = await readBytes(input);
  if (!isZip(bytes)) {
    const kind = binaryKind(bytes) ?? (bytes.length === 0 ? 'empty' : 'one file');
    throw new UttrError('bad-format', `${input.name} is ${kind}, not a Hugging Face dataset folder`, {
      hint: 'name the folder that README.md and the data files lie in, or a zip of it',
      details: { file: input.name },
    });
  }
  const archive = await openArchive(bytes, input.name);
  return rootedAt(archive, CARD) ?? archive;
}

async function textOf(folder: Archive, wanted: string): Promise<string> {
  const entry = folder.entries.find(({ path }) => path === wanted);
  return entry === undefined ? '' : (await entry.read()).toString('utf8');
}

/** Names of labels as older sets have them: in a JSON file, by configuration. */
async function legacyNames(folder: Archive, file: string): Promise<LabelNames> {
  const text = await textOf(folder, 'dataset_infos.json');
  if (text === '') return new Map();
  try {
    const infos = parseStrictJson(text);
    if (typeof infos !== 'object' || infos === null) return new Map();
    const byConfig = infos as Readonly<Record<string, { readonly features?: unknown } | undefined>>;
    const info = byConfig['default'] ?? Object.values(byConfig)[0];
    return labelNamesOf(info?.features);
  } catch (error) {
    if (!isUttrError(error, 'bad-row')) throw error;
    throw new UttrError('bad-format', `${file}/dataset_infos.json: ${error.message}`, {
      details: { file },
      cause: error,
    });
  }
}

function noteOthers(paths: readonly string[], shards: readonly Shard[], report: ReportBuilder): void {
  const read = new Set([CARD, 'dataset_infos.json', ...shards.map(({ path }) => path)]);
  const others = paths.filter((path) => !read.has(path));
  if (others.length === 0) return;
  const shown = `${others.slice(0, 5).join(', ')}${others.length > 5 ? ', …' : ''}`;
  report.note('ignored', `files that are not among the data were passed over: ${shown}`, others.length);
}

async function* readShard(
  shard: Shard,
  bytes: Buffer,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const name = `${report.file}/${shard.path}`;
  const format = SHARD_FORMATS.get(shard.format) as Format;
  const before = report.rows;
  const reading = format.read(
    {
      name,
      async *chunks() {
        yield bytes;
      },
    },
    options,
  );
  for await (const batch of reading) {
    refuseNumbers(batch, shard, name, options);
    yield placed(batch, shard, before, report);
    report.rows = before + reading.report.rows;
  }
  report.rows = before + reading.report.rows;
  report.accepted += reading.report.accepted;
  report.rejected += reading.report.rejected;
  report.encoding = reading.report.encoding;
  for (const [column, field] of reading.report.columns) report.columns.set(column, field);
  for (const { code, message, count } of reading.report.notes) report.note(code, message, count);
}

/** In a table a number is a text like any other; labels that are all numbers are no names. */
function refuseNumbers({ records, rows }: ReadBatch, shard: Shard, name: string, options: ReadOptions): void {
  if (!['csv', 'tsv'].includes(shard.format) || rows[0] !== 1 || options.map?.['intent'] !== undefined) return;
  const isNumber = (label: unknown): boolean => typeof label === 'string' && /^-?\d+$/u.test(label);
  if (records.length > 0 && records.every(({ intent }) => isNumber(intent))) throw numberedLabels(name, 'label');
}

/** The batch as one of the whole set. */
function placed(batch: ReadBatch, shard: Shard, before: number, report: ReportBuilder): ReadBatch {
  const { file } = report;
  const splits = batch.records.map((_, index) => shard.split ?? batch.splits?.[index]);
  for (const split of splits) if (split !== undefined) report.countSplit(split);
  return {
    file,
    records: batch.records,
    rows: batch.rows.map((row) => row + before),
    lines: batch.lines,
    ...(splits.every((split) => split === undefined) ? {} : { splits }),
    pointers: batch.records.map((_, index) => shard.path + (batch.pointers?.[index] ?? '')),
    problems: batch.problems.map((problem): RowProblem => ({
      ...problem,
      file,
      row: problem.row + before,
      pointer: shard.path + (problem.pointer ?? ''),
    })),
  };
}

function noData(file: string, paths: readonly string[]): UttrError {
  const hasArrow = paths.some((path) => path.endsWith('.arrow'));
  return new UttrError('bad-format', `${file} has no data file that is read`, {
    hint: hasArrow
      ? 'Arrow files are not read: write the set with to_parquet or to_json'
      : 'uttr reads Parquet, JSON Lines, JSON, CSV and TSV',
    details: { file },
  });
}
