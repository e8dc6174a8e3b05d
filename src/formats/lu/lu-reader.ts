/**
 * Reads .lu files.
 *
 *   file    = { comment | setting | heading | item | definition | reference | question }
 *   comment = ">" …          setting    = "> !# @key = value"
 *   heading = "#" … name     item       = ( "-" | "*" | "+" ) utterance
 *   question = "# ?" …, up to the next heading, answers in fences included
 *
 * Items belong to the heading or the definition before them, whichever is nearer: those of a definition are values of
 * a list, or parts of an entity, and no utterances.
 */
import { throwIfAborted } from '../../base/errors.ts';
import { TEXT_LIMIT_BYTES } from '../../records/row-problems.ts';
import { readDocument, Utterances } from '../document.ts';
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import { noteSideInformation } from '../json-document.ts';
import type { ReportBuilder } from '../read-report.ts';
import { LuDefinitions } from './lu-definitions.ts';
import { parseLine } from './lu-line.ts';

/** Labels take place, too, but no line that can be kept is longer. */
const LINE_LIMIT = 8 * TEXT_LIMIT_BYTES;

const BLANKS = /^[ \t\u00a0\ufeff]+|[ \t\u00a0\ufeff]+$/gu;

interface Line {
  readonly text: string;
  readonly number: number;
}

/** All utterances of a .lu file, as batches. */
export async function* readLu(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const lines = contentLines(await readDocument(input, report, options));
  const definitions = new LuDefinitions();
  for (const { text } of lines) if (/^[@$]/u.test(text)) definitions.take(text);
  const reader = new LuReader(new Utterances(report), definitions, new LuSettings(lines));
  for (const line of lines) {
    reader.take(line);
    yield* reader.utterances.fullBatches();
    throwIfAborted(options.signal);
  }
  reader.finish();
  yield* reader.utterances.batches();
}

/** Lines that are not blank, without blanks at their ends, and without what stands under questions. */
function contentLines(text: string): readonly Line[] {
  const lines: Line[] = [];
  let isQuestion = false;
  let isFenced = false;
  for (const [index, whole] of text.split(/\r\n|\r|\n/u).entries()) {
    const line = whole.replace(BLANKS, '');
    const isHeading = !isFenced && line.startsWith('#');
    if (isHeading) isQuestion = isQuestionHeading(line);
    if (isQuestion && line.startsWith('```')) isFenced = !isFenced;
    if (line !== '' && (isHeading || !isQuestion)) lines.push({ text: line, number: index + 1 });
  }
  return lines;
}

function isQuestionHeading(line: string): boolean {
  return /^#+[ \t]*\?/u.test(line);
}

/** What `> !# @key = value` says of the whole file. */
class LuSettings {
  readonly names: readonly string[];
  readonly culture: string | undefined;
  /** A deeper heading is a part of the section above it. */
  readonly hasSections: boolean;

  constructor(lines: readonly Line[]) {
    const settings = new Map<string, string>();
    for (const { text } of lines) {
      const [, rest] = /^>[ \t]*!#[ \t]*@?(.*)$/u.exec(text) ?? [];
      if (rest === undefined) continue;
      const equals = rest.indexOf('=');
      settings.set((equals < 0 ? rest : rest.slice(0, equals)).trim(), equals < 0 ? '' : rest.slice(equals + 1).trim());
    }
    this.culture = settings.get('app.culture');
    this.hasSections = settings.get('enableSections')?.toLowerCase() === 'true';
    this.names = [...settings.keys()].filter((name) => name !== 'app.culture' && name !== 'enableSections');
  }
}

class LuReader {
  readonly utterances: Utterances;
  readonly #definitions: LuDefinitions;
  readonly #settings: LuSettings;
  #intent: string | undefined;
  /** The section that the intent is nested in. */
  #parent: string | undefined;
  /** The last heading of the first level. */
  #section: string | undefined;
  #isDefinition = false;
  #questionCount = 0;
  readonly #references: string[] = [];
  /** Items by intent. */
  readonly #counts = new Map<string, number>();

  constructor(utterances: Utterances, definitions: LuDefinitions, settings: LuSettings) {
    this.utterances = utterances;
    this.#definitions = definitions;
    this.#settings = settings;
  }

  take(line: Line): void {
    const mark = line.text[0];
    if (mark === '>') return;
    if (mark === '#') this.#heading(line);
    else if (mark === '@' || mark === '$') this.#isDefinition = true;
    else if (mark === '-' || mark === '*' || mark === '+') this.#item(line);
    else if (mark === '[' && line.text.endsWith(')')) this.#references.push(line.text);
    else {
      this.utterances.reject('the line is no heading, no item, no definition and no comment', undefined, placeOf(line));
    }
  }

  finish(): void {
    const { report } = this.utterances;
    this.#definitions.note(report);
    noteSideInformation(report, 'settings', this.#settings.names);
    noteSideInformation(report, 'references to other files', this.#references);
    const empty = [...this.#counts].filter(([, count]) => count === 0).map(([name]) => name);
    noteSideInformation(report, 'intents without utterances', empty);
    if (this.#questionCount > 0) {
      report.note('side-information', 'questions with answers were passed over', this.#questionCount);
    }
  }

  #heading(line: Line): void {
    this.#isDefinition = false;
    this.#intent = undefined;
    this.#parent = undefined;
    if (isQuestionHeading(line.text)) {
      this.#questionCount++;
      return;
    }
    const [hashes = ''] = /^#+/u.exec(line.text) ?? [];
    const name = line.text.slice(hashes.length).replace(BLANKS, '');
    if (name === '') {
      this.utterances.reject('the heading names no intent', 'intent', placeOf(line));
      return;
    }
    this.#intent = name;
    this.#counts.set(name, this.#counts.get(name) ?? 0);
    if (!this.#settings.hasSections) return;
    if (hashes.length === 1) this.#section = name;
    else this.#parent = this.#section;
  }

  #item(line: Line): void {
    if (this.#isDefinition) return;
    const place = placeOf(line);
    const body = line.text.slice(1).replace(BLANKS, '');
    if (body.length > LINE_LIMIT) {
      this.utterances.reject(`the line has more than ${LINE_LIMIT} characters`, 'text', place);
      return;
    }
    const parsed = parseLine(body);
    if (parsed.kind === 'reference') {
      this.#references.push(body);
      return;
    }
    if (parsed.kind === 'broken') {
      this.utterances.reject(parsed.problem, 'text', place);
      return;
    }
    const intent = this.#intent;
    if (intent !== undefined) this.#counts.set(intent, (this.#counts.get(intent) ?? 0) + 1);
    const lang = this.#settings.culture;
    const nested = this.#parent === undefined ? {} : { section: this.#parent };
    if (parsed.kind === 'pattern') {
      this.utterances.report.note('template', 'patterns were kept as templates without a label');
      const meta = { template: true, ...(intent === undefined ? {} : { intent }), ...nested };
      this.utterances.add({ text: body, lang, meta }, place);
      return;
    }
    const entities = parsed.entities.map((label) => this.#definitions.resolve(label));
    this.utterances.add({ text: parsed.text, intent, lang, entities, meta: nested }, place);
  }
}

function placeOf({ text, number }: Line): { readonly line: number; readonly raw: string } {
  return { line: number, raw: text };
}
