/**
 * Which columns a table of records has, and what stands in them. Serves every writer of tables.
 *
 *   header = text intent id lang entities [features] [meta] features.<name>…   (names in order)
 *   intent = the name; a JSON list where there are several, none, or where the name starts with a bracket
 *
 * A feature stands in a column of its own where it is a string that a cell can show: not empty, and under a name
 * that survives as a header. The others (numbers, booleans, null, empty strings) keep their type as JSON in
 * `features`. TableRecords reads all of this back.
 */
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';
import { throwIfAborted } from '../base/errors.ts';
import type { UtteranceRecord } from '../records/record.ts';
import { isReservedName } from './fields.ts';
import { COLUMN_LIMIT, type RecordSource } from './format.ts';

const FIXED_COLUMNS = ['text', 'intent', 'id', 'lang', 'entities'] as const;

/** Room for the fixed columns, `features` and `meta`. */
const FEATURE_COLUMN_LIMIT = COLUMN_LIMIT - FIXED_COLUMNS.length - 2;

/** The columns that some records need. */
export class TableColumns {
  readonly #features: readonly string[];
  readonly #ownFeatures: ReadonlySet<string>;
  readonly #hasFeatures: boolean;
  readonly #hasMeta: boolean;

  constructor(features: readonly string[], hasFeatures: boolean, hasMeta: boolean) {
    this.#features = features;
    this.#ownFeatures = new Set(features);
    this.#hasFeatures = hasFeatures;
    this.#hasMeta = hasMeta;
  }

  /** Passes over all records once, so memory does not grow with them. @param visit sees each record */
  static async find(
    source: RecordSource,
    signal: AbortSignal | undefined,
    visit?: (record: UtteranceRecord) => void,
  ): Promise<TableColumns> {
    const finder = new ColumnFinder();
    for await (const records of source()) {
      throwIfAborted(signal);
      for (const record of records) {
        visit?.(record);
        finder.see(record);
      }
    }
    return finder.columns();
  }

  get header(): readonly string[] {
    return [
      ...FIXED_COLUMNS,
      ...(this.#hasFeatures ? ['features'] : []),
      ...(this.#hasMeta ? ['meta'] : []),
      ...this.#features.map((name) => `features.${name}`),
    ];
  }

  /** One cell for each name of the header. */
  cellsOf(record: UtteranceRecord): string[] {
    const cells = [
      record.text,
      intentCell(record.intent),
      record.id ?? '',
      record.lang ?? '',
      record.entities === undefined ? '' : json(record.entities),
    ];
    if (this.#hasFeatures) cells.push(this.#restOfFeatures(record));
    if (this.#hasMeta) cells.push(record.meta === undefined ? '' : json(record.meta));
    for (const name of this.#features) {
      const value = record.features?.[name];
      cells.push(isCell(name, value) ? (value as string) : '');
    }
    return cells;
  }

  /** The features that no column of their own carries. */
  #restOfFeatures(record: UtteranceRecord): string {
    const entries = Object.entries(record.features ?? {});
    const rest = entries.filter(([name, value]) => !this.#ownFeatures.has(name) || !isCell(name, value));
    const isEmptyObject = record.features !== undefined && entries.length === 0;
    return rest.length === 0 && !isEmptyObject ? '' : json(Object.fromEntries(rest));
  }
}

/** Finds the columns that records need, as they go by. */
export class ColumnFinder {
  readonly #names = new Set<string>();
  #hasFeatures = false;
  #hasMeta = false;

  see({ features, meta }: UtteranceRecord): void {
    this.#hasMeta ||= meta !== undefined;
    for (const [name, value] of Object.entries(features ?? {})) {
      if (this.#names.size <= FEATURE_COLUMN_LIMIT && isCell(name, value)) this.#names.add(name);
      else this.#hasFeatures = true;
    }
    this.#hasFeatures ||= features !== undefined && Object.keys(features).length === 0;
  }

  columns(): TableColumns {
    const features = [...this.#names].sort().slice(0, FEATURE_COLUMN_LIMIT);
    return new TableColumns(features, this.#hasFeatures || this.#names.size > features.length, this.#hasMeta);
  }
}

/** What stands for the intents of a record. */
export function intentCell(intent: UtteranceRecord['intent']): string {
  if (intent === undefined) return '[]';
  if (typeof intent !== 'string') return json(intent);
  return intent.startsWith('[') ? json([intent]) : intent;
}

function isCell(name: string, value: unknown): boolean {
  return typeof value === 'string' && value !== '' && name !== '' && name === name.trim() && !isReservedName(name);
}

function json(value: unknown): string {
  return canonicalJson(value as JsonValue);
}
