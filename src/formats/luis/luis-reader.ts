/**
 * Reads LUIS apps and batch tests.
 *
 * Offsets count UTF-16 code units, and `endPos` is the last one covered. Version 7 nests the parts of an entity in it
 * (`children`), version 6 lists them beside it: both become spans that overlap, each under its own name, so that the
 * same app reads the same from either; which part belongs to which whole is seen from what covers what.
 */
import { throwIfAborted } from '../../base/errors.ts';
import { isFields, type Fields } from '../../records/row-problems.ts';
import { Utterances } from '../document.ts';
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import {
  fieldsOf,
  given,
  listOf,
  namesIn,
  noteSideInformation,
  readJson,
  readLabels,
  restOf,
  wrongShape,
} from '../json-document.ts';
import type { ReportBuilder } from '../read-report.ts';
import { spanOfUnits } from '../spans.ts';

const UTTERANCE_KEYS: ReadonlySet<string> = new Set(['text', 'intent', 'entities']);
const ENTITY_KEYS: ReadonlySet<string> = new Set(['entity', 'role', 'startPos', 'endPos', 'children']);

/** What an app holds beside utterances and patterns: the key of the list, the key of the names, and what to call it. */
const DEFINITIONS: readonly (readonly [string, string, string])[] = [
  ['entities', 'name', 'machine-learned entities'],
  ['hierarchicals', 'name', 'hierarchical entities'],
  ['composites', 'name', 'composite entities'],
  ['closedLists', 'name', 'list entities'],
  ['regex_entities', 'name', 'regex entities'],
  ['patternAnyEntities', 'name', 'Pattern.Any entities'],
  ['prebuiltEntities', 'name', 'prebuilt entities'],
  ['phraselists', 'name', 'phrase lists'],
  ['model_features', 'name', 'phrase lists'],
  ['regex_features', 'name', 'regex features'],
  ['settings', 'name', 'settings'],
];

/** Where the utterances are. */
interface Source {
  readonly items: readonly unknown[];
  readonly pointer: string;
  readonly app: Fields;
}

/** The parts of a LUIS file, as batches. @throws bad-format */
export async function* readLuis(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const { items, pointer, app } = openSource(await readJson(input, report, options), input.name);
  const utterances = new Utterances(report);
  const lang = given(app['culture']);
  const intents = new Set<unknown>();
  for (const [index, item] of items.entries()) {
    addUtterance(utterances, item, lang, `${pointer}/${index}`);
    intents.add(fieldsOf(item)['intent']);
    yield* utterances.fullBatches();
    throwIfAborted(options.signal);
  }
  for (const [index, item] of listOf(app['patterns']).entries()) {
    addPattern(utterances, item, lang, `/patterns/${index}`);
    yield* utterances.fullBatches();
  }
  for (const [list, key, what] of DEFINITIONS) noteSideInformation(report, what, namesIn(app[list], key));
  const unused = namesIn(app['intents'], 'name').filter((name) => !intents.has(name));
  noteSideInformation(report, 'intents without utterances', unused);
  yield* utterances.batches();
}

function openSource(document: unknown, file: string): Source {
  if (Array.isArray(document)) return { items: document, pointer: '', app: {} };
  const app = fieldsOf(document);
  for (const key of ['utterances', 'LabeledTestSetUtterances']) {
    if (Array.isArray(app[key])) return { items: app[key], pointer: `/${key}`, app };
  }
  throw wrongShape(
    file,
    'it is no LUIS app: there is no list "utterances"',
    'wanted: an app exported as JSON, or a list of utterances for a batch test',
  );
}

function addUtterance(utterances: Utterances, item: unknown, lang: unknown, pointer: string): void {
  const place = { pointer, raw: JSON.stringify(item) };
  if (!isFields(item)) {
    utterances.reject('an utterance must be an object', undefined, place);
    return;
  }
  const { text, intent } = item;
  const labels = readLabels(text, item['entities'], (all, entity) => spansOf(all, entity, utterances.report));
  if ('problem' in labels) {
    utterances.reject(labels.problem, 'entities', place);
    return;
  }
  const { entities } = labels;
  utterances.add({ text, intent: given(intent), lang, entities, meta: restOf(item, UTTERANCE_KEYS) }, place);
}

/** An entity and the parts nested in it, or what is wrong with one of them. */
function spansOf(text: string, entity: Fields, report: ReportBuilder): readonly Fields[] | string {
  const { entity: type, role, startPos, endPos, children } = entity;
  if (restOf(entity, ENTITY_KEYS) !== undefined) report.note('ignored', 'further keys of entities are not kept');
  if (typeof startPos !== 'number' || typeof endPos !== 'number') return 'needs "startPos" and "endPos" as numbers';
  const span = spanOfUnits(text, startPos, endPos + 1);
  if (span === undefined) {
    return `covers ${startPos} to ${endPos}, which is no part of a text of ${text.length} UTF-16 code units`;
  }
  const parts = readLabels(text, children, (all, child) => spansOf(all, child, report));
  if ('problem' in parts) return `has a part that cannot be kept: ${parts.problem}`;
  return [{ type, role: given(role), ...span }, ...parts.entities];
}

function addPattern(utterances: Utterances, item: unknown, lang: unknown, pointer: string): void {
  const { pattern, intent } = fieldsOf(item);
  const name = given(intent);
  const meta = { template: true, ...(name === undefined ? {} : { intent: name }) };
  utterances.report.note('template', 'patterns were kept as templates without a label');
  utterances.add({ text: pattern, lang, meta }, { pointer, raw: JSON.stringify(item) });
}
