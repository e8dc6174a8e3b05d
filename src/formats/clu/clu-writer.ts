/**
 * Writes CLU project files.
 *
 * The lists of intents and entities come before the utterances, so the records are gone through twice. Texts over the
 * service's limit are left out, for one of them makes it refuse the whole file; names that it refuses are written as
 * they are and reported, because leaving them out would leave out whole intents.
 *
 * @see https://learn.microsoft.com/azure/ai-services/language-service/conversational-language-understanding/concepts/data-formats
 */
import { throwIfAborted } from '../../base/errors.ts';
import type { Entity, UtteranceRecord } from '../../records/record.ts';
import type { RecordSource, WriteOptions } from '../format.ts';
import { sliceCodePoints } from '../../records/code-points.ts';
import type { WriteReportBuilder } from '../write-report.ts';

const FILE_VERSION = '2023-04-01';

/** Of an utterance, in what the service calls characters; in code units, so that no reading of that is exceeded. */
const TEXT_LIMIT = 500;
const NAME_LIMIT = 50;
const REFUSED_IN_NAMES = /[:$&%*()+~#/?]/u;

/** Every project has it, with or without utterances. */
const NONE_INTENT = 'None';

/** For records that do not say in which language they are: a project cannot do without. */
const DEFAULT_LANGUAGE = 'en-us';

const WRITE_CHARACTERS = 256 * 1024;

/** What the head of the file lists. */
interface Inventory {
  readonly intents: ReadonlySet<string>;
  readonly entities: ReadonlySet<string>;
  readonly languages: ReadonlyMap<string, number>;
}

/** Writes the records as a project. */
export async function* writeClu(
  source: RecordSource,
  options: WriteOptions,
  report: WriteReportBuilder,
): AsyncGenerator<Buffer> {
  const inventory = await takeInventory(source, options);
  const language = mainLanguage(inventory.languages);
  const dataset = datasetOf(options.side);
  let text = headOf(inventory, language, options.name);
  let isFirst = true;
  for await (const records of source()) {
    throwIfAborted(options.signal);
    for (const record of records) {
      const reason = refusal(record);
      if (reason !== undefined) {
        report.lose('record', reason);
        continue;
      }
      countLosses(record, report, language);
      if (options.side !== undefined && dataset === undefined) {
        report.lose('split', `CLU knows only Train and Test, not "${options.side}"`);
      }
      text += `${isFirst ? '' : ','}\n      ${utteranceOf(record, dataset)}`;
      isFirst = false;
      report.records++;
    }
    if (text.length < WRITE_CHARACTERS) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(`${text}${isFirst ? '' : '\n    '}]\n  }\n}\n`);
}

async function takeInventory(source: RecordSource, options: WriteOptions): Promise<Inventory> {
  const intents = new Set<string>([NONE_INTENT]);
  const entities = new Set<string>();
  const languages = new Map<string, number>();
  for await (const records of source()) {
    throwIfAborted(options.signal);
    for (const record of records) {
      if (refusal(record) !== undefined) continue;
      intents.add(record.intent as string);
      for (const { type } of record.entities ?? []) entities.add(type);
      if (record.lang !== undefined) languages.set(record.lang, (languages.get(record.lang) ?? 0) + 1);
    }
  }
  return { intents, entities, languages };
}

/** Why a record cannot stand in the file at all. */
function refusal({ text, intent }: UtteranceRecord): string | undefined {
  if (intent === undefined) return 'an utterance of CLU needs an intent';
  if (typeof intent !== 'string') return 'an utterance of CLU has one intent only';
  return text.length > TEXT_LIMIT ? `CLU takes texts of at most ${TEXT_LIMIT} characters` : undefined;
}

function countLosses(record: UtteranceRecord, report: WriteReportBuilder, language: string): void {
  for (const field of ['id', 'features', 'meta'] as const) {
    if (record[field] !== undefined) report.lose(field, `CLU has no place for "${field}"`);
  }
  const entities = record.entities ?? [];
  for (const field of ['role', 'group', 'value'] as const) {
    if (entities.some((entity) => entity[field] !== undefined)) {
      report.lose(`entities.${field}`, `CLU has no place for the ${field} of an entity`);
    }
  }
  if (record.lang === undefined) report.lose('lang', `an utterance without a language is read as "${language}"`);
  const names = [record.intent as string, ...entities.map(({ type }) => type)];
  if (names.some((name) => name.length > NAME_LIMIT || REFUSED_IN_NAMES.test(name))) {
    report.lose('names', `Azure refuses names over ${NAME_LIMIT} characters and with any of : $ & % * ( ) + ~ # / ?`);
  }
}

/** The commonest one; of several, the first in order. */
function mainLanguage(languages: ReadonlyMap<string, number>): string {
  const sorted = [...languages].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return sorted[0]?.[0] ?? DEFAULT_LANGUAGE;
}

function datasetOf(side: string | undefined): string | undefined {
  if (side === 'train') return 'Train';
  return side === 'test' ? 'Test' : undefined;
}

/** Everything up to the first utterance. */
function headOf({ intents, entities, languages }: Inventory, language: string, name: string | undefined): string {
  const metadata = {
    projectKind: 'Conversation',
    settings: { confidenceThreshold: 0 },
    projectName: projectName(name),
    multilingual: languages.size > 1,
    description: '',
    language,
  };
  return [
    '{',
    `  "projectFileVersion": "${FILE_VERSION}",`,
    '  "stringIndexType": "Utf16CodeUnit",',
    `  "metadata": ${JSON.stringify(metadata)},`,
    '  "assets": {',
    '    "projectKind": "Conversation",',
    `    "intents": ${categories(intents)},`,
    `    "entities": ${categories(entities)},`,
    '    "utterances": [',
  ].join('\n');
}

/** Letters, digits and `_ . -`, as the service wants it. */
function projectName(name: string | undefined): string {
  return (name ?? 'utterances').replaceAll(/[^\w.-]/gu, '_').slice(0, NAME_LIMIT);
}

function categories(names: ReadonlySet<string>): string {
  if (names.size === 0) return '[]';
  const lines = [...names].sort().map((category) => `      ${JSON.stringify({ category })}`);
  return `[\n${lines.join(',\n')}\n    ]`;
}

function utteranceOf(record: UtteranceRecord, dataset: string | undefined): string {
  const { text, intent, lang, entities = [] } = record;
  return JSON.stringify({
    text,
    ...(lang === undefined ? {} : { language: lang }),
    intent,
    entities: unitsOf(text, entities),
    ...(dataset === undefined ? {} : { dataset }),
  });
}

function unitsOf(text: string, entities: readonly Entity[]): readonly object[] {
  return entities.map(({ type, start, text: covered }) => ({
    category: type,
    offset: sliceCodePoints(text, { start: 0, end: start }).length,
    length: covered.length,
  }));
}
