/**
 * What hyparquet gives for a value, as JSON would have it.
 *
 * Texts are checked: bytes that are no UTF-8 are kept apart, where a decoder would put other characters in their place.
 * Whole numbers of 64 bits become numbers where those are exact. Times become ISO 8601.
 */
import type { ParquetReadOptions } from 'hyparquet';
import { isUtf8 } from 'node:buffer';
import { damaged } from './thrift-structs.ts';

/** Bytes that are no text. */
const BYTES = Symbol('bytes');

/** JSON that a column of type JSON holds. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function textOf(bytes: Uint8Array): string | typeof BYTES {
  if (!isUtf8(bytes)) return BYTES;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** How hyparquet is to decode bytes and numbers that stand for something else. */
export const PARSERS: NonNullable<ParquetReadOptions['parsers']> = {
  stringFromBytes: textOf,
  jsonFromBytes: (bytes) => {
    const text = textOf(bytes);
    return typeof text === 'string' ? new JsonText(text) : text;
  },
  geometryFromBytes: () => BYTES,
  geographyFromBytes: () => BYTES,
  timestampFromMilliseconds: (millis) => isoTime(BigInt(millis) * 1_000_000n, 3),
  timestampFromMicroseconds: (micros) => isoTime(BigInt(micros) * 1000n, 6),
  timestampFromNanoseconds: (nanos) => isoTime(BigInt(nanos), 9),
  dateFromDays: (days) => isoTime(BigInt(days) * 86_400_000_000_000n, 0),
};

/** With so many digits of the second as the column has; none for a day. */
function isoTime(nanos: bigint, digits: 0 | 3 | 6 | 9): string {
  const second = 1_000_000_000n;
  const rest = ((nanos % second) + second) % second;
  const date = new Date(Number((nanos - rest) / 1_000_000n));
  if (Number.isNaN(date.getTime())) return `${nanos}`;
  const whole = date.toISOString();
  if (digits === 0) return whole.slice(0, whole.indexOf('T'));
  return whole.replace(/\.\d+Z$/u, `.${String(rest).padStart(9, '0').slice(0, digits)}Z`);
}

/** Whether a value is bytes, or has some in it: a record cannot carry them. */
export function hasBytes(value: unknown): boolean {
  if (isBytes(value)) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasBytes);
}

function isBytes(value: unknown): boolean {
  return value === BYTES || ArrayBuffer.isView(value);
}

/**
 * The value as JSON has it. In structs, what is null is left out: all rows of a column have all its keys.
 *
 * @throws bad-row for what JSON cannot carry
 */
export function plainValue(value: unknown): unknown {
  if (typeof value === 'bigint') return wholeNumber(value);
  if (typeof value === 'number') return Number.isNaN(value) ? null : value;
  if (isBytes(value)) throw damaged('holds bytes that are no text in UTF-8');
  if (typeof value !== 'object' || value === null) return value ?? null;
  if (value instanceof JsonText) return value.text;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (Array.isArray(value)) return value.map(plainValue);
  // A key of a map may reach the prototype.
  if (Object.getPrototypeOf(value) !== Object.prototype) throw damaged('has a key that is not allowed');
  const fields = Object.entries(value).map(([key, item]) => [key, plainValue(item)] as const);
  return Object.fromEntries(fields.filter(([, item]) => item !== null));
}

function wholeNumber(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw damaged(`holds the number ${value}, which would lose digits: write it as a text`);
}
