/** Programs that are built or fetched once for all checkouts: in UTTR_CACHE, or ~/.cache/uttr. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** A place in the cache. */
export function cachePath(...parts: readonly string[]): string {
  return join(process.env['UTTR_CACHE'] ?? join(homedir(), '.cache', 'uttr'), ...parts);
}

/**
 * A program of the cache, made unless it is there.
 *
 * @param path as of `cachePath`
 * @param make makes it in a folder of its own, and says where it is
 */
export function cachedProgram(path: string, make: (draft: string) => string): string {
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  // Two makers at once do not disturb each other: each has a folder of its own, and the last rename stays.
  const draft = mkdtempSync(join(dirname(path), 'build-'));
  try {
    renameSync(make(draft), path);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return path;
}
