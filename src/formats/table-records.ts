/** Records from the rows of a table whose columns are known. Serves every format that is a table. */
import { isObject } from '../base/json.ts';
import { isUttrError, UttrError } from '../base/errors.ts';
import { nameLabels, type LabelNames } from './class-labels.ts';
import { isSplitWord, label, resolveHeader, type Target } from './fields.ts';
import type { ReadOptions } from './format.ts';
import type { BatchBuilder, LooseDraft, RowSource } from './read-report.ts';
import { parseStrictJson } from './strict-json.ts';

type Entries = Record<string, unknown>;

/** What is filled while the cells of one row are read. */
interface RowDraft {
  readonly loose: LooseDraft;
  features: Entries | undefined;
  meta: Entries | undefined;
  split: string | undefined;
}

/** A cell that does not hold what its column is for. */
interface CellFault {
  readonly column: string;
  readonly message: string;
}

export class TableRecords {
  readonly #batch: BatchBuilder;
  readonly #names: readonly string[];
  readonly #targets: readonly Target[];
  readonly #labelNames: LabelNames | undefined;

  /** @throws missing-column, bad-format: see resolveHeader. */
  constructor(batch: BatchBuilder, header: readonly string[], options: ReadOptions) {
    const { report } = batch;
    this.#batch = batch;
    this.#labelNames = options.labelNames;
    this.#names = header.map((name) => name.trim());
    this.#targets = resolveHeader(report.file, header, options.map);
    report.header = header;
    this.#targets.forEach((target, index) => {
      const name = this.#names[index] as string;
      if (name === '') return;
      report.columns.set(name, label(target));
      if (target.field === 'split') report.splitColumn = name;
    });
  }

  get columnCount(): number {
    return this.#names.length;
  }

  /** What each column is used as. */
  get targets(): readonly Target[] {
    return this.#targets;
  }

  /** Adds the record of a row with `columnCount` cells, or its problem. @throws bad-format */
  add(cells: readonly string[], source: RowSource): void {
    const draft: RowDraft = { loose: {}, features: undefined, meta: undefined, split: undefined };
    for (let index = 0; index < this.#targets.length; index++) {
      const cell = cells[index] as string;
      if (cell === '' && !this.#mustHaveValue(index)) continue;
      const fault = this.#readNamed(index, cell, draft, source);
      if (fault !== undefined) {
        this.#batch.reject(source, fault.column, fault.message);
        return;
      }
    }
    if (draft.features !== undefined) draft.loose.features = draft.features;
    if (draft.meta !== undefined) draft.loose.meta = draft.meta;
    this.#batch.add(draft.loose, source, draft.split);
  }

  #mustHaveValue(index: number): boolean {
    const { field } = this.#targets[index] as Target;
    return field === 'text' || field === 'intent';
  }

  /** As `read`, with the name of a label that is a number. */
  #readNamed(index: number, cell: string, draft: RowDraft, source: RowSource): CellFault | undefined {
    const column = this.#names[index] as string;
    const names = cell === '' ? undefined : this.#labelNames?.get(column);
    if (names === undefined) return this.#read(index, cell, draft, source);
    const label = nameLabels(cell, names);
    if ('fault' in label) return { column, message: label.fault };
    if (label.value !== undefined) return this.#read(index, label.value as string, draft, source);
    if (this.#targets[index]?.field === 'intent') draft.loose.intent = [];
    return undefined;
  }

  #read(index: number, cell: string, draft: RowDraft, source: RowSource): CellFault | undefined {
    const target = this.#targets[index] as Target;
    const column = this.#names[index] as string;
    if (column === '') throw this.#unnamed(index, source);
    switch (target.field) {
      case 'text':
        draft.loose.text = cell;
        return undefined;
      case 'intent':
        draft.loose.intent = intentOf(cell);
        return undefined;
      case 'id':
      case 'lang':
        draft.loose[target.field] = cell;
        return undefined;
      case 'entities':
        return readJson(column, cell, Array.isArray, 'a JSON list', (value) => {
          draft.loose.entities = value;
        });
      case 'features':
      case 'meta':
        return readEntries(column, cell, target, draft);
      case 'split':
        if (target.mapped === true || isSplitWord(cell)) draft.split = cell.trim();
        else return put(draft, 'features', column, cell);
        return undefined;
      case 'ignored':
        return undefined;
    }
  }

  #unnamed(index: number, source: RowSource): UttrError {
    const { file } = this.#batch.report;
    const { row, line } = source;
    const message = `${file}:${line}: column ${index + 1} has no name but row ${row} has a value there`;
    return new UttrError('bad-format', message, {
      hint: 'give the column a name, or remove it',
      details: { file, row, line, column: index + 1 },
    });
  }
}

/**
 * One intent, or several as a JSON list. An empty list says that the row has none on purpose; an empty cell is
 * more likely an oversight, and the record's own checks refuse it.
 */
export function intentOf(cell: string): string | readonly string[] {
  if (!cell.startsWith('[')) return cell;
  try {
    const value = parseStrictJson(cell);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : cell;
  } catch (error) {
    // A name that starts with a bracket is unusual, but is a name.
    if (!isUttrError(error, 'bad-row')) throw error;
    return cell;
  }
}

function readEntries(column: string, cell: string, target: Target, draft: RowDraft): CellFault | undefined {
  const field = target.field as 'features' | 'meta';
  if (target.name !== undefined) return put(draft, field, target.name, cell);
  let fault: CellFault | undefined;
  const parsed = readJson(column, cell, isObject, 'a JSON object', (value) => {
    for (const [name, entry] of Object.entries(value as object)) fault ??= put(draft, field, name, entry);
  });
  return parsed ?? fault;
}

function put(draft: RowDraft, field: 'features' | 'meta', name: string, value: unknown): CellFault | undefined {
  const entries = (draft[field] ??= {});
  if (Object.hasOwn(entries, name))
    return { column: name, message: `"${name}" is there twice, also within "${field}"` };
  entries[name] = value;
  return undefined;
}

function readJson(
  column: string,
  cell: string,
  isWanted: (value: unknown) => boolean,
  wanted: string,
  use: (value: unknown) => void,
): CellFault | undefined {
  if (cell.trim() === '') return undefined;
  try {
    const value = parseStrictJson(cell);
    if (!isWanted(value)) return { column, message: `"${column}" is not ${wanted}` };
    use(value);
    return undefined;
  } catch (error) {
    if (!isUttrError(error, 'bad-row')) throw error;
    return { column, message: `"${column}" is not ${wanted}: ${error.message}` };
  }
}
