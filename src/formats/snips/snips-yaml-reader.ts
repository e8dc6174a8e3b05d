/**
 * Reads Snips datasets in YAML.
 *
 *   file   = { document }
 *   intent = { type: intent, name, slots?: [ { name, entity } ], utterances: [ text ] }
 *   entity = { type: entity, name, values: [ text | [ text ] ], … }
 */
import { throwIfAborted, UttrError } from '../../base/errors.ts';
import { isFields, kindOf, TEXT_LIMIT_BYTES, type Fields } from '../../records/row-problems.ts';
import { readDocument, Utterances } from '../document.ts';
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import { fieldsOf, listOf, noteSideInformation } from '../json-document.ts';
import type { ReportBuilder } from '../read-report.ts';
import { joinPieces } from '../spans.ts';
import { parseYaml, type YamlDocument } from '../yaml-document.ts';
import { mappedSlots, parseSnipsLine } from './snips-yaml-line.ts';

type Path = readonly (string | number)[];

/** An intent while its utterances are read. */
interface Section {
  readonly document: YamlDocument;
  readonly intent: string | undefined;
  readonly entities: ReadonlyMap<string, string>;
}

/** All utterances of all documents, as batches. @throws bad-format */
export async function* readSnipsYaml(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const documents = parseYaml(await readDocument(input, report, options), input.name);
  const utterances = new Utterances(report);
  const entities: string[] = [];
  let count = 0;
  for (const document of documents) {
    const value = document.toValue();
    if (value === null || value === undefined) continue;
    const fields = fieldsOf(value);
    count++;
    if (fields['type'] === 'entity') entities.push(nameAt(document, ['name'], fields['name']) ?? `#${count}`);
    else if (fields['type'] === 'intent') yield* readIntent(document, fields, utterances, options);
    else throw noSnips(input.name, document, value);
  }
  if (count === 0) throw new UttrError('bad-format', `${input.name} is empty`, { details: { file: input.name } });
  noteSideInformation(report, 'entities', entities);
  yield* utterances.batches();
}

function noSnips(file: string, document: YamlDocument, value: unknown): UttrError {
  const line = document.lineOf(document.contents);
  const what = isFields(value)
    ? 'a document has no "type: intent" or "type: entity"'
    : `a document is ${kindOf(value)}`;
  return new UttrError('bad-format', `${file}:${line}: ${what}`, {
    hint: 'each document of a Snips dataset is one intent or one entity',
    details: { file, line },
  });
}

function* readIntent(
  document: YamlDocument,
  fields: Fields,
  utterances: Utterances,
  options: ReadOptions,
): Generator<ReadBatch> {
  const intent = nameAt(document, ['name'], fields['name']);
  const place = { line: document.lineOf(document.contents) };
  if (intent === undefined) utterances.reject('the intent has no name: its utterances are unlabelled', 'name', place);
  const items = fields['utterances'] ?? [];
  if (!Array.isArray(items)) {
    utterances.reject(`"utterances" is ${kindOf(items)}, not a list`, 'utterances', place);
    return;
  }
  const texts = (items as readonly unknown[]).map((item, index) => nameAt(document, ['utterances', index], item));
  const section = { document, intent, entities: entitiesOf(document, fields, texts) };
  if (intent !== undefined && texts.length === 0) {
    noteSideInformation(utterances.report, 'intents without utterances', [intent]);
  }
  for (const [index, text] of texts.entries()) {
    addUtterance(utterances, section, index, text ?? items[index]);
    yield* utterances.fullBatches();
    throwIfAborted(options.signal);
  }
}

/** The entity of each slot: from the list of slots, else from the first utterance that names it. */
function entitiesOf(
  document: YamlDocument,
  fields: Fields,
  texts: readonly (string | undefined)[],
): ReadonlyMap<string, string> {
  const entities = new Map<string, string>();
  for (const [index, slot] of listOf(fields['slots']).entries()) {
    const { name, entity } = fieldsOf(slot);
    const known = nameAt(document, ['slots', index, 'name'], name);
    const type = nameAt(document, ['slots', index, 'entity'], entity);
    if (known !== undefined && type !== undefined) entities.set(known, type);
  }
  for (const text of texts) {
    for (const [name, entity] of mappedSlots(text ?? '')) if (!entities.has(name)) entities.set(name, entity);
  }
  return entities;
}

function addUtterance(
  utterances: Utterances,
  { document, intent, entities }: Section,
  index: number,
  text: unknown,
): void {
  const place = {
    line: document.lineOf(document.nodeAt(['utterances', index])),
    raw: typeof text === 'string' ? text : JSON.stringify(text),
  };
  if (typeof text !== 'string' || text.length > 2 * TEXT_LIMIT_BYTES) {
    const what = typeof text === 'string' ? `has more than ${2 * TEXT_LIMIT_BYTES} characters` : `is ${kindOf(text)}`;
    utterances.reject(`an utterance ${what}${typeof text === 'string' ? '' : ', not a text'}`, 'text', place);
    return;
  }
  const parsed = parseSnipsLine(text, entities);
  if (parsed.kind === 'broken') {
    utterances.reject(parsed.problem, 'text', place);
  } else if (parsed.kind === 'template') {
    utterances.report.note('template', 'utterances with slots without text were kept as templates without a label');
    utterances.add({ text, meta: { template: true, ...(intent === undefined ? {} : { intent }) } }, place);
  } else {
    utterances.add({ ...joinPieces(parsed.pieces), intent }, place);
  }
}

/** A scalar as it stands in the file: `1.0` and `yes` are no number and no truth here. Undefined for what is no scalar. */
function nameAt(document: YamlDocument, path: Path, value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value;
  if (typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  return document.nodeAt(path)?.source ?? JSON.stringify(value);
}
