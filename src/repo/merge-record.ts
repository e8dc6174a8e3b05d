/**
 * Three-way merge of one record, field by field.
 *
 * A state that is that of a common version is unchanged; what one branch changed holds, what both changed in the
 * same way holds too. A field both changed differently is a conflict of the whole record, for a person to settle.
 */
import { parseJson } from '../base/parse-json.ts';
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';

/** What becomes of a value; undefined: both branches changed it, each in its own way. */
type Picked<T> = { readonly value: T } | undefined;

type Json = Readonly<Record<string, JsonValue>>;

/** Fields that hold fields of their own, merged one by one. */
const NESTED = ['features', 'meta'] as const;

/** Entities hold positions in the text: the two are one thing. */
const TOGETHER = ['text', 'entities'] as const;

/**
 * Merges a record. States are canonical JSON, undefined where the record is not there.
 *
 * @param bases the record in each common version: one as a rule, several after merges in both directions
 */
export function mergeRecord(
  bases: readonly (string | undefined)[],
  ours: string | undefined,
  theirs: string | undefined,
): Picked<string | undefined> {
  const whole = pick(bases, ours, theirs);
  if (whole !== undefined || ours === undefined || theirs === undefined) return whole;
  const fields = mergeFields(
    bases.flatMap((base) => (base === undefined ? [] : [parseJson(base) as Json])),
    parseJson(ours) as Json,
    parseJson(theirs) as Json,
  );
  return fields && { value: canonicalJson(fields.value) };
}

function mergeFields(bases: readonly Json[], ours: Json, theirs: Json): Picked<Json> {
  const merged: Record<string, JsonValue> = {};
  const names = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
  for (const name of TOGETHER) names.delete(name);
  for (const name of NESTED) {
    if (!names.delete(name)) continue;
    const nested = mergeEach(
      bases.map((base) => nestedOf(base, name)),
      nestedOf(ours, name),
      nestedOf(theirs, name),
    );
    if (nested === undefined) return undefined;
    if (Object.keys(nested.value).length > 0) merged[name] = nested.value;
  }
  const only = (record: Json, wanted: Iterable<string>): Json =>
    Object.fromEntries([...wanted].flatMap((name) => (name in record ? [[name, record[name] as JsonValue]] : [])));
  const rest = mergeEach(
    bases.map((base) => only(base, names)),
    only(ours, names),
    only(theirs, names),
  );
  const spoken = pick(
    bases.map((base) => canonicalJson(only(base, TOGETHER))),
    canonicalJson(only(ours, TOGETHER)),
    canonicalJson(only(theirs, TOGETHER)),
  );
  if (rest === undefined || spoken === undefined) return undefined;
  return { value: { ...merged, ...rest.value, ...(parseJson(spoken.value) as Json) } };
}

function nestedOf(record: Json, name: string): Json {
  const value = record[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function mergeEach(bases: readonly Json[], ours: Json, theirs: Json): Picked<Json> {
  const merged: Record<string, JsonValue> = {};
  for (const name of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const state = (record: Json): string | undefined => {
      const value = record[name];
      return value === undefined ? undefined : canonicalJson(value);
    };
    const picked = pick(bases.map(state), state(ours), state(theirs));
    if (picked === undefined) return undefined;
    if (picked.value !== undefined) merged[name] = parseJson(picked.value) as JsonValue;
  }
  return { value: merged };
}

/** With several common versions, a state that any of them has is unchanged. */
function pick<T>(bases: readonly (T | undefined)[], ours: T, theirs: T): Picked<T> {
  if (ours === theirs) return { value: ours };
  const known = bases.length === 0 ? [undefined] : bases;
  const [oursIsOld, theirsIsOld] = [known.includes(ours), known.includes(theirs)];
  if (oursIsOld === theirsIsOld) return undefined;
  return { value: oursIsOld ? theirs : ours };
}
