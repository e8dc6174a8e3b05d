/** What can be wrong with the fields of a row, and the limits that strings in a record obey. */

/** UTF-8 bytes of a text after trimming. */
export const TEXT_LIMIT_BYTES = 32_768;
/** UTF-8 bytes of a name: of an intent, an id, a language, an entity's type, role or group, a feature. */
export const NAME_LIMIT_BYTES = 500;

/** One thing that is wrong with a row. */
export interface FieldProblem {
  readonly code: 'bad-row';
  /** The field of the record: `text`, `entities[0].end`, `features.role`, … */
  readonly column: string;
  /** Without the place of the row, which the caller knows. */
  readonly message: string;
}

/** Collects all that is wrong with one row. */
export class RowProblems {
  readonly found: FieldProblem[] = [];

  /** @param claim follows the quoted column in the message: `is empty`. */
  add(column: string, claim: string): void {
    this.found.push({ code: 'bad-row', column, message: `"${column}" ${claim}` });
  }
}

/** Names that mean something to every JavaScript object; as fields they would be lost or do harm. */
const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

const CONTROL = /\p{Cc}/u;

/** What forbids this string, if anything does: half a surrogate pair, NUL, too many bytes. */
export function stringProblem(text: string, limitBytes: number): string | undefined {
  if (!text.isWellFormed()) return 'holds half of a surrogate pair';
  if (text.includes('\0')) return 'holds a NUL character';
  // No UTF-16 code unit takes more than three bytes, so most strings need no counting.
  if (text.length * 3 > limitBytes) {
    const sizeBytes = Buffer.byteLength(text);
    if (sizeBytes > limitBytes) return `has ${sizeBytes} bytes, more than the ${limitBytes} allowed`;
  }
  return undefined;
}

/** What forbids this string as a name: all that forbids a string, and what would break lines, tables or objects. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (FORBIDDEN_NAMES.has(name)) return `may not be ${name}`;
  return stringProblem(name, NAME_LIMIT_BYTES) ?? (CONTROL.test(name) ? 'holds a control character' : undefined);
}

/** Names the kind of a value for a message. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

/** An object as JSON has it. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a value is an object with named fields, as JSON knows them. */
export function isFields(value: unknown): value is Fields {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
