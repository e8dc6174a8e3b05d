/**
 * Reads CoNLL files with intents and BIO tags.
 *
 *   file     = sentence { blank line sentence }
 *   sentence = { "# key = value" | "# key: value" } word { word }
 *   word     = [ number TAB ] form TAB [ intent TAB ] tag        tag = "O" | ( "B" | "I" | "E" | "S" ) "-" type
 *
 * The text is that of `# text`, and words are looked for in it one after another; where a sentence has none, its words
 * are joined by blanks. `# id` names a sentence in all languages it was translated to: it is kept as the feature
 * `sentence`, by which records can be grouped.
 */
import { throwIfAborted } from '../../base/errors.ts';
import { TEXT_LIMIT_BYTES } from '../../records/row-problems.ts';
import { readDocument, Utterances } from '../document.ts';
import { isReservedName } from '../fields.ts';
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import type { ReportBuilder } from '../read-report.ts';
import { alignWords, type Chunk, chunksOf, placeChunks, type Word } from './words.ts';

/** Comments that have a field of their own. */
const KNOWN: ReadonlySet<string> = new Set(['id', 'text', 'intent', 'lang', 'language', 'slots']);

/** Lines of one sentence. */
interface Block {
  readonly line: number;
  readonly lines: readonly string[];
}

/** A sentence that could be taken apart. */
interface Sentence {
  readonly comments: ReadonlyMap<string, string>;
  readonly intent: string | undefined;
  readonly words: readonly Word[];
}

/** All sentences of a file, as batches. */
export async function* readConll(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const text = await readDocument(input, report, options);
  const utterances = new Utterances(report);
  for (const block of blocksOf(text)) {
    addSentence(utterances, block);
    yield* utterances.fullBatches();
    throwIfAborted(options.signal);
  }
  yield* utterances.batches();
}

function* blocksOf(text: string): Generator<Block> {
  let lines: string[] = [];
  let start = 1;
  for (const [index, line] of text.split(/\r\n|\r|\n/u).entries()) {
    if (line.trim() !== '') {
      if (lines.length === 0) start = index + 1;
      lines.push(line);
    } else if (lines.length > 0) {
      yield { line: start, lines };
      lines = [];
    }
  }
  if (lines.length > 0) yield { line: start, lines };
}

function addSentence(utterances: Utterances, block: Block): void {
  const place = { line: block.line, raw: block.lines.join('\n') };
  const sentence = parseSentence(block);
  if (typeof sentence === 'string') {
    utterances.reject(sentence, undefined, place);
    return;
  }
  const { comments, words, intent } = sentence;
  const chunks = chunksOf(words);
  if (typeof chunks === 'string') {
    utterances.reject(chunks, 'entities', place);
    return;
  }
  const text = comments.get('text') ?? words.map(({ form }) => form).join(' ');
  const entities = text.length > 2 * TEXT_LIMIT_BYTES ? [] : spansIn(text, words, chunks);
  if (typeof entities === 'string') {
    utterances.reject(entities, 'entities', place);
    return;
  }
  const { report } = utterances;
  if (!comments.has('text')) report.note('mended', 'texts were put together from words, with a blank between them');
  if (chunks.some(({ isOpened }) => !isOpened))
    report.note('mended', 'spans that begin with I- were taken as they are');
  const id = comments.get('id');
  const features = id === undefined ? undefined : { sentence: id };
  const lang = comments.get('lang') ?? comments.get('language');
  utterances.add({ text, intent, lang, entities, features, meta: metaOf(comments) }, place);
}

function spansIn(text: string, words: readonly Word[], chunks: readonly Chunk[]): readonly object[] | string {
  if (chunks.length === 0) return [];
  return placeChunks(text, words, chunks, alignWords(text, words));
}

/** Whether a word is part of no span: then it may be empty, as it is where a blank was taken for a word. */
function isOutside(tag: string | undefined): boolean {
  return tag?.trim() === 'O';
}

/** The parts of a sentence, or what is wrong with it. */
function parseSentence({ lines }: Block): Sentence | string {
  const comments = new Map<string, string>();
  const rows: string[][] = [];
  for (const line of lines) {
    const [, key = '', value = ''] = /^#\s*([^=:\s]+)\s*[=:](.*)$/u.exec(line) ?? [];
    // A word may be "#" itself.
    const isComment = line.startsWith('#') && !line.includes('\t');
    if (!isComment) rows.push(line.split('\t'));
    else if (isReservedName(key)) return `the comment "${key}" is not allowed`;
    else if (comments.has(key))
      return `the comment "${key}" occurs twice: is there no blank line between two sentences?`;
    else if (key !== '') comments.set(key, value.trim());
  }
  const isNumbered = rows.length > 0 && rows.every(([number = '']) => /^\d+(?:[-.]\d+)?$/u.test(number));
  const columns = rows.map((row) => (isNumbered && row.length > 2 ? row.slice(1) : row));
  const bad = columns.findIndex((row) => row.length < 2 || (row[0]?.trim() === '' && !isOutside(row.at(-1))));
  if (bad >= 0) return `word ${bad + 1} has no tag, or is empty: ${JSON.stringify(rows[bad]?.join('\t').slice(0, 80))}`;
  const words = columns
    .map((row) => ({ form: (row[0] as string).trim(), tag: (row.at(-1) as string).trim() }))
    .filter(({ form }) => form !== '');
  const intent = intentOf(comments, columns);
  return 'problem' in intent ? intent.problem : { comments, words, intent: intent.name };
}

function intentOf(
  comments: ReadonlyMap<string, string>,
  columns: readonly (readonly string[])[],
): { readonly name: string | undefined } | { readonly problem: string } {
  const names = new Set(columns.filter((row) => row.length === 3).map((row) => (row[1] as string).trim()));
  const said = comments.get('intent');
  if (said !== undefined) names.add(said);
  if (names.size > 1) {
    const shown = [...names].slice(0, 3).map((name) => `"${name.slice(0, 60)}"`);
    return { problem: `the sentence has several intents: ${shown.join(', ')}` };
  }
  const [name] = names;
  return { name: name === '' || name === '_' ? undefined : name };
}

/** Comments without a field of their own, as `text-en`; undefined where there are none. */
function metaOf(comments: ReadonlyMap<string, string>): Readonly<Record<string, string>> | undefined {
  const rest = [...comments].filter(([key]) => !KNOWN.has(key));
  return rest.length === 0 ? undefined : Object.fromEntries(rest);
}
