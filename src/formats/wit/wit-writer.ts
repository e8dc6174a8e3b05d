/**
 * Writes a wit.ai app (version 20200513).
 *
 * An app has one language. Offsets are written in UTF-16 code units and are absolute also within another entity, which
 * is how this project's reader takes them first; `body` says what is meant in any case.
 */
import { unitOffsets } from '../../records/code-points.ts';
import type { Entity, UtteranceRecord } from '../../records/record.ts';
import { type PackedFile, writeArchive } from '../archive.ts';
import { FileNames, jsonFile } from '../export-archive.ts';
import { countLanguages, ensure, EntityValues, type Languages, loseRest } from '../export-records.ts';
import type { RecordSource, WriteOptions } from '../format.ts';
import type { WriteReportBuilder } from '../write-report.ts';
import { defaultRole, formatEntityName, NESTING_LIMIT } from './names.ts';

/** Utterances in one document. */
const DOCUMENT_ROWS = 10_000;
const INDENT = 4;

export async function* writeWit(
  source: RecordSource,
  options: WriteOptions,
  report: WriteReportBuilder,
): AsyncGenerator<Buffer> {
  const languages = await countLanguages(source, (lang) => lang, 'en');
  const name = new FileNames().of(options.name ?? 'utterances');
  yield* writeArchive(new AppWriter(source, { name, languages, report }).files());
}

interface App {
  readonly name: string;
  readonly languages: Languages;
  readonly report: WriteReportBuilder;
}

class AppWriter {
  readonly #source: RecordSource;
  readonly #app: App;
  readonly #intents = new Map<string, Set<string>>();
  readonly #roles = new Map<string, Set<string>>();
  readonly #values = new EntityValues();
  readonly #traits = new Map<string, Set<string>>();

  constructor(source: RecordSource, app: App) {
    this.#source = source;
    this.#app = app;
  }

  async *files(): AsyncGenerator<PackedFile> {
    const { name, languages } = this.#app;
    yield this.#file('app.json', { version: 20200513, name, lang: languages.main, timezone: 'Etc/UTC' });
    let rows: unknown[] = [];
    let number = 1;
    for await (const batch of this.#source()) {
      for (const record of batch) {
        const row = this.#row(record);
        if (row !== undefined) rows.push(row);
        if (rows.length < DOCUMENT_ROWS) continue;
        yield this.#file(`utterances/utterances-${number}.json`, { utterances: rows });
        [rows, number] = [[], number + 1];
      }
    }
    if (rows.length > 0 || number === 1) yield this.#file(`utterances/utterances-${number}.json`, { utterances: rows });
    yield* this.#definitions();
  }

  *#definitions(): Generator<PackedFile> {
    const [entityNames, intentNames, traitNames] = [new FileNames(), new FileNames(), new FileNames()];
    for (const [type, roles] of sorted(this.#roles)) {
      const keywords = this.#values.valuesOf(type).map(({ value, synonyms }) => ({ keyword: value, synonyms }));
      const own = type.startsWith('wit$') ? {} : { lookups: ['free-text', 'keywords'], keywords };
      yield this.#file(`entities/${entityNames.of(type)}.json`, { name: type, roles: [...roles].sort(), ...own });
    }
    for (const [intent, names] of sorted(this.#intents)) {
      const entities = names.size === 0 ? {} : { entities: [...names].sort() };
      yield this.#file(`intents/${intentNames.of(intent)}.json`, { name: intent, ...entities });
    }
    for (const [trait, values] of sorted(this.#traits)) {
      yield this.#file(`traits/${traitNames.of(trait)}.json`, { name: trait, values: [...values].sort() });
    }
  }

  #file(path: string, value: unknown): PackedFile {
    return jsonFile(`${this.#app.name}/${path}`, value, INDENT);
  }

  #row(record: UtteranceRecord): unknown {
    const { report } = this.#app;
    const { text, intent, entities = [] } = record;
    const reason = reasonAgainst(record);
    const nested = reason === undefined ? nest(text, entities) : undefined;
    if (reason !== undefined || nested === undefined) {
      report.lose('record', `is left out: ${reason ?? 'its entities overlap, or lie too deep within each other'}`);
      return undefined;
    }
    report.records++;
    this.#countLosses(record);
    const names = typeof intent === 'string' ? ensure(this.#intents, intent, () => new Set<string>()) : undefined;
    for (const entity of entities) {
      const role = entity.role ?? defaultRole(entity.type);
      names?.add(`${entity.type}:${role}`);
      ensure(this.#roles, entity.type, () => new Set()).add(role);
      this.#values.add(entity.type, entity);
    }
    return { text, entities: nested, traits: this.#traitsOf(record), ...(intent === undefined ? {} : { intent }) };
  }

  #countLosses(record: UtteranceRecord): void {
    const { report, languages } = this.#app;
    const { id, lang, entities = [], features = {} } = record;
    if (id !== undefined) report.lose('id', 'are left out');
    if (lang !== languages.main) {
      const what = lang === undefined ? 'is missing' : 'is another';
      report.lose('lang', `${what}, and reads back as the app's, ${languages.main}`);
    }
    if (entities.some(({ type, role }) => role !== undefined && (role === defaultRole(type) || role === type))) {
      report.lose('entities.role', 'that are called as the type reads back as none');
    }
    if (Object.values(features).some((value) => typeof value !== 'string')) {
      report.lose('features', 'that are no texts read back as texts; those that are null are left out');
    }
    loseRest(record, { features: Object.keys(features) }, report);
  }

  #traitsOf({ features = {} }: UtteranceRecord): unknown[] {
    const traits: unknown[] = [];
    for (const trait of Object.keys(features).sort()) {
      const value = features[trait];
      if (value === undefined || value === null) continue;
      traits.push({ trait, value: String(value) });
      ensure(this.#traits, trait, () => new Set()).add(String(value));
    }
    return traits;
  }
}

function reasonAgainst({ intent, entities = [], meta }: UtteranceRecord): string | undefined {
  if (Array.isArray(intent)) return 'it has several intents';
  if (intent === undefined && meta?.['template'] === true) return 'it is a template';
  if (entities.some((entity) => formatEntityName(entity) === undefined)) return 'a type of an entity holds a colon';
  return undefined;
}

interface Nested {
  readonly entity: string | undefined;
  readonly start: number;
  readonly end: number;
  readonly body: string;
  readonly entities: Nested[];
}

/** Entities within those they lie in; undefined where two overlap otherwise, or too many lie in each other. */
function nest(text: string, entities: readonly Entity[]): Nested[] | undefined {
  const top: Nested[] = [];
  const open: Nested[] = [];
  const units = unitOffsets(text);
  for (const entity of entities) {
    const { start, end } = { start: units[entity.start] as number, end: units[entity.end] as number };
    while ((open.at(-1)?.end ?? Infinity) <= start) open.pop();
    const outer = open.at(-1);
    if ((outer !== undefined && outer.end < end) || open.length >= NESTING_LIMIT) return undefined;
    const nested: Nested = { entity: formatEntityName(entity), start, end, body: entity.text, entities: [] };
    (outer?.entities ?? top).push(nested);
    open.push(nested);
  }
  return top;
}

function sorted<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
