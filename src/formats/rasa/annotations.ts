/**
 * Entities inside a text, as Rasa marks them in YAML and Markdown.
 *
 *   annotation = "[" covered "]" note              covered holds no "]"
 *   note       = "(" type [ ":" value ] ")"        with a value: deprecated, still met
 *              | "{" JSON without "}" "}"          keys entity, role, group, value
 *              | "[" JSON without "]" "]"          a list of such objects
 *
 * There is no escape: a text that happens to look like an annotation is one. What is written is therefore read back
 * and compared. Brackets inside JSON strings are written as \u005d and \u007d, which no pattern stumbles over.
 */
import { isUttrError } from '../../base/errors.ts';
import { makeRecord } from '../../records/make-record.ts';
import type { Entity, UtteranceRecord } from '../../records/record.ts';
import { isFields } from '../../records/row-problems.ts';
import { codePointCount } from '../../records/code-points.ts';
import { cutPieces, type Span } from '../spans.ts';
import { parseStrictJson } from '../strict-json.ts';

/** An entity as the file has it; the record's own checks decide about its fields. */
export interface LooseEntity extends Span {
  readonly type: unknown;
  readonly role?: unknown;
  readonly group?: unknown;
  readonly value?: unknown;
}

/** A text without its marks. */
export interface Annotated {
  readonly text: string;
  readonly entities?: readonly LooseEntity[];
  /** Keys of annotations that an entity has no place for. */
  readonly ignored?: readonly string[];
}

type Labels = readonly Omit<LooseEntity, 'start' | 'end'>[];

const NAMES: ReadonlySet<string> = new Set(['entity', 'role', 'group', 'value']);

/** Takes the marks out of a text, or says which of them cannot be understood. Takes linear time. */
export function parseAnnotated(line: string): Annotated | { readonly problem: string } {
  if (!line.includes(']')) return { text: line };
  const marks = new Marks(line);
  const entities: LooseEntity[] = [];
  const ignored: string[] = [];
  let text = '';
  let count = 0;
  let from = 0;
  for (let open = line.indexOf('['); open >= 0;) {
    const close = marks.next(']', open + 1);
    if (close < 0) break;
    const note = close === open + 1 ? undefined : readNote(marks, close + 1);
    if (note === undefined) {
      // The brackets that open before this "]" all end here: none of them has a note.
      open = line.indexOf('[', close === open + 1 ? open + 1 : close);
      continue;
    }
    const covered = line.slice(open + 1, close);
    if ('problem' in note) return { problem: `after "[${covered}]", ${note.problem}` };
    const before = line.slice(from, open);
    const start = count + codePointCount(before);
    count = start + codePointCount(covered);
    text += before + covered;
    for (const label of note.labels) entities.push(withoutDefault({ start, end: count, ...label }, covered));
    ignored.push(...note.ignored);
    from = note.end;
    open = line.indexOf('[', from);
  }
  if (entities.length === 0) return { text: line };
  text += line.slice(from);
  return { text, entities, ...(ignored.length === 0 ? {} : { ignored }) };
}

/** The value of an entity is what it covers, unless something else is said. */
function withoutDefault(entity: LooseEntity, covered: string): LooseEntity {
  if (entity.value !== covered) return entity;
  const { value: _, ...rest } = entity;
  return rest;
}

/** Where characters come next, looked up once for each stretch, so that no text is gone through again and again. */
class Marks {
  readonly line: string;
  readonly #found = new Map<string, number>();

  constructor(line: string) {
    this.line = line;
  }

  next(character: string, from: number): number {
    const found = this.#found.get(character);
    if (found !== undefined && (found < 0 || found >= from)) return found;
    const index = this.line.indexOf(character, from);
    this.#found.set(character, index);
    return index;
  }
}

type Note =
  | { readonly labels: Labels; readonly ignored: readonly string[]; readonly end: number }
  | { readonly problem: string };

/** The note that starts at `open`; undefined where there is none. */
function readNote(marks: Marks, open: number): Note | undefined {
  const bracket = marks.line[open];
  if (bracket === '(') return readShortNote(marks, open);
  if (bracket === '{') {
    const close = marks.next('}', open + 1);
    return close <= open + 1 ? undefined : readJsonNote(marks.line, open, close + 1);
  }
  if (bracket !== '[') return undefined;
  const close = marks.next(']', open + 1);
  const lineEnd = marks.next('\n', open);
  if (close < 0 || (lineEnd >= 0 && lineEnd < close)) return undefined;
  return readJsonNote(marks.line, open, close + 1);
}

