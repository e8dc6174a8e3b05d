/**
 * Reads the sample utterances of an Amazon Lex V2 bot.
 *
 *   Manifest.json                                        says what the archive is; only its place is used
 *   <bot>/BotLocales/<locale>/Intents/<name>/Intent.json an intent and its utterances
 *
 * The export of one locale has the same below its own folder.
 */
import { throwIfAborted } from '../../base/errors.ts';
import { isFields, type Fields } from '../../records/row-problems.ts';
import type { Archive } from '../archive.ts';
import { Utterances } from '../document.ts';
import { noteNames, openExport, readObjectEntry, textOf } from '../export-archive.ts';
import { templateRecord } from '../export-records.ts';
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import type { ReportBuilder } from '../read-report.ts';
import { slotsIn } from './slots.ts';
import { listOf } from '../json-document.ts';

const INTENT_FILE = /^(?:(?:.*\/)?([^/]+)\/)?Intents\/([^/]+)\/Intent\.json$/u;
const SLOT_FILE = /(?:^|\/)Slots\/([^/]+)\/Slot\.json$/u;
const SLOT_TYPE_FILE = /(?:^|\/)SlotTypes\/([^/]+)\/SlotType\.json$/u;

/** @throws bad-format */
export async function* readLex(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const archive = await openExport(input, 'Manifest.json', 'an Amazon Lex V2 bot');
  const utterances = new Utterances(report);
  const intents: string[] = [];
  for (const entry of archive.entries) {
    const [, locale, folder] = INTENT_FILE.exec(entry.path) ?? [];
    if (folder === undefined) continue;
    const fields = await readObjectEntry(entry, utterances);
    if (fields !== undefined) {
      const intent = textOf(fields['name']) ?? folder;
      intents.push(intent);
      addAll(fields, { intent, lang: languageOf(locale), path: entry.path }, utterances);
    }
    throwIfAborted(options.signal);
    yield* utterances.fullBatches();
  }
  noteNames(utterances, 'answers and settings of intents are left out', intents);
  noteNames(utterances, 'slots with their prompts are left out', namesIn(archive, SLOT_FILE));
  noteNames(utterances, 'slot types with their values are left out', namesIn(archive, SLOT_TYPE_FILE));
  yield* utterances.batches();
}

/** `en-US` for the folder `en_US`. */
function languageOf(locale: string | undefined): string | undefined {
  return locale !== undefined && /^[a-z]{2,3}(?:_[A-Za-z0-9]{1,8}){0,3}$/u.test(locale)
    ? locale.replaceAll('_', '-')
    : undefined;
}

interface IntentPlace {
  readonly intent: string;
  readonly lang: string | undefined;
  readonly path: string;
}

function addAll(fields: Fields, { intent, lang, path }: IntentPlace, utterances: Utterances): void {
  for (const [at, row] of listOf(fields['sampleUtterances']).entries()) {
    const place = { pointer: `${path}#/sampleUtterances/${at}`, raw: JSON.stringify(row) };
    const text = isFields(row) ? row['utterance'] : undefined;
    if (typeof text !== 'string') {
      utterances.reject('a sample utterance has to be {"utterance": …}', 'utterance', place);
    } else if (slotsIn(text).length > 0) {
      utterances.report.note('template', 'utterances with slots ({City}) are templates, kept without a label');
      utterances.add(templateRecord(text, intent, lang), place);
    } else {
      utterances.add({ text, intent, lang }, place);
    }
  }
}

function namesIn({ entries }: Archive, pattern: RegExp): string[] {
  return entries.map(({ path }) => pattern.exec(path)?.[1]).filter((name) => name !== undefined);
}
