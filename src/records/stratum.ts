/**
 * Strata and labels: by what records are kept in proportion, and by what they are counted.
 */
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';
import { fieldValue } from './field.ts';
import type { UtteranceRecord } from './record.ts';

/**
 * The stratum of a record: canonical JSON of the list of its stratify fields, null for one it lacks. With the
 * default fields it is `["order_status"]`, or `[["a","b"]]` for several labels.
 *
 * @param stratify the dataset's stratify fields in the order of its split policy, which is part of the manifest.
 */
export function stratumOf(record: UtteranceRecord, stratify: readonly string[]): string {
  return canonicalJson(stratify.map((field) => (fieldValue(record, field) ?? null) as JsonValue));
}

/** Canonical JSON of a record's label, by which manifests count records; empty for none. */
export function labelKey(intent: UtteranceRecord['intent']): string {
  return intent === undefined ? '' : canonicalJson(intent);
}

/** The single labels that a label key stands for: none, one or several. */
export function labelNames(key: string): readonly string[] {
  if (key === '') return [];
  const label = JSON.parse(key) as string | readonly string[];
  return typeof label === 'string' ? [label] : label;
}
