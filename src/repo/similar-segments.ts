/** The files of the index of texts (similar-texts.ts): `<dataset>.json` says which segments it is made of. */
import { readdir, readFile } from 'node:fs/promises';
import type { Repository } from './repository.ts';

/** Their folder below `.uttr/`. */
export const SIMILAR = 'similar';

export const SEGMENT_FILE = /\.trigrams$/u;

/** Names of the segments that the index of any dataset is made of; of an index that cannot be read, none. */
export async function usedSegments(repository: Repository): Promise<Set<string>> {
  const used = new Set<string>();
  for (const name of await readdir(repository.path(SIMILAR)).catch(() => [])) {
    if (!name.endsWith('.json')) continue;
    try {
      const state = JSON.parse(await readFile(repository.path(SIMILAR, name), 'utf8')) as {
        readonly segments: readonly { readonly file: string }[];
      };
      for (const { file } of state.segments) used.add(file);
    } catch {
      // It is made anew, with segments of its own.
    }
  }
  return used;
}
