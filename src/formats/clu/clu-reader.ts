/**
 * Reads CLU project files and utterance files.
 *
 * `dataset` is the file's own division. An utterance without one is trained on, but only a file that names a test set
 * divides its utterances at all: then, and only then, those without `dataset` are taken for training.
 */
import { throwIfAborted } from '../../base/errors.ts';
import { isFields, type Fields } from '../../records/row-problems.ts';
import { Utterances } from '../document.ts';
import { isSplitWord } from '../fields.ts';
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
import { codePointCount } from '../../records/code-points.ts';
import { type Span, spanOfUnits } from '../spans.ts';

const UTTERANCE_KEYS: ReadonlySet<string> = new Set(['text', 'intent', 'language', 'entities', 'dataset']);
const ENTITY_KEYS: ReadonlySet<string> = new Set(['category', 'offset', 'length']);

/** Parts of an entity's definition that find it without utterances. */
const COMPONENTS: readonly (readonly [string, string])[] = [
  ['list', 'entities with lists'],
  ['prebuilts', 'entities with prebuilt components'],
  ['regex', 'entities with regexes'],
  ['requiredComponents', 'entities with required components'],
];

/** An opened file. */
interface Project {
  readonly items: readonly unknown[];
  readonly pointer: string;
  readonly assets: Fields;
  /** The language of utterances that name none. */
  readonly language: unknown;
  /** What offsets count; `Utf16CodeUnit` where the file does not say. */
  readonly unit: unknown;
  readonly hasTestSet: boolean;
}

/** The utterances of a CLU file, as batches. @throws bad-format */
export async function* readClu(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const project = openProject(await readJson(input, report, options), input.name);
  report.splitColumn = 'dataset';
  const utterances = new Utterances(report);
  const intents = new Set<unknown>();
  for (const [index, item] of project.items.entries()) {
    addUtterance(utterances, item, project, `${project.pointer}/${index}`);
    intents.add(fieldsOf(item)['intent']);
    yield* utterances.fullBatches();
    throwIfAborted(options.signal);
  }
  noteDefinitions(report, project.assets, intents);
  yield* utterances.batches();
}

function openProject(document: unknown, file: string): Project {
  const root = fieldsOf(document);
  const metadata = fieldsOf(root['metadata']);
  const assets = fieldsOf(root['assets']);
  const items = Array.isArray(document) ? document : assets['utterances'];
  if (!Array.isArray(items)) {
    const kind = metadata['projectKind'];
    const known = kind === undefined || kind === 'Conversation' || kind === 'Orchestration';
    const what = known ? 'there is no list "assets.utterances"' : `it is a project of the kind ${JSON.stringify(kind)}`;
    throw wrongShape(file, what, 'wanted: a conversation project exported from Azure, or a list of its utterances');
  }
  return {
    items,
    pointer: Array.isArray(document) ? '' : '/assets/utterances',
    assets,
    language: given(metadata['language']),
    unit: given(root['stringIndexType']) ?? 'Utf16CodeUnit',
    hasTestSet: items.some((item) => splitOf(fieldsOf(item)['dataset']) === 'test'),
  };
}

function addUtterance(utterances: Utterances, item: unknown, project: Project, pointer: string): void {
  const place = { pointer, raw: JSON.stringify(item) };
  if (!isFields(item)) {
    utterances.reject('an utterance must be an object', undefined, place);
    return;
  }
  const { text, intent, dataset } = item;
  const labels = readLabels(text, item['entities'], (all, entity) => {
    if (restOf(entity, ENTITY_KEYS) !== undefined) {
      utterances.report.note('ignored', 'further keys of entities are not kept');
    }
    return entityOf(all, entity, project.unit);
  });
  if ('problem' in labels) {
    utterances.reject(labels.problem, 'entities', place);
    return;
  }
  const split = splitOf(dataset);
  const isOdd = given(dataset) !== undefined && split === undefined;
  const meta = { ...restOf(item, UTTERANCE_KEYS), ...(isOdd ? { dataset } : {}) };
  const lang = given(item['language']) ?? project.language;
  const side = split ?? (project.hasTestSet ? 'train' : undefined);
  utterances.add({ text, intent: given(intent), lang, entities: labels.entities, meta }, place, side);
}

function splitOf(dataset: unknown): string | undefined {
  return isSplitWord(dataset) ? dataset.trim().toLowerCase() : undefined;
}

function entityOf(text: string, { category, offset, length }: Fields, unit: unknown): readonly Fields[] | string {
  if (typeof offset !== 'number' || typeof length !== 'number') return 'needs "offset" and "length" as numbers';
  if (unit !== 'Utf16CodeUnit' && unit !== 'UnicodeCodePoint') {
    return `is counted in ${JSON.stringify(unit)}, and only Utf16CodeUnit and UnicodeCodePoint are read`;
  }
  const end = offset + length;
  const span = unit === 'Utf16CodeUnit' ? spanOfUnits(text, offset, end) : spanOfPoints(text, offset, end);
  if (span !== undefined) return [{ type: category, ...span }];
  return `covers ${length} from ${offset} on, which is no part of a text of ${text.length} UTF-16 code units`;
}

function spanOfPoints(text: string, start: number, end: number): Span | undefined {
  const isWithin = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end > start;
  return isWithin && end <= codePointCount(text) ? { start, end } : undefined;
}

function noteDefinitions(report: ReportBuilder, assets: Fields, used: ReadonlySet<unknown>): void {
  noteSideInformation(report, 'entities', namesIn(assets['entities'], 'category'));
  for (const [key, what] of COMPONENTS) {
    const defined = listOf(assets['entities']).filter((entity) => isFilled(fieldsOf(entity)[key]));
    noteSideInformation(report, what, namesIn(defined, 'category'));
  }
  const unused = namesIn(assets['intents'], 'category').filter((name) => !used.has(name));
  noteSideInformation(report, 'intents without utterances', unused);
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Object.keys(fieldsOf(value)).length > 0;
}
