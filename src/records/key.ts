/**
 * Record keys: what orders the tree, and what makes two rows the same record.
 *
 *   key = group TAB exact [TAB identity]
 *
 *   group     fold(text)
 *   exact     norm(text), or nothing where it equals the first column
 *   identity  canonical JSON of the record's identity fields, {"features.role":"agent"}; only where the dataset
 *             configures any
 *
 * A column of more than 400 UTF-8 bytes is cut at the last whole code point within 400 bytes, and U+001F and the
 * hexadecimal SHA-256 of the whole column follow.
 *
 * R5  Two records have one key exactly when their norm and their identity fields are equal.
 * R6  Two records are in one group exactly when the first columns of their keys are equal; a group is therefore
 *     one stretch of neighbours in the tree.
 * R7  A key has at most 1,397 UTF-8 bytes and holds neither a line feed nor a TAB within a column.
 *
 * Keys are ordered by their UTF-8 bytes. They are stored, never recomputed: a later Unicode table must not
 * reorder old data. Why columns are cut one by one: docs/decisions/0001-long-keys.md.
 */
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';
import { sha256 } from '../base/hash.ts';
import { fieldValue } from './field.ts';
import type { UtteranceRecord } from './record.ts';
import { fold, foldNormed, norm } from './text.ts';

/** UTF-8 bytes that a column of a key may have before it is shortened. */
export const KEY_COLUMN_LIMIT_BYTES = 400;

/** UTF-8 bytes that a key can have at most: three shortened columns and two TABs. */
export const KEY_LIMIT_BYTES = 3 * (KEY_COLUMN_LIMIT_BYTES + 1 + 64) + 2;

/** No UTF-16 code unit takes more than three bytes of UTF-8. */
const SURELY_SHORT_UNITS = Math.floor(KEY_COLUMN_LIMIT_BYTES / 3);

const CUT_MARK = '\u001f';

/**
 * The key of a record.
 *
 * @param identity the dataset's identity fields, such as `features.role`; their order does not matter.
 */
export function recordKey(record: UtteranceRecord, identity: readonly string[]): string {
  const normed = norm(record.text);
  const folded = foldNormed(normed);
  const key = `${shortened(folded)}\t${normed === folded ? '' : shortened(normed)}`;
  return identity.length === 0 ? key : `${key}\t${shortened(identityColumn(record, identity))}`;
}

function identityColumn(record: UtteranceRecord, identity: readonly string[]): string {
  const fields: Record<string, JsonValue | undefined> = {};
  for (const field of identity) fields[field] = fieldValue(record, field);
  return canonicalJson(fields);
}

/** The whole folded text: what the split draws by. */
export function foldedText(text: string): string {
  return fold(text);
}

/** The first column of the keys of all records with this text's fold. */
export function groupColumn(text: string): string {
  return groupOfFold(fold(text));
}

/** The first column of the keys of all records with this fold. */
export function groupOfFold(folded: string): string {
  return shortened(folded);
}

/** The first column of a key: the group it belongs to. */
export function groupOfKey(key: string): string {
  const end = key.indexOf('\t');
  return end === -1 ? key : key.slice(0, end);
}

/** What all keys of a group begin with, and no other key does. */
export function groupPrefix(group: string): string {
  return `${group}\t`;
}

/** A column as it stands in a key: whole, or cut and marked with the hash of the whole. */
function shortened(column: string): string {
  if (column.length <= SURELY_SHORT_UNITS) return column;
  if (Buffer.byteLength(column) <= KEY_COLUMN_LIMIT_BYTES) return column;
  const bytes = Buffer.from(column);
  let end = KEY_COLUMN_LIMIT_BYTES;
  while (((bytes[end] as number) & 0xc0) === 0x80) end--;
  return `${bytes.toString('utf8', 0, end)}${CUT_MARK}${sha256(bytes)}`;
}

/**
 * Compares two well-formed strings by their UTF-8 bytes, which is the order of their code points. The order of
 * `<` differs: it puts U+E000 to U+FFFF after the surrogates, so after every code point above U+FFFF.
 */
export function compareKeys(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a !== b) return codePointOrder(a) - codePointOrder(b);
  }
  return left.length - right.length;
}

/** A code unit, with the surrogates moved behind the rest of the basic plane. */
function codePointOrder(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
