/**
 * Git's merge driver: three pointer files in, one out.
 */
import { readFile } from 'node:fs/promises';
import { isUttrError, UttrError } from '../base/errors.ts';
import { decodePointer, encodePointer, type Pointer, pointerOf } from '../records/pointer.ts';
import { writeDurably } from '../store/durable-file.ts';
import { commonAncestors } from './ancestry.ts';
import { conflictError, mergeForGit } from './merge-state.ts';
import type { Repository } from './repository.ts';
import { loadVersion, type Version } from './versions.ts';

export interface DriverMerge {
  readonly dataset: string;
  readonly version: string;
  readonly crossedTexts: readonly string[];
}

/** What git hands to its merge driver. */
export interface DriverFiles {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  /** The pointer's path in the work tree, for messages. */
  readonly path: string;
  /** Length of conflict markers: git asks for longer ones where it merges common ancestors for itself. */
  readonly markerSize: number;
}

const MARKER_SIZE = 7;

/**
 * Merges the records behind three pointers and writes the new pointer over `oursFile`.
 *
 * @throws merge-conflict after writing both pointers between markers into `oursFile`
 */
export async function runMergeDriver(repository: Repository, files: DriverFiles): Promise<DriverMerge> {
  const ours = await readSide(files.ours, files.path);
  const theirs = await readSide(files.theirs, files.path);
  if (ours.dataset !== theirs.dataset) {
    throw new UttrError('bad-pointer', `${files.path} is of ${ours.dataset} here and of ${theirs.dataset} there`);
  }
  const here = await loadVersion(repository, ours.version);
  const there = await loadVersion(repository, theirs.version);
  const bases = await basesOf(repository, files.base, here, there);
  const isInner = files.markerSize > MARKER_SIZE;
  const result = await mergeForGit(repository, { bases, ours: here, theirs: there }, { isInner });
  if (!('conflicts' in result)) {
    const { version, crossedTexts } = result;
    await writeDurably(files.ours, Buffer.from(encodePointer(pointerOf(version.hash, version.manifest))));
    return { dataset: ours.dataset, version: version.hash, crossedTexts };
  }
  const error = conflictError(ours.dataset, result.conflicts);
  await writeDurably(files.ours, Buffer.from(conflictText(ours, theirs, error, files.markerSize)));
  throw error;
}

/**
 * The common versions: the one that git names, which for a cherry-pick is not in the history of both. Where git has
 * merged several common ancestors into one and failed, or both branches made the dataset, our own history says.
 */
async function basesOf(repository: Repository, file: string, ours: Version, theirs: Version): Promise<Version[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  try {
    return [await loadVersion(repository, decodePointer(text, file).version)];
  } catch (error) {
    if (!isUttrError(error, 'bad-pointer')) throw error;
    return commonAncestors(repository, ours.hash, theirs.hash);
  }
}

/** What git leaves in the work tree: both pointers, and how to go on. */
function conflictText(ours: Pointer, theirs: Pointer, error: UttrError, markerSize: number): string {
  return [
    `${'<'.repeat(markerSize)} ours (${error.message}; ${error.hint ?? ''})`,
    encodePointer(ours).trimEnd(),
    '='.repeat(markerSize),
    encodePointer(theirs).trimEnd(),
    `${'>'.repeat(markerSize)} theirs`,
    '',
  ].join('\n');
}

async function readSide(file: string, path: string): Promise<Pointer> {
  return decodePointer(await readFile(file, 'utf8'), path);
}
