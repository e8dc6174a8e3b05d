/**
 * What a batch does to the records of one group.
 */
import { canonicalJson } from '../base/canonical-json.ts';
import { decodeRecord, encodeRecord } from '../records/encode-record.ts';
import { makeRecord } from '../records/make-record.ts';
import type { UtteranceRecord } from '../records/record.ts';
import { FORCED, formatStagedLine, NO_HOME } from './staged-file.ts';

export type ConflictPolicy = 'error' | 'relabel' | 'keep';

export interface ChangeCounts {
  added: number;
  relabelled: number;
  updated: number;
  removed: number;
}

export const noChanges = (): ChangeCounts => ({ added: 0, relabelled: 0, updated: 0, removed: 0 });

/** Where a row of the batch came from. */
export interface Place {
  /** Number of the file in the batch, from 0. */
  readonly file: number;
  /** Record number in its file, from 1. */
  readonly row: number;
  /** Physical line, from 1. */
  readonly line: number;
}

/** One row of a batch on its way into a group. */
export interface IncomingRow {
  readonly key: string;
  readonly kind: 'put' | 'remove' | 'label';
  /** Canonical JSON of the record (`put`), of the new intent (`label`), or empty (`remove`). */
  readonly json: string;
  /** Canonical JSON of the record's label (`put`); empty for none. */
  readonly intent: string;
  /** The side that the file has it on, where that is to be adopted. */
  readonly side: string | undefined;
  readonly place: Place;
}

/** All rows of a batch that share one folded text. */
export interface IncomingGroup {
  readonly fold: string;
  readonly rows: readonly IncomingRow[];
}

/** What an accepted row does; `echoed`: it is new, but its text was there but for case, blanks or punctuation. */
export type RowEffect = 'new' | 'echoed' | 'relabelled' | 'updated' | 'removed';

/** What a row met. `conflict`: another label is there and the policy does not say which one holds. */
export type RowOutcome =
  | { readonly kind: 'accepted'; readonly effect: RowEffect }
  /** `unchanged`: it was there; `repeated`: an earlier row of the batch said so. */
  | { readonly kind: 'unchanged' | 'repeated' | 'kept' | 'absent' }
  | {
      readonly kind: 'conflict';
      readonly text: string;
      readonly existing: string;
      readonly earlier: Place | undefined;
    };

interface Member {
  before: string | undefined;
  /** The record when the batch began: `before`, or what is staged already. */
  prior: string | undefined;
  after: string | undefined;
  /** The row of this batch that wrote `after` last. */
  place: Place | undefined;
}

/** What became of the sides that a file has. */
export interface AdoptedSides {
  /** Groups that were given their side. */
  adopted: number;
  /** Groups that the file has on several sides. */
  divided: number;
  /** Groups that were on another side before, and stay there. */
  settled: number;
  /** Texts of some of the divided ones. */
  readonly examples: string[];
}

export const noSides = (): AdoptedSides => ({ adopted: 0, divided: 0, settled: 0, examples: [] });

/** Texts of divided groups that are kept to be shown. */
const EXAMPLES = 20;

export class GroupState {
  #home: string;
  readonly #members = new Map<string, Member>();

  constructor(home: string) {
    this.#home = home;
  }

  /** As in a line of the staged file. */
  get home(): string {
    return this.#home;
  }

  /**
   * Gives a group that has no side yet the one that the rows of a file say; where they say several, the one that
   * training uses: nothing is ever tested on what may have been trained on.
   *
   * @param order sides, the one that training uses first.
   */
  adopt(rows: readonly IncomingRow[], order: readonly string[], counts: AdoptedSides): void {
    const said = new Set(rows.flatMap(({ side }) => side ?? []));
    if (said.size === 0) return;
    const [home, before] = this.#home.split(FORCED) as [string, string | undefined];
    if (said.size > 1) {
      counts.divided++;
      if (counts.examples.length < EXAMPLES) counts.examples.push(decodeRecord((rows[0] as IncomingRow).json).text);
    }
    if (home !== NO_HOME) {
      if (!said.has(home.replace('~', ''))) counts.settled++;
      return;
    }
    if (before !== undefined) said.add(before);
    this.#home = `${NO_HOME}${FORCED}${order.find((side) => said.has(side)) ?? ''}`;
    counts.adopted++;
  }

  /** A record that is there: as the parent version has it (`before`) and as staged now (`after`). */
  put(key: string, before: string | undefined, after: string | undefined): void {
    this.#members.set(key, { before, prior: after, after, place: undefined });
  }

  /** @param replaceWhole the row is the whole truth: fields it lacks are not kept from the record there */
  apply(row: IncomingRow, policy: ConflictPolicy, replaceWhole: boolean): RowOutcome {
    const member = this.#members.get(row.key);
    if (row.kind === 'put') return this.#applyPut(row, member, policy, replaceWhole);
    if (member?.after === undefined) return { kind: 'absent' };
    const next = row.kind === 'remove' ? undefined : relabel(member.after, row.json);
    if (next === member.after) return duplicate(member);
    member.after = next;
    member.place = row.place;
    return { kind: 'accepted', effect: row.kind === 'remove' ? 'removed' : 'relabelled' };
  }

  #applyPut(row: IncomingRow, member: Member | undefined, policy: ConflictPolicy, replaceWhole: boolean): RowOutcome {
    if (member?.after !== undefined) return putOver(row, member, member.after, policy, replaceWhole);
    const isEcho = [...this.#members.values()].some(({ after }) => after !== undefined);
    this.#members.set(row.key, { before: member?.before, prior: member?.prior, after: row.json, place: row.place });
    return { kind: 'accepted', effect: isEcho ? 'echoed' : 'new' };
  }

