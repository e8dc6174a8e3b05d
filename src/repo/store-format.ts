import { UttrError } from '../base/errors.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { ProblemList } from './problem-list.ts';

const FORMAT_FILE = 'format.json';

/** The newest store format this code reads and writes. */
const STORE_FORMAT = 1;

/** What format.json holds; its constants never change in place: a new value is a new format. */
const FORMAT_TEXT = `${JSON.stringify({
  uttr: STORE_FORMAT,
  hash: 'sha256',
  boundary: { rule: 'xxh32-weibull4', leafTarget: 8192, nodeTarget: 8192, anchor: 16384 },
  pack: 1,
  compression: 'zstd',
})}\n`;

/**
 * Checks that a store has a format we know; with `write`, an empty store gets the format file.
 *
 * @throws format-too-new, bad-remote
 */
export async function checkStoreFormat(store: BlobStore, mode: 'read' | 'write'): Promise<void> {
  const found = await store.read(FORMAT_FILE);
  if (found === undefined) {
    if (mode === 'write') await store.create(FORMAT_FILE, Buffer.from(FORMAT_TEXT));
    return;
  }
  let format: unknown;
  try {
    format = (JSON.parse(found.bytes.toString('utf8')) as { uttr?: unknown }).uttr;
  } catch (error) {
    throw new UttrError('bad-remote', `${store.url}/${FORMAT_FILE} is not a uttr store's format file`, {
      cause: error,
    });
  }
  if (typeof format === 'number' && format > STORE_FORMAT) {
    throw new UttrError('format-too-new', `${store.url} has store format ${format}; this uttr knows ${STORE_FORMAT}`, {
      hint: 'install the newest uttr',
      details: { format, known: STORE_FORMAT },
    });
  }
  if (format !== STORE_FORMAT) throw new UttrError('bad-remote', `${store.url} has no known store format`);
}

/** Checks that the format file is, byte for byte, the one that this format has. */
export async function checkFormatBytes(store: BlobStore, problems: ProblemList): Promise<void> {
  const found = await store.read(FORMAT_FILE);
  if (found === undefined || found.bytes.toString('utf8') === FORMAT_TEXT) return;
  problems.say('bad-remote', 'it is not the format file of a store of this format', FORMAT_FILE);
}
