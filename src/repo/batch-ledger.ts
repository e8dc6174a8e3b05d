/**
 * Every row of a batch with what became of it, in the order of the files: what a report of the batch shows.
 *
 * Rows are staged in the order of their keys, so they are sorted back, on disk where they are many.
 */
import type { RowProblem } from '../formats/format.ts';
import { placeOfRow } from '../formats/row-place.ts';
import { ColumnFinder } from '../formats/table-columns.ts';
import { decodeRecord } from '../records/encode-record.ts';
import { groupOfKey } from '../records/key.ts';
import type { UtteranceRecord } from '../records/record.ts';
import type { BatchEffect, BatchReportRow } from '../report/batch-report.ts';
import type { Lines } from '../tree/lines.ts';
import { RunSorter } from '../tree/sort.ts';
import type { NearDuplicate } from './add-effect.ts';
import { type IncomingRow, labelText, type RowOutcome } from './group-state.ts';
import { FileRunStore } from './run-store.ts';
import type { RowWatcher } from './stage-rows.ts';

/** What is known of a row, or a part of it: parts of one row stand together once they are sorted. */
interface Part {
  readonly line?: number;
  readonly pointer?: string;
  /** Of a row that could not be read, what it says. */
  readonly text?: string;
  /** Of the others, the record. */
  readonly json?: string;
  readonly effect?: BatchEffect;
  readonly problem?: string;
  readonly group?: string;
}

/** Digits of the number of a file, and of a row. */
const FILE_DIGITS = 6;
const ROW_DIGITS = 12;

/** Columns that many batches have nothing in. */
const SELDOM = ['id', 'lang', 'entities'] as const;

const EFFECTS = {
  new: 'new',
  echoed: 'new',
  relabelled: 'relabelled',
  updated: 'updated',
  removed: 'removed',
} as const satisfies Record<string, BatchEffect>;

export class BatchLedger implements RowWatcher {
  readonly #runs: FileRunStore;
  readonly #sorter: RunSorter;
  readonly #finder = new ColumnFinder();
  readonly #used = new Set<string>(['text', 'intent']);

  /** @param folder holds what does not fit into memory, until `close` */
  constructor(folder: string) {
    this.#runs = new FileRunStore(folder);
    this.#sorter = new RunSorter(this.#runs);
  }

  /** Where a row is, in files where its line says too little. */
  place(file: number, row: number, pointer: string | undefined): void {
    if (pointer !== undefined) this.#add(file, row, { pointer });
  }

  /** A row that could not be read. */
  refuse(file: number, { row, line, pointer, message, raw }: RowProblem): void {
    const place = pointer === undefined ? {} : { pointer };
    this.#add(file, row, { line, ...place, text: raw ?? '', effect: 'rejected', problem: message });
  }

  /** A row that a rule of the dataset dropped. */
  drop(file: number, row: number, line: number, text: string): void {
    this.#add(file, row, { line, text, effect: 'rejected', problem: 'dropped by a rule of the dataset' });
  }

  /** What became of a row that was read. */
  settle({ key, json, kind, place }: IncomingRow, outcome: RowOutcome): void {
    if (kind !== 'put') return;
    const record = decodeRecord(json);
    this.#finder.see(record);
    for (const name of SELDOM) if (record[name] !== undefined) this.#used.add(name);
    const problem = problemOf(outcome) || (record.intent === undefined ? 'no intent, so it is on no side' : '');
    const { file, row, line } = place;
    this.#add(file, row, { line, json, effect: effectOf(outcome), problem, group: groupOfKey(key) });
  }

