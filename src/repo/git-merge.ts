/**
 * Git's merge driver: three pointer files in, one out.
 */
import { readFile } from 'node:fs/promises';
import { UttrError } from '../base/errors.ts';
import { decodePointer, encodePointer, type Pointer, pointerOf } from '../records/pointer.ts';
import { writeDurably } from '../store/durable-file.ts';
import { conflictError, mergeForGit } from './merge-state.ts';
import type { Repository } from './repository.ts';
import { loadVersion } from './versions.ts';

export interface DriverMerge {
  readonly dataset: string;
  readonly version: string;
  readonly crossedTexts: readonly string[];
}

/**
 * Merges the records behind three pointers and writes the new pointer over `oursFile`.
 *
 * @param path the pointer's path in the work tree, for messages
 * @throws merge-conflict after writing both pointers between markers into `oursFile`
 */
export async function runMergeDriver(
  repository: Repository,
  files: { readonly base: string; readonly ours: string; readonly theirs: string; readonly path: string },
): Promise<DriverMerge> {
  const ours = await readSide(files.ours, files.path);
  const theirs = await readSide(files.theirs, files.path);
  const base = await readBase(files.base, files.path);
  if (ours.dataset !== theirs.dataset) {
    throw new UttrError('bad-pointer', `${files.path} is of ${ours.dataset} here and of ${theirs.dataset} there`);
  }
  const here = await loadVersion(repository, ours.version);
  const there = await loadVersion(repository, theirs.version);
  const before = base === undefined ? undefined : await loadVersion(repository, base.version);
  const result = await mergeForGit(repository, before, here, there);
  if ('conflicts' in result) {
    const error = conflictError(ours.dataset, result.conflicts);
    await writeDurably(files.ours, Buffer.from(conflictText(ours, theirs, error)));
    throw error;
  }
  const { version, crossedTexts } = result;
  await writeDurably(files.ours, Buffer.from(encodePointer(pointerOf(version.hash, version.manifest))));
  return { dataset: ours.dataset, version: version.hash, crossedTexts };
}

/** What git leaves in the work tree: both pointers, and how to go on. */
function conflictText(ours: Pointer, theirs: Pointer, error: UttrError): string {
  return [
    `<<<<<<< ours (${error.message}; ${error.hint ?? ''})`,
    encodePointer(ours).trimEnd(),
    '=======',
    encodePointer(theirs).trimEnd(),
    '>>>>>>> theirs',
    '',
  ].join('\n');
}

async function readSide(file: string, path: string): Promise<Pointer> {
  return decodePointer(await readFile(file, 'utf8'), path);
}

/** The common ancestor's pointer; undefined when both branches made the dataset. */
async function readBase(file: string, path: string): Promise<Pointer | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trim() === '' ? undefined : decodePointer(text, path);
}
