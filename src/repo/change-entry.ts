/**
 * Entries of the list of changes: canonical JSON {"after","before","side"}, absent states left out.
 *
 * A record whose text is the normalised text of its key, as utterances in lower case are, is written without it: the
 * key stands beside it, and the list is what every small commit stores twice.
 */
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';
import { UttrError } from '../base/errors.ts';

const TAB = 9;

/** A change as the list has it; `before` and `after` are the records' canonical JSON. */
export interface ListedChange {
  readonly side: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

export function changeEntry(key: Buffer, before: Buffer | undefined, after: Buffer | undefined, side: string): Buffer {
  const text = normedText(key);
  const parts: string[] = [];
  if (after !== undefined) parts.push(`"after":${withoutText(after.toString('utf8'), text)}`);
  if (before !== undefined) parts.push(`"before":${withoutText(before.toString('utf8'), text)}`);
  parts.push(`"side":${JSON.stringify(side)}`);
  return Buffer.from(`{${parts.join(',')}}`);
}

/** Reads an entry; a record may come with its text or without. @throws bad-chunk */
export function parseChangeEntry(key: Buffer, value: Buffer): ListedChange {
  let entry: { after?: JsonValue; before?: JsonValue; side?: unknown };
  try {
    entry = JSON.parse(value.toString('utf8')) as typeof entry;
  } catch (error) {
    throw new UttrError('bad-chunk', 'an entry of a list of changes is no JSON', { cause: error });
  }
  if (typeof entry.side !== 'string') throw new UttrError('bad-chunk', 'an entry of a list of changes has no side');
  const text = normedText(key);
  return { side: entry.side, before: withText(entry.before, text), after: withText(entry.after, text) };
}

/** The normalised text in a key: its second column, or the first where that is the same. */
function normedText(key: Buffer): string {
  const [folded, normed] = key.toString('utf8').split(String.fromCharCode(TAB));
  return normed === undefined || normed === '' ? (folded ?? '') : normed;
}

/** `text` is the last field of a canonical record. */
function withoutText(record: string, text: string): string {
  const end = `"text":${JSON.stringify(text)}}`;
  if (!record.endsWith(end)) return record;
  const rest = record.slice(0, -end.length);
  return rest === '{' ? '{}' : `${rest.slice(0, -1)}}`;
}

function withText(record: JsonValue | undefined, text: string): string | undefined {
  if (record === undefined) return undefined;
  if (!isObject(record)) throw new UttrError('bad-chunk', 'an entry of a list of changes holds no record');
  return canonicalJson({ text, ...record });
}

function isObject(value: JsonValue): value is { readonly [key: string]: JsonValue | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