  async spill(): Promise<void> {
    if (this.#sorter.needsDrain) await this.#sorter.drain();
  }

  /** Columns of the rows that were read; complete once all of them are. */
  columns(): readonly string[] {
    return this.#columns().map(([name]) => name);
  }

  /** @param near new texts that are nearly equal to others, by their groups */
  async *rows(
    nameOf: (file: number) => string,
    near: ReadonlyMap<string, NearDuplicate> | undefined,
  ): AsyncIterable<readonly BatchReportRow[]> {
    const table = this.#finder.columns();
    const kept = this.#columns().map(([, index]) => index);
    const cellsOf = (record: UtteranceRecord): string[] => {
      const cells = table.cellsOf(record);
      return kept.map((index) => cells[index] as string);
    };
    const show = (key: string, part: Part): BatchReportRow => reportRow(key, part, { nameOf, near, cellsOf });
    let open: { readonly key: string; part: Part } | undefined;
    for await (const lines of this.#sorter.finish()) {
      const ready: BatchReportRow[] = [];
      for (let index = 0; index < lines.count; index++) {
        const { key, part } = parsePart(lines, index);
        if (open !== undefined && open.key !== key) ready.push(show(open.key, open.part));
        open = open?.key === key ? { key, part: { ...open.part, ...part } } : { key, part };
      }
      if (ready.length > 0) yield ready;
    }
    if (open !== undefined) yield [show(open.key, open.part)];
  }

  async close(): Promise<void> {
    await this.#sorter.close();
    await this.#runs.close();
  }

  /** Columns with their places among all that a table has: those that are seldom used are left out where they are empty. */
  #columns(): (readonly [string, number])[] {
    const all = this.#finder.columns().header.map((name, index) => [name, index] as const);
    return all.filter(([name]) => this.#used.has(name) || !(SELDOM as readonly string[]).includes(name));
  }

  #add(file: number, row: number, part: Part): void {
    const key = `${String(file).padStart(FILE_DIGITS, '0')}${String(row).padStart(ROW_DIGITS, '0')}`;
    this.#sorter.addText(key, `\t${JSON.stringify(part)}\n`);
  }
}

function parsePart({ bytes, starts, keyEnds }: Lines, index: number): { readonly key: string; readonly part: Part } {
  const keyEnd = keyEnds[index] as number;
  const key = bytes.toString('latin1', starts[index], keyEnd);
  return { key, part: JSON.parse(bytes.toString('utf8', keyEnd + 1, (starts[index + 1] as number) - 1)) as Part };
}

interface Shown {
  readonly nameOf: (file: number) => string;
  readonly near: ReadonlyMap<string, NearDuplicate> | undefined;
  readonly cellsOf: (record: UtteranceRecord) => readonly string[];
}

function reportRow(key: string, part: Part, { nameOf, near, cellsOf }: Shown): BatchReportRow {
  const file = nameOf(Number(key.slice(0, FILE_DIGITS)));
  const row = Number(key.slice(FILE_DIGITS));
  const { line = row, pointer, text = '', json, effect = 'unchanged', problem = '', group } = part;
  const alike = effect === 'new' && group !== undefined ? near?.get(group) : undefined;
  const problems = [problem, alike === undefined ? '' : nearWords(alike)].filter((words) => words !== '');
  const place = placeOfRow({ file, line, ...(pointer === undefined ? {} : { pointer }) });
  const rest = { file, row, place, effect, problem: problems.join('; ') };
  if (json === undefined) return { ...rest, text, intent: '', cells: [text] };
  const record = decodeRecord(json);
  const { intent } = record;
  return {
    ...rest,
    text: record.text,
    intent: intent === undefined ? '' : labelText(intent),
    cells: cellsOf(record).map((cell, index) => (index === 1 && intent === undefined ? '' : cell)),
  };
}

function nearWords({ near, sameIntent, similarity }: NearDuplicate): string {
  const other = sameIntent ? '' : `, which is ${near.intent}`;
  return `nearly equal (${similarity.toFixed(2)}) to ${JSON.stringify(near.text)}${other}`;
}

function effectOf(outcome: RowOutcome): BatchEffect {
  switch (outcome.kind) {
    case 'accepted':
      return EFFECTS[outcome.effect];
    case 'repeated':
      return 'duplicate';
    case 'conflict':
      return 'conflict';
    case 'unchanged':
    case 'kept':
    case 'absent':
      return 'unchanged';
  }
}

function problemOf(outcome: RowOutcome): string {
  switch (outcome.kind) {
    case 'accepted':
      return outcome.effect === 'echoed' ? 'the text is there but for case, blanks or punctuation' : '';
    case 'repeated':
      return 'twice in the files';
    case 'kept':
      return 'another label is there, which was kept';
    case 'conflict':
      return `the label is ${outcome.existing} ${outcome.earlier === undefined ? 'in the dataset' : 'in an earlier row'}`;
    case 'unchanged':
    case 'absent':
      return '';
  }
}
