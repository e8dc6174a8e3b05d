/**
 * Reads NLU++: `{text, intents?: [...], slots?: {name: {text, span: [start, end), value | values}}}`.
 *
 * Spans count code points. The value of a slot is often an object (a date, an amount): it is kept as canonical JSON.
 */
import { canonicalJson, type JsonValue } from '../../base/canonical-json.ts';
import { throwIfAborted } from '../../base/errors.ts';
import { isFields, type Fields } from '../../records/row-problems.ts';
import { Utterances } from '../document.ts';
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import { clipped, listOf, readJson, readLabels, restOf, wrongShape } from '../json-document.ts';
import type { ReportBuilder } from '../read-report.ts';
import { sliceCodePoints } from '../../records/code-points.ts';
import { type Span, spanOf, spanOfUnits } from '../spans.ts';

const UTTERANCE_KEYS: ReadonlySet<string> = new Set(['text', 'intents', 'slots']);
const SLOT_KEYS: ReadonlySet<string> = new Set(['text', 'span', 'value', 'values']);

/** The utterances of a file, as batches. @throws bad-format */
export async function* readNlupp(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const items = await readJson(input, report, options);
  if (!Array.isArray(items)) {
    const hint = 'wanted: [{"text": …, "intents": […], "slots": {…}}, …]; the ontology is no data';
    throw wrongShape(input.name, 'it is no list of utterances', hint);
  }
  const utterances = new Utterances(report);
  for (const [index, item] of (items as readonly unknown[]).entries()) {
    addUtterance(utterances, item, `/${index}`);
    yield* utterances.fullBatches();
    throwIfAborted(options.signal);
  }
  yield* utterances.batches();
}

function addUtterance(utterances: Utterances, item: unknown, pointer: string): void {
  const place = { pointer, raw: JSON.stringify(item) };
  if (!isFields(item)) {
    utterances.reject('an utterance must be an object', undefined, place);
    return;
  }
  const { text, intents, slots } = item;
  if (!isFields(slots ?? {})) {
    utterances.reject('"slots" is not an object', 'slots', place);
    return;
  }
  const list = Object.entries(slots ?? {}).map(([name, slot]) => ({ name, slot: slot as unknown }));
  const labels = readLabels(text, list, (all, slot) => slotEntity(all, slot, utterances.report), 'slots');
  if ('problem' in labels) {
    utterances.reject(labels.problem, 'slots', place);
    return;
  }
  utterances.add({ text, intent: intents, entities: labels.entities, meta: restOf(item, UTTERANCE_KEYS) }, place);
}

function slotEntity(text: string, { name, slot }: Fields, report: ReportBuilder): readonly Fields[] | string {
  const made = isFields(slot) ? entityOf(text, slot, report) : 'is not an object';
  return typeof made === 'string' ? `(${clipped(name as string)}) ${made}` : [{ type: name, ...made }];
}

function entityOf(text: string, slot: Fields, report: ReportBuilder): Fields | string {
  if (restOf(slot, SLOT_KEYS) !== undefined) report.note('ignored', 'further keys of slots are not kept');
  const span = listOf(slot['span']);
  const [start, end] = span;
  if (span.length !== 2 || typeof start !== 'number' || typeof end !== 'number') return 'needs "span" as two numbers';
  const covered = slot['text'];
  const found = typeof covered === 'string' ? spanWith(text, { start, end }, covered) : { start, end };
  if (found === undefined) {
    const there = clipped(sliceCodePoints(text, { start, end }));
    return `is "${clipped(covered as string)}", but ${start} to ${end} is "${there}"`;
  }
  if (found.start !== start || found.end !== end) {
    report.note('mended', 'slots were placed by their text: their spans lead elsewhere');
  }
  return { value: valueOf(slot), ...found };
}

/** The span as code points, else as UTF-16 code units, else wherever the covered text occurs once. */
function spanWith(text: string, span: Span, covered: string): Span | undefined {
  if (sliceCodePoints(text, span) === covered) return spanOf(text, covered, span);
  return spanOfUnits(text, span.start, span.end, covered);
}

function valueOf({ value, values }: Fields): unknown {
  const both = value !== undefined && values !== undefined;
  const one = both ? { value, values } : (value ?? values);
  return typeof one === 'object' && one !== null ? canonicalJson(one as JsonValue) : one;
}
