/** Reads Rasa NLU YAML: as a stream of items, or all of it through the parser of YAML. */
import { throwIfAborted } from '../../base/errors.ts';
import { readDocument } from '../document.ts';
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import { LineSplitter } from '../lines.ts';
import type { ReportBuilder } from '../read-report.ts';
import { TextInput } from '../text-input.ts';
import { parseYaml } from '../yaml-document.ts';
import { type NluPart, NluScanner } from './nlu-scanner.ts';
import { RasaRows } from './rows.ts';
import { isSideKind } from './side-information.ts';
import { takeDocuments, takeExampleLine, takeItem, takeListedExample } from './yaml-items.ts';

/** Examples of one item after which records are handed on. */
const PART_EXAMPLES = 1000;

export async function* readRasaYaml(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const rows = new RasaRows(report);
  const text = new TextInput(input, options);
  const scanner = new NluScanner(report.file, text);
  const splitter = new LineSplitter(scanner);
  for await (const piece of text.pieces()) {
    report.encoding = text.encoding;
    splitter.push(piece);
    for (const part of scanner.takeParts()) yield* takePart(rows, part);
    throwIfAborted(options.signal);
  }
  splitter.end();
  scanner.end();
  for (const part of scanner.takeParts()) yield* takePart(rows, part);
  rows.side.note(report);
  yield* rows.utterances.batches();
}

/** The same by its definition, for files that the parser can hold; exported as the twin that the stream is tested against. */
export async function* readParsedRasaYaml(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const rows = new RasaRows(report);
  takeDocuments(rows, parseYaml(await readDocument(input, report, options), report.file));
  rows.side.note(report);
  yield* rows.utterances.batches();
}

function* takePart(rows: RasaRows, part: NluPart): Generator<ReadBatch> {
  if (part.form === 'plain') yield* takePlain(rows, part);
  else if (part.form === 'item') takeItem(rows, part.document, [0], part.value);
  else takeDocuments(rows, part.documents, part.isAfterItems);
  yield* rows.utterances.fullBatches();
}

function* takePlain(rows: RasaRows, part: Extract<NluPart, { form: 'plain' }>): Generator<ReadBatch> {
  const { kind, name, form } = part.head;
  if (isSideKind(kind)) {
    rows.side.take(kind, name);
    return;
  }
  for (const [count, { text, metadata, index }] of part.examples.entries()) {
    const line = part.line + index;
    const invalid = part.invalid.size === 0 ? undefined : part.invalid.get(line);
    if (invalid !== undefined) rows.utterances.reject(invalid, undefined, { line, raw: text });
    else if (form === 'block') takeExampleLine(rows, name, text, line);
    else takeListedExample(rows, name, text, line, { ofExample: metadata });
    if (count % PART_EXAMPLES === PART_EXAMPLES - 1) yield* rows.utterances.fullBatches();
  }
}
