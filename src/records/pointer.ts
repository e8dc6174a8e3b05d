/**
 * Pointers: the file `manifests/<dataset>.json` that git tracks and that names the current version.
 *
 *   {
 *     "uttr": 1,
 *     "dataset": "support",
 *     "version": "<64 hexadecimal digits>",
 *     "content": "<64 hexadecimal digits>",
 *     "records": 23700,
 *     "sides": {"test":5925,"train":17775},
 *     "updated": "2026-03-01T12:00:00.000Z"
 *   }
 *
 * R15  A pointer has exactly one encoding: fields in this order, one a line, two blanks before each, sides in the
 *      order of their names, a line feed after every line. decodePointer refuses every other.
 * R16  A version has one pointer: all of it, its time too, comes from the manifest.
 */
import { canonicalJson } from '../base/canonical-json.ts';
import type { Hash } from '../base/hash.ts';
import { DocumentReader } from './document.ts';
import type { Manifest } from './manifest.ts';

/** The pointer format that this code writes. */
export const POINTER_FORMAT = 1;

/** UTF-8 bytes of a pointer; a larger file is none. */
export const POINTER_LIMIT_BYTES = 65_536;

export interface Pointer {
  readonly uttr: typeof POINTER_FORMAT;
  readonly dataset: string;
  readonly version: Hash;
  readonly content: Hash;
  /** All records, those without a label too. */
  readonly records: number;
  /** Records by side. */
  readonly sides: Readonly<Record<string, number>>;
  /** The time of the version. */
  readonly updated: string;
}

/** The pointer to a version. */
export function pointerOf(version: Hash, manifest: Manifest): Pointer {
  const sides: Record<string, number> = {};
  let { records } = manifest.unlabelled;
  for (const [side, tree] of Object.entries(manifest.sides)) {
    sides[side] = tree.records;
    records += tree.records;
  }
  const { dataset, content, time } = manifest;
  return { uttr: POINTER_FORMAT, dataset, version, content, records, sides, updated: time };
}

/** Prints a pointer in its one encoding. */
export function encodePointer(pointer: Pointer): string {
  const { uttr, dataset, version, content, records, sides, updated } = pointer;
  const lines = Object.entries({ uttr, dataset, version, content, records, sides, updated }).map(
    ([name, value]) => `  "${name}": ${canonicalJson(value)}`,
  );
  return `{\n${lines.join(',\n')}\n}\n`;
}

/**
 * Reads a pointer.
 *
 * @param path names the file in messages.
 * @throws bad-pointer, format-too-new
 */
export function decodePointer(text: string, path: string): Pointer {
  const reader = new DocumentReader('bad-pointer', path, `bring it back: git checkout -- ${path}`);
  if (Buffer.byteLength(text) > POINTER_LIMIT_BYTES) reader.fail(`is larger than ${POINTER_LIMIT_BYTES} bytes`);
  if (/^(?:<{7}|>{7}) /mu.test(text)) {
    reader.fail(
      'holds an unfinished merge of git',
      undefined,
      'install the merge driver (uttr git install), then merge again',
    );
  }
  if (text.includes('\r')) {
    reader.fail('has line ends of Windows', undefined, 'add this line to .gitattributes: manifests/*.json -text');
  }
  const value = reader.json(text);
  reader.format(value, POINTER_FORMAT);
  const fields = reader.object(value, '', ['uttr', 'dataset', 'version', 'content', 'records', 'sides', 'updated']);
  reader.datasetName(fields['dataset'], 'dataset');
  reader.hash(fields['version'], 'version');
  reader.hash(fields['content'], 'content');
  const records = reader.count(fields['records'], 'records');
  let labelled = 0;
  for (const [side, count] of Object.entries(reader.table(fields['sides'], 'sides'))) {
    labelled += reader.count(count, `sides.${side}`);
  }
  if (labelled > records) reader.fail('counts more records on its sides than it has');
  reader.time(fields['updated'], 'updated');
  const pointer = fields as unknown as Pointer;
  if (encodePointer(pointer) !== text) reader.fail('was changed by hand: it is not in its one form');
  return pointer;
}
