/**
 * Reads nlp.js corpora.
 *
 *   corpus = { "name"?, "locale"?, "data": [ item ], "entities"?, "contextData"? }
 *   item   = { "intent", "utterances"?: [ text ], "tests"?: [ text ], "answers"?, "slotFilling"?, … }
 *
 * `utterances` are trained on, `tests` are for testing. A text with `@name` of an entity or slot of the corpus is a
 * template: which words stand there is not said.
 */
import { throwIfAborted } from '../../base/errors.ts';
import { isFields, kindOf, type Fields } from '../../records/row-problems.ts';
import { Utterances } from '../document.ts';
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import { fieldsOf, given, listOf, noteSideInformation, readJson, wrongShape } from '../json-document.ts';
import type { ReportBuilder } from '../read-report.ts';

/** Where the texts of an item are, and the side that they are of. */
const SIDES = [
  ['utterances', 'train'],
  ['tests', 'test'],
] as const;

/** What an item has beside its texts, and what to call it. */
const EXTRAS = [
  ['answers', 'answers of intents'],
  ['answer', 'answers of intents'],
  ['slotFilling', 'slots of intents'],
  ['actions', 'actions of intents'],
] as const;

const ITEM_KEYS: ReadonlySet<string> = new Set([
  'id',
  'intent',
  ...SIDES.map(([key]) => key),
  ...EXTRAS.map(([key]) => key),
]);

/** What holds for all texts of a corpus. */
interface Corpus {
  readonly lang: unknown;
  readonly entities: ReadonlySet<string>;
}

/** All texts of a corpus, as batches. @throws bad-format */
export async function* readNlpjs(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const document = fieldsOf(await readJson(input, report, options));
  const items = document['data'];
  if (!Array.isArray(items)) {
    throw wrongShape(
      input.name,
      'there is no list "data"',
      'wanted: an nlp.js corpus, {"data": [{"intent": …, "utterances": […]}]}',
    );
  }
  report.splitColumn = 'utterances, tests';
  const corpus = { lang: given(document['locale']), entities: placeholdersOf(document) };
  const utterances = new Utterances(report);
  for (const [index, item] of (items as readonly unknown[]).entries()) {
    yield* readItem(utterances, item, `/data/${index}`, corpus);
    throwIfAborted(options.signal);
  }
  noteExtras(report, document, items);
  yield* utterances.batches();
}

function placeholdersOf(document: Fields): ReadonlySet<string> {
  const slots = listOf(document['data']).flatMap((item) => Object.keys(fieldsOf(fieldsOf(item)['slotFilling'])));
  return new Set([...Object.keys(fieldsOf(document['entities'])), ...slots]);
}

function* readItem(utterances: Utterances, item: unknown, pointer: string, corpus: Corpus): Generator<ReadBatch> {
  const place = { pointer, raw: JSON.stringify(item) };
  if (!isFields(item)) {
    utterances.reject(`the item is ${kindOf(item)}, not an object with "intent"`, undefined, place);
    return;
  }
  const intent = given(item['intent']);
  if (typeof intent !== 'string') {
    const keys = Object.keys(item).slice(0, 10).join(', ');
    utterances.reject(`the item has no "intent"; its keys are ${keys || 'none'}`, 'intent', place);
    return;
  }
  for (const [key, side] of SIDES) {
    const texts = item[key] ?? [];
    if (!Array.isArray(texts)) {
      utterances.reject(`"${key}" is ${kindOf(texts)}, not a list`, key, place);
      continue;
    }
    for (const [index, text] of (texts as readonly unknown[]).entries()) {
      addText(utterances, text, { intent, side, corpus }, `${pointer}/${key}/${index}`);
      yield* utterances.fullBatches();
    }
  }
}

function addText(
  utterances: Utterances,
  text: unknown,
  { intent, side, corpus }: { readonly intent: string; readonly side: string; readonly corpus: Corpus },
  pointer: string,
): void {
  const place = { pointer, raw: JSON.stringify(text) };
  const { lang, entities } = corpus;
  if (typeof text === 'string' && hasPlaceholder(text, entities)) {
    utterances.report.note('template', 'texts with the name of an entity were kept as templates without a label');
    utterances.add({ text, lang, meta: { template: true, intent } }, place, side);
  } else {
    utterances.add({ text, intent, lang }, place, side);
  }
}

/** Several of one entity are numbered: `@hero_0`, `@hero_1`. */
function hasPlaceholder(text: string, entities: ReadonlySet<string>): boolean {
  if (entities.size === 0) return false;
  for (const [, name = ''] of text.matchAll(/@([\p{L}\p{N}_-]+)/gu)) {
    if (entities.has(name) || entities.has(name.replace(/_\d+$/u, ''))) return true;
  }
  return false;
}

function noteExtras(report: ReportBuilder, document: Fields, items: readonly unknown[]): void {
  noteSideInformation(report, 'entities', Object.keys(fieldsOf(document['entities'])));
  for (const [key, what] of EXTRAS) {
    const having = items.map(fieldsOf).filter((item) => item[key] !== undefined && item[key] !== null);
    noteSideInformation(
      report,
      what,
      having.map(({ intent }) => String(intent)),
    );
  }
  const context = document['contextData'];
  if (context !== undefined)
    noteSideInformation(report, 'data for answers', [typeof context === 'string' ? context : 'in the file']);
  const others = new Set(items.flatMap((item) => Object.keys(fieldsOf(item)).filter((key) => !ITEM_KEYS.has(key))));
  noteSideInformation(report, 'other keys of intents', [...others]);
}
