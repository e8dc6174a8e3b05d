/**
 * Writes an Amazon Lex V2 bot.
 *
 * What an entity covers is replaced by `{slot}`: no more is left of it than its value among those of the slot type. Two
 * texts may then be the same, which is written once.
 */
import type { Entity, UtteranceRecord } from '../../records/record.ts';
import { type PackedFile, writeArchive } from '../archive.ts';
import { jsonFile } from '../export-archive.ts';
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
import { cutPieces } from '../spans.ts';
import type { WriteReportBuilder } from '../write-report.ts';
import { identifierOf, LexNames, localeOf } from './lex-names.ts';
import { hasOtherBraces, slotsIn } from './slots.ts';

/** UTF-16 code units of an utterance. @see https://docs.aws.amazon.com/lexv2/latest/dg/quotas.html */
const UTTERANCE_LENGTH = 500;
const FALLBACK_INTENT = 'FallbackIntent';
const DEFAULT_LOCALE = 'en_US';

export async function* writeLex(
  source: RecordSource,
  options: WriteOptions,
  report: WriteReportBuilder,
): AsyncGenerator<Buffer> {
  const locales = await countLanguages(source, localeOf, DEFAULT_LOCALE);
  const bot = new BotBuilder(locales, report);
  for await (const batch of source()) for (const record of batch) bot.add(record);
  yield* writeArchive(bot.files(new LexNames().of(options.name ?? 'utterances')));
}

class IntentBuilder {
  readonly utterances = new Set<string>();
  /** Types by slot. */
  readonly slots = new Map<string, string>();
}

class LocaleBuilder {
  readonly intents = new Map<string, IntentBuilder>();
  readonly intentNames = new LexNames([FALLBACK_INTENT]);
  readonly typeNames = new LexNames();
  readonly values = new EntityValues();
}

class BotBuilder {
  readonly #locales = new Map<string, LocaleBuilder>();
  readonly #languages: Languages;
  readonly #report: WriteReportBuilder;

  constructor(languages: Languages, report: WriteReportBuilder) {
    this.#languages = languages;
    this.#report = report;
  }

