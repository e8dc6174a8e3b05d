import { globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** Paths of the project's files that fit a pattern, with `/` on every system, in order. */
export function projectFiles(pattern: string): string[] {
  return globSync(pattern, { cwd: ROOT })
    .map((path) => path.split(sep).join('/'))
    .toSorted();
}

/** The text of a file of the project. */
export function projectFile(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The text of a file of the project; empty where there is none. */
export function projectFileIfAny(path: string): string {
  return projectFiles(path).length === 0 ? '' : projectFile(path);
}
