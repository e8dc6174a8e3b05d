/**
 * Zip archives: read within limits, written so that the same files give the same bytes.
 *
 * Z1  No name leads out of the archive: absolute names, `..`, backslashes and drive letters are refused.
 * Z2  An archive is refused by what its directory says before anything is unpacked, and an entry that unpacks to more
 *     than it says is refused, too: memory is bounded by the limits below.
 * Z3  The same files give the same bytes: times, rights and order are fixed.
 */
import { pipeline, type Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { Zip, ZipDeflate } from 'fflate';
import { fromBuffer, type Entry, type ZipFile } from 'yauzl';
import { UttrError } from '../base/errors.ts';
import { rootFolder } from './archive-root.ts';
import type { ByteInput } from './format.ts';
import { DOCUMENT_LIMIT_BYTES, readBytes } from './document.ts';
import { binaryKind, isZip } from './signature.ts';

/** Limits of an archive that is read. */
export const ENTRY_LIMIT = 20_000;
export const UNPACKED_LIMIT_BYTES = 1024 * 2 ** 20;
/** No file that means well shrinks more than this, but for small ones. */
const RATIO_LIMIT = 200;
const RATIO_FREE_BYTES = 4 * 2 ** 20;

/** The one method of compression that archives have in practice. */
const DEFLATED = 8;
const PIECE_BYTES = 256 * 1024;

/** 1980-01-01 00:00: the oldest time that a zip can say. */
const EPOCH = new Date(1980, 0, 1);

/** A file in an archive. */
export interface ArchiveEntry {
  /** Path with slashes. */
  readonly path: string;
  readonly sizeBytes: number;
  /** @throws bad-format when it is damaged, or has other bytes than the directory says */
  read(): Promise<Buffer>;
  /** The same in pieces; that the last bytes are damaged shows only at the end. May be called again. */
  stream(): AsyncIterable<Buffer>;
}

export interface Archive {
  /** As messages call it. */
  readonly name: string;
  /** Files only, in ascending order of their paths; without what macOS adds. */
  readonly entries: readonly ArchiveEntry[];
}

/** Reads all of an input as an archive. @throws bad-format */
export async function readArchive(input: ByteInput): Promise<Archive> {
  return openArchive(await readBytes(input, DOCUMENT_LIMIT_BYTES), input.name);
}

/** @throws bad-format: no zip, damaged, hostile, or over a limit */
export async function openArchive(bytes: Buffer, name: string): Promise<Archive> {
  if (!isZip(bytes)) {
    throw new UttrError('bad-format', `${name} is ${binaryKind(bytes) ?? 'no binary file'}, not a zip archive`, {
      hint: 'leave out --format: what the file is will be found out',
      details: { file: name },
    });
  }
  const zip = await promised<ZipFile>(name, (done) =>
    fromBuffer(bytes, { lazyEntries: true, strictFileNames: true, validateEntrySizes: true }, done),
  );
  const entries = await directoryOf(zip, name);
  checkSizes(entries, name);
  return {
    name,
    entries: entries
      .filter(({ fileName }) => !fileName.endsWith('/') && !isForeign(fileName))
      .map((entry) => ({
        path: entry.fileName,
        sizeBytes: entry.uncompressedSize,
        read: async () => Buffer.concat(await Array.fromAsync(unpack(zip, entry, name))),
        stream: () => unpack(zip, entry, name),
      }))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

/** The entries below the folder that a file of this name lies in, with paths from there; undefined where there is none. */
export function rootedAt(archive: Archive, marker: string): Archive | undefined {
  const folder = rootFolder(
    archive.entries.map(({ path }) => path),
    marker,
  );
  if (folder === undefined) return undefined;
  const entries = archive.entries
    .filter(({ path }) => path.startsWith(folder))
    .map((entry) => ({ ...entry, path: entry.path.slice(folder.length) }));
  return { name: archive.name, entries };
}

/** A file that goes into an archive. */
export interface PackedFile {
  readonly path: string;
  /** In pieces where it is large; the same pieces give the same bytes. */
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array>;
}

/** The files as a zip, in the order they come. @param level of deflate, 0 to 9 */
export async function* writeArchive(
  files: AsyncIterable<PackedFile> | Iterable<PackedFile>,
  level: 0 | 6 = 6,
): AsyncGenerator<Buffer> {
  const parts: Buffer[] = [];
  let failure: Error | undefined;
  const zip = new Zip((error, part) => {
    if (error !== null) failure = error;
    else parts.push(Buffer.from(part));
  });
  for await (const { path, bytes } of files) {
    const entry = new ZipDeflate(path, { level });
    entry.mtime = EPOCH;
    zip.add(entry);
    if (!(bytes instanceof Uint8Array)) {
      for await (const piece of bytes) {
        entry.push(piece);
        yield* parts.splice(0);
      }
    }
    entry.push(bytes instanceof Uint8Array ? bytes : new Uint8Array(0), true);
    if (failure !== undefined) throw new UttrError('internal', 'cannot write the archive', { cause: failure });
    yield* parts.splice(0);
  }
  zip.end();
  yield* parts.splice(0);
}

function directoryOf(zip: ZipFile, name: string): Promise<Entry[]> {
  return promised<Entry[]>(name, (done) => {
    const entries: Entry[] = [];
    zip.on('error', (error: Error) => done(error));
    zip.on('end', () => done(null, entries));
    zip.on('entry', (entry: Entry) => {
      entries.push(entry);
      if (entries.length > ENTRY_LIMIT) done(new Error(`it has more than ${ENTRY_LIMIT} entries`));
      else zip.readEntry();
    });
    zip.readEntry();
  });
}

function checkSizes(entries: readonly Entry[], name: string): void {
  let unpacked = 0;
  for (const { fileName, uncompressedSize, compressedSize, generalPurposeBitFlag } of entries) {
    unpacked += uncompressedSize;
    if ((generalPurposeBitFlag & 1) !== 0) throw badArchive(name, `${fileName} is encrypted`);
    if (uncompressedSize > RATIO_FREE_BYTES && uncompressedSize > compressedSize * RATIO_LIMIT) {
      throw badArchive(
        name,
        `${fileName} would unpack to ${Math.floor(uncompressedSize / compressedSize)} times its size`,
      );
    }
  }
  if (unpacked > UNPACKED_LIMIT_BYTES) {
    throw badArchive(name, `it would unpack to more than ${UNPACKED_LIMIT_BYTES / 2 ** 20} MiB`);
  }
}

/** What macOS puts beside the files. */
function isForeign(path: string): boolean {
  return path.split('/').some((part) => part === '__MACOSX' || part.startsWith('._') || part === '.DS_Store');
}

async function* unpack(zip: ZipFile, entry: Entry, name: string): AsyncGenerator<Buffer> {
  const isDeflated = entry.compressionMethod === DEFLATED;
  const options = isDeflated ? { decompress: false } : {};
  const raw = await promised<Readable>(name, (done) => zip.openReadStream(entry, options, done));
  // Unpacked here, because the pieces of yauzl are so small that handing them on takes longer than unpacking.
  const unpacked = isDeflated ? pipeline(raw, createInflateRaw({ chunkSize: PIECE_BYTES }), () => undefined) : raw;
  let sum = 0;
  let length = 0;
  try {
    for await (const part of unpacked as AsyncIterable<Buffer>) {
      sum = crc32(part, sum);
      length += part.length;
      if (length > entry.uncompressedSize) break;
      yield part;
    }
    if (length !== entry.uncompressedSize) throw new Error('it has another size than the directory says');
    if (sum !== entry.crc32) throw new Error('its checksum is another');
  } catch (error) {
    throw badArchive(name, `${entry.fileName} is damaged`, error);
  }
}

function promised<T>(name: string, call: (done: (error: Error | null, value?: T) => void) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    call((error, value) => {
      if (error === null) resolve(value as T);
      else reject(badArchive(name, lowered(error.message), error));
    });
  });
}

/** As the middle of a sentence. */
function lowered(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/u, '');
}

function badArchive(name: string, problem: string, cause?: unknown): UttrError {
  return new UttrError('bad-format', `${name} cannot be read as a zip archive: ${problem}`, {
    hint: 'export it once more; archives that lead out of their folder or unpack to too much are refused',
    details: { file: name },
    cause,
  });
}
