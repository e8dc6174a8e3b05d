/**
 * Reads Snips datasets in JSON.
 *
 *   dataset   = { "language"?, "intents": { intent: { "utterances": [ utterance ] } }, "entities" }
 *   benchmark = { intent: [ utterance ] }, the older form
 *   utterance = { "data": [ { "text", "entity"?, "slot_name"? } ] }: the text is all chunks end to end
 */
import { throwIfAborted } from '../../base/errors.ts';
import { isFields, kindOf, TEXT_LIMIT_BYTES, type Fields } from '../../records/row-problems.ts';
import { Utterances } from '../document.ts';
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import { fieldsOf, given, noteSideInformation, readJson, restOf, wrongShape } from '../json-document.ts';
import type { ReportBuilder } from '../read-report.ts';
import { joinPieces, type TextPiece } from '../spans.ts';
import { slotLabel } from './slot-label.ts';

const DATASET_KEYS: ReadonlySet<string> = new Set(['language', 'intents', 'entities']);
const UTTERANCE_KEYS: ReadonlySet<string> = new Set(['data']);
const CHUNK_KEYS: ReadonlySet<string> = new Set(['text', 'entity', 'slot_name']);

/** The utterances of an intent. */
interface Section {
  readonly intent: string;
  readonly items: unknown;
  readonly pointer: string;
}

/** All utterances of a dataset, as batches. @throws bad-format */
export async function* readSnips(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const document = await readJson(input, report, options);
  if (!isFields(document)) throw noDataset(input.name, `it is ${kindOf(document)}`);
  const utterances = new Utterances(report);
  const lang = given(document['language']);
  for (const { intent, items, pointer } of sectionsOf(document, input.name)) {
    if (!Array.isArray(items)) {
      utterances.reject('the intent has no list of utterances', 'utterances', { pointer, raw: JSON.stringify(items) });
      continue;
    }
    if (items.length === 0) noteSideInformation(report, 'intents without utterances', [intent]);
    for (const [index, item] of (items as readonly unknown[]).entries()) {
      addUtterance(utterances, item, { intent, lang }, `${pointer}/${index}`);
      yield* utterances.fullBatches();
      throwIfAborted(options.signal);
    }
  }
  if (isFields(document['intents']))
    noteSideInformation(report, 'entities', Object.keys(fieldsOf(document['entities'])));
  yield* utterances.batches();
}

function noDataset(file: string, what: string): Error {
  return wrongShape(
    file,
    `${what}, and no Snips dataset`,
    'wanted: an object "intents" of {"utterances": […]}, or an intent with a list of {"data": […]}',
  );
}

function sectionsOf(document: Fields, file: string): readonly Section[] {
  const { intents } = document;
  if (isFields(intents)) {
    const others = Object.keys(document).filter((key) => !DATASET_KEYS.has(key));
    if (others.length === 0 || Object.hasOwn(document, 'entities')) {
      return Object.entries(intents).map(([intent, value]) => ({
        intent,
        items: fieldsOf(value)['utterances'],
        pointer: `/intents/${escaped(intent)}/utterances`,
      }));
    }
  }
  const lists = Object.entries(document);
  if (lists.length === 0 || !lists.every(([, value]) => Array.isArray(value))) {
    throw noDataset(file, 'it has neither an object "intents" nor lists alone');
  }
  return lists.map(([intent, items]) => ({ intent, items, pointer: `/${escaped(intent)}` }));
}

/** @see RFC 6901 */
function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function addUtterance(
  utterances: Utterances,
  item: unknown,
  labels: { readonly intent: string; readonly lang: unknown },
  pointer: string,
): void {
  const place = { pointer, raw: JSON.stringify(item) };
  const { data } = fieldsOf(item);
  const pieces = Array.isArray(data)
    ? piecesOf(data, utterances.report)
    : 'an utterance must be an object with a list "data"';
  if (typeof pieces === 'string') {
    utterances.reject(pieces, 'data', place);
    return;
  }
  utterances.add({ ...joinPieces(pieces), ...labels, meta: restOf(fieldsOf(item), UTTERANCE_KEYS) }, place);
}

/** The chunks, or what is wrong with one of them. */
function piecesOf(data: readonly unknown[], report: ReportBuilder): readonly TextPiece[] | string {
  const pieces: TextPiece[] = [];
  let length = 0;
  for (const [index, chunk] of data.entries()) {
    const { text, entity, slot_name: slot } = fieldsOf(chunk);
    if (typeof text !== 'string') return `"data[${index}]" has no text`;
    length += text.length;
    if (length > 2 * TEXT_LIMIT_BYTES) return `"data" has more than ${2 * TEXT_LIMIT_BYTES} characters`;
    if (restOf(fieldsOf(chunk), CHUNK_KEYS) !== undefined)
      report.note('ignored', 'further keys of chunks are not kept');
    const label = slotLabel(given(entity), given(slot));
    if (label === undefined) pieces.push({ text });
    else if (typeof label === 'string') return `"data[${index}]" ${label}`;
    else if (text === '') return `"data[${index}]" marks a chunk without text`;
    else pieces.push({ text, label });
  }
  return pieces;
}
