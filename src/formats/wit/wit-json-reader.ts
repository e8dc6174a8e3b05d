/**
 * Reads the utterances of old wit.ai apps: `{"data": [{"text", "entities": [...]}]}`.
 *
 * The intent is an entity without a place in the text, and values are JSON within strings. A value need not be what
 * the text has ("tomorrow" may have a date), so offsets are trusted where the value is not there.
 */
import { throwIfAborted, isUttrError, UttrError } from '../../base/errors.ts';
import { isFields, kindOf, type Fields } from '../../records/row-problems.ts';
import { openArchive, rootedAt } from '../archive.ts';
import { readBytes, readDocument, Utterances } from '../document.ts';
import { textOf } from '../export-archive.ts';
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import type { ReportBuilder } from '../read-report.ts';
import { isZip } from '../signature.ts';
import { sliceCodePoints } from '../../records/code-points.ts';
import { type PieceLabel, type Span, spanOfUnits } from '../spans.ts';
import { parseStrictJson } from '../strict-json.ts';
import { parseEntityName } from './names.ts';
import { listOf } from '../json-document.ts';

const INTENT = 'intent';
const EXPRESSIONS = 'expressions.json';

/** @throws bad-format */
export async function* readWitJson(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const { document, path } = await documentOf(input);
  const text = await readDocument(document, report, options);
  const rows = rowsOf(text, input.name);
  const utterances = new Utterances(report);
  for (const [at, row] of rows.entries()) {
    const pointer = `/data/${at}`;
    const place = { pointer: path === undefined ? pointer : `${path}#${pointer}`, raw: JSON.stringify(row) };
    const loose = looseOf(row);
    if (typeof loose === 'string') utterances.reject(loose, 'entities', place);
    else {
      if (loose.intent.length === 0) report.note('ignored', 'texts without an intent are unlabelled');
      utterances.add(loose, place);
    }
    throwIfAborted(options.signal);
    yield* utterances.fullBatches();
  }
  yield* utterances.batches();
}

/** The file itself, or the document in an archive. */
async function documentOf(input: ByteInput): Promise<{ document: ByteInput; path: string | undefined }> {
  const bytes = await readBytes(input);
  const asInput = (bytes: Buffer): ByteInput => ({
    name: input.name,
    chunks: async function* () {
      yield bytes;
    },
  });
  if (!isZip(bytes)) return { document: asInput(bytes), path: undefined };
  const root = rootedAt(await openArchive(bytes, input.name), EXPRESSIONS);
  const entry = root?.entries.find(({ path }) => path === EXPRESSIONS);
  if (entry === undefined) throw notWit(input.name, `it has no ${EXPRESSIONS}`);
  return { document: asInput(await entry.read()), path: EXPRESSIONS };
}

function rowsOf(text: string, name: string): readonly unknown[] {
  let value: unknown;
  try {
    value = parseStrictJson(text);
  } catch (error) {
    if (!isUttrError(error, 'bad-row')) throw error;
    throw notWit(name, error.message, error);
  }
  if (!isFields(value) || !Array.isArray(value['data'])) throw notWit(name, 'it has no list "data"');
  return value['data'] as readonly unknown[];
}

function notWit(name: string, problem: string, cause?: unknown): UttrError {
  return new UttrError('bad-format', `${name} holds no utterances of wit.ai: ${problem}`, {
    hint: 'such a file is {"data": [{"text": …, "entities": […]}]}',
    details: { file: name },
    cause,
  });
}

interface Loose {
  readonly text: string;
  readonly intent: readonly string[];
  readonly entities: readonly (PieceLabel & Span)[];
  readonly features: Fields;
}

/** A text says what is wrong. */
function looseOf(row: unknown): Loose | string {
  if (!isFields(row)) return `is ${kindOf(row)}, not an object`;
  const text = row['text'] ?? row['_text'];
  if (typeof text !== 'string') return '"text" is missing';
  const intent: string[] = [];
  const entities: (PieceLabel & Span)[] = [];
  const features: Record<string, unknown> = {};
  for (const item of listOf(row['entities'])) {
    if (!isFields(item)) return 'an entity has to be an object';
    const name = textOf(item['entity']);
    if (name === undefined) return 'an entity has no name';
    const value = valueOf(item['value']);
    if (name === INTENT) {
      if (value === undefined) return 'the intent has no value';
      intent.push(value);
    } else if (item['start'] === undefined || item['start'] === null) {
      if (Object.hasOwn(features, name) && features[name] !== value) return `the trait ${name} has two values`;
      Object.defineProperty(features, name, { value: value ?? null, enumerable: true });
    } else {
      const entity = entityOf(text, name, value, item);
      if (entity === undefined) return `the entity ${name} does not lie in the text`;
      entities.push(entity);
    }
  }
  return { text, intent, entities, features };
}

/** Values are JSON in strings (`"\"berlin\""`, `"3"`); what is no JSON is taken as it is. */
function valueOf(given: unknown): string | undefined {
  if (given === undefined || given === null) return undefined;
  if (typeof given !== 'string') return JSON.stringify(given);
  try {
    const value: unknown = JSON.parse(given);
    return typeof value === 'string' ? value : given;
  } catch {
    return given;
  }
}

function entityOf(
  text: string,
  name: string,
  value: string | undefined,
  { start, end, role }: Fields,
): (PieceLabel & Span) | undefined {
  const { type, role: ownRole } = parseEntityName(name);
  const label = { type, role: textOf(role) ?? ownRole };
  const given: Span = { start: Number(start), end: Number(end) };
  const byUnits = spanOfUnits(text, given.start, given.end);
  const covers = (span: Span | undefined): span is Span => span !== undefined && sliceCodePoints(text, span) === value;
  const exact = [byUnits, given].find(covers);
  if (exact !== undefined) return { ...label, start: exact.start, end: exact.end };
  return byUnits === undefined ? undefined : { ...label, value, start: byUnits.start, end: byUnits.end };
}
