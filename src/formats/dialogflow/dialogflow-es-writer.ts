/**
 * Writes a Dialogflow ES agent: complete intents, for an import replaces what has the same name.
 *
 * Answers, contexts beyond those of follow-up intents and settings are not there: import into an agent that has them
 * replaces them, so this is for new agents, and for copying phrases over.
 */
import { nameProblem } from '../../records/row-problems.ts';
import type { UtteranceRecord } from '../../records/record.ts';
import { type PackedFile, writeArchive } from '../archive.ts';
import { FileNames, jsonFile } from '../export-archive.ts';
import {
  countLanguages,
  ensure,
  EntityValues,
  type Languages,
  loseRest,
  onlyIntent,
  templateIntent,
} from '../export-records.ts';
import type { RecordSource, WriteOptions } from '../format.ts';
import type { PieceLabel, TextPiece } from '../spans.ts';
import type { WriteReportBuilder } from '../write-report.ts';
import {
  defaultParameter,
  FOLLOW_UP,
  IGNORED_TYPE,
  isSystemType,
  isUuid,
  labelOf,
  languageOf,
  uuidOf,
} from './names.ts';
import { phraseId } from './phrase-id.ts';
import { writablePieces } from './pieces.ts';

const UNSETTLED_PARENT = `${FOLLOW_UP} is left out where it differs within an intent, or leads in a circle`;

export async function* writeDialogflowEs(
  source: RecordSource,
  options: WriteOptions,
  report: WriteReportBuilder,
): AsyncGenerator<Buffer> {
  const languages = await countLanguages(source, languageOf, 'en');
  const agent = new AgentBuilder(languages, report);
  for await (const batch of source()) for (const record of batch) agent.add(record);
  agent.settleParents();
  yield* writeArchive(agent.files(options.name ?? ''));
}

interface Parameter {
  readonly type: string;
  isList: boolean;
}

class IntentBuilder {
  readonly phrases = new Map<string, unknown[]>();
  readonly parameters = new Map<string, Parameter>();
  /** What its records say that it follows, and in how many of them. */
  readonly parents = new Map<unknown, number>();
  parent: string | undefined;
  labelledCount = 0;
  fallbackCount = 0;

  get isFallback(): boolean {
    return this.labelledCount > 0 && this.fallbackCount === this.labelledCount;
  }
}

class AgentBuilder {
  readonly #languages: Languages;
  readonly #report: WriteReportBuilder;
  readonly #intents = new Map<string, IntentBuilder>();
  /** By language. */
  readonly #values = new Map<string, EntityValues>();

  constructor(languages: Languages, report: WriteReportBuilder) {
    this.#languages = languages;
    this.#report = report;
  }

