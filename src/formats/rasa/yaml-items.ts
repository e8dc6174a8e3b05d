/**
 * Items of `nlu` as parsed YAML.
 *
 *   item     = { intent | synonym | regex | lookup: name, examples, metadata? }
 *   examples = a block string with an example on each line, after "-", or a list of { text, metadata? }
 */
import { UttrError } from '../../base/errors.ts';
import { isFields, kindOf } from '../../records/row-problems.ts';
import type { YamlDocument, YamlNode } from '../yaml-document.ts';
import { mergeMetadata } from './metadata.ts';
import { type RasaRows, stripExample } from './rows.ts';
import { isSideKind } from './side-information.ts';

/** In the order in which Rasa looks for them. */
const KINDS = ['intent', 'synonym', 'regex', 'lookup'] as const;

const ITEM_KEYS: ReadonlySet<string> = new Set([...KINDS, 'examples', 'metadata']);

type Path = readonly (string | number)[];

/** An intent while its examples are read. */
interface Section {
  readonly document: YamlDocument;
  readonly path: Path;
  readonly intent: string | undefined;
  readonly metadata: unknown;
}

/** One line of a block of examples. @param intent undefined where there is none */
export function takeExampleLine(
  rows: RasaRows,
  intent: string | undefined,
  content: string,
  line: number,
  metadata?: unknown,
): void {
  if (content.startsWith('-')) {
    rows.add(intent, stripExample(content.slice(1)), { line, raw: content }, metadata);
    return;
  }
  const rest = content.trim();
  if (rest === '') return;
  if (rest.startsWith('#')) rows.report.note('ignored', 'comments among the examples, which Rasa passes over, too');
  else
    rows.utterances.reject('the line does not start with "-", so Rasa would pass over it', 'text', {
      line,
      raw: content,
    });
}

/**
 * All documents of a whole file, or of what was left of it.
 *
 * @param isFirstTaken the first item is there for others that were taken before, and is passed over.
 * @throws bad-format where none of them has a list `nlu`
 */
export function takeDocuments(rows: RasaRows, documents: readonly YamlDocument[], isFirstTaken = false): void {
  const { file } = rows.report;
  const others: string[] = [];
  let hasNlu = false;
  for (const document of documents) {
    const value = document.toValue();
    if (value === null || value === undefined) continue;
    if (!isFields(value)) throw noNlu(file, `it holds ${kindOf(value)}`);
    others.push(...Object.keys(value).filter((key) => key !== 'nlu' && key !== 'version'));
    if (!Object.hasOwn(value, 'nlu')) continue;
    takeNlu(rows, document, value['nlu'] ?? [], isFirstTaken && !hasNlu ? 1 : 0);
    hasNlu = true;
  }
  if (!hasNlu) throw noNlu(file, others.length === 0 ? 'it is empty' : `its keys are ${shorten(others)}`);
  if (others.length > 0) {
    rows.report.note('side-information', `other keys of the file: ${shorten(others)}`, others.length);
  }
}

function takeNlu(rows: RasaRows, document: YamlDocument, nlu: unknown, skipped: number): void {
  if (!Array.isArray(nlu)) throw noNlu(rows.report.file, `"nlu" is ${kindOf(nlu)}`);
  for (const [index, item] of (nlu as readonly unknown[]).entries()) {
    if (index >= skipped) takeItem(rows, document, ['nlu', index], item);
  }
}

function shorten(names: readonly string[]): string {
  const shown = names.slice(0, 10).map((name) => name.slice(0, 60));
  return `${shown.join(', ')}${names.length > 10 ? ', …' : ''}`;
}

function noNlu(file: string, what: string): UttrError {
  return new UttrError('bad-format', `${file} has no list "nlu": ${what}`, {
    hint: 'Rasa keeps examples under "nlu:"; stories, rules and the domain hold none',
    details: { file },
  });
}

