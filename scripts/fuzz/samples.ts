/** Files to damage. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The real files, which lie beside the project. */
export const SAMPLES = join(import.meta.dirname, '../../../shared/data');

/** Of a larger file, the first part: a case is to take milliseconds. */
const PART_BYTES = 48 * 1024;

export interface Sample {
  readonly name: string;
  readonly bytes: Buffer;
}

/** All files below a folder but what describes them, in the order of their names. */
export async function samplesBelow(folder: string): Promise<Sample[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name !== 'README.md')
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Promise.all(
    paths.map(async (path) => {
      const bytes = await readFile(path);
      // An archive without its end is none.
      const isArchive = bytes.subarray(0, 2).toString('latin1') === 'PK';
      return { name: path.slice(folder.length + 1), bytes: isArchive ? bytes : bytes.subarray(0, PART_BYTES) };
    }),
  );
}
