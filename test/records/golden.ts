import { readdirSync, readFileSync } from 'node:fs';

export interface GoldenFile {
  readonly name: string;
  readonly text: string;
}

/** The files of a folder under test/golden, by name. */
export function goldenFiles(folder: string): GoldenFile[] {
  const url = new URL(`../golden/${folder}/`, import.meta.url);
  return readdirSync(url)
    .sort()
    .map((name) => ({ name, text: readFileSync(new URL(name, url), 'utf8') }));
}