/** One item, which may be of any form. @param path of the item in its document */
export function takeItem(rows: RasaRows, document: YamlDocument, path: Path, item: unknown): void {
  const place = { line: document.lineOf(document.nodeAt(path)) };
  if (!isFields(item)) {
    rows.utterances.reject(`an item of "nlu" is ${kindOf(item)}, not an object with "intent"`, undefined, place);
    return;
  }
  const kind = KINDS.find((key) => Object.hasOwn(item, key));
  if (kind === undefined) {
    const keys = shorten(Object.keys(item)) || 'none';
    rows.utterances.reject(
      `an item of "nlu" has no "intent", "synonym", "regex" or "lookup"; its keys are ${keys}`,
      undefined,
      place,
    );
    return;
  }
  const name = nameAt(document, [...path, kind], item[kind]);
  if (isSideKind(kind)) {
    rows.side.take(kind, name ?? '');
    return;
  }
  if (name === undefined && typeof item[kind] === 'object' && item[kind] !== null) {
    rows.utterances.reject(`the intent is ${kindOf(item[kind])}, not a name`, 'intent', place);
    return;
  }
  noteUnknownKeys(rows, 'intents', item, ITEM_KEYS);
  takeExamples(
    rows,
    { document, path: [...path, 'examples'], intent: name, metadata: item['metadata'] },
    item['examples'],
  );
}

/** A name as it stands in the file: `1.0` is no number here. Undefined for what is empty, and what is no scalar. */
function nameAt(document: YamlDocument, path: Path, value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value;
  if (typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  return document.nodeAt(path)?.source ?? String(value);
}

function noteUnknownKeys(
  rows: RasaRows,
  what: string,
  item: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
): void {
  for (const key of Object.keys(item)) {
    if (!known.has(key)) rows.report.note('ignored', `the key "${key.slice(0, 60)}" of ${what} was passed over`);
  }
}

function takeExamples(rows: RasaRows, section: Section, examples: unknown): void {
  const node = section.document.nodeAt(section.path);
  const line = section.document.lineOf(node);
  if (examples === undefined || examples === null || (typeof examples === 'string' && examples.trim() === '')) {
    rows.report.note('ignored', 'intents without examples');
  } else if (typeof examples === 'string') {
    takeBlock(rows, section, examples, node);
  } else if (Array.isArray(examples)) {
    for (const [index, example] of (examples as readonly unknown[]).entries())
      takeExample(rows, section, index, example);
  } else {
    rows.utterances.reject(`the examples are ${kindOf(examples)}, not a block of lines or a list`, 'text', { line });
  }
}

function takeBlock(rows: RasaRows, section: Section, block: string, node: YamlNode | undefined): void {
  const type = node?.type;
  const line = section.document.lineOf(node);
  if (type === 'BLOCK_FOLDED') {
    const message = 'the examples follow ">", which joins their lines into one: put "|" there';
    rows.utterances.reject(message, 'text', { line });
    return;
  }
  for (const [index, content] of block.split('\n').entries()) {
    // Only the lines of a literal block are lines of the file.
    const at = type === 'BLOCK_LITERAL' ? line + 1 + index : line;
    takeExampleLine(rows, section.intent, content, at, section.metadata);
  }
}

const EXAMPLE_KEYS: ReadonlySet<string> = new Set(['text', 'metadata']);

function takeExample(rows: RasaRows, section: Section, index: number, example: unknown): void {
  const { document, intent } = section;
  const path = [...section.path, index];
  const node = document.nodeAt(path);
  const place = { line: document.lineOf(node) };
  if (example === null) return;
  const fields = isFields(example) ? example : { text: example };
  if (fields === example) noteUnknownKeys(rows, 'examples', fields, EXAMPLE_KEYS);
  else rows.report.note('mended', 'examples in a list without "text:", which Rasa refuses');
  const text = textAt(document, fields === example ? [...path, 'text'] : path, fields['text']);
  if (text === undefined) {
    const what = fields['text'] === undefined ? 'has no "text"' : `has a "text" that is ${kindOf(fields['text'])}`;
    rows.utterances.reject(`an example ${what}`, 'text', place);
    return;
  }
  takeListedExample(rows, intent, text, place.line, { ofIntent: section.metadata, ofExample: fields['metadata'] });
}

/** An example of a list, with the metadata of its intent and its own. */
export function takeListedExample(
  rows: RasaRows,
  intent: string | undefined,
  text: string,
  line: number,
  { ofIntent, ofExample }: { readonly ofIntent?: unknown; readonly ofExample: unknown },
): void {
  const { merged, overridden } = mergeMetadata(ofIntent, ofExample);
  if (overridden > 0) {
    rows.report.note('ignored', 'metadata of an intent that its example gives anew', overridden);
  }
  rows.add(intent, stripExample(text), { line, raw: text }, merged);
}

function textAt(document: YamlDocument, path: Path, value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? nameAt(document, path, value) : undefined;
}
