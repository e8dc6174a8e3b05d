/**
 * Writes intents, training phrases and entity types as a JSON package of Dialogflow CX.
 *
 * Flows and pages are not there: the package is for an import of intents, not for restoring an agent.
 */
import type { Entity, UtteranceRecord } from '../../records/record.ts';
import { type PackedFile, writeArchive } from '../archive.ts';
import { FileNames, jsonFile } from '../export-archive.ts';
import { countLanguages, ensure, EntityValues, type Languages, loseRest, onlyIntent } from '../export-records.ts';
import type { RecordSource, WriteOptions } from '../format.ts';
import type { WriteReportBuilder } from '../write-report.ts';
import { defaultParameter, isSystemType, isUuid, languageOf, uuidOf } from './names.ts';
import { writablePieces } from './pieces.ts';

export async function* writeDialogflowCx(
  source: RecordSource,
  options: WriteOptions,
  report: WriteReportBuilder,
): AsyncGenerator<Buffer> {
  const languages = await countLanguages(source, languageOf, 'en');
  const agent = new AgentBuilder(languages, report);
  for await (const batch of source()) for (const record of batch) agent.add(record);
  agent.settleFallbacks();
  yield* writeArchive(agent.files(options.name ?? 'utterances'));
}

class IntentBuilder {
  readonly phrases = new Map<string, unknown[]>();
  /** Type and multiplicity by id. */
  readonly parameters = new Map<string, { readonly type: string; isList: boolean }>();
  count = 0;
  fallbackCount = 0;
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
    const name = onlyIntent(record, this.#report);
    if (name === undefined) return;
    const pieces = writablePieces(record, this.#report);
    if (pieces === undefined) return;
    this.#report.records++;
    const intent = ensure(this.#intents, name, () => new IntentBuilder());
    const lang = this.#languageFor(record);
    const parameters = this.#parametersOf(record, intent);
    const parts = pieces.map(({ text, label }) => ({
      text,
      ...(label === undefined ? {} : { parameterId: parameters.get(label) }),
    }));
    ensure(intent.phrases, lang, () => []).push({
      ...this.#idOf(record),
      parts,
      repeatCount: this.#repeatCountOf(record),
      languageCode: lang,
    });
    intent.count++;
    if (record.meta?.['fallback'] === true) intent.fallbackCount++;
    else if (record.meta?.['fallback'] !== undefined) this.#report.lose('meta', 'are left out');
    for (const entity of record.entities ?? []) {
      if (!isSystemType(entity.type)) ensure(this.#values, lang, () => new EntityValues()).add(entity.type, entity);
    }
    loseRest(record, { meta: ['fallback', 'repeatCount'] }, this.#report);
  }

  #languageFor({ lang }: UtteranceRecord): string {
    const known = languageOf(lang);
    if (known === undefined) {
      const what = lang === undefined ? 'is missing' : 'is none that Dialogflow could know';
      this.#report.lose('lang', `${what}, and reads back as the agent's, ${this.#languages.main}`);
    }
    return known ?? this.#languages.main;
  }

  #idOf({ id }: UtteranceRecord): { id?: string } {
    if (isUuid(id)) return { id };
    if (id !== undefined) this.#report.lose('id', 'that are no UUIDs are left out');
    return {};
  }

  #repeatCountOf({ meta }: UtteranceRecord): number {
    const count = meta?.['repeatCount'];
    if (count === undefined) return 1;
    if (typeof count === 'number' && Number.isSafeInteger(count) && count > 1) return count;
    this.#report.lose('meta', 'repeatCount is left out where it is no whole number above 1');
    return 1;
  }

  /** A parameter has one type within its intent, so one that is wanted for another type gets a name of its own. */
  #parametersOf({ entities = [] }: UtteranceRecord, intent: IntentBuilder): Map<Entity, string> {
    const ids = new Map<Entity, string>();
    let isRenamed = false;
    for (const entity of entities) {
      const wanted = entity.role ?? defaultParameter(entity.type);
      let id = wanted;
      for (let at = 2; (intent.parameters.get(id)?.type ?? entity.type) !== entity.type; at++) id = `${wanted}-${at}`;
      isRenamed ||= id !== wanted;
      const parameter = ensure(intent.parameters, id, () => ({ type: entity.type, isList: false }));
      parameter.isList ||= [...ids.values()].includes(id);
      ids.set(entity, id);
    }
    if (isRenamed) this.#report.lose('entities.role', 'is another where one parameter would have two types');
    return ids;
  }

  /** An intent is the fallback only if all its records say so. */
  settleFallbacks(): void {
    for (const { count, fallbackCount } of this.#intents.values()) {
      if (count === fallbackCount) continue;
      this.#report.lose('meta', 'fallback is left out where it differs within an intent', fallbackCount);
    }
  }

  *files(displayName: string): Generator<PackedFile> {
    const { main, all } = this.#languages;
    const supportedLanguageCodes = all.filter((lang) => lang !== main);
    yield jsonFile('agent.json', {
      displayName,
      defaultLanguageCode: main,
      supportedLanguageCodes,
      timeZone: 'Etc/UTC',
    });
    const names = new FileNames();
    for (const [displayName, intent] of [...this.#intents].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const folder = names.of(displayName);
      yield jsonFile(`intents/${folder}/${folder}.json`, {
        name: uuidOf(JSON.stringify(['intent', displayName])),
        displayName,
        priority: 500_000,
        ...(intent.fallbackCount === intent.count ? { isFallback: true } : {}),
        parameters: [...intent.parameters].map(([id, { type, isList }]) => ({
          id,
          entityType: `@${type}`,
          ...(isList ? { isList } : {}),
        })),
      });
      for (const lang of [...intent.phrases.keys()].sort()) {
        const trainingPhrases = intent.phrases.get(lang);
        yield jsonFile(`intents/${folder}/trainingPhrases/${lang}.json`, { trainingPhrases });
      }
    }
    yield* this.#entityFiles();
  }

  *#entityFiles(): Generator<PackedFile> {
    const names = new FileNames();
    const types = [...new Set([...this.#values.values()].flatMap((values) => values.types))].sort();
    for (const displayName of types) {
      const folder = names.of(displayName);
      const name = uuidOf(JSON.stringify(['entity', displayName]));
      yield jsonFile(`entityTypes/${folder}/${folder}.json`, { name, displayName, kind: 'KIND_MAP' });
      for (const languageCode of [...this.#values.keys()].sort()) {
        const values = this.#values.get(languageCode)?.valuesOf(displayName) ?? [];
        const entities = values.map((value) => ({ ...value, languageCode }));
        if (entities.length > 0) yield jsonFile(`entityTypes/${folder}/entities/${languageCode}.json`, { entities });
      }
    }
  }
}
