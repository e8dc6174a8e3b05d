/**
 * Writes .lu files: intents in order of their names, under each its utterances in the order they come.
 *
 * Patterns that were read from such a file go back to their intents. Each line is read again before it is written; a
 * record that would come back as another is left out.
 */
import { throwIfAborted } from '../../base/errors.ts';
import { trim } from '../../records/text.ts';
import type { UtteranceRecord } from '../../records/record.ts';
import type { RecordSource, WriteOptions } from '../format.ts';
import type { WriteReportBuilder } from '../write-report.ts';
import { formatLine, parseLine } from './lu-line.ts';

/** What Bot Framework refuses in names. */
const REFUSED_IN_NAMES = /[<>*%&:\\$]/u;

/** Characters that a definition cannot name. */
const UNDEFINABLE = /[,;'"=(]|\b(?:hasRoles?|usesFeatures?)\b/iu;

/** A line, and the intent that it goes under. */
interface Placed {
  readonly intent: string;
  readonly line: string;
}

/** Writes the records, grouped by intent. */
export async function* writeLu(
  source: RecordSource,
  options: WriteOptions,
  report: WriteReportBuilder,
): AsyncGenerator<Buffer> {
  const file = new LuFile(report);
  for await (const records of source()) {
    throwIfAborted(options.signal);
    for (const record of records) file.add(record);
  }
  for (const part of file.parts()) yield Buffer.from(part);
}

class LuFile {
  readonly #report: WriteReportBuilder;
  readonly #lines = new Map<string, string[]>();
  /** Records by language. */
  readonly #languages = new Map<string, number>();
  readonly #roles = new Map<string, Set<string>>();

  constructor(report: WriteReportBuilder) {
    this.#report = report;
  }

  add(record: UtteranceRecord): void {
    const placed = isTemplate(record) ? placePattern(record) : placeUtterance(record);
    if ('problem' in placed) {
      this.#report.lose('record', placed.problem);
      return;
    }
    const { intent, line } = placed;
    this.#countLosses(record, intent);
    const lines = this.#lines.get(intent);
    if (lines === undefined) this.#lines.set(intent, [line]);
    else lines.push(line);
    const { lang } = record;
    if (lang !== undefined) this.#languages.set(lang, (this.#languages.get(lang) ?? 0) + 1);
    for (const { type, role } of record.entities ?? []) {
      const roles = this.#roles.get(type) ?? new Set();
      this.#roles.set(type, role === undefined ? roles : roles.add(role));
    }
    this.#report.records++;
  }

  *parts(): Generator<string> {
    const language = this.#language();
    if (language !== undefined) yield `> !# @app.culture = ${language}\n\n`;
    for (const intent of [...this.#lines.keys()].sort()) {
      const lines = this.#lines.get(intent) ?? [];
      yield `# ${intent}\n${lines.map((line) => `- ${line}\n`).join('')}\n`;
    }
    for (const type of [...this.#roles.keys()].sort()) {
      if (!UNDEFINABLE.test(type)) yield `@ ml ${quoted(type)}${this.#rolesOf(type)}\n`;
    }
  }

  #rolesOf(type: string): string {
    const roles = [...(this.#roles.get(type) ?? [])].filter((role) => !UNDEFINABLE.test(role)).sort();
    return roles.length === 0 ? '' : ` hasRoles ${roles.map(quoted).join(', ')}`;
  }

  /** A file has one language: that of all its records, or none. */
  #language(): string | undefined {
    const [[language, count] = [undefined, 0]] = this.#languages;
    if (count === this.#report.records) return language;
    for (const times of this.#languages.values()) {
      for (let time = 0; time < times; time++) {
        this.#report.lose('lang', 'a .lu file has one language, and these records have several, or not all have one');
      }
    }
    return undefined;
  }

  #countLosses(record: UtteranceRecord, intent: string): void {
    for (const field of ['id', 'features'] as const) {
      if (record[field] !== undefined) this.#report.lose(field, `.lu has no place for "${field}"`);
    }
    const kept = isTemplate(record) ? 2 : 0;
    if (Object.keys(record.meta ?? {}).length > kept) this.#report.lose('meta', '.lu has no place for "meta"');
    const entities = record.entities ?? [];
    for (const field of ['group', 'value'] as const) {
      if (entities.some((entity) => entity[field] !== undefined)) {
        this.#report.lose(`entities.${field}`, `.lu has no place for the ${field} of an entity`);
      }
    }
    if ([intent, ...entities.map(({ type }) => type)].some((name) => REFUSED_IN_NAMES.test(name))) {
      this.#report.lose('names', 'Bot Framework refuses names with any of < > * % & : \\ $');
    }
  }
}

/** Whether the record is a pattern of an intent, as the reader makes them. */
function isTemplate({ intent, entities, meta }: UtteranceRecord): boolean {
  return (
    intent === undefined && entities === undefined && meta?.['template'] === true && typeof meta['intent'] === 'string'
  );
}

function placePattern({ text, meta }: UtteranceRecord): Placed | { readonly problem: string } {
  const intent = meta?.['intent'] as string;
  if (!isHeading(intent)) return { problem: 'the intent cannot be a heading of .lu' };
  if (/[\r\n]/u.test(text) || parseLine(text).kind !== 'pattern') {
    return { problem: 'the template is no pattern of .lu' };
  }
  return { intent, line: text };
}

function placeUtterance(record: UtteranceRecord): Placed | { readonly problem: string } {
  const { intent } = record;
  if (intent === undefined) return { problem: 'an utterance of .lu needs an intent' };
  if (typeof intent !== 'string') return { problem: 'an utterance of .lu has one intent only' };
  if (!isHeading(intent)) return { problem: 'the intent cannot be a heading of .lu' };
  const formatted = formatLine(record);
  return 'problem' in formatted ? formatted : { intent, line: formatted.line };
}

/** Whether a heading with this name is read back as it. */
function isHeading(intent: string): boolean {
  return intent !== '' && trim(intent) === intent && !/^[#?]|[\r\n]/u.test(intent);
}

function quoted(name: string): string {
  return /\s/u.test(name) ? `"${name}"` : name;
}
