/**
 * JSON as rows may hold it: nothing that JSON.parse would accept and quietly change.
 *
 * Refused: nesting over the limit, keys that occur twice (one value would be lost), keys that reach a prototype,
 * and whole numbers whose last digits would be lost (beyond 2^53, most are).
 */
import { parseJson } from '../base/parse-json.ts';
import { JSON_DEPTH_LIMIT } from '../base/canonical-json.ts';
import { UttrError } from '../base/errors.ts';
import { isReservedName } from './fields.ts';

/** Below this length, JSON can be parsed first and measured afterwards, however deep it is. */
const SAFE_TO_PARSE_LENGTH = 4096;

/** What ends a key where blanks stand before the colon. */
const SPACED_KEY = /"\s+:/u;

/** Parses one JSON value. @throws bad-row, saying what is wrong and where in the text. */
export function parseStrictJson(text: string): unknown {
  if (text.length > SAFE_TO_PARSE_LENGTH) checkDepth(text);
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new UttrError('bad-row', `not valid JSON: ${explain(text, error as Error)}`);
  }
  const seen: Seen = { keyCount: 0, hasLargeNumber: false };
  inspect(value, 1, seen);
  if (seen.hasLargeNumber) refuseLostDigits(text);
  // Each key brings one colon. More colons than keys: some stand in strings, or a key was overwritten.
  if (count(text, ':') !== seen.keyCount && !areKeysPlain(text, seen.keyCount)) refuseRepeatedKeys(text);
  return value;
}

/** What a parsed value holds that calls for a closer look at its text. */
interface Seen {
  keyCount: number;
  hasLargeNumber: boolean;
}

function inspect(value: unknown, depth: number, seen: Seen): void {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new UttrError('bad-row', 'a number is too large');
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) seen.hasLargeNumber = true;
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth > JSON_DEPTH_LIMIT) throw tooDeep();
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item !== 'string') inspect(item, depth + 1, seen);
    return;
  }
  const object = value as Readonly<Record<string, unknown>>;
  // Objects from JSON.parse have no inherited enumerable keys.
  for (const key in object) {
    seen.keyCount++;
    if (isReservedName(key)) throw new UttrError('bad-row', `the key "${key}" is not allowed`);
    const item = object[key];
    if (typeof item !== 'string') inspect(item, depth + 1, seen);
  }
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/uy;

/** Whole numbers of so few digits are exact. */
const EXACT_DIGITS = 15;

/** Compares each whole number in valid JSON with what it prints as. */
function refuseLostDigits(text: string): void {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x22) {
      index = stringEnd(text, index) - 1;
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      NUMBER.lastIndex = index;
      const [digits] = NUMBER.exec(text) as RegExpExecArray;
      index += digits.length - 1;
      if (digits.length <= EXACT_DIGITS || !/^-?\d+$/u.test(digits) || String(Number(digits)) === digits) continue;
      throw new UttrError('bad-row', `the number ${digits.slice(0, 40)} would lose digits: write it as a string`);
    }
  }
}

function tooDeep(): UttrError {
  return new UttrError('bad-row', `nested deeper than ${JSON_DEPTH_LIMIT} levels`);
}

/** Whether the quotes before colons are those of so many keys: a quote inside a string would be one more. */
function areKeysPlain(text: string, keyCount: number): boolean {
  return count(text, '":') === keyCount && !SPACED_KEY.test(text);
}

function count(text: string, part: string): number {
  let found = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) found++;
  return found;
}

/** Index after the closing quote of the string that opens at `open`; the text's length if it is not closed. */
export function stringEnd(text: string, open: number): number {
  let close = text.indexOf('"', open + 1);
  while (close >= 0) {
    let escapes = 0;
    while (text.charCodeAt(close - 1 - escapes) === 0x5c) escapes++;
    if (escapes % 2 === 0) return close + 1;
    close = text.indexOf('"', close + 1);
  }
  return text.length;
}

function checkDepth(text: string): void {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x22) index = stringEnd(text, index) - 1;
    else if (code === 0x7b || code === 0x5b) depth++;
    else if (code === 0x7d || code === 0x5d) depth--;
    if (depth > JSON_DEPTH_LIMIT) throw tooDeep();
  }
}

/** Walks valid JSON and compares the keys of each object. */
function refuseRepeatedKeys(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x7b) open.push(new Set());
    else if (code === 0x5b) open.push(undefined);
    else if (code === 0x7d || code === 0x5d) open.pop();
    if (code !== 0x22) continue;
    const end = stringEnd(text, index);
    const keys = open.at(-1);
    if (keys !== undefined && /^\s*:/u.test(text.slice(end, end + 64))) noteKey(keys, text.slice(index, end));
    index = end - 1;
  }
}

function noteKey(keys: Set<string>, quoted: string): void {
  const key = JSON.parse(quoted) as string;
  if (keys.has(key)) throw new UttrError('bad-row', `the key "${key}" occurs twice`);
  keys.add(key);
}

/** V8's message without its copy of the text, and the position as a column. */
function explain(text: string, error: Error): string {
  const position = /at position (\d+)/u.exec(error.message)?.[1];
  const what = error.message
    .replace(/ in JSON at position.*$/su, '')
    .replace(/, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/su, '')
    .replace(/ after JSON at position.*$/su, ' after the value');
  const [, token] = /^Unexpected token '(.+)'$/su.exec(what) ?? [];
  const at = position === undefined ? text.indexOf(token ?? '\0') : Number(position);
  const lowered = what.charAt(0).toLowerCase() + what.slice(1);
  return at < 0 ? lowered : `${lowered} at character ${at + 1}`;
}