  add(record: UtteranceRecord): void {
    const template = templateIntent(record);
    if (template !== undefined) {
      this.#addTemplate(record, template);
      return;
    }
    const name = onlyIntent(record, this.#report);
    if (name === undefined) return;
    const pieces = writablePieces(record, this.#report);
    if (pieces === undefined) return;
    this.#report.records++;
    const intent = ensure(this.#intents, name, () => new IntentBuilder());
    const lang = this.#languageFor(record);
    const written = pieces.map(({ text, label }) => ({ text, label: labelFor(label) }));
    if (pieces.some(({ label }) => label?.type === IGNORED_TYPE)) {
      this.#report.lose('entities', `of the type ${IGNORED_TYPE} are left out: they mean that nothing is marked`);
    }
    ensure(intent.phrases, lang, () => []).push(phrase(written, false, this.#idFor(record, name, lang, written)));
    this.#countParameters(intent, lang, record);
    this.#countState(intent, record);
    loseRest(record, { features: [FOLLOW_UP], meta: ['fallback'] }, this.#report);
  }

  #addTemplate(record: UtteranceRecord, name: string): void {
    this.#report.records++;
    const intent = ensure(this.#intents, name, () => new IntentBuilder());
    const lang = this.#languageFor(record);
    const pieces = [{ text: record.text }];
    ensure(intent.phrases, lang, () => []).push(phrase(pieces, true, phraseId(name, lang, pieces)));
    if (record.id !== undefined) this.#report.lose('id', 'of templates are left out');
    if (record.entities !== undefined) this.#report.lose('entities', 'of templates are left out');
    loseRest(record, { meta: ['template', 'intent'] }, this.#report);
  }

  #languageFor({ lang }: UtteranceRecord): string {
    const known = languageOf(lang);
    if (known === undefined) {
      const what = lang === undefined ? 'is missing' : 'is none that Dialogflow could know';
      this.#report.lose('lang', `${what}, and reads back as the agent's, ${this.#languages.main}`);
    }
    return known ?? this.#languages.main;
  }

  #idFor({ id }: UtteranceRecord, name: string, lang: string, pieces: readonly TextPiece[]): string {
    if (isUuid(id)) return id;
    if (id !== undefined) this.#report.lose('id', 'that are no UUIDs are left out');
    return phraseId(name, lang, pieces);
  }

  #countParameters(intent: IntentBuilder, lang: string, { entities = [] }: UtteranceRecord): void {
    const seen = new Set<string>();
    for (const entity of entities) {
      if (entity.type === IGNORED_TYPE) continue;
      const name = entity.role ?? defaultParameter(entity.type);
      const parameter = ensure(intent.parameters, name, () => ({ type: entity.type, isList: false }));
      if (seen.has(name)) parameter.isList = true;
      seen.add(name);
      if (!isSystemType(entity.type)) ensure(this.#values, lang, () => new EntityValues()).add(entity.type, entity);
    }
  }

  #countState(intent: IntentBuilder, { features, meta }: UtteranceRecord): void {
    const parent = features?.[FOLLOW_UP];
    intent.parents.set(parent, (intent.parents.get(parent) ?? 0) + 1);
    intent.labelledCount++;
    if (meta?.['fallback'] === true) intent.fallbackCount++;
    else if (meta?.['fallback'] !== undefined) this.#report.lose('meta', 'are left out');
  }

  /** An intent follows another one where all its records say so, and nothing follows itself. */
  settleParents(): void {
    for (const [name, intent] of this.#intentsInOrder()) {
      const [parent, ...others] = intent.parents.keys();
      const isName = typeof parent === 'string' && nameProblem(parent) === undefined;
      if (isName && others.length === 0 && !this.#follows(parent, name)) {
        intent.parent = parent;
        ensure(this.#intents, parent, () => new IntentBuilder());
        continue;
      }
      for (const [given, count] of intent.parents) {
        if (given !== undefined) this.#report.lose('features', UNSETTLED_PARENT, count);
      }
    }
    for (const { isFallback, fallbackCount } of this.#intents.values()) {
      if (!isFallback) {
        this.#report.lose('meta', 'fallback is left out where it differs within an intent', fallbackCount);
      }
    }
  }

  /** Whether `name` is `ancestor` or follows it, over any number of intents. */
  #follows(name: string, ancestor: string): boolean {
    for (let at: string | undefined = name; at !== undefined; at = this.#intents.get(at)?.parent) {
      if (at === ancestor) return true;
    }
    return false;
  }

  #intentsInOrder(): [string, IntentBuilder][] {
    return [...this.#intents].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  *files(description: string): Generator<PackedFile> {
    const { main, all } = this.#languages;
    yield jsonFile('package.json', { version: '1.0.0' });
    const supportedLanguages = all.filter((lang) => lang !== main);
    yield jsonFile('agent.json', { description, language: main, supportedLanguages, isPrivate: true });
    const names = new FileNames();
    const parents = new Set([...this.#intents.values()].map(({ parent }) => parent));
    for (const [name, intent] of this.#intentsInOrder()) {
      const path = `intents/${names.of(name)}`;
      yield jsonFile(`${path}.json`, this.#definition(name, intent, parents.has(name)));
      for (const lang of [...intent.phrases.keys()].sort()) {
        yield jsonFile(`${path}_usersays_${lang}.json`, intent.phrases.get(lang));
      }
    }
    yield* this.#entityFiles();
  }

  #definition(name: string, intent: IntentBuilder, isParent: boolean): unknown {
    const { parent } = intent;
    let root = parent;
    for (let at = parent; at !== undefined; at = this.#intents.get(at)?.parent) root = at;
    return {
      id: intentId(name),
      ...(parent === undefined ? {} : { parentId: intentId(parent), rootParentId: intentId(root as string) }),
      name,
      auto: true,
      contexts: parent === undefined ? [] : [contextOf(parent)],
      responses: [
        {
          resetContexts: false,
          affectedContexts: isParent ? [{ name: contextOf(name), parameters: {}, lifespan: 2 }] : [],
          parameters: [...intent.parameters].map(([parameter, { type, isList }]) => ({
            id: uuidOf(JSON.stringify(['parameter', name, parameter])),
            required: false,
            dataType: `@${type}`,
            name: parameter,
            value: `$${parameter}`,
            isList,
          })),
          messages: [],
          speech: [],
        },
      ],
      priority: 500_000,
      webhookUsed: false,
      fallbackIntent: intent.isFallback,
      events: [],
    };
  }

  *#entityFiles(): Generator<PackedFile> {
    const names = new FileNames();
    const types = [...new Set([...this.#values.values()].flatMap((values) => values.types))].sort();
    for (const type of types) {
      const path = `entities/${names.of(type)}`;
      yield jsonFile(`${path}.json`, {
        id: uuidOf(JSON.stringify(['entity', type])),
        name: type,
        isOverridable: true,
        isEnum: false,
        isRegexp: false,
        automatedExpansion: true,
        allowFuzzyExtraction: false,
      });
      for (const lang of [...this.#values.keys()].sort()) {
        const entries = this.#values.get(lang)?.valuesOf(type) ?? [];
        if (entries.length > 0) yield jsonFile(`${path}_entries_${lang}.json`, entries);
      }
    }
  }
}

/** As a reader will see it. */
function labelFor(label: PieceLabel | undefined): PieceLabel | undefined {
  return label === undefined || label.type === IGNORED_TYPE ? undefined : labelOf(`@${label.type}`, label.role);
}

function phrase(pieces: readonly TextPiece[], isTemplate: boolean, id: string): unknown {
  const data = pieces.map(({ text, label }) =>
    label === undefined
      ? { text, userDefined: false }
      : { text, alias: label.role ?? defaultParameter(label.type), meta: `@${label.type}`, userDefined: true },
  );
  return { id, data, isTemplate, count: 0, updated: 0 };
}

function intentId(name: string): string {
  return uuidOf(JSON.stringify(['intent', name]));
}

function contextOf(intent: string): string {
  return `${intent.replace(/[^\w-]/gu, '')}-followup`;
}
