/** Entities of a loose record: checked against the text, and moved with it when its ends are trimmed. */
import type { Entity } from './record.ts';
import { isFields, kindOf, nameProblem, type RowProblems, stringProblem, TEXT_LIMIT_BYTES } from './row-problems.ts';
import { trim } from './text.ts';

/** Entities that a record may have. */
export const ENTITY_LIMIT = 1000;

const FIELDS: ReadonlySet<string> = new Set(['start', 'end', 'type', 'role', 'group', 'value', 'text']);

type Draft = { -readonly [Key in keyof Entity]: Entity[Key] };

/**
 * Checks entities whose offsets count in `given`, and returns them with offsets that count in its trimmed form,
 * sorted by start, then longer first, each once.
 *
 * An entity that reaches into whitespace that is trimmed away is cut to what is left: labellers mark the blank
 * after a last word often. One that covers nothing else is a problem.
 */
export function makeEntities(given: string, loose: unknown, problems: RowProblems): readonly Entity[] {
  if (!Array.isArray(loose)) {
    problems.add('entities', `is ${kindOf(loose)}, not a list`);
    return [];
  }
  if (loose.length > ENTITY_LIMIT) {
    problems.add('entities', `has ${loose.length} items, more than the ${ENTITY_LIMIT} allowed`);
    return [];
  }
  if (loose.length === 0) return [];
  const text = new CodePoints(given);
  const entities: Entity[] = [];
  for (const [at, item] of (loose as readonly unknown[]).entries()) {
    const entity = makeEntity(text, item, `entities[${at}]`, problems);
    if (entity !== undefined) entities.push(entity);
  }
  return sortedDistinct(entities);
}

/** A text that is sliced by code points, and where its trimmed form lies in it. */
class CodePoints {
  readonly count: number;
  readonly trimmedStart: number;
  readonly trimmedEnd: number;
  readonly #text: string;
  /** Only where code points and UTF-16 code units differ. */
  readonly #points: readonly string[] | undefined;

  constructor(text: string) {
    this.#text = text;
    this.#points = /[\ud800-\udfff]/.test(text) ? Array.from(text) : undefined;
    this.count = this.#points?.length ?? text.length;
    const trimmed = trim(text);
    // Whitespace is all in the basic plane, so what is trimmed counts the same in both units.
    this.trimmedStart = text.indexOf(trimmed);
    this.trimmedEnd = this.count - (text.length - trimmed.length - this.trimmedStart);
  }

  slice(start: number, end: number): string {
    return this.#points === undefined ? this.#text.slice(start, end) : this.#points.slice(start, end).join('');
  }
}

function makeEntity(text: CodePoints, loose: unknown, path: string, problems: RowProblems): Entity | undefined {
  if (!isFields(loose)) {
    problems.add(path, `is ${kindOf(loose)}, not an object`);
    return undefined;
  }
  const before = problems.found.length;
  for (const name of Object.keys(loose)) {
    if (!FIELDS.has(name)) problems.add(path, `has a field that entities do not have: ${name.toWellFormed()}`);
  }
  const draft = makeSpan(text, loose, path, problems);
  setName(draft, 'type', loose['type'], path, problems);
  if (draft.type === '') problems.add(`${path}.type`, 'is missing');
  setName(draft, 'role', loose['role'], path, problems);
  setName(draft, 'group', loose['group'], path, problems);
  setValue(draft, loose['value'], path, problems);
  return problems.found.length === before ? draft : undefined;
}

function makeSpan(
  text: CodePoints,
  loose: Readonly<Record<string, unknown>>,
  path: string,
  problems: RowProblems,
): Draft {
  const none: Draft = { start: 0, end: 0, type: '', text: '' };
  const { start, end } = loose;
  if (!isOffset(start) || !isOffset(end)) {
    problems.add(path, 'needs "start" and "end" as whole numbers from 0');
    return none;
  }
  if (end <= start || end > text.count) {
    problems.add(path, `covers ${start} to ${end} of a text of ${text.count} characters`);
    return none;
  }
  const covered = text.slice(start, end);
  if (loose['text'] !== undefined && loose['text'] !== null && loose['text'] !== covered) {
    problems.add(`${path}.text`, `is not what the text has from ${start} to ${end}`);
    return none;
  }
  const clippedStart = Math.max(start, text.trimmedStart);
  const clippedEnd = Math.min(end, text.trimmedEnd);
  if (clippedEnd <= clippedStart) {
    problems.add(path, 'covers only whitespace at an end of the text');
    return none;
  }
  return {
    start: clippedStart - text.trimmedStart,
    end: clippedEnd - text.trimmedStart,
    type: '',
    text: text.slice(clippedStart, clippedEnd),
  };
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Sets a name that is given; numbers become text, for files number their groups. */
function setName(
  draft: Draft,
  field: 'type' | 'role' | 'group',
  given: unknown,
  path: string,
  problems: RowProblems,
): void {
  const name = asText(given);
  if (name === undefined) return;
  if (typeof name !== 'string') {
    problems.add(`${path}.${field}`, `is ${kindOf(given)}, not a text`);
    return;
  }
  const trimmed = trim(name);
  if (trimmed === '' && field !== 'type') return;
  const problem = nameProblem(trimmed);
  if (problem === undefined) draft[field] = trimmed;
  else problems.add(`${path}.${field}`, problem);
}

function setValue(draft: Draft, given: unknown, path: string, problems: RowProblems): void {
  const value = asText(given);
  if (value === undefined) return;
  const problem =
    typeof value === 'string' ? stringProblem(value, TEXT_LIMIT_BYTES) : `is ${kindOf(given)}, not a text`;
  if (problem !== undefined) problems.add(`${path}.value`, problem);
  else if (typeof value === 'string') draft.value = value;
}

/** The text that a given scalar stands for; undefined where nothing is given, null where it is no scalar. */
function asText(given: unknown): string | undefined | null {
  if (given === undefined || given === null) return undefined;
  if (typeof given === 'string') return given;
  if (typeof given === 'boolean') return String(given);
  return typeof given === 'number' && Number.isFinite(given) ? JSON.stringify(given) : null;
}

/** By start, then longer first; what is left is decided by the other fields, so that the order is canonical. */
function sortedDistinct(entities: readonly Entity[]): readonly Entity[] {
  if (entities.length < 2) return entities;
  const rest = ({ type, role, group, value }: Entity): string =>
    JSON.stringify([type, role ?? null, group ?? null, value ?? null]);
  const sorted = entities.toSorted((a, b) => {
    if (a.start !== b.start) return a.start - b.start;
    if (a.end !== b.end) return b.end - a.end;
    const [left, right] = [rest(a), rest(b)];
    if (left === right) return 0;
    return left < right ? -1 : 1;
  });
  return sorted.filter((entity, at) => {
    const previous = sorted[at - 1];
    if (previous?.start !== entity.start || previous.end !== entity.end) return true;
    return rest(previous) !== rest(entity);
  });
}
