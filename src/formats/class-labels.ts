/**
 * Labels that a file gives as whole numbers, while their names stand elsewhere (ClassLabel of Hugging Face).
 *
 * The names are found in three shapes: in JSON by column (the footer of a Parquet file, dataset_infos.json), and in
 * YAML as a list of columns (the front matter of README.md), where their keys may be the numbers as strings.
 */
import { UttrError } from '../base/errors.ts';
import { targetOf } from './fields.ts';
import { isFields, type Fields } from '../records/row-problems.ts';

/** By column, the name of each number. */
export type LabelNames = ReadonlyMap<string, readonly string[]>;

/** What Hugging Face writes where a row has no label. */
const NO_LABEL = -1;
/** More names than this are no labels. */
const NAME_LIMIT = 100_000;

/** The names that `features` give, as JSON or as YAML; what is not understood gives none. */
export function labelNamesOf(features: unknown): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const [column, feature] of columnsOf(features)) {
    const names = namesOf(feature) ?? namesOf(innerOf(feature));
    if (names !== undefined) found.set(column, names);
  }
  return found;
}

function columnsOf(features: unknown): (readonly [string, Fields])[] {
  if (Array.isArray(features)) {
    return features.filter(isFields).flatMap((column) => {
      const { name } = column;
      return typeof name === 'string' ? [[name, column] as const] : [];
    });
  }
  if (!isFields(features)) return [];
  return Object.entries(features).flatMap(([column, feature]) => {
    const inner = Array.isArray(feature) && feature.length === 1 ? (feature[0] as unknown) : feature;
    return isFields(inner) ? [[column, inner] as const] : [];
  });
}

/** What a list is of. */
function innerOf(feature: Fields): Fields {
  const inner = feature['feature'] ?? feature['sequence'] ?? feature['list'];
  return isFields(inner) ? inner : {};
}

function namesOf(feature: Fields): readonly string[] | undefined {
  const { dtype } = feature;
  const label = feature['class_label'] ?? (isFields(dtype) ? dtype['class_label'] : undefined);
  const names = isFields(label) ? label['names'] : feature['_type'] === 'ClassLabel' ? feature['names'] : undefined;
  if (Array.isArray(names)) return names.length <= NAME_LIMIT ? names.map(String) : undefined;
  return isFields(names) ? namesByNumber(names) : undefined;
}

/** Only a list without gaps is one: a wrong name would be worse than none. */
function namesByNumber(names: Fields): readonly string[] | undefined {
  const count = Object.keys(names).length;
  if (count > NAME_LIMIT) return undefined;
  const list: string[] = [];
  for (let number = 0; number < count; number++) {
    if (!Object.hasOwn(names, String(number))) return undefined;
    list.push(String(names[String(number)]));
  }
  return list;
}

/** A value with names in place of its numbers, undefined for no label; or why it has none. */
export type NamedLabels = { readonly value: unknown } | { readonly fault: string };

/** Puts names in place of numbers; names that stand there already stay. */
export function nameLabels(value: unknown, names: readonly string[]): NamedLabels {
  if (!Array.isArray(value)) return nameLabel(value, names);
  const labels: unknown[] = [];
  for (const item of value) {
    const named = nameLabel(item, names);
    if ('fault' in named) return named;
    if (named.value !== undefined) labels.push(named.value);
  }
  return { value: labels };
}

function nameLabel(value: unknown, names: readonly string[]): NamedLabels {
  const number = typeof value === 'string' && /^-?\d{1,9}$/u.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || (typeof value === 'string' && names.includes(value))) return { value };
  if (number === NO_LABEL) return { value: undefined };
  const name = names[number];
  if (name !== undefined) return { value: name };
  return { fault: `${number} is none of the ${names.length} labels, which are numbered from 0` };
}

/** Whether a label is, or has among its parts, a number. */
export function isNumbered(label: unknown): boolean {
  return typeof label === 'number' || (Array.isArray(label) && label.some((item) => typeof item === 'number'));
}

/** The error for labels that are numbers without names. @param row where a column with the names may be */
export function numberedLabels(file: string, column: string, row: Fields = {}): UttrError {
  const named = Object.keys(row).find(
    (key) => key !== column && targetOf(key)?.field !== 'text' && typeof row[key] === 'string' && isNameLike(key),
  );
  return new UttrError(
    'bad-format',
    `${file}: the labels in "${column}" are numbers, and nothing says what they mean`,
    {
      hint:
        named === undefined
          ? 'a number is no name that stays; add the names (ClassLabel in README.md or in the file), or a column with them'
          : `if their names are in "${named}", say --map intent=${named}`,
      details: { file, column },
    },
  );
}

function isNameLike(key: string): boolean {
  return /label|intent|categor|class|name/iu.test(key);
}
