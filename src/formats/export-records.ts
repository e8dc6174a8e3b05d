/**
 * What the writers of chat bots' exports have in common: which intent a record goes to, what of it is left behind, which
 * language is the main one, and the values that entities were seen with.
 */
import type { Entity, UtteranceRecord } from '../records/record.ts';
import type { RecordSource } from './format.ts';
import type { WriteReportBuilder } from './write-report.ts';

/** The intent that a template is kept for: it has no label of its own, so that no model is trained on it. */
export function templateIntent({ intent, meta }: UtteranceRecord): string | undefined {
  if (intent !== undefined || meta?.['template'] !== true) return undefined;
  return typeof meta['intent'] === 'string' && meta['intent'] !== '' ? meta['intent'] : undefined;
}

/** The record of a template. */
export function templateRecord(text: string, intent: string, lang?: string): UtteranceRecord {
  return { text, ...(lang === undefined ? {} : { lang }), meta: { template: true, intent } };
}

/** The one label of a record; where it has none or several, the record is counted as left out. */
export function onlyIntent({ intent }: UtteranceRecord, report: WriteReportBuilder): string | undefined {
  if (typeof intent === 'string') return intent;
  report.lose('record', intent === undefined ? 'is left out: it has no intent' : 'is left out: it has several intents');
  return undefined;
}

/** Fields of `features` and `meta` that a format has a place for. */
export interface CarriedFields {
  readonly features?: readonly string[];
  readonly meta?: readonly string[];
}

/** Counts what of a record the format has no place for. */
export function loseRest(record: UtteranceRecord, carried: CarriedFields, report: WriteReportBuilder): void {
  for (const field of ['features', 'meta'] as const) {
    const names = Object.keys(record[field] ?? {});
    if (names.some((name) => carried[field]?.includes(name) !== true)) report.lose(field, 'are left out');
  }
  const entities = record.entities ?? [];
  if (entities.some(({ value }) => value !== undefined)) {
    report.lose('entities.value', 'are not kept with the utterance, only among the values of the entity');
  }
  if (entities.some(({ group }) => group !== undefined)) report.lose('entities.group', 'are left out');
}

/** Records by language, as far as `languageOf` knows one. */
export interface Languages {
  /** The one that most records have; the first in the alphabet where several have as many. */
  readonly main: string;
  /** All of them, in ascending order. */
  readonly all: readonly string[];
}

/** Counts the languages of all records. @param fallback the main language where no record has one */
export async function countLanguages(
  source: RecordSource,
  languageOf: (lang: string | undefined) => string | undefined,
  fallback: string,
): Promise<Languages> {
  const counts = new Map<string, number>();
  for await (const batch of source()) {
    for (const { lang } of batch) {
      const language = languageOf(lang);
      if (language !== undefined) counts.set(language, (counts.get(language) ?? 0) + 1);
    }
  }
  const all = [...counts.keys()].sort();
  const [main = fallback] = all.toSorted((a, b) => (counts.get(b) as number) - (counts.get(a) as number));
  return { main, all: all.length === 0 ? [main] : all };
}

/** What entities were seen to cover, by type: a tool wants a list of values for each entity that is its own. */
export class EntityValues {
  readonly #types = new Map<string, Map<string, Set<string>>>();

  add(type: string, { value, text }: Pick<Entity, 'value' | 'text'>): void {
    const values = ensure(this.#types, type, () => new Map<string, Set<string>>());
    const name = value === undefined || value === '' ? text : value;
    ensure(values, name, () => new Set([name])).add(text);
  }

  /** Types in ascending order. */
  get types(): readonly string[] {
    return [...this.#types.keys()].sort();
  }

  /** Values in ascending order, each with the texts that stand for it, itself among them. */
  valuesOf(type: string): readonly { readonly value: string; readonly synonyms: readonly string[] }[] {
    const values = [...(this.#types.get(type) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    return values.map(([value, synonyms]) => ({ value, synonyms: [...synonyms].sort() }));
  }
}

/** The entry of a map, made where it is not there. */
export function ensure<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
