/** Formats that are one JSON document: parsed as a whole, then gone through part by part. */
import { isUttrError, UttrError } from '../base/errors.ts';
import { ENTITY_LIMIT } from '../records/make-entities.ts';
import { isFields, TEXT_LIMIT_BYTES, type Fields } from '../records/row-problems.ts';
import { readDocument } from './document.ts';
import type { ByteInput, ReadOptions } from './format.ts';
import type { ReportBuilder } from './read-report.ts';
import { parseStrictJson } from './strict-json.ts';

/** Names that a note shows. */
const SHOWN_NAMES = 10;
const SHOWN_LENGTH = 60;

/** The whole input as JSON. @throws bad-format: no text, no JSON, or JSON that could not be kept as it is */
export async function readJson(input: ByteInput, report: ReportBuilder, options: ReadOptions): Promise<unknown> {
  const text = await readDocument(input, report, options);
  if (text.trim() === '')
    throw new UttrError('bad-format', `${input.name} is empty`, { details: { file: input.name } });
  try {
    return parseStrictJson(text);
  } catch (error) {
    if (!isUttrError(error, 'bad-row')) throw error;
    const line = lineOf(text, error.message);
    throw new UttrError('bad-format', `${input.name}${line === undefined ? '' : `:${line}`}: ${error.message}`, {
      hint: 'was it cut off, or changed by hand?',
      details: { file: input.name, ...(line === undefined ? {} : { line }) },
      cause: error,
    });
  }
}

/** The line of the place that a message of the parser names. */
function lineOf(text: string, message: string): number | undefined {
  const [, character] = /at character (\d+)$/u.exec(message) ?? [];
  return character === undefined ? undefined : text.slice(0, Number(character)).split('\n').length;
}

/** The error for a document that is not of the shape that was asked for. */
export function wrongShape(file: string, what: string, hint: string): UttrError {
  return new UttrError('bad-format', `${file}: ${what}`, { hint, details: { file } });
}

/** The value as a list; empty where it is none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value as an object; empty where it is none. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** A name that says something; undefined for none, null or blanks. */
export function given(value: unknown): unknown {
  return typeof value === 'string' && value.trim() === '' ? undefined : (value ?? undefined);
}

/** The fields of an object that are not among the known ones; undefined where there are none. */
export function restOf(fields: Fields, known: ReadonlySet<string>): Fields | undefined {
  const rest = Object.entries(fields).filter(([name]) => !known.has(name));
  return rest.length === 0 ? undefined : Object.fromEntries(rest);
}

/** The start of a text, for messages. */
export function clipped(text: string): string {
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}

/** The names of a list of definitions, by the key that holds them. */
export function namesIn(list: unknown, key: string): readonly string[] {
  return listOf(list)
    .map((item) => fieldsOf(item)[key])
    .map((name, index) => (typeof name === 'string' ? name : `#${index + 1}`));
}

/** Counts what a file holds beside its utterances, naming some of it. */
export function noteSideInformation(report: ReportBuilder, what: string, names: readonly string[]): void {
  if (names.length === 0) return;
  const shown = names.slice(0, SHOWN_NAMES).map(clipped);
  report.note(
    'side-information',
    `${what}: ${shown.join(', ')}${names.length > shown.length ? ', …' : ''}`,
    names.length,
  );
}

/** What became of the list of marked stretches of an utterance. */
export type Labels = { readonly entities: readonly Fields[] } | { readonly problem: string };

/**
 * Goes through the list of marked stretches of an utterance.
 *
 * Stops where there are more than a record may have, or the text is longer than one may be: to place them takes time
 * in proportion to both.
 *
 * @param text as the file has it; where it is no text, nothing is gone through, for the row is refused for that.
 * @param read makes entities of one item, or says what is wrong with it.
 * @param column what messages call the list.
 */
export function readLabels(
  text: unknown,
  list: unknown,
  read: (text: string, item: Fields) => readonly Fields[] | string,
  column = 'entities',
): Labels {
  if (typeof text !== 'string' || list === undefined || list === null) return { entities: [] };
  if (!Array.isArray(list)) return { problem: `"${column}" is not a list` };
  if (list.length > 0 && text.length > TEXT_LIMIT_BYTES) {
    return { problem: `"text" has more than the ${TEXT_LIMIT_BYTES} characters that entities are placed in` };
  }
  const entities: Fields[] = [];
  for (const [index, item] of (list as readonly unknown[]).entries()) {
    const made = isFields(item) ? read(text, item) : 'is not an object';
    if (typeof made === 'string') return { problem: `"${column}[${index}]" ${made}` };
    entities.push(...made);
    if (entities.length > ENTITY_LIMIT) return { problem: `"${column}" has more than the ${ENTITY_LIMIT} allowed` };
  }
  return { entities };
}
