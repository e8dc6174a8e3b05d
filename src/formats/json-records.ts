/** Records from parsed JSON: an object with the fields as keys, or a pair [text, intent]. */
import { UttrError } from '../base/errors.ts';
import { isNumbered, nameLabels, numberedLabels, type LabelNames } from './class-labels.ts';
import {
  isOwnColumn,
  isSplitWord,
  label,
  mappedTargets,
  missingText,
  targetOf,
  type Field,
  type Target,
} from './fields.ts';
import type { ReadOptions } from './format.ts';
import type { BatchBuilder, LooseDraft, RowSource } from './read-report.ts';

/** After so many objects without a text, the file is not ours; before, an object without one is a bad row. */
const OBJECTS_BEFORE_GIVING_UP = 100;

type Json = Readonly<Record<string, unknown>>;

/** What is filled while the keys of one object are gone through. */
interface ObjectDraft {
  readonly loose: LooseDraft;
  readonly features: Record<string, unknown>;
  readonly meta: Record<string, unknown>;
  split: string | undefined;
}

export class JsonRecords {
  readonly #batch: BatchBuilder;
  readonly #mapped: ReadonlyMap<string, Target>;
  readonly #mappedFields: ReadonlySet<string>;
  readonly #targets = new Map<string, Target>();
  readonly #seen = new Set<string>();
  readonly #labelNames: LabelNames | undefined;
  #objectCount = 0;
  #textCount = 0;

  constructor(batch: BatchBuilder, options: ReadOptions) {
    this.#batch = batch;
    this.#labelNames = options.labelNames;
    this.#mapped = mappedTargets(options.map);
    this.#mappedFields = new Set([...this.#mapped.values()].map(label));
  }

  /**
   * Adds a record, or the problem that it is none.
   *
   * @param part the key under which the document lists the value, if it divides its records by key.
   */
  add(value: unknown, source: RowSource, part?: string): void {
    if (Array.isArray(value)) this.#addPair(value, source, part);
    else if (typeof value === 'object' && value !== null) this.#addObject(value as Json, source, part);
    else {
      const what = value === null ? 'null' : `a ${typeof value}`;
      this.#batch.reject(source, undefined, `${what} is neither an object nor a pair [text, intent]`);
    }
  }

  /** To be called at the end: a file in which no object had a text is refused as a whole. */
  finish(): void {
    if (this.#objectCount > 0 && this.#textCount === 0) throw this.#missing('text');
    for (const [column, target] of this.#mapped) {
      if (!this.#seen.has(column) && this.#objectCount > 0) throw this.#missing(label(target), column);
    }
  }

  #addPair(pair: readonly unknown[], source: RowSource, part: string | undefined): void {
    const [text, intent] = pair;
    if (pair.length !== 2 || typeof text !== 'string' || typeof intent !== 'string') {
      this.#batch.reject(source, undefined, 'a list must be a pair of strings, [text, intent]');
      return;
    }
    this.#batch.add({ text, intent }, source, part);
  }

  #addObject(given: Json, source: RowSource, part: string | undefined): void {
    this.#objectCount++;
    const { object, fault } = this.#named(given);
    if (fault !== undefined) {
      this.#textCount++;
      this.#batch.reject(source, fault.column, fault.message);
      return;
    }
    const plain = this.#mapped.size === 0 && this.#isPlain(object);
    if (plain) {
      this.#textCount++;
      this.#addLoose(object, object, source, part);
      return;
    }
    const keys = Object.keys(object);
    const chosen = this.#choose(keys);
    if (!chosen.has('text')) {
      for (const key of keys) this.#seen.add(key);
      if (this.#textCount === 0 && this.#objectCount >= OBJECTS_BEFORE_GIVING_UP) throw this.#missing('text');
      const found = keys.slice(0, 20).map((key) => `"${key.slice(0, 60)}"`);
      this.#batch.reject(source, 'text', `no "text"; the keys are ${found.join(', ') || 'none'}`);
      return;
    }
    this.#textCount++;
    this.#addChosen(object, keys, chosen, source, part);
  }

  /** The common case, worth its speed: no keys but our own. Such an object is loose as it stands. */
  #isPlain(object: Json): boolean {
    for (const key in object) {
      switch (key) {
        case 'text':
        case 'intent':
        case 'id':
        case 'lang':
        case 'entities':
        case 'features':
        case 'meta':
          break;
        default:
          return false;
      }
      if (!this.#seen.has(key)) this.#see(key, key);
    }
    return 'text' in object;
  }

  /** Which key of an object is which field. */
  #choose(keys: readonly string[]): Map<Field, string> {
    const chosen = new Map<Field, string>();
    for (const key of keys) {
      const target = this.#target(key);
      if (target.field === 'ignored' || target.name !== undefined) continue;
      const other = chosen.get(target.field);
      if (other === undefined || target.rank < this.#target(other).rank) chosen.set(target.field, key);
    }
    return chosen;
  }

  #target(key: string): Target {
    let target = this.#targets.get(key);
    if (target === undefined) {
      const known = targetOf(key);
      const unknown: Target = isOwnColumn(key)
        ? { field: 'ignored', rank: Infinity }
        : { field: 'meta', name: key, rank: Infinity };
      const usable = known !== undefined && !this.#mappedFields.has(known.field);
      target = this.#mapped.get(key) ?? (usable ? known : unknown);
      // Keys may be data (ids as keys); only so many are worth remembering.
      if (this.#targets.size < 10_000) this.#targets.set(key, target);
    }
    return target;
  }

  #addChosen(
    object: Json,
    keys: readonly string[],
    chosen: ReadonlyMap<Field, string>,
    source: RowSource,
    part: string | undefined,
  ): void {
    const draft: ObjectDraft = { loose: {}, features: {}, meta: {}, split: part };
    for (const key of keys) {
      const target = this.#target(key);
      const isWhole = target.name === undefined && chosen.get(target.field as Field) === key;
      this.#see(key, place(draft, key, object[key], target, isWhole));
    }
    if (part === undefined && draft.split !== undefined) this.#batch.report.splitColumn ??= chosen.get('split');
    const fault = this.#mappedButAbsent(object) ?? merge(draft, 'features') ?? merge(draft, 'meta');
    if (fault === undefined) this.#addLoose(draft.loose, object, source, draft.split);
    else this.#batch.reject(source, fault.column, fault.message);
  }

