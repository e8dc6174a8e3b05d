/**
 * Git's diff driver: two states of a pointer file in, the two versions out.
 */
import { readFile } from 'node:fs/promises';
import { decodePointer, type Pointer } from '../records/pointer.ts';
import type { Repository } from './repository.ts';
import { loadVersion, type Version } from './versions.ts';

/** The versions that two files point to; undefined for a side that is not there (`/dev/null`, an empty file). */
export async function pointedVersions(
  repository: Repository,
  path: string,
  oldFile: string,
  newFile: string,
): Promise<{ readonly from: Version | undefined; readonly to: Version | undefined; readonly dataset: string }> {
  const [old, now] = [await readPointerFile(oldFile, path), await readPointerFile(newFile, path)];
  return {
    dataset: (now ?? old)?.dataset ?? path,
    from: old === undefined ? undefined : await loadVersion(repository, old.version),
    to: now === undefined ? undefined : await loadVersion(repository, now.version),
  };
}

async function readPointerFile(file: string, path: string): Promise<Pointer | undefined> {
  if (file === '/dev/null' || file === 'nul') return undefined;
  const text = await readFile(file, 'utf8');
  return text.trim() === '' ? undefined : decodePointer(text, path);
}