  /** Removes every record that no row of this batch has named. */
  removeUnnamed(): void {
    for (const member of this.#members.values()) {
      if (member.place === undefined) member.after = undefined;
    }
  }

  /** Remembers that a row named the record without changing it, for `removeUnnamed`. */
  name(row: IncomingRow): void {
    const member = this.#members.get(row.key);
    if (member !== undefined) member.place ??= row.place;
  }

  /** Counts what the batch changed against what was staged when it began. */
  countChanges(counts: ChangeCounts): void {
    for (const { prior, after } of this.#members.values()) countChange(prior, after, counts);
  }

  /** Counts what the staged file changes against the parent version. */
  countAll(counts: ChangeCounts): void {
    for (const { before, after } of this.#members.values()) countChange(before, after, counts);
  }

  /** Adds what the staged file changes in the number of records of each label, by its canonical JSON. */
  countLabels(counts: Map<string, number>): void {
    const add = (record: string | undefined, count: number): void => {
      const label = intentJson(record);
      if (label !== '') counts.set(label, (counts.get(label) ?? 0) + count);
    };
    for (const { before, after } of this.#members.values()) {
      if (before === after) continue;
      add(before, -1);
      add(after, 1);
    }
  }

  /** Whether the group differs from the parent version at all. */
  get isChanged(): boolean {
    return [...this.#members.values()].some(({ before, after }) => before !== after);
  }

  /** The group's lines for the staged file, in key order. */
  lines(): string[] {
    return [...this.#members]
      .filter(([, { before, after }]) => before !== undefined || after !== undefined)
      .map(([key, member]) => ({ key, bytes: Buffer.from(key), member }))
      .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
      .map(({ key, member }) =>
        formatStagedLine(key, this.#home, intentJson(member.after), member.after, member.before),
      );
  }

  /** Labels in the group now, as canonical JSON. */
  intents(): string[] {
    return [...this.#members.values()].map((member) => intentJson(member.after)).filter((intent) => intent !== '');
  }
}

/** Brings a row together with the record that is there. */
function putOver(
  row: IncomingRow,
  member: Member,
  after: string,
  policy: ConflictPolicy,
  replaceWhole: boolean,
): RowOutcome {
  if (after === row.json) return duplicate(member);
  const there = decodeRecord(after);
  const comes = decodeRecord(row.json);
  const isTruth = replaceWhole && member.place === undefined;
  const next = encodeRecord(isTruth ? comes : combine(there, comes));
  if (next === after) return duplicate(member);
  // With whole replacement the file is the truth, but not against itself.
  if (isOtherLabel(there, comes) && !isTruth) {
    if (policy === 'keep') return { kind: 'kept' };
    if (policy === 'error') {
      return { kind: 'conflict', text: there.text, existing: labelText(there.intent), earlier: member.place };
    }
  }
  member.after = next;
  member.place = row.place;
  return { kind: 'accepted', effect: changeKind(after, next) === 'relabelled' ? 'relabelled' : 'updated' };
}

function duplicate({ place }: Member): RowOutcome {
  return { kind: place === undefined ? 'unchanged' : 'repeated' };
}

/** Adds one to the kind of change between two states of a record. */
export function countChange(before: string | undefined, after: string | undefined, counts: ChangeCounts): void {
  const kind = changeKind(before, after);
  if (kind !== undefined) counts[kind]++;
}

export function changeKind(before: string | undefined, after: string | undefined): keyof ChangeCounts | undefined {
  if (before === after) return undefined;
  if (before === undefined) return 'added';
  if (after === undefined) return 'removed';
  return intentJson(before) === intentJson(after) ? 'updated' : 'relabelled';
}

/** Canonical JSON of a record's label; empty for none. */
export function intentJson(record: string | undefined): string {
  if (record === undefined) return '';
  const { intent } = decodeRecord(record);
  return intent === undefined ? '' : canonicalJson(intent);
}

export function labelText(intent: UtteranceRecord['intent']): string {
  if (intent === undefined) return '(none)';
  return typeof intent === 'string' ? intent : intent.join(' + ');
}

function isOtherLabel(there: UtteranceRecord, comes: UtteranceRecord): boolean {
  if (there.intent === undefined || comes.intent === undefined) return false;
  return canonicalJson(there.intent) !== canonicalJson(comes.intent);
}

/**
 * The record there with what the row says about it: a field the row lacks is kept. The text stays as it is
 * unless the row brings entities, whose offsets hold for the row's own spelling.
 */
function combine(there: UtteranceRecord, comes: UtteranceRecord): UtteranceRecord {
  const takeText = comes.entities !== undefined && comes.entities.length > 0;
  const entities = takeText ? comes.entities : there.entities;
  return {
    ...there,
    ...comes,
    text: takeText ? comes.text : there.text,
    ...(entities === undefined ? {} : { entities }),
    ...mergeField('features', there, comes),
    ...mergeField('meta', there, comes),
  };
}

function mergeField(field: 'features' | 'meta', there: UtteranceRecord, comes: UtteranceRecord): object {
  const merged = { ...there[field], ...comes[field] };
  return Object.keys(merged).length === 0 ? {} : { [field]: merged };
}

function relabel(record: string, intent: string): string {
  const made = makeRecord({ ...decodeRecord(record), intent: JSON.parse(intent) as unknown });
  return 'record' in made ? encodeRecord(made.record) : record;
}
