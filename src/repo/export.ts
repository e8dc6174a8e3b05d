/**
 * `export`: the sides of a version as files, complete or not at all; the same version gives the same bytes.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { throwIfAborted, UttrError } from '../base/errors.ts';
import type { Format } from '../formats/format.ts';
import type { Loss } from '../formats/format.ts';
import { formatByName } from '../formats/registry.ts';
import { decodeRecord } from '../records/encode-record.ts';
import type { UtteranceRecord } from '../records/record.ts';
import { DurableFile, errnoOf, fileError } from '../store/durable-file.ts';
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
  readonly side: string;
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

/** Writes `<directory>/<side>.<ext>` for each side; records without a label only when asked for by name. */
export async function exportVersion(
  repository: Repository,
  version: Version,
  options: ExportOptions,
): Promise<ExportSummary> {
  const format = formatByName(options.format);
  if (format.write === undefined) throw new UttrError('bad-option', `${format.title} cannot be written`);
  const directory = resolve(options.directory);
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
  const sides = options.side === undefined ? sideNames(version.manifest) : placesOf(version, options.side);
  const open: { readonly file: DurableFile; readonly result: ExportedFile; settled: Promise<void> }[] = [];
  const losses: Loss[] = [];
  try {
    for (const side of sides) {
      const path = join(directory, `${side}${format.extensions[0] ?? ''}`);
      const file = await DurableFile.open(path);
      const tree = treeOf(version.manifest, side);
      const entry: (typeof open)[number] = {
        file,
        result: { side, path, records: tree.records, bytes: 0 },
        settled: Promise.resolve(),
      };
      open.push(entry);
      losses.push(...(await writeSide(repository, { version, side, format, file, options })));
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
  return { dataset: version.manifest.dataset, version: version.hash, format: format.name, files, losses };
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