function readShortNote(marks: Marks, open: number): Note | undefined {
  const close = marks.next(')', open + 1);
  const colon = marks.next(':', open + 1);
  const isValued = colon >= 0 && colon < close;
  const type = marks.line.slice(open + 1, isValued ? colon : Math.max(close, 0));
  if (close < 0 || type === '' || colon === close - 1) return undefined;
  const value = isValued ? { value: marks.line.slice(colon + 1, close) } : {};
  return { labels: [{ type, ...value }], ignored: [], end: close + 1 };
}

function readJsonNote(line: string, open: number, end: number): Note {
  const json = line.slice(open, end);
  const shown = json.length > 200 ? `${json.slice(0, 200)}…` : json;
  let value: unknown;
  try {
    value = parseStrictJson(json);
  } catch (error) {
    if (!isUttrError(error, 'bad-row')) throw error;
    return { problem: `${shown} is no annotation: ${error.message}` };
  }
  const notes: readonly unknown[] = Array.isArray(value) ? value : [value];
  const labels: Labels[number][] = [];
  const ignored: string[] = [];
  for (const note of notes) {
    if (!isFields(note) || typeof note['entity'] !== 'string') break;
    labels.push({ type: note['entity'], role: note['role'], group: note['group'], value: note['value'] });
    ignored.push(...Object.keys(note).filter((name) => !NAMES.has(name)));
  }
  if (labels.length > 0 && labels.length === notes.length) return { labels, ignored, end };
  return { problem: `${shown} names no entity` };
}

/**
 * Marks the entities in the text of a record.
 *
 * @returns undefined where that is impossible: entities that overlap, or a text or names that would be read otherwise.
 */
export function formatAnnotated({ text, entities }: UtteranceRecord): string | undefined {
  if (entities === undefined) return isReadBack(text, text, []) ? text : undefined;
  const spans = new Map<string, Entity[]>();
  for (const entity of entities) {
    const key = `${entity.start} ${entity.end}`;
    const same = spans.get(key);
    if (same === undefined) spans.set(key, [entity]);
    else same.push(entity);
  }
  const marked = [...spans.values()].map((same) => ({ ...(same[0] as Entity), note: formatNote(same) }));
  const pieces = cutPieces(text, marked);
  if (pieces === undefined) return undefined;
  const line = pieces.map((piece) => (piece.label === undefined ? piece.text : `[${piece.text}]${piece.label.note}`));
  return isReadBack(line.join(''), text, entities) ? line.join('') : undefined;
}

function formatNote(entities: readonly Entity[]): string {
  const [entity] = entities;
  if (entities.length > 1 || entity === undefined) return `[${entities.map(formatJsonNote).join(', ')}]`;
  const isPlain = entity.role === undefined && entity.group === undefined && hasDefaultValue(entity);
  return isPlain && !/[:)]/u.test(entity.type) ? `(${entity.type})` : formatJsonNote(entity);
}

/** In the order and with the blanks that Rasa writes. */
function formatJsonNote(entity: Entity): string {
  const { type, role, group, value } = entity;
  const fields = Object.entries({ entity: type, role, group, value: hasDefaultValue(entity) ? undefined : value });
  const shown = fields.filter(([, field]) => field !== undefined);
  return `{${shown.map(([name, field]) => `"${name}": ${quoteForPattern(field as string)}`).join(', ')}}`;
}

function quoteForPattern(value: string): string {
  return JSON.stringify(value).replaceAll('}', '\\u007d').replaceAll(']', '\\u005d');
}

/** Whether the value of an entity says no more than its text. */
export function hasDefaultValue({ value, text }: Entity): boolean {
  return value === undefined || value === text;
}

function isReadBack(line: string, text: string, entities: readonly Entity[]): boolean {
  if (!line.includes(']')) return line === text;
  const parsed = parseAnnotated(line);
  if ('problem' in parsed || parsed.text !== text) return false;
  const wanted = entities.map((entity) => withoutDefault(entity, entity.text));
  const made = [parsed.entities ?? [], wanted].map((given) => makeRecord({ text, entities: given }));
  return made.every((one) => 'record' in one) && JSON.stringify(made[0]) === JSON.stringify(made[1]);
}
