/**
 * What interrupted commands leave behind: it does no harm but takes space. Only what a dead process wrote over an
 * hour ago is removed: a process of another machine, on a shared disk, cannot be seen.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isProcessAlive, removeStaleTemps, STALE_TEMP_MS } from '../store/durable-file.ts';
import { FILTERS } from './group-filter.ts';
import type { Repository } from './repository.ts';
import { SORT_FOLDER } from './run-store.ts';
import { SEGMENT_FILE, SIMILAR, usedSegments } from './similar-segments.ts';
import { LOCAL, MANIFESTS } from './working-copy.ts';

/** Files that a command writes before it makes them known, and files that live no longer than the command. */
const STAGED_FILE = /\.(?:staged|lines)$/u;

/** Removes what is stale below `.uttr/`, in `manifests/` and beside uttr.json. @returns how many files and folders */
export async function removeLeftovers(repository: Repository): Promise<number> {
  const now = repository.clock.now();
  let removed = await removeStaleTemps(repository.root, now, { deep: false });
  for (const folder of [LOCAL, MANIFESTS]) removed += await removeStaleTemps(join(repository.root, folder), now);
  const parts = [removeStagedLeftovers, removeOldFilters, removeOldSegments];
  for (const remove of parts) removed += await remove(repository);
  return removed;
}

/** Filters that nothing refers to. */
function removeOldFilters(repository: Repository): Promise<number> {
  const known = new Set(repository.catalogue.filters.files());
  return removeStale(repository, FILTERS, (name) => !known.has(name));
}

/** Segments of the index of texts that no index has any more. */
async function removeOldSegments(repository: Repository): Promise<number> {
  const known = await usedSegments(repository);
  return removeStale(repository, SIMILAR, (name) => SEGMENT_FILE.test(name) && !known.has(name));
}

/** As removeLeftovers, in the folder of staged files alone: sorting leaves the largest ones. */
export function removeStagedLeftovers(repository: Repository): Promise<number> {
  const known = new Set(repository.catalogue.allStaged().map(({ file }) => file));
  return removeStale(repository, 'staged', (name) => isLeftover(name, known));
}

async function removeStale(repository: Repository, part: string, isLeft: (name: string) => boolean): Promise<number> {
  const now = repository.clock.now();
  const folder = repository.path(part);
  let removed = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    if (!isLeft(name) || !(await isStale(path, now))) continue;
    await rm(path, { recursive: true, force: true });
    removed++;
  }
  return removed;
}

function isLeftover(name: string, known: ReadonlySet<string>): boolean {
  const pid = SORT_FOLDER.exec(name)?.groups?.['pid'];
  if (pid !== undefined) return !isProcessAlive(Number(pid));
  return STAGED_FILE.test(name) && !known.has(name);
}

async function isStale(path: string, now: Date): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && now.getTime() - found.mtimeMs >= STALE_TEMP_MS;
}
