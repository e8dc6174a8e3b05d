/**
 * Reads Rasa NLU JSON.
 *
 *   { "rasa_nlu_data": { "common_examples": [ { text, intent?, entities?, metadata? } … ],
 *                        "entity_synonyms": [ { value, synonyms } ], "regex_features": [ { name, pattern } ],
 *                        "lookup_tables": [ { name, elements } ] } }
 *
 * Early versions had `intent_examples` and `entity_examples`, too. Offsets count code points, for Rasa is Python;
 * tools in JavaScript wrote UTF-16. The covered text is not in the file, only a value that may be a synonym of it:
 * it decides between the units where it is one of the two texts.
 */
import { isUttrError, UttrError } from '../../base/errors.ts';
import { isFields, kindOf, type Fields } from '../../records/row-problems.ts';
import { readDocument } from '../document.ts';
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import type { LooseDraft, ReportBuilder } from '../read-report.ts';
import { codePointCount, sliceCodePoints } from '../../records/code-points.ts';
import { type Span, spanOfUnits } from '../spans.ts';
import { parseStrictJson } from '../strict-json.ts';
import type { LooseEntity } from './annotations.ts';
import { mergeMetadata } from './metadata.ts';
import { RasaRows } from './rows.ts';
import { isSideKind } from './side-information.ts';

const ROOT = 'rasa_nlu_data';

const EXAMPLE_LISTS = ['common_examples', 'intent_examples', 'entity_examples'];

/** Lists that hold no utterances: what they are, and the key of each name. */
const SIDE_LISTS: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['entity_synonyms', ['synonym', 'value']],
  ['regex_features', ['regex', 'name']],
  ['lookup_tables', ['lookup', 'name']],
]);

export async function* readRasaJson(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const data = parseRoot(await readDocument(input, report, options), report.file);
  const rows = new RasaRows(report);
  const examples = new JsonExamples(rows);
  for (const key of Object.keys(data)) {
    if (!EXAMPLE_LISTS.includes(key)) {
      takeSideList(rows, key, data[key]);
      continue;
    }
    for (const [index, example] of listAt(data, key, report.file).entries()) {
      examples.take(example, `/${ROOT}/${key}/${index}`);
      yield* rows.utterances.fullBatches();
    }
  }
  rows.side.note(report);
  yield* rows.utterances.batches();
}

/** What is under the one key of the document. @throws bad-format */
function parseRoot(text: string, file: string): Fields {
  const fail = (problem: string, line?: number): never => {
    throw new UttrError('bad-format', `${file}${line === undefined ? '' : `:${line}`}: ${problem}`, {
      hint: `wanted: {"${ROOT}": {"common_examples": [{"text": …, "intent": …}, …]}}`,
      details: { file, ...(line === undefined ? {} : { line }) },
    });
  };
  let value: unknown;
  try {
    value = parseStrictJson(text);
  } catch (error) {
    if (!isUttrError(error, 'bad-row')) throw error;
    const at = /at character (\d+)$/u.exec(error.message)?.[1];
    return fail(error.message, at === undefined ? undefined : text.slice(0, Number(at)).split('\n').length);
  }
  const root = isFields(value) ? value[ROOT] : undefined;
  return isFields(root) ? root : fail(`there is no object "${ROOT}"`);
}

function listAt(data: Fields, key: string, file: string): readonly unknown[] {
  const list = data[key] ?? [];
  if (Array.isArray(list)) return list;
  throw new UttrError('bad-format', `${file}: "${key}" is ${kindOf(list)}, not a list`, { details: { file } });
}

function takeSideList(rows: RasaRows, key: string, list: unknown): void {
  const [kind, nameKey] = SIDE_LISTS.get(key) ?? [];
  if (kind === undefined || nameKey === undefined || !isSideKind(kind) || !Array.isArray(list)) {
    rows.report.note('ignored', `the key "${key.slice(0, 60)}" was passed over`);
    return;
  }
  for (const item of list as readonly unknown[]) {
    const name = isFields(item) ? item[nameKey] : undefined;
    rows.side.take(kind, typeof name === 'string' ? name : '');
  }
}

