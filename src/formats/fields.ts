/**
 * Which column, or key of an object, is which field of a record.
 *
 * Names are recognised whatever their case and the blanks around them. Where two columns could be one field
 * (`text` and `query`), the name that comes first below wins, and the other is kept like any unknown column.
 */
import { hintFor, nearest } from '../base/near-miss.ts';
import { UttrError } from '../base/errors.ts';
import type { ReadOptions } from './format.ts';

export type Field = 'text' | 'intent' | 'id' | 'lang' | 'entities' | 'features' | 'meta' | 'split';

/** What a column is used as. With a `name`, one entry of `features` or `meta`; without, the field itself. */
export interface Target {
  readonly field: Field | 'ignored';
  readonly name?: string;
  /** Smaller wins where two columns name one field. */
  readonly rank: number;
  /** The user said so, so a value that is not there is a problem. */
  readonly mapped?: true;
}

const ALIASES: Readonly<Record<Field, readonly string[]>> = {
  text: ['text', 'utterance', 'query', 'phrase', 'example', 'sentence'],
  intent: ['intent', 'label', 'category', 'class'],
  id: ['id'],
  lang: ['lang', 'language', 'locale'],
  entities: ['entities'],
  features: ['features'],
  meta: ['meta'],
  split: ['split', 'dataset'],
};

/** The column that a rejects file adds; readers pass over it, so that a mended file can be read as it is. */
export const PROBLEM_COLUMN = 'uttr_problem';

/** Whether a column, or a key, is one that uttr adds to what it gives back. */
export function isOwnColumn(name: string): boolean {
  return name.startsWith(OWN_PREFIX);
}

const OWN_PREFIX = 'uttr_';

/** Names that would reach an object's prototype. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Whether a key may not name a column or a key of a record. */
export function isReservedName(name: string): boolean {
  return RESERVED_NAMES.has(name);
}

const KNOWN: ReadonlyMap<string, Target> = new Map(
  Object.entries(ALIASES).flatMap(([field, names]) =>
    names.map((name, rank) => [name, { field: field as Field, rank }] as const),
  ),
);

/** What sets call their parts; only such a value in a column `split` or `dataset` is taken for one. */
const SPLIT_WORDS: ReadonlySet<string> = new Set(
  'train training test testing val valid validation dev development eval evaluation holdout'.split(' '),
);

/** Whether a value says that a row belongs to a part of the set. */
export function isSplitWord(value: unknown): value is string {
  return typeof value === 'string' && SPLIT_WORDS.has(value.trim().toLowerCase());
}

/** The target that a name stands for by itself; undefined for names that mean nothing to us. */
export function targetOf(name: string): Target | undefined {
  return KNOWN.get(name.trim().toLowerCase());
}

/** Columns that were mapped by the user, by name. @throws bad-option */
export function mappedTargets(map: ReadOptions['map']): ReadonlyMap<string, Target> {
  const targets = new Map<string, Target>();
  for (const [field, column] of Object.entries(map ?? {})) {
    if (targets.has(column)) {
      throw new UttrError('bad-option', `column "${column}" is mapped twice`, {
        hint: 'a column can be only one field',
      });
    }
    targets.set(column, { ...parseField(field), rank: -1, mapped: true });
  }
  return targets;
}

function parseField(text: string): { field: Field; name?: string } {
  if (Object.hasOwn(ALIASES, text)) return { field: text as Field };
  const [, field, name] = /^(features|meta)\.(.+)$/su.exec(text) ?? [];
  if (field === undefined || name === undefined || isReservedName(name)) {
    throw new UttrError('bad-option', `"${text}" is not a field of a record`, {
      hint: hintFor(text, [...Object.keys(ALIASES), 'features.<name>', 'meta.<name>'], 'fields'),
    });
  }
  return { field: field as Field, name };
}

/**
 * Decides what each column of a table is.
 *
 * @throws missing-column when there is no text, or a mapped column is not there; bad-format for names that
 *   occur twice or are reserved.
 */
export function resolveHeader(file: string, header: readonly string[], map: ReadOptions['map']): readonly Target[] {
  const mapped = mappedTargets(map);
  const names = header.map((name) => name.trim());
  refuseBadNames(file, names);
  for (const [column, target] of mapped) {
    if (names.includes(column)) continue;
    throw new UttrError('missing-column', `${file} has no column "${column}" (wanted for ${label(target)})`, {
      hint: hintFor(column, names, 'columns'),
      details: { file, column },
    });
  }
  const claimed = new Set<Field>();
  for (const target of mapped.values()) if (target.name === undefined) claimed.add(target.field as Field);
  const winners = new Map<Field, number>();
  names.forEach((name, index) => {
    const target = targetOf(name);
    if (target === undefined || mapped.has(name) || claimed.has(target.field as Field)) return;
    const best = winners.get(target.field as Field);
    const bestRank = best === undefined ? Infinity : (targetOf(names[best] as string)?.rank ?? Infinity);
    if (target.rank < bestRank) winners.set(target.field as Field, index);
  });
  const targets = names.map((name, index): Target => {
    const known = targetOf(name);
    if (mapped.has(name)) return mapped.get(name) as Target;
    return known !== undefined && winners.get(known.field as Field) === index ? known : tableTarget(name);
  });
  if (!targets.some((target) => target.field === 'text')) throw missingText(file, names);
  return targets;
}

/** A column of a table that is no known field. */
function tableTarget(name: string): Target {
  if (isOwnColumn(name)) return { field: 'ignored', rank: 0 };
  const [, field, rest] = /^(features|meta)\.(.+)$/isu.exec(name) ?? [];
  if (field !== undefined && rest !== undefined && !isReservedName(rest)) {
    return { field: field.toLowerCase() as Field, name: rest, rank: 0 };
  }
  return { field: 'features', name, rank: 0 };
}

function refuseBadNames(file: string, names: readonly string[]): void {
  const seen = new Map<string, number>();
  names.forEach((name, index) => {
    if (isReservedName(name) || isReservedName(name.replace(/^(?:features|meta)\./u, ''))) {
      throw new UttrError('bad-format', `${file}: column ${index + 1} may not be called "${name}"`, {
        hint: 'rename the column',
        details: { file, line: 1, column: index + 1 },
      });
    }
    const before = name === '' ? undefined : seen.get(name);
    if (before !== undefined) {
      throw new UttrError('bad-format', `${file}: columns ${before + 1} and ${index + 1} are both called "${name}"`, {
        hint: 'rename one of them',
        details: { file, line: 1, column: index + 1 },
      });
    }
    seen.set(name, index);
  });
}

/** The error for a file in which nothing is the text. */
export function missingText(file: string, names: readonly string[]): UttrError {
  const shown = names.slice(0, 20).map((name) => `"${name.slice(0, 60)}"`);
  const near = names.find((name) => name !== '' && nearest(name, ALIASES.text) !== undefined);
  const guess = near ?? names.find((name) => name !== '') ?? 'Column';
  return new UttrError('missing-column', `${file} has no column for the text; it has ${shown.join(', ')}`, {
    hint: `say which column is which: --map text=${quoteArgument(guess)} (intent=… likewise); if the first line is data already, --columns text,intent`,
    details: { file },
  });
}

function quoteArgument(text: string): string {
  const short = text.slice(0, 60);
  return /^[\w.-]+$/u.test(short) ? short : `"${short}"`;
}

/** A target as the user would name it: `text`, `features.role`. */
export function label(target: Target): string {
  return target.name === undefined ? target.field : `${target.field}.${target.name}`;
}