  add(record: UtteranceRecord): void {
    const template = templateIntent(record);
    const name = template ?? onlyIntent(record, this.#report);
    if (name === undefined) return;
    const known = localeOf(record.lang);
    const locale = ensure(this.#locales, known ?? this.#languages.main, () => new LocaleBuilder());
    const slots = new Map(locale.intents.get(name)?.slots);
    const utterance = template === undefined ? slotted(record, slots) : templateOf(record, slots);
    const reason = utterance === undefined ? 'its entities overlap' : reasonAgainst(record, utterance, template);
    if (utterance === undefined || reason !== undefined) {
      this.#report.lose('record', `is left out: ${reason}`);
      return;
    }
    const intent = ensure(locale.intents, name, () => new IntentBuilder());
    if (intent.utterances.has(utterance)) {
      this.#report.lose('record', 'is left out: with slots for entities, it is the same as another one');
      return;
    }
    intent.utterances.add(utterance);
    for (const [slot, type] of slots) intent.slots.set(slot, type);
    for (const entity of record.entities ?? []) locale.values.add(entity.type, entity);
    this.#report.records++;
    this.#countLosses(record, locale.intentNames.of(name) === name, template !== undefined);
  }

  #countLosses(record: UtteranceRecord, isNameKept: boolean, isTemplate: boolean): void {
    const { id, lang, entities } = record;
    if (id !== undefined) this.#report.lose('id', 'are left out');
    const language = localeOf(lang)?.replace('_', '-');
    if (language === undefined || language !== lang) {
      const what = lang === undefined ? 'is missing' : 'is written otherwise';
      this.#report.lose('lang', `${what}, and reads back as ${language ?? this.#languages.main.replace('_', '-')}`);
    }
    if (!isNameKept) this.#report.lose('intent', 'is called otherwise: Lex takes letters, digits, "_" and "-" only');
    if (entities !== undefined) {
      this.#report.lose('entities', 'become slots without the text that they cover: such utterances are templates');
    }
    loseRest(record, isTemplate ? { meta: ['template', 'intent'] } : {}, this.#report);
  }

  *files(bot: string): Generator<PackedFile> {
    const metaData = { schemaVersion: '1', fileFormat: 'LexJson', resourceType: 'BOT' };
    yield jsonFile('Manifest.json', { metaData });
    yield jsonFile(`${bot}/Bot.json`, {
      name: bot,
      version: 'DRAFT',
      description: null,
      identifier: identifierOf(`bot ${bot}`),
      dataPrivacy: { childDirected: false },
      idleSessionTTLInSeconds: 300,
    });
    const locales = this.#locales.size === 0 ? [[this.#languages.main, new LocaleBuilder()] as const] : this.#locales;
    for (const [identifier, locale] of [...locales].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const path = `${bot}/BotLocales/${identifier}`;
      const nluConfidenceThreshold = 0.4;
      yield jsonFile(`${path}/BotLocale.json`, { name: identifier, identifier, version: null, nluConfidenceThreshold });
      yield* localeFiles(path, locale);
    }
  }
}

/** Puts slots where entities are, and names the slots in `slots`; undefined where entities overlap. */
function slotted({ text, entities = [] }: UtteranceRecord, slots: Map<string, string>): string | undefined {
  if (/[{}]/u.test(text)) return text;
  return cutPieces(text, entities)
    ?.map(({ text, label }) => (label === undefined ? text : `{${slotFor(label, slots)}}`))
    .join('');
}

/** A slot has one type within its intent, so one that is wanted for another type gets a name of its own. */
function slotFor({ type, role }: Entity, slots: Map<string, string>): string {
  const stem = new LexNames().of(role ?? type.replace(/^AMAZON\./u, ''));
  let slot = stem;
  for (let at = 2; (slots.get(slot) ?? type) !== type; at++) slot = `${stem}_${at}`;
  slots.set(slot, type);
  return slot;
}

function templateOf({ text }: UtteranceRecord, slots: Map<string, string>): string {
  for (const slot of slotsIn(text)) if (!slots.has(slot)) slots.set(slot, slot);
  return text;
}

function reasonAgainst(record: UtteranceRecord, utterance: string, template: string | undefined): string | undefined {
  if (template === undefined ? /[{}]/u.test(record.text) : hasOtherBraces(utterance)) {
    return 'it has braces, which Lex takes for slots';
  }
  if (template !== undefined && slotsIn(utterance).length === 0) return 'it is a template without a slot';
  if (/\p{Cc}/u.test(utterance)) return 'it has line breaks or other control characters';
  if (utterance.length > UTTERANCE_LENGTH) return `it is longer than ${UTTERANCE_LENGTH} characters`;
  return undefined;
}

function* localeFiles(path: string, { intents, intentNames, typeNames, values }: LocaleBuilder): Generator<PackedFile> {
  const types = new Set<string>();
  const fallback = { name: FALLBACK_INTENT, parentIntentSignature: 'AMAZON.FallbackIntent', sampleUtterances: null };
  yield jsonFile(`${path}/Intents/${FALLBACK_INTENT}/Intent.json`, {
    ...fallback,
    identifier: 'FALLBCKINT',
    slotPriorities: [],
  });
  for (const [intent, { utterances, slots }] of [...intents].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = intentNames.of(intent);
    const folder = `${path}/Intents/${name}`;
    yield jsonFile(`${folder}/Intent.json`, {
      name,
      identifier: identifierOf(`intent ${name}`),
      description: null,
      parentIntentSignature: null,
      sampleUtterances: [...utterances].map((utterance) => ({ utterance })),
      slotPriorities: [...slots.keys()].map((slotName, at) => ({ priority: at + 1, slotName })),
    });
    for (const [slot, type] of slots) {
      types.add(type);
      yield jsonFile(`${folder}/Slots/${slot}/Slot.json`, {
        name: slot,
        identifier: identifierOf(`slot ${name} ${slot}`),
        description: null,
        slotTypeName: isBuiltIn(type) ? type : typeNames.of(type),
        valueElicitationSetting: { slotConstraint: 'Optional', promptSpecification: null, sampleUtterances: null },
      });
    }
  }
  for (const type of [...types].filter((type) => !isBuiltIn(type)).sort()) {
    yield slotTypeFile(path, typeNames.of(type), values.valuesOf(type));
  }
}

function isBuiltIn(type: string): boolean {
  return type.startsWith('AMAZON.');
}

function slotTypeFile(path: string, name: string, values: ReturnType<EntityValues['valuesOf']>): PackedFile {
  const shown = values.length > 0 ? values : [{ value: name, synonyms: [] }];
  return jsonFile(`${path}/SlotTypes/${name}/SlotType.json`, {
    name,
    identifier: identifierOf(`type ${name}`),
    description: null,
    slotTypeValues: shown.map(({ value, synonyms }) => {
      const others = synonyms.filter((synonym) => synonym !== value).map((synonym) => ({ value: synonym }));
      return { sampleValue: { value }, synonyms: others.length === 0 ? null : others };
    }),
    parentSlotTypeSignature: null,
    valueSelectionSetting: { resolutionStrategy: 'ORIGINAL_VALUE', regexFilter: null },
  });
}