const ENTITY_KEYS: ReadonlySet<string> = new Set(['start', 'end', 'value', 'entity', 'role', 'group']);

class JsonExamples {
  readonly #rows: RasaRows;

  constructor(rows: RasaRows) {
    this.#rows = rows;
  }

  take(example: unknown, pointer: string): void {
    const { utterances } = this.#rows;
    const raw = JSON.stringify(example);
    if (!isFields(example)) {
      utterances.reject(`an example is ${kindOf(example)}, not an object with "text"`, undefined, { pointer, raw });
      return;
    }
    const { text, intent, entities, metadata, ...others } = example;
    if (intent !== undefined && intent !== null && typeof intent !== 'string') {
      utterances.reject(`"intent" is ${kindOf(intent)}, not a text`, 'intent', { pointer, raw });
      return;
    }
    const draft: LooseDraft = { text };
    const problem = typeof text === 'string' ? this.#takeEntities(draft, text, entities) : undefined;
    if (problem !== undefined) {
      utterances.reject(problem, 'entities', { pointer, raw });
      return;
    }
    const { merged, overridden } = mergeMetadata(
      Object.keys(others).length === 0 ? undefined : others,
      unwrapped(metadata),
    );
    if (overridden > 0)
      this.#rows.report.note('ignored', 'keys of examples that their metadata gives anew', overridden);
    const name = intent === null || intent?.trim() === '' ? undefined : intent;
    this.#rows.addDraft(name, draft, { pointer, raw }, merged);
  }

  /** Returns what is wrong, if anything. */
  #takeEntities(draft: LooseDraft, text: string, given: unknown): string | undefined {
    if (given === undefined || given === null) return undefined;
    if (!Array.isArray(given)) {
      draft.entities = given;
      return undefined;
    }
    const entities: LooseEntity[] = [];
    for (const item of given as readonly unknown[]) {
      if (!isFields(item)) return `an entity is ${kindOf(item)}, not an object`;
      const span = this.#spanOf(text, item);
      if (typeof span === 'string') return span;
      const { entity: type, role, group } = item;
      const value = item['value'] === sliceCodePoints(text, span) ? undefined : item['value'];
      entities.push({ ...span, type, role, group, value });
      for (const key of Object.keys(item)) {
        if (!ENTITY_KEYS.has(key)) {
          this.#rows.report.note('ignored', `the key "${key.slice(0, 60)}" of entities was passed over`);
        }
      }
    }
    if (entities.length > 0) draft.entities = entities;
    return undefined;
  }

  /** The span of an entity, or what is wrong with it. */
  #spanOf(text: string, { start, end, value }: Fields): Span | string {
    if (typeof start !== 'number' || typeof end !== 'number') return 'an entity needs "start" and "end" as numbers';
    const given = { start, end };
    const covered = typeof value === 'string' ? value : undefined;
    const fits = isSpanWithin(given, codePointCount(text));
    if (fits && (covered === undefined || sliceCodePoints(text, given) === covered)) return given;
    // A value that is not there says nothing while the offsets are good: it may be a synonym.
    const span = fits && text.slice(start, end) !== covered ? given : spanOfUnits(text, start, end, covered);
    if (span === undefined) {
      const what = covered === undefined ? '' : `, and its value "${covered.slice(0, 100)}" is not there just once`;
      return `an entity covers ${start} to ${end} of "${text.slice(0, 100)}", which has ${codePointCount(text)} characters${what}`;
    }
    if (span !== given) this.#rows.report.note('mended', 'offsets of entities that do not count code points');
    return span;
  }
}

function isSpanWithin({ start, end }: Span, count: number): boolean {
  return Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < end && end <= count;
}

/** Rasa writes the metadata of the intent and of the example side by side. */
function unwrapped(metadata: unknown): unknown {
  if (!isFields(metadata)) return metadata;
  const keys = Object.keys(metadata);
  const isWrapped =
    keys.length > 0 && keys.every((key) => (key === 'intent' || key === 'example') && isFields(metadata[key]));
  return isWrapped ? mergeMetadata(metadata['intent'], metadata['example']).merged : metadata;
}
