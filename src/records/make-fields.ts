/** Features and meta of a loose record, made plain: own copies that JSON can carry without loss. */
import type { JsonValue } from '../base/canonical-json.ts';
import { RecentTexts } from './recent-texts.ts';
import type { FeatureValue } from './record.ts';
import { isFields, kindOf, nameProblem, type RowProblems, stringProblem } from './row-problems.ts';

/** Features that a record may have. */
export const FEATURE_LIMIT = 200;
/** UTF-8 bytes of a feature's value, and of any string in meta. */
export const VALUE_LIMIT_BYTES = 131_072;
/** Levels of lists and objects in meta; below JSON_DEPTH_LIMIT, for meta is itself inside a record. */
export const META_DEPTH_LIMIT = 60;

/** Names of features that were found fine. */
const fineNames = new RecentTexts<true>();

/** Checks and copies flat features; undefined where none is left. */
export function makeFeatures(
  given: unknown,
  problems: RowProblems,
): Readonly<Record<string, FeatureValue>> | undefined {
  if (!isFields(given)) {
    problems.add('features', `is ${kindOf(given)}, not an object`);
    return undefined;
  }
  const names = Object.keys(given);
  if (names.length > FEATURE_LIMIT) {
    problems.add('features', `has ${names.length} fields, more than the ${FEATURE_LIMIT} allowed`);
    return undefined;
  }
  const features: Record<string, FeatureValue> = {};
  let count = 0;
  for (const name of names) {
    const value = given[name];
    if (value === undefined) continue;
    const problem = featureNameProblem(name) ?? featureProblem(value);
    if (problem === undefined) {
      features[name] = withoutMinusZero(value as FeatureValue);
      count++;
    } else {
      problems.add(`features.${name.toWellFormed()}`, problem);
    }
  }
  return count === 0 ? undefined : features;
}

function featureNameProblem(name: string): string | undefined {
  if (fineNames.get(name) === true) return undefined;
  const problem = nameProblem(name);
  if (problem === undefined) fineNames.set(name, true);
  return problem;
}

function featureProblem(value: unknown): string | undefined {
  if (typeof value === 'string') return stringProblem(value, VALUE_LIMIT_BYTES);
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `is ${value}, which JSON cannot carry`;
  if (typeof value === 'boolean' || value === null) return undefined;
  return `is ${kindOf(value)}; features are flat`;
}

/** JSON prints -0 as 0; a record must read back as what it was. */
function withoutMinusZero<T>(value: T): T | 0 {
  return value === 0 ? 0 : value;
}

/** Checks and copies meta; undefined where none is left. */
export function makeMeta(given: unknown, problems: RowProblems): Readonly<Record<string, unknown>> | undefined {
  if (!isFields(given)) {
    problems.add('meta', `is ${kindOf(given)}, not an object`);
    return undefined;
  }
  const meta = copyFields(given, 'meta', 1, problems);
  return Object.keys(meta).length === 0 ? undefined : meta;
}

function copyFields(
  given: Readonly<Record<string, unknown>>,
  path: string,
  depth: number,
  problems: RowProblems,
): Record<string, JsonValue> {
  const copy: Record<string, JsonValue> = {};
  for (const name of Object.keys(given)) {
    const value = given[name];
    if (value === undefined) continue;
    const problem = nameProblem(name);
    if (problem === undefined) copy[name] = copyValue(value, `${path}.${name}`, depth, problems);
    else problems.add(path, `has a field whose name ${problem}`);
  }
  return copy;
}

function copyValue(value: unknown, path: string, depth: number, problems: RowProblems): JsonValue {
  if (typeof value === 'object' && value !== null) {
    if (depth >= META_DEPTH_LIMIT) {
      problems.add('meta', `is nested deeper than ${META_DEPTH_LIMIT} levels`);
      return null;
    }
    if (Array.isArray(value)) {
      return (value as readonly unknown[]).map((item, at) => copyValue(item, `${path}[${at}]`, depth + 1, problems));
    }
    if (isFields(value)) return copyFields(value, path, depth + 1, problems);
    problems.add(path, 'is something that JSON cannot carry');
    return null;
  }
  // A list may hold undefined where a JavaScript caller left a hole; JSON.stringify makes null of it too.
  if (value === undefined) return null;
  const problem = featureProblem(value);
  if (problem === undefined) return withoutMinusZero(value as FeatureValue);
  problems.add(path, problem);
  return null;
}
