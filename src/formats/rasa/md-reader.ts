/**
 * Reads Rasa NLU Markdown, which Rasa 3 has given up.
 *
 *   file    = { section }                       with <!-- comments --> anywhere
 *   section = "## " kind ":" name { item }      kind: intent, synonym, regex or lookup
 *   item    = ( "-" | "*" | "+" ) example
 *
 * A lookup table may be the path of a file instead. Escapes there are none: Rasa writes line ends in a text as `\n`
 * but does not read them back, so they stay what they are.
 */
import { readDocument } from '../document.ts';
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import type { ReportBuilder } from '../read-report.ts';
import { type Heading, parseHeading, withoutComments } from './md-lines.ts';
import { RasaRows, stripExample } from './rows.ts';

export async function* readRasaMd(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const text = await readDocument(input, report, options);
  const reader = new MarkdownReader(report);
  let line = 0;
  for (const content of lines(withoutComments(text))) {
    reader.take(content, ++line);
    yield* reader.rows.utterances.fullBatches();
  }
  reader.rows.side.note(report);
  yield* reader.rows.utterances.batches();
}

function* lines(text: string): Generator<string> {
  let from = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
    yield text.slice(from, end);
    from = end + 1;
  }
  yield text.slice(from);
}

class MarkdownReader {
  readonly rows: RasaRows;
  /** Undefined before the first section, and within one that Rasa does not know. */
  #section: Heading | undefined;
  /** The heading that opened the section, as a message may show it. */
  #heading = 'the first section';

  constructor(report: ReportBuilder) {
    this.rows = new RasaRows(report);
  }

  take(given: string, line: number): void {
    const content = given.trim();
    if (content === '') return;
    if (/^##\s*[^:#]+:/u.test(content)) this.#open(content);
    else if (/^[-*+]/u.test(content)) this.#takeItem(stripExample(content.slice(1)), content, line);
    else if (this.#section?.kind !== 'lookup') {
      this.rows.report.note('ignored', 'lines that are neither headings nor items, which Rasa passes over, too');
    }
  }

  #open(content: string): void {
    this.#section = parseHeading(content);
    this.#heading = content.slice(0, 60);
    if (this.#section !== undefined && this.#section.kind !== 'intent') {
      this.rows.side.take(this.#section.kind, this.#section.name);
    }
  }

  #takeItem(example: string, content: string, line: number): void {
    if (this.#section === undefined) {
      const where = this.#heading === 'the first section' ? 'before' : 'in';
      const message = `it stands ${where} ${this.#heading}; examples belong in a section "## intent:<name>"`;
      this.rows.utterances.reject(message, undefined, { line, raw: content });
    } else if (this.#section.kind === 'intent') {
      this.rows.add(this.#section.name, example, { line, raw: content });
    }
  }
}
