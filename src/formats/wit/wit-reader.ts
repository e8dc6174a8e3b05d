/**
 * Reads the utterances of a wit.ai app.
 *
 *   app.json            the language
 *   utterances/*.json   texts, each with an intent or none, marked entities, and traits
 *
 * A text without an intent is out of scope or was never labelled; the file does not say which, so it stays unlabelled.
 * Traits say something about the whole text beside its intent: they are features. wit.ai does not say what it counts
 * offsets in; each entity repeats the text that it covers, so each is checked.
 */
import { throwIfAborted } from '../../base/errors.ts';
import { isFields, kindOf, type Fields } from '../../records/row-problems.ts';
import type { Archive, ArchiveEntry } from '../archive.ts';
import { Utterances } from '../document.ts';
import { baseName, noteNames, openExport, readObjectEntry, textOf } from '../export-archive.ts';
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import type { ReportBuilder } from '../read-report.ts';
import { type PieceLabel, type Span, spanOfUnits } from '../spans.ts';
import { NESTING_LIMIT, parseEntityName } from './names.ts';
import { listOf } from '../json-document.ts';

/** @throws bad-format */
export async function* readWit(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const archive = await openExport(input, 'app.json', 'a wit.ai app');
  const utterances = new Utterances(report);
  const app = archive.entries.find(({ path }) => path === 'app.json') as ArchiveEntry;
  const lang = textOf((await readObjectEntry(app, utterances))?.['lang']);
  for (const entry of utteranceFiles(archive)) {
    const fields = await readObjectEntry(entry, utterances);
    if (fields !== undefined) {
      for (const _ of addAll(fields, { lang, path: entry.path }, utterances)) yield* utterances.fullBatches();
    }
    throwIfAborted(options.signal);
  }
  noteRest(archive, utterances);
  yield* utterances.batches();
}

/** In the order of their numbers. */
function utteranceFiles({ entries }: Archive): ArchiveEntry[] {
  const numberOf = ({ path }: ArchiveEntry): number => Number(/(\d{1,9})\.json$/u.exec(path)?.[1] ?? 0);
  return entries
    .filter(({ path }) => /^utterances\/[^/]+\.json$/u.test(path))
    .sort((a, b) => numberOf(a) - numberOf(b));
}

interface FilePlace {
  readonly lang: string | undefined;
  readonly path: string;
}

/** Stops now and then. */
function* addAll(fields: Fields, { lang, path }: FilePlace, utterances: Utterances): Generator<void> {
  const rows = fields['utterances'];
  if (!Array.isArray(rows)) {
    utterances.reject('the document has no list "utterances"', 'utterances', { pointer: path });
    return;
  }
  for (const [at, row] of (rows as readonly unknown[]).entries()) {
    const place = { pointer: `${path}#/utterances/${at}`, raw: JSON.stringify(row) };
    const loose = looseOf(row);
    if ('problem' in loose) utterances.reject(loose.problem, loose.column, place);
    else {
      if (loose.intent === undefined) {
        utterances.report.note('ignored', 'texts without an intent (out of scope, or not labelled yet) are unlabelled');
      }
      utterances.add({ ...loose, lang }, place);
    }
    if (at % 500 === 499) yield;
  }
}

interface Problem {
  readonly problem: string;
  readonly column: string;
}

interface Loose {
  readonly text: string;
  readonly intent: string | undefined;
  readonly entities: readonly (PieceLabel & Span)[];
  readonly features: Fields | undefined;
}

function looseOf(row: unknown): Loose | Problem {
  if (!isFields(row)) return { problem: `is ${kindOf(row)}, not an object`, column: 'text' };
  const { text, intent } = row;
  if (typeof text !== 'string') return { problem: '"text" is missing', column: 'text' };
  if (intent !== undefined && intent !== null && typeof intent !== 'string') {
    return { problem: `"intent" is ${kindOf(intent)}, not a text`, column: 'intent' };
  }
  const entities: (PieceLabel & Span)[] = [];
  const problem = addEntities(text, listOf(row['entities']), entities, undefined, 1);
  if (problem !== undefined) return { problem, column: 'entities' };
  const features = traitsOf(listOf(row['traits']));
  if (typeof features === 'string') return { problem: features, column: 'traits' };
  return { text, intent: textOf(intent), entities, features };
}

/** Adds entities and what is marked within them; returns what is wrong. */
function addEntities(
  text: string,
  given: readonly unknown[],
  entities: (PieceLabel & Span)[],
  within: Span | undefined,
  depth: number,
): string | undefined {
  if (given.length > 0 && depth > NESTING_LIMIT) return `entities are nested deeper than ${NESTING_LIMIT} levels`;
  for (const item of given) {
    if (!isFields(item)) return 'an entity has to be an object';
    const { entity, start, end, body } = item;
    if (typeof entity !== 'string') return 'an entity has no name';
    if (typeof body !== 'string') return `the entity ${entity} has no "body"`;
    const span = locate(text, { start: Number(start), end: Number(end), body }, within);
    if (span === undefined) return misplaced(text, item);
    entities.push({ ...parseEntityName(entity), ...span });
    const problem = addEntities(text, listOf(item['entities']), entities, span, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

interface Given {
  readonly start: number;
  readonly end: number;
  readonly body: string;
}

/** Where a body lies; what is within another entity may count from there. */
function locate(text: string, { start, end, body }: Given, within: Span | undefined): Span | undefined {
  const span = spanOfUnits(text, start, end, body);
  if (within === undefined || (span !== undefined && span.start >= within.start && span.end <= within.end)) return span;
  const outer = Array.from(text).slice(within.start, within.end).join('');
  const inner = spanOfUnits(outer, start, end, body);
  if (inner === undefined) return undefined;
  return { start: within.start + inner.start, end: within.start + inner.end };
}

function misplaced(text: string, { entity, start, end, body }: Fields): string {
  const found = JSON.stringify(text.slice(Number(start), Number(end)));
  return `the entity ${String(entity)} covers ${JSON.stringify(body)}, but the text has ${found} from ${String(start)} to ${String(end)}`;
}

/** Traits as features; a text says what is wrong. */
function traitsOf(given: readonly unknown[]): Fields | undefined | string {
  const features: Record<string, unknown> = {};
  for (const item of given) {
    if (!isFields(item)) return 'a trait has to be an object';
    const { trait, value } = item;
    if (typeof trait !== 'string' || trait === '') return 'a trait has no name';
    if (Object.hasOwn(features, trait) && features[trait] !== value) return `the trait ${trait} has two values`;
    // A reserved name is refused with the rest of what is wrong with the record.
    Object.defineProperty(features, trait, { value, enumerable: true, configurable: true, writable: true });
  }
  return given.length === 0 ? undefined : features;
}

function noteRest({ entries }: Archive, utterances: Utterances): void {
  const named = (folder: string): string[] =>
    entries.filter(({ path }) => path.startsWith(folder) && path.endsWith('.json')).map(({ path }) => baseName(path));
  noteNames(utterances, 'entities with their keywords are left out', named('entities/'));
  noteNames(utterances, 'traits with values that no text has are left out', named('traits/'));
  const others = entries.filter(({ path }) => /^(?:composer|characters|knowledge_modules)\//u.test(path));
  noteNames(
    utterances,
    'documents that hold no utterances are left out',
    others.map(({ path }) => path),
  );
}
