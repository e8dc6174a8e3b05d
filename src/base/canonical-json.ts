/**
 * Canonical JSON: RFC 8785 (JCS), one line, keys sorted by UTF-16 code units.
 *
 * JSON.stringify already prints numbers and escapes strings as RFC 8785 asks (ECMAScript 2019 and later);
 * what is left to do is the order of keys, and refusing what JSON cannot carry.
 */
import { UttrError } from './errors.ts';
import type { JsonValue } from './json.ts';

export type { JsonValue } from './json.ts';

/** Nesting that any document of ours may have. */
export const JSON_DEPTH_LIMIT = 64;

/**
 * Prints a value in its one canonical form. Keys whose value is undefined are left out.
 *
 * @throws bad-record for numbers JSON cannot carry, lone surrogates, and nesting over 64 levels.
 * @see RFC 8785, section 3.2
 */
export function canonicalJson(value: JsonValue): string {
  return print(value, 0);
}

function print(value: JsonValue, depth: number): string {
  if (typeof value === 'string') return printString(value);
  if (typeof value === 'number') return printNumber(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (depth >= JSON_DEPTH_LIMIT) {
    throw new UttrError('bad-record', `nested deeper than ${JSON_DEPTH_LIMIT} levels`);
  }
  if (Array.isArray(value)) {
    return `[${(value as readonly JsonValue[]).map((item) => print(item, depth + 1)).join(',')}]`;
  }
  return printObject(value as { readonly [key: string]: JsonValue | undefined }, depth);
}

function printObject(value: { readonly [key: string]: JsonValue | undefined }, depth: number): string {
  let out = '{';
  // The default sort compares UTF-16 code units, which is the order RFC 8785 asks for.
  for (const key of Object.keys(value).sort()) {
    const item = value[key];
    if (item === undefined) continue;
    if (out.length > 1) out += ',';
    out += `${printString(key)}:${print(item, depth + 1)}`;
  }
  return `${out}}`;
}

function printString(text: string): string {
  if (!text.isWellFormed()) throw new UttrError('bad-record', 'a string holds half of a surrogate pair');
  return JSON.stringify(text);
}

function printNumber(value: number): string {
  if (!Number.isFinite(value)) throw new UttrError('bad-record', `${value} is not a number JSON can carry`);
  // JSON.stringify prints -0 as 0, as RFC 8785 asks.
  return JSON.stringify(value);
}