  #addLoose(loose: LooseDraft, object: Json, source: RowSource, split: string | undefined): void {
    if (this.#labelNames !== undefined && isNumbered(loose.intent)) {
      const { report } = this.#batch;
      throw numberedLabels(report.file, report.columnOf('intent'), object);
    }
    this.#batch.add(loose, source, split);
  }

  /** The object with the names of its numbered labels. */
  #named(object: Json): { readonly object: Json; readonly fault?: { column: string; message: string } } {
    if (this.#labelNames === undefined) return { object };
    const named: Record<string, unknown> = { ...object };
    for (const [column, names] of this.#labelNames) {
      if (!Object.hasOwn(object, column)) continue;
      const label = nameLabels(object[column], names);
      if ('fault' in label) return { object, fault: { column, message: label.fault } };
      named[column] = label.value;
    }
    return { object: named };
  }

  #mappedButAbsent(object: Json): { column: string; message: string } | undefined {
    for (const [column, target] of this.#mapped) {
      if ((target.field === 'intent' || target.field === 'text') && !Object.hasOwn(object, column)) {
        return { column, message: `"${column}" is missing` };
      }
    }
    return undefined;
  }

  #see(key: string, field: string): void {
    if (this.#seen.has(key) && this.#batch.report.columns.has(key)) return;
    this.#seen.add(key);
    if (this.#batch.report.columns.size < 1000) this.#batch.report.columns.set(key, field);
  }

  #missing(field: string, column?: string): UttrError {
    const { file } = this.#batch.report;
    const names = [...this.#seen];
    if (column === undefined) return missingText(file, names);
    return new UttrError('missing-column', `${file} has no key "${column}" (wanted for ${field})`, {
      hint: `its keys are ${names.slice(0, 20).join(', ')}`,
      details: { file, column },
    });
  }
}

/** Puts a value where it belongs, and says where that is. */
function place(draft: ObjectDraft, key: string, value: unknown, target: Target, isWhole: boolean): string {
  if (isWhole && target.field === 'split' && (target.mapped === true || isSplitWord(value))) {
    draft.split ??= String(value).trim();
    return 'split';
  }
  if (isWhole && target.field !== 'split') {
    draft.loose[target.field as keyof LooseDraft] = value;
    return target.field;
  }
  if (target.field === 'ignored') return 'ignored';
  const field = target.field === 'features' ? 'features' : 'meta';
  const name = target.name ?? key;
  draft[field][name] = value;
  return `${field}.${name}`;
}

/** Adds single entries to a field that the object may also have as a whole. */
function merge(draft: ObjectDraft, field: 'features' | 'meta'): { column: string; message: string } | undefined {
  const entries = draft[field];
  const names = Object.keys(entries);
  if (names.length === 0) return undefined;
  const whole = draft.loose[field] ?? {};
  // What is no object is left for the record's own checks to refuse.
  if (typeof whole !== 'object' || Array.isArray(whole)) return undefined;
  const twice = names.find((name) => Object.hasOwn(whole, name));
  if (twice !== undefined) return { column: twice, message: `"${twice}" is there twice, also within "${field}"` };
  draft.loose[field] = { ...whole, ...entries };
  return undefined;
}
