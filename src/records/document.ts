/** Checks documents that were read: manifests and pointers. Whatever does not fit is an error with its place. */
import { parseJson } from '../base/parse-json.ts';
import { type ErrorCode, UttrError } from '../base/errors.ts';
import { type Hash, isHash } from '../base/hash.ts';
import { parseDatasetName } from './dataset-name.ts';
import { isFields } from './row-problems.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Reads the parts of one JSON document; each method returns the value or throws with the document's code. */
export class DocumentReader {
  readonly #code: ErrorCode;
  readonly #what: string;
  readonly #hint: string;

  /** @param what names the document in messages: `manifests/support.json`. */
  constructor(code: ErrorCode, what: string, hint: string) {
    this.#code = code;
    this.#what = what;
    this.#hint = hint;
  }

  fail(reason: string, cause?: unknown, hint = this.#hint): never {
    throw new UttrError(this.#code, `${this.#what} ${reason}`, { hint, cause });
  }

  json(text: string): unknown {
    try {
      return parseJson(text);
    } catch (error) {
      return this.fail('is not JSON', error);
    }
  }

  /** An object with all the required fields and none but these and the optional ones. */
  object(value: unknown, path: string, required: readonly string[], optional: readonly string[] = []): Fields {
    const fields = this.table(value, path);
    for (const name of required) {
      if (!Object.hasOwn(fields, name)) this.fail(`lacks ${at(path, name)}`);
    }
    for (const name of Object.keys(fields)) {
      if (!required.includes(name) && !optional.includes(name)) this.fail(`has a field too many: ${at(path, name)}`);
    }
    return fields;
  }

  /** An object with any names. */
  table(value: unknown, path: string): Fields {
    return isFields(value) ? value : this.fail(`has no object at ${path === '' ? 'its top' : path}`);
  }

  /** The document's format, before anything else of it is read. @throws format-too-new */
  format(value: unknown, known: number): void {
    const format = this.table(value, '')['uttr'];
    if (format === known) return;
    if (this.count(format, 'uttr') < known) this.fail(`has an unknown format: ${String(format)}`);
    throw new UttrError('format-too-new', `${this.#what} has format ${String(format)}; this uttr reads ${known}`, {
      hint: 'install a newer uttr',
    });
  }

  datasetName(value: unknown, path: string): string {
    try {
      return parseDatasetName(this.string(value, path));
    } catch (error) {
      return this.fail(`has no name of a dataset at ${path}`, error);
    }
  }

  list(value: unknown, path: string): readonly unknown[] {
    return Array.isArray(value) ? (value as readonly unknown[]) : this.fail(`has no list at ${path}`);
  }

  string(value: unknown, path: string): string {
    return typeof value === 'string' && value.isWellFormed() ? value : this.fail(`has no text at ${path}`);
  }

  strings(value: unknown, path: string): readonly string[] {
    return this.list(value, path).map((item, index) => this.string(item, `${path}[${index}]`));
  }

  count(value: unknown, path: string): number {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)) return value;
    return this.fail(`has no whole number from 0 at ${path}`);
  }

  hash(value: unknown, path: string): Hash {
    return isHash(value) ? value : this.fail(`has no SHA-256 at ${path}`);
  }

  /** A moment as `Date.prototype.toISOString` prints it. */
  time(value: unknown, path: string): string {
    const text = this.string(value, path);
    const date = new Date(text);
    if (Number.isNaN(date.getTime()) || date.toISOString() !== text) this.fail(`has no time in UTC at ${path}`);
    return text;
  }
}

function at(path: string, name: string): string {
  return path === '' ? name.toWellFormed() : `${path}.${name.toWellFormed()}`;
}
