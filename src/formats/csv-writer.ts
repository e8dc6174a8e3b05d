/**
 * Writes tables that the reader of tables reads back as the same records.
 *
 *   header = text intent id lang entities [features] [meta] features.<name>…   (names in order)
 *   intent = the name; a JSON list where there are several, none, or where the name starts with a bracket
 *
 * A feature stands in a column of its own where it is a string that a cell can show: not empty, and under a name
 * that survives as a header. The others (numbers, booleans, null, empty strings) keep their type as JSON in
 * `features`. Two passes: the first finds the columns, so memory does not grow with the records.
 */
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';
import { throwIfAborted } from '../base/errors.ts';
import type { UtteranceRecord } from '../records/record.ts';
import { isReservedName } from './fields.ts';
import { COLUMN_LIMIT, type RecordSource, type WriteOptions, type Writing } from './format.ts';
import { writing } from './write-report.ts';

const FIXED_COLUMNS = ['text', 'intent', 'id', 'lang', 'entities'] as const;

/** Room for the fixed columns, `features` and `meta`. */
const FEATURE_COLUMN_LIMIT = COLUMN_LIMIT - FIXED_COLUMNS.length - 2;

const WRITE_CHARACTERS = 256 * 1024;

/**
 * What a spreadsheet takes for the start of a formula, full-width forms included (OWASP, CSV injection).
 * Apostrophes may stand before it already: one more is added, so that taking one away is exact.
 */
const FORMULA_START = /^'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/u;

interface TableColumns {
  readonly features: readonly string[];
  readonly hasFeatures: boolean;
  readonly hasMeta: boolean;
}

/** Writes records as rows of cells. */
export function writeTable(source: RecordSource, delimiter: string, options: WriteOptions): Writing {
  const row = rowFormatter(delimiter, options);
  return writing(async function* (report) {
    const columns = await findColumns(source, options.signal);
    const featureColumns = new Set(columns.features);
    let text = row([
      ...FIXED_COLUMNS,
      ...(columns.hasFeatures ? ['features'] : []),
      ...(columns.hasMeta ? ['meta'] : []),
      ...columns.features.map((name) => `features.${name}`),
    ]);
    for await (const records of source()) {
      throwIfAborted(options.signal);
      for (const record of records) text += row(cellsOf(record, columns, featureColumns));
      report.records += records.length;
      if (text.length < WRITE_CHARACTERS) continue;
      yield Buffer.from(text);
      text = '';
    }
    if (text !== '') yield Buffer.from(text);
  });
}

/** Quotes cells where they need it, and ends the row. */
export function rowFormatter(delimiter: string, options: WriteOptions): (cells: readonly string[]) => string {
  const lineEnd = options.lineEnd ?? '\n';
  const escape = options.escapeFormulas === true;
  // A cell with blanks at its ends needs no quotes by the rules, but other readers trim it without.
  const needsQuotes = (cell: string): boolean => /["\r\n]|^\s|\s$/u.test(cell) || cell.includes(delimiter);
  return (cells) => {
    const quoted = cells.map((cell) => {
      const safe = escape && FORMULA_START.test(cell) ? `'${cell}` : cell;
      return needsQuotes(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
    });
    return quoted.join(delimiter) + lineEnd;
  };
}

/** Takes away the apostrophe that `escapeFormulas` put before a cell. */
export function unescapeFormula(cell: string): string {
  return cell.startsWith("'") && FORMULA_START.test(cell) ? cell.slice(1) : cell;
}

async function findColumns(source: RecordSource, signal: AbortSignal | undefined): Promise<TableColumns> {
  const names = new Set<string>();
  let hasFeatures = false;
  let hasMeta = false;
  for await (const records of source()) {
    throwIfAborted(signal);
    for (const record of records) {
      hasMeta ||= record.meta !== undefined;
      for (const [name, value] of Object.entries(record.features ?? {})) {
        if (names.size <= FEATURE_COLUMN_LIMIT && isCell(name, value)) names.add(name);
        else hasFeatures = true;
      }
      hasFeatures ||= record.features !== undefined && Object.keys(record.features).length === 0;
    }
  }
  const features = [...names].sort().slice(0, FEATURE_COLUMN_LIMIT);
  return { features, hasFeatures: hasFeatures || names.size > features.length, hasMeta };
}

function isCell(name: string, value: unknown): boolean {
  return typeof value === 'string' && value !== '' && name !== '' && name === name.trim() && !isReservedName(name);
}

function cellsOf(record: UtteranceRecord, columns: TableColumns, featureColumns: ReadonlySet<string>): string[] {
  const cells = [
    record.text,
    intentCell(record.intent),
    record.id ?? '',
    record.lang ?? '',
    record.entities === undefined ? '' : json(record.entities),
  ];
  if (columns.hasFeatures) cells.push(restOfFeatures(record, featureColumns));
  if (columns.hasMeta) cells.push(record.meta === undefined ? '' : json(record.meta));
  for (const name of columns.features) {
    const value = record.features?.[name];
    cells.push(isCell(name, value) ? (value as string) : '');
  }
  return cells;
}

function intentCell(intent: UtteranceRecord['intent']): string {
  if (intent === undefined) return '[]';
  if (typeof intent !== 'string') return json(intent);
  return intent.startsWith('[') ? json([intent]) : intent;
}

/** The features that no column of their own carries. */
function restOfFeatures(record: UtteranceRecord, featureColumns: ReadonlySet<string>): string {
  const entries = Object.entries(record.features ?? {});
  const rest = entries.filter(([name, value]) => !featureColumns.has(name) || !isCell(name, value));
  const isEmptyObject = record.features !== undefined && entries.length === 0;
  return rest.length === 0 && !isEmptyObject ? '' : json(Object.fromEntries(rest));
}

function json(value: unknown): string {
  return canonicalJson(value as JsonValue);
}
