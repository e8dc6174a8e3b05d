/**
 * Reads the training phrases of a Dialogflow CX agent that was exported as a JSON package.
 *
 *   agent.json                                    the default language
 *   intents/<folder>/<folder>.json                the intent: its name, its parameters and their types
 *   intents/<folder>/trainingPhrases/<lang>.json  the phrases of a language
 */
import { throwIfAborted, UttrError } from '../../base/errors.ts';
import { isFields, type Fields } from '../../records/row-problems.ts';
import { readBytes, Utterances } from '../document.ts';
import type { Archive, ArchiveEntry } from '../archive.ts';
import { baseName, noteNames, openExport, readObjectEntry, textOf } from '../export-archive.ts';
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import type { ReportBuilder } from '../read-report.ts';
import { binaryKind, isZip } from '../signature.ts';
import { joinPieces, type TextPiece } from '../spans.ts';
import { labelOf } from './names.ts';
import { listOf } from '../json-document.ts';

const INTENT_FILE = /^intents\/([^/]+)\/[^/]+\.json$/u;
const PHRASE_FILE = /^intents\/([^/]+)\/trainingPhrases\/([^/]+)\.json$/u;

interface Intent {
  readonly name: string;
  readonly isFallback: boolean;
  /** References to types by parameter. */
  readonly types: ReadonlyMap<string, string>;
}

/** @throws bad-format */
export async function* readDialogflowCx(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const archive = await openExport(await refuseBlob(input), 'agent.json', 'a Dialogflow CX agent');
  const utterances = new Utterances(report);
  const intents = new Map<string, Intent>();
  const agent = archive.entries.find(({ path }) => path === 'agent.json') as ArchiveEntry;
  // Nothing is wanted of it, but an agent whose settings are damaged was perhaps not exported whole.
  await readObjectEntry(agent, utterances);
  for (const entry of archive.entries) {
    const [, folder] = INTENT_FILE.exec(entry.path) ?? [];
    if (folder === undefined) continue;
    const fields = await readObjectEntry(entry, utterances);
    if (fields !== undefined) intents.set(folder, intentOf(fields, folder));
    throwIfAborted(options.signal);
  }
  for (const entry of archive.entries) {
    const [, folder, lang] = PHRASE_FILE.exec(entry.path) ?? [];
    if (folder === undefined || lang === undefined) continue;
    const fields = await readObjectEntry(entry, utterances);
    const intent = intents.get(folder) ?? { name: folder, isFallback: false, types: new Map() };
    if (fields !== undefined) addPhrases(fields, { intent, lang, path: entry.path }, utterances);
    throwIfAborted(options.signal);
    yield* utterances.fullBatches();
  }
  noteRest(archive, utterances);
  yield* utterances.batches();
}

/** The other way to export an agent is a file that only Dialogflow can read. */
async function refuseBlob(input: ByteInput): Promise<ByteInput> {
  const bytes = await readBytes(input);
  if (!isZip(bytes)) {
    throw new UttrError('bad-format', `${input.name} is ${binaryKind(bytes) ?? 'no zip archive'}`, {
      hint: 'export the agent as a JSON package: its binary form (.blob) can be read by Dialogflow only',
      details: { file: input.name },
    });
  }
  return {
    name: input.name,
    chunks: async function* () {
      yield bytes;
    },
  };
}

function intentOf(fields: Fields, folder: string): Intent {
  const types = new Map<string, string>();
  for (const parameter of listOf(fields['parameters'])) {
    if (!isFields(parameter)) continue;
    const [id, type] = [textOf(parameter['id']), textOf(parameter['entityType'])];
    if (id !== undefined && type !== undefined) types.set(id, type);
  }
  return { name: textOf(fields['displayName']) ?? folder, isFallback: fields['isFallback'] === true, types };
}

interface PhrasesPlace {
  readonly intent: Intent;
  readonly lang: string;
  readonly path: string;
}

function addPhrases(fields: Fields, { intent, lang, path }: PhrasesPlace, utterances: Utterances): void {
  const rows = fields['trainingPhrases'];
  if (!Array.isArray(rows)) {
    utterances.reject('the document has no list "trainingPhrases"', 'trainingPhrases', { pointer: path });
    return;
  }
  for (const [at, row] of (rows as readonly unknown[]).entries()) {
    const place = { pointer: `${path}#/trainingPhrases/${at}`, raw: JSON.stringify(row) };
    const pieces = piecesOf(row, intent);
    if (typeof pieces === 'string') {
      utterances.reject(pieces, 'parts', place);
      continue;
    }
    const { id, repeatCount, languageCode } = row as Fields;
    const repeats = typeof repeatCount === 'number' && repeatCount > 1 ? { repeatCount } : {};
    if ('repeatCount' in repeats) {
      utterances.report.note(
        'mended',
        'phrases that count more than once are one row, with the count in meta.repeatCount',
      );
    }
    utterances.add(
      {
        ...joinPieces(pieces),
        intent: intent.name,
        lang: textOf(languageCode) ?? lang,
        id: textOf(id),
        meta: { ...repeats, ...(intent.isFallback ? { fallback: true } : {}) },
      },
      place,
    );
  }
}

/** The parts of a phrase; a text says what is wrong with it. */
function piecesOf(row: unknown, { types }: Intent): TextPiece[] | string {
  if (!isFields(row)) return 'a phrase has to be an object';
  const { parts } = row;
  if (!Array.isArray(parts)) return 'a phrase has to have "parts", a list';
  const pieces: TextPiece[] = [];
  for (const [at, part] of (parts as readonly unknown[]).entries()) {
    if (!isFields(part) || typeof part['text'] !== 'string') return `part ${at + 1} of "parts" has no text`;
    const parameter = textOf(part['parameterId']);
    const label = parameter === undefined ? undefined : labelOf(types.get(parameter), parameter);
    pieces.push({ text: part['text'], label });
  }
  return pieces;
}

function noteRest({ entries }: Archive, utterances: Utterances): void {
  const named = (pattern: RegExp): string[] =>
    entries.filter(({ path }) => pattern.test(path)).map(({ path }) => baseName(path));
  noteNames(utterances, 'entity types with their values are left out', named(/^entityTypes\/[^/]+\/[^/]+\.json$/u));
  noteNames(utterances, 'flows with their pages and answers are left out', named(/^flows\/[^/]+\/[^/]+\.json$/u));
}
