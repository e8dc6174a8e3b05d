/**
 * Reads the NLU evaluation corpora of sebischair.
 *
 * An entity gives the first and the last of its words by number, and the text it covers. Words are runs of letters and
 * digits, and each other character that is no blank is a word, too. Where the numbers do not lead to the covered
 * text, as in some rows of the published files, the text decides, if it occurs once.
 */
import { throwIfAborted } from '../../base/errors.ts';
import { isFields, type Fields } from '../../records/row-problems.ts';
import { Utterances } from '../document.ts';
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import { clipped, fieldsOf, given, readJson, readLabels, restOf, wrongShape } from '../json-document.ts';
import type { ReportBuilder } from '../read-report.ts';
import { codePointCount } from '../../records/code-points.ts';
import { type Span, spanOf } from '../spans.ts';

const SENTENCE_KEYS: ReadonlySet<string> = new Set(['text', 'intent', 'entities', 'training']);
const ENTITY_KEYS: ReadonlySet<string> = new Set(['text', 'entity', 'start', 'stop']);

const WORD = /[\p{L}\p{M}\p{N}_]+|[^\s\p{L}\p{M}\p{N}_]/gu;

/** The sentences of a corpus, as batches. @throws bad-format */
export async function* readSebischair(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const corpus = fieldsOf(await readJson(input, report, options));
  const { sentences } = corpus;
  if (!Array.isArray(sentences)) {
    const hint = 'wanted: an object with "sentences", as in NLU-Evaluation-Corpora';
    throw wrongShape(input.name, 'there is no list "sentences"', hint);
  }
  report.splitColumn = 'training';
  const utterances = new Utterances(report);
  for (const [index, item] of (sentences as readonly unknown[]).entries()) {
    addSentence(utterances, item, given(corpus['lang']), `/sentences/${index}`);
    yield* utterances.fullBatches();
    throwIfAborted(options.signal);
  }
  yield* utterances.batches();
}

function addSentence(utterances: Utterances, item: unknown, lang: unknown, pointer: string): void {
  const place = { pointer, raw: JSON.stringify(item) };
  if (!isFields(item)) {
    utterances.reject('a sentence must be an object', undefined, place);
    return;
  }
  const { text, intent, training } = item;
  let words: readonly Span[] | undefined;
  const labels = readLabels(text, item['entities'], (all, entity) => {
    words ??= wordsOf(all);
    return entityOf(all, words, entity, utterances.report);
  });
  if ('problem' in labels) {
    utterances.reject(labels.problem, 'entities', place);
    return;
  }
  const side = typeof training === 'boolean' ? (training ? 'train' : 'test') : undefined;
  const rest = restOf(item, SENTENCE_KEYS);
  const isOdd = side === undefined && given(training) !== undefined;
  const meta = isOdd ? { ...rest, training } : rest;
  utterances.add({ text, intent: given(intent), lang, entities: labels.entities, meta }, place, side);
}

/** Where each word lies, in UTF-16 code units. */
function wordsOf(text: string): readonly Span[] {
  return Array.from(text.matchAll(WORD), (match) => ({ start: match.index, end: match.index + match[0].length }));
}

function entityOf(
  text: string,
  words: readonly Span[],
  entity: Fields,
  report: ReportBuilder,
): readonly Fields[] | string {
  const { entity: type, text: covered, start, stop } = entity;
  if (restOf(entity, ENTITY_KEYS) !== undefined) report.note('ignored', 'further keys of entities are not kept');
  const first = typeof start === 'number' ? words[start] : undefined;
  const last = typeof stop === 'number' ? words[stop] : undefined;
  const isWithin = first !== undefined && last !== undefined && first.start < last.end;
  if (typeof covered !== 'string') {
    if (!isWithin) return 'has no text, and its words are not there';
    return [{ type, ...pointsOf(text, { start: first.start, end: last.end }) }];
  }
  const counted = isWithin ? { start: first.start, end: last.end } : undefined;
  if (counted !== undefined && text.slice(counted.start, counted.end) === covered) {
    return [{ type, ...pointsOf(text, counted) }];
  }
  const found = spanOf(text, covered);
  if (found === undefined) {
    const there = counted === undefined ? 'are not there' : `are "${clipped(text.slice(counted.start, counted.end))}"`;
    return `is "${clipped(covered)}", but the words ${String(start)} to ${String(stop)} ${there}`;
  }
  report.note('mended', 'entities were placed by their text: their word numbers lead elsewhere');
  return [{ type, ...found }];
}

function pointsOf(text: string, { start, end }: Span): Span {
  return { start: codePointCount(text, start), end: codePointCount(text, end) };
}
