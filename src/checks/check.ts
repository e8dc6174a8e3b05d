/**
 * What a check is: a rule about the data that looks at records once, group by group, and tells what it found.
 *
 * A check is pure: what it needs besides the records is in its scene. It keeps only what it needs, and several run
 * together in one pass.
 */
import { fieldValue } from '../records/field.ts';
import { UNLABELLED_PLACE } from '../records/manifest.ts';
import type { UtteranceRecord } from '../records/record.ts';
import type { IntentCounts } from './intent-counts.ts';
import type { Parameters, Values } from './parameters.ts';

/** error: `check` ends with 1. warn: somebody should look. info: good to know. */
export type Severity = 'error' | 'warn' | 'info';

export const SEVERITIES: readonly Severity[] = ['error', 'warn', 'info'];

/** A record with where it is: its side (or `unlabelled`), and its group, the first column of its key. */
export interface CheckedRecord {
  readonly record: UtteranceRecord;
  readonly side: string;
  readonly group: string;
}

/** A record as a finding names it. */
export interface FoundRecord {
  readonly text: string;
  readonly intent: string | readonly string[] | null;
  readonly side: string;
}

/** A problem as a check tells it. */
export interface Draft {
  /** What the finding is about, in words that stay when the data grows: its id is made of them. */
  readonly subject: readonly string[];
  readonly records?: readonly CheckedRecord[];
  /** Intents that it is about; those of the records where absent. */
  readonly intents?: readonly string[];
  /** Where to look: `text`, `entities[1]`, `intent greet`, `dataset`. */
  readonly place: string;
  readonly message: string;
  /** What to do. */
  readonly hint: string;
  /** Lower than the check's severity where this finding weighs less. */
  readonly severity?: Severity;
}

/** Called with two labelled groups whose texts are alike. Return false to end the search. */
export type UsePair = (a: CheckedRecord, b: CheckedRecord, similarity: number) => boolean;

/** What a check may know of the version, and where it tells. */
export interface Scene {
  /** Sides of the version, the largest share first: that is the one models are trained on. */
  readonly sides: readonly string[];
  /** Fields that make two records with equal texts different ones. */
  readonly identity: readonly string[];
  /** Intents of the parent version; undefined where there is none. */
  readonly parentIntents: ReadonlySet<string> | undefined;
  /** Sides that records of a group have left in some earlier version. */
  readonly leftSides: (group: string) => readonly string[];
  /** Records of the whole version; there once all records were seen. */
  readonly rows: () => number;
  /** Texts of the whole version by intent and side; there once all records were seen. */
  readonly counts: () => IntentCounts;
  /** Intents that are to be told about, in their order: all, or those that the change touches. */
  readonly intents: () => readonly string[];
  /** Whether all records of the version are seen, or only the groups that a change touches. */
  readonly isWhole: boolean;
  /** Labelled groups that were seen, by the record that stands for each; there once all records were seen. */
  readonly texts: () => readonly CheckedRecord[];
  /**
   * Tells the pairs of groups, of which at least one was seen, with the share of trigrams that they have in common
   * (Jaccard), where it reaches the threshold; there once all records were seen.
   *
   * @returns false when `use` ended it
   */
  readonly pairs: (threshold: number, use: UsePair) => boolean;
  readonly find: (draft: Draft) => void;
}

/** One run of a check over one version. */
export interface CheckRun {
  /** Sees some of the records that a change leaves alone, before the others: to compare with, not to tell of. */
  readonly context?: (records: readonly CheckedRecord[]) => void;
  /** Sees all records of a group together, the groups in their order. */
  readonly group?: (records: readonly CheckedRecord[]) => void;
  /** Is called once, after the last group. */
  readonly finish?: () => void;
}

/** What a check has to see of the records. */
export type Sight = 'records' | 'repeats' | 'nothing';

export interface Check<P extends Parameters = Parameters> {
  readonly name: string;
  /** What it finds, in one line. */
  readonly title: string;
  /** The severity of its findings by default, and at most. */
  readonly severity: Severity;
  readonly parameters: P;
  /** Loads what it needs, before it starts. */
  readonly prepare?: () => Promise<void>;
  /** The least threshold for which it asks for pairs; undefined where it asks for none. */
  readonly likeness?: (values: Values<P>) => number;
  /** Its errors stop no commit: what they ask for comes with the next batch. */
  readonly stopsNoCommit?: boolean;
  /** Whether it must see every record (the default), texts that are there more than once, or none. */
  readonly looksAt?: (values: Values<P>, isWhole: boolean) => Sight;
  /** It reads `scene.leftSides`. */
  readonly needsHistory?: (values: Values<P>) => boolean;
  readonly start: (scene: Scene, values: Values<P>) => CheckRun;
}

/** A check whose parameters are of its own kind, as one of many. */
export function defineCheck<P extends Parameters>(check: Check<P>): Check {
  return check as unknown as Check;
}

/** The labels of a record: none, one or several. */
export function intentsOf(record: UtteranceRecord): readonly string[] {
  const { intent } = record;
  if (intent === undefined) return [];
  return typeof intent === 'string' ? [intent] : intent;
}

/** An utterance for a message: whole when short. */
export function quote(text: string): string {
  const characters = Array.from(text.slice(0, 200));
  return JSON.stringify(characters.length > 60 ? `${characters.slice(0, 59).join('')}…` : text);
}

/** Names for a message: `"a", "b" and 3 more`. */
export function quoteNames(names: readonly string[], limit = 5): string {
  const shown = names.slice(0, limit).map((name) => quote(name));
  return names.length > limit ? `${shown.join(', ')} and ${names.length - limit} more` : shown.join(', ');
}

/** The record that stands for its group wherever texts are compared; undefined when none has a label. */
export function labelled(group: readonly CheckedRecord[]): CheckedRecord | undefined {
  return group.find(({ side }) => side !== UNLABELLED_PLACE);
}

/** Records of a group that say the same thing: those that agree in the dataset's identity fields. */
export function alike(group: readonly CheckedRecord[], identity: readonly string[]): (readonly CheckedRecord[])[] {
  if (group.length < 2 || identity.length === 0) return [group];
  const parts = Map.groupBy(group, ({ record }) =>
    JSON.stringify(identity.map((field) => fieldValue(record, field) ?? null)),
  );
  return [...parts.values()];
}
