/**
 * `export`: the sides of a version as files, complete or not at all; the same version gives the same bytes.
 */
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { throwIfAborted, UttrError } from '../base/errors.ts';
import type { Format } from '../formats/format.ts';
import type { Loss } from '../formats/format.ts';
import { formatByName } from '../formats/registry.ts';
import { decodeRecord } from '../records/encode-record.ts';
import type { UtteranceRecord } from '../records/record.ts';
import { DurableFile, ensureDirectory, errnoOf, fileError } from '../store/durable-file.ts';
import { FileFiller } from '../store/file-filler.ts';
import type { TreeRoot } from '../tree/build.ts';
import { TreeReader } from '../tree/reader.ts';
import { placesOf, sideNames } from './query.ts';
import { treeOf } from './record-changes.ts';
import type { Repository } from './repository.ts';
import { RecordSum, verifyExport } from './verify-export.ts';
import type { Version } from './versions.ts';

export interface ExportOptions {
  readonly directory: string;
  readonly format: string;
  readonly side?: string | undefined;
  readonly escapeFormulas?: boolean | undefined;
}

export interface ExportedFile {
  /** Absent for a file that is about all sides. */
  readonly side?: string;
  readonly path: string;
  readonly records: number;
  readonly bytes: number;
}

export interface ExportSummary {
  readonly dataset: string;
  readonly version: string;
  readonly format: string;
  readonly files: readonly ExportedFile[];
  readonly losses: readonly Loss[];
}

/**
 * Writes `<directory>/<side>.<ext>` for each side, or the files of a format that is a folder; records without a label
 * only when asked for by name.
 */
export async function exportVersion(
  repository: Repository,
  version: Version,
  options: ExportOptions,
): Promise<ExportSummary> {
  const format = formatByName(options.format);
  if (format.write === undefined && format.writeFolder === undefined) {
    throw new UttrError('bad-option', `${format.title} cannot be written`);
  }
  const directory = resolve(options.directory);
  await makeDirectory(directory);
  const sides = options.side === undefined ? sideNames(version.manifest) : placesOf(version, options.side);
  const job: ExportJob = { repository, version, format, options, directory, sides, losses: [] };
  const open: OpenFile[] = [];
  try {
    for await (const planned of format.writeFolder === undefined ? sideFiles(job) : folderFiles(job)) {
      await ensureDirectory(dirname(planned.result.path));
      const file = await DurableFile.open(planned.result.path);
      const entry: OpenFile = { file, result: planned.result, settled: Promise.resolve() };
      open.push(entry);
      await planned.write(file);
      // The disk has time for it while the next side is made.
      entry.settled = file.settle();
      entry.settled.catch(() => {});
    }
    // All are whole before the first one appears.
    for (const { settled } of open) await settled;
    for (const { file } of open) await file.publish();
  } catch (error) {
    await Promise.allSettled(open.map(({ settled }) => settled));
    for (const { file } of open) await file.abort();
    throw error;
  }
  const files = open.map(({ file, result }) => ({ ...result, bytes: file.sizeBytes }));
  const { losses } = job;
  return { dataset: version.manifest.dataset, version: version.hash, format: format.name, files, losses };
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    if (['EEXIST', 'ENOTDIR'].includes(errnoOf(error) ?? '')) {
      throw new UttrError('bad-option', `${directory} is a file, or lies below one`, {
        hint: 'name a folder: it is made where it does not exist',
      });
    }
    throw fileError(error, 'make the folder', directory);
  }
}

interface ExportJob {
  readonly repository: Repository;
  readonly version: Version;
  readonly format: Format;
  readonly options: ExportOptions;
  readonly directory: string;
  readonly sides: readonly string[];
  /** Filled while the files are written. */
  readonly losses: Loss[];
}

/** A file that is not published yet. */
interface OpenFile {
  readonly file: DurableFile;
  readonly result: Omit<ExportedFile, 'bytes'>;
  settled: Promise<void>;
}

interface PlannedFile {
  readonly result: Omit<ExportedFile, 'bytes'>;
  write(file: DurableFile): Promise<void>;
}

/** One file for each side. */
async function* sideFiles(job: ExportJob): AsyncGenerator<PlannedFile> {
  const { repository, version, format, options, directory } = job;
  for (const side of job.sides) {
    yield {
      result: {
        side,
        path: join(directory, `${side}${format.extensions[0] ?? ''}`),
        records: treeOf(version.manifest, side).records,
      },
      write: async (file) => {
        job.losses.push(...(await writeSide(repository, { version, side, format, file, options })));
      },
    };
  }
}

