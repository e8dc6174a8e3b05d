/**
 * A folder as a zip archive: whoever reads an archive reads a folder that was unpacked from one, and the same files
 * give the same bytes, so the same batch.
 */
import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfAborted, UttrError } from '../base/errors.ts';
import { DOCUMENT_LIMIT_BYTES } from '../formats/document.ts';

/** More files than this are no export of a chat bot, but somebody's home folder. */
const FILE_LIMIT = 20_000;

/** @throws unreadable-file where there is too much in it, or nothing */
export async function* packedFolder(folder: string, name: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const paths = (await filesBelow(folder, name)).sort((a, b) => (a < b ? -1 : 1));
  if (paths.length === 0) throw refused(name, 'is a folder without files');
  const { writeArchive } = await import('../formats/archive.ts');
  yield* writeArchive(
    (async function* () {
      for (const path of paths) {
        throwIfAborted(signal);
        yield { path, bytes: await readFile(join(folder, path)) };
      }
    })(),
    0,
  );
}

/** Paths of all files with slashes, without hidden ones. */
async function filesBelow(folder: string, name: string): Promise<string[]> {
  const paths: string[] = [];
  let bytes = 0;
  const walk = async (below: string): Promise<void> => {
    const entries: Dirent[] = await readdir(join(folder, below), { withFileTypes: true });
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) await walk(path);
      else if (entry.isFile()) {
        bytes += (await stat(join(folder, path))).size;
        paths.push(path);
      }
      if (paths.length > FILE_LIMIT) throw refused(name, `is a folder with more than ${FILE_LIMIT} files`);
      if (bytes > DOCUMENT_LIMIT_BYTES) {
        throw refused(name, `is a folder with more than ${DOCUMENT_LIMIT_BYTES / 2 ** 20} MiB`);
      }
    }
  };
  await walk('');
  return paths;
}

function refused(name: string, what: string): UttrError {
  return new UttrError('unreadable-file', `${name} ${what}`, {
    hint: `name the files in it: uttr add <dataset> ${name}/*`,
    details: { file: name },
  });
}
