/**
 * Exports of chat bots: archives of JSON documents, one for an intent or a part of it.
 *
 * A document that cannot be read is a problem of its own and does not stop the others; only an archive that lacks
 * the document that marks it is refused.
 */
import { isUttrError, UttrError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { isFields, type Fields } from '../records/row-problems.ts';
import { type Archive, type ArchiveEntry, type PackedFile, readArchive, rootedAt } from './archive.ts';
import type { Utterances } from './document.ts';
import type { ByteInput } from './format.ts';
import { parseStrictJson } from './strict-json.ts';

/** Names that a note spells out. */
const SHOWN_NAMES = 10;

/** Reads all of an input as an archive, from the folder of `marker`. @throws bad-format where it is not there */
export async function openExport(input: ByteInput, marker: string, title: string): Promise<Archive> {
  const archive = await readArchive(input);
  const root = rootedAt(archive, marker);
  if (root !== undefined) return root;
  throw new UttrError('bad-format', `${input.name} is not ${title}: it has no ${marker}`, {
    hint: 'give the archive as it was exported, or the folder that it was unpacked to',
    details: { file: input.name },
  });
}

/** The value of a JSON document; undefined where it has none, which is then a problem of its place. */
export async function readJsonEntry(entry: ArchiveEntry, utterances: Utterances): Promise<unknown> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await entry.read());
    return parseStrictJson(text);
  } catch (error) {
    const reason = error instanceof TypeError ? 'not valid UTF-8' : undefined;
    if (reason === undefined && !isUttrError(error, 'bad-row') && !isUttrError(error, 'bad-format')) throw error;
    utterances.reject(`the document is left out: ${reason ?? (error as Error).message}`, undefined, {
      pointer: entry.path,
    });
    return undefined;
  }
}

/** The same for a document that has to be an object. */
export async function readObjectEntry(entry: ArchiveEntry, utterances: Utterances): Promise<Fields | undefined> {
  const value = await readJsonEntry(entry, utterances);
  if (value === undefined || isFields(value)) return value;
  utterances.reject('the document is left out: it is no object', undefined, { pointer: entry.path });
  return undefined;
}

/** A text, or nothing where the value is none or empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Names for a note: the first ones, and how many there are. */
export function namesFor(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_NAMES).join(', ');
  return names.length > SHOWN_NAMES ? `${shown}, … (${names.length} in all)` : shown;
}

/** Notes what is no utterance, by the names of it; nothing where there are none. */
export function noteNames(utterances: Utterances, what: string, names: readonly string[]): void {
  if (names.length === 0) return;
  utterances.report.note('side-information', `${what}: ${namesFor(names)}`, names.length);
}

/** The name that a path has before its extension. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.json$/u, '');
}

/** A JSON document that goes into an archive. */
export function jsonFile(path: string, value: unknown, indent = 2): PackedFile {
  return { path, bytes: Buffer.from(`${JSON.stringify(value, undefined, indent)}\n`) };
}

/** Code points of a name that a file is called by; some systems allow 255 bytes. */
const FILE_NAME_LENGTH = 50;
/** What no file may be called on Windows, and the folder that macOS adds. */
const FORBIDDEN_FILE = /^(?:__macosx|con|prn|aux|nul|com\d|lpt\d)(?:\..*)?$/iu;

/**
 * Names of files for names of intents and entities: what no file name can hold is replaced, and names that would then
 * be one file, also where case does not count, are told apart by their hash.
 */
export class FileNames {
  readonly #byName = new Map<string, string>();
  readonly #taken = new Set<string>();
  readonly #reserved: RegExp;

  /** @param reserved names that mean something else in the format */
  constructor(reserved = FORBIDDEN_FILE) {
    this.#reserved = reserved;
  }

  /** The same name always gets the same file. */
  of(name: string): string {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const safe = Array.from(name.replace(/[\p{Cc}/\\:*?"<>|~]/gu, '_').replace(/^\.|[. ]$/gu, '_'))
      .slice(0, FILE_NAME_LENGTH)
      .join('');
    const isAllowed = !FORBIDDEN_FILE.test(name) && !this.#reserved.test(name);
    const file =
      isAllowed && safe === name && !this.#taken.has(comparable(name)) ? name : `${safe}~${sha256(name).slice(0, 12)}`;
    this.#taken.add(comparable(file));
    this.#byName.set(name, file);
    return file;
  }
}

function comparable(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