/** The files of a format that writes all sides together. */
async function* folderFiles(job: ExportJob): AsyncGenerator<PlannedFile> {
  const { repository, version, format, directory } = job;
  const { signal } = repository;
  const sums = new Map<string, RecordSum>();
  const sources = job.sides.map((side) => ({
    side,
    source: (): AsyncIterable<readonly UtteranceRecord[]> => {
      const sum = new RecordSum();
      sums.set(side, sum);
      return recordsOf(repository, treeOf(version.manifest, side), sum);
    },
  }));
  const writing = format.writeFolder?.(sources, { name: version.manifest.dataset, signal });
  if (writing === undefined) return;
  for await (const { path, side, format: formatName, bytes } of writing) {
    const records = side === undefined ? 0 : treeOf(version.manifest, side).records;
    yield {
      result: { ...(side === undefined ? {} : { side }), path: join(directory, ...path.split('/')), records },
      write: async (file) => {
        const before = writing.report.losses;
        for await (const part of bytes) await file.append(part);
        const written = side === undefined ? undefined : sums.get(side);
        if (formatName === undefined || written === undefined) return;
        await file.settle();
        const losses = lossesSince(before, writing.report.losses);
        const { temporaryPath, path: name } = file;
        await verifyExport(
          { path: temporaryPath, name, format: formatByName(formatName), written, losses },
          { signal },
        );
      },
    };
  }
  job.losses.push(...writing.report.losses);
}

/** What was lost between two looks at a report, which counts for all files together. */
function lossesSince(before: readonly Loss[], after: readonly Loss[]): readonly Loss[] {
  return after
    .map((loss) => ({ ...loss, count: loss.count - (before.find(({ field }) => field === loss.field)?.count ?? 0) }))
    .filter(({ count }) => count > 0);
}

interface SideJob {
  readonly version: Version;
  readonly side: string;
  readonly format: Format;
  readonly file: DurableFile;
  readonly options: ExportOptions;
}

async function writeSide(
  repository: Repository,
  { version, side, format, file, options }: SideJob,
): Promise<readonly Loss[]> {
  const { signal } = repository;
  const tree = treeOf(version.manifest, side);
  if (format.name === 'jsonl') {
    await writeLines(repository, tree, file);
    return [];
  }
  // A writer may go over the records more than once: the last time counts.
  let written = new RecordSum();
  const source = (): AsyncIterable<readonly UtteranceRecord[]> => {
    written = new RecordSum();
    return recordsOf(repository, tree, written);
  };
  const { escapeFormulas } = options;
  const writing = format.write?.(source, { escapeFormulas, name: version.manifest.dataset, side, signal });
  if (writing === undefined) return [];
  for await (const bytes of writing) await file.append(bytes);
  await file.settle();
  const { losses } = writing.report;
  await verifyExport(
    { path: file.temporaryPath, name: file.path, format, written, losses },
    { unescapeFormulas: escapeFormulas, signal },
  );
  return losses;
}

async function* recordsOf(
  repository: Repository,
  tree: TreeRoot,
  written: RecordSum,
): AsyncIterable<readonly UtteranceRecord[]> {
  if (tree.root === null) return;
  let done = 0;
  for await (const entries of new TreeReader(repository.chunks, tree).scan()) {
    const records = entries.map(({ value }) => decodeRecord(value));
    for (const record of records) written.add(record);
    yield records;
    done += entries.length;
    throwIfAborted(repository.signal);
    repository.progress.update('exporting', done, tree.records, 'records');
  }
}

/** JSON Lines are the leaves without their keys: the bytes are copied, nothing is parsed. */
async function writeLines(repository: Repository, tree: TreeRoot, file: DurableFile): Promise<void> {
  if (tree.root === null) return;
  const out = new FileFiller(file);
  let done = 0;
  for await (const leaves of new TreeReader(repository.chunks, tree).scanLines()) {
    for (const { bytes, count, starts, keyEnds } of leaves) {
      out.reserve(bytes.length);
      const { buffer } = out;
      let { length } = out;
      for (let index = 0; index < count; index++) {
        length += bytes.copy(buffer, length, (keyEnds[index] as number) + 1, starts[index + 1]);
      }
      out.length = length;
      if (out.isFull) await out.pass();
      done += count;
    }
    throwIfAborted(repository.signal);
    repository.progress.update('exporting', done, tree.records, 'records');
  }
  await out.finish();
}
