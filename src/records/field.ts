/**
 * Fields of a record that a dataset may name in its configuration, for identity and for strata.
 *
 * A name is `intent`, `lang`, `id`, or `features.` and the name of a feature.
 */
import type { FeatureValue, UtteranceRecord } from './record.ts';

const FEATURES = 'features.';

/** Whether `name` is a field that strata may be formed by. */
export function isStratumField(name: string): boolean {
  return name === 'intent' || name === 'lang' || isFeatureField(name);
}

/**
 * Whether `name` is a field that may be part of a record's identity. The intent may not: to change a label would
 * then be to make another record.
 */
export function isIdentityField(name: string): boolean {
  return name === 'id' || name === 'lang' || isFeatureField(name);
}

function isFeatureField(name: string): boolean {
  return name.startsWith(FEATURES) && name.length > FEATURES.length && name.isWellFormed();
}

/** The value of a field; undefined where the record lacks it. */
export function fieldValue(record: UtteranceRecord, name: string): FeatureValue | readonly string[] | undefined {
  if (name === 'intent') return record.intent;
  if (name === 'lang') return record.lang;
  if (name === 'id') return record.id;
  const { features } = record;
  if (features === undefined || !name.startsWith(FEATURES)) return undefined;
  const feature = name.slice(FEATURES.length);
  // A plain look-up would find what every object inherits.
  return Object.hasOwn(features, feature) ? features[feature] : undefined;
}
