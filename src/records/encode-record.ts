/**
 * Records as canonical JSON (RFC 8785, one line), and back.
 *
 * R11  encodeRecord gives what canonicalJson gives.
 * R12  decodeRecord(encodeRecord(r)) equals r for every made record; bytes that are not exactly what encodeRecord
 *      gives for some made record are refused.
 */
import { parseJson } from '../base/parse-json.ts';
import { isUtf8 } from 'node:buffer';
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';
import { UttrError } from '../base/errors.ts';
import { makeRecord } from './make-record.ts';
import type { UtteranceRecord } from './record.ts';
import { isFields } from './row-problems.ts';

/** Prints a record in its one canonical form. */
export function encodeRecord(record: UtteranceRecord): string {
  // The fields in the order of RFC 8785, written out: records are encoded by the million.
  let out = '{';
  if (record.entities !== undefined) out += `"entities":${canonicalJson(record.entities as unknown as JsonValue)},`;
  if (record.features !== undefined) out += `"features":${encodeFeatures(record.features)},`;
  if (record.id !== undefined) out += `"id":${encodeString(record.id)},`;
  if (record.intent !== undefined) {
    const { intent } = record;
    out += `"intent":${typeof intent === 'string' ? encodeString(intent) : canonicalJson(intent)},`;
  }
  if (record.lang !== undefined) out += `"lang":${encodeString(record.lang)},`;
  if (record.meta !== undefined) out += `"meta":${canonicalJson(record.meta as JsonValue)},`;
  return `${out}"text":${encodeString(record.text)}}`;
}

/** A string without anything that JSON escapes, and without surrogates that might stand alone. */
const PLAIN = /^[ !#-[\]-~\u00a0-\ud7ff]*$/u;

function encodeString(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : canonicalJson(text);
}

function encodeFeatures(features: NonNullable<UtteranceRecord['features']>): string {
  let out = '{';
  let last = '';
  for (const name in features) {
    // Names that are out of order, or the empty one, are the general printer's business.
    if (name <= last) return canonicalJson(features);
    last = name;
    const value = features[name];
    if (value === undefined) continue;
    if (out.length > 1) out += ',';
    out += `${encodeString(name)}:${typeof value === 'string' ? encodeString(value) : canonicalJson(value)}`;
  }
  return `${out}}`;
}

/** Reads a stored record. @throws bad-chunk when it is not exactly the canonical form of a valid record. */
export function decodeRecord(json: string | Buffer): UtteranceRecord {
  if (typeof json !== 'string' && !isUtf8(json)) throw badChunk('it is not UTF-8');
  const text = typeof json === 'string' ? json : json.toString('utf8');
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw badChunk('it is not JSON', error);
  }
  if (!isFields(value)) throw badChunk('it is not an object');
  const made = makeRecord(value);
  if ('problems' in made) throw badChunk(made.problems.map((problem) => problem.message).join('; '));
  // One comparison finds what the checks let pass: other spaces, orders or escapes, unknown and double fields.
  if (encodeRecord(made.record) !== text) throw badChunk('it is not in its canonical form');
  return made.record;
}

function badChunk(reason: string, cause?: unknown): UttrError {
  return new UttrError('bad-chunk', `a stored record cannot be read: ${reason}`, { hint: 'run: uttr fsck', cause });
}
