/**
 * Reads the training phrases of a Dialogflow ES agent.
 *
 *   agent.json                           language of what has none
 *   intents/<file>.json                  the intent: its name, its parent, in old exports also its phrases
 *   intents/<file>_usersays_<lang>.json  the phrases of a language
 *
 * Old exports were opened and saved by newer ones, which left the phrases in the intent and put them beside it, too:
 * a phrase of the intent that is also beside it is passed over, and counted.
 */
import { throwIfAborted } from '../../base/errors.ts';
import { isFields, type Fields } from '../../records/row-problems.ts';
import { trim } from '../../records/text.ts';
import type { Archive, ArchiveEntry } from '../archive.ts';
import { Utterances } from '../document.ts';
import { baseName, noteNames, openExport, readJsonEntry, readObjectEntry, textOf } from '../export-archive.ts';
import { templateRecord } from '../export-records.ts';
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import type { ReportBuilder } from '../read-report.ts';
import { joinPieces, type TextPiece } from '../spans.ts';
import { FOLLOW_UP, IGNORED_TYPE, labelOf, typeOfReference } from './names.ts';
import { phraseId } from './phrase-id.ts';
import { listOf } from '../json-document.ts';

const PHRASE_FILE = /^intents\/(.+)_usersays_([A-Za-z0-9-]+)\.json$/u;
const INTENT_FILE = /^intents\/[^/]+\.json$/u;

interface Intent {
  readonly name: string;
  readonly path: string;
  readonly parentId: string | undefined;
  readonly isFallback: boolean;
  /** Phrases that stand in the intent itself. */
  readonly inside: readonly unknown[];
  /** What was read beside it in the agent's language, where there are some inside. */
  readonly beside: Set<string>;
}

/** @throws bad-format */
export async function* readDialogflowEs(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const archive = await openExport(input, 'agent.json', 'a Dialogflow agent');
  const reader = new AgentReader(archive, report);
  for await (const _ of reader.read()) {
    throwIfAborted(options.signal);
    yield* reader.utterances.fullBatches();
  }
  yield* reader.utterances.batches();
}

/** A phrase taken apart; a text says what is wrong with it. */
type Phrase = { readonly pieces: readonly TextPiece[]; readonly isTemplate: boolean } | string;

class AgentReader {
  readonly utterances: Utterances;
  readonly #archive: Archive;
  /** By the name of the file. */
  readonly #intents = new Map<string, Intent>();
  readonly #names = new Map<string, string>();
  #language: string | undefined;

  constructor(archive: Archive, report: ReportBuilder) {
    this.#archive = archive;
    this.utterances = new Utterances(report);
  }

  /** Stops after each document. */
  async *read(): AsyncGenerator<void> {
    const { entries } = this.#archive;
    const agent = entries.find(({ path }) => path === 'agent.json') as ArchiveEntry;
    this.#language = textOf((await readObjectEntry(agent, this.utterances))?.['language']);
    const inIntents = entries.filter(({ path }) => INTENT_FILE.test(path));
    for (const entry of inIntents) {
      if (PHRASE_FILE.test(entry.path)) continue;
      const fields = await readObjectEntry(entry, this.utterances);
      if (fields !== undefined) this.#define(entry.path, fields);
      yield;
    }
    for (const entry of inIntents) {
      if (PHRASE_FILE.test(entry.path)) await this.#readBeside(entry);
      yield;
    }
    for (const intent of this.#intents.values()) {
      this.#readInside(intent);
      yield;
    }
    this.#noteRest();
  }

  #define(path: string, fields: Fields): void {
    const name = textOf(fields['name']) ?? baseName(path);
    const id = textOf(fields['id']);
    if (id !== undefined) this.#names.set(id, name);
    this.#intents.set(baseName(path), {
      name,
      path,
      parentId: textOf(fields['parentId']),
      isFallback: fields['fallbackIntent'] === true,
      inside: listOf(fields['userSays']),
      beside: new Set(),
    });
  }

  async #readBeside(entry: ArchiveEntry): Promise<void> {
    const [, file, lang] = PHRASE_FILE.exec(entry.path) as unknown as [string, string, string];
    const value = await readJsonEntry(entry, this.utterances);
    if (value === undefined) return;
    if (!Array.isArray(value)) {
      // An intent may be called like the file of another's phrases.
      if (isFields(value)) this.#define(entry.path, value);
      else this.utterances.reject('the document is neither phrases nor an intent', undefined, { pointer: entry.path });
      return;
    }
    const intent = this.#intents.get(file);
    const keeps = intent !== undefined && intent.inside.length > 0 && lang === this.#language;
    for (const [at, row] of (value as readonly unknown[]).entries()) {
      const phrase = phraseOf(row);
      if (keeps && typeof phrase !== 'string') intent.beside.add(sameness(phrase.pieces));
      this.#add(phrase, row, { intent, name: intent?.name ?? file, lang, pointer: `${entry.path}#/${at}` });
    }
  }

  #readInside(intent: Intent): void {
    for (const [at, row] of intent.inside.entries()) {
      const phrase = phraseOf(row);
      if (typeof phrase !== 'string' && intent.beside.has(sameness(phrase.pieces))) {
        this.utterances.report.note('ignored', 'phrases inside of intents that are also beside them are read once');
        continue;
      }
      const pointer = `${intent.path}#/userSays/${at}`;
      this.#add(phrase, row, { intent, name: intent.name, lang: this.#language, pointer });
    }
  }

  #add(
    phrase: Phrase,
    row: unknown,
    place: {
      readonly intent: Intent | undefined;
      readonly name: string;
      readonly lang: string | undefined;
      readonly pointer: string;
    },
  ): void {
    const { intent, name, lang, pointer } = place;
    const source = { pointer, raw: JSON.stringify(row) };
    if (typeof phrase === 'string') {
      this.utterances.reject(phrase, 'data', source);
      return;
    }
    const { text, entities } = joinPieces(phrase.pieces);
    if (phrase.isTemplate) {
      this.utterances.report.note('template', 'templates (@entity:parameter) are kept without a label');
      this.utterances.add(templateRecord(text, name, lang), source);
      return;
    }
    const parent = intent?.parentId === undefined ? undefined : this.#names.get(intent.parentId);
    const id = (row as Fields)['id'];
    this.utterances.add(
      {
        text,
        intent: name,
        lang,
        entities,
        id: typeof id === 'string' && id !== phraseId(name, lang ?? '', phrase.pieces) ? id : undefined,
        features: parent === undefined ? undefined : { [FOLLOW_UP]: parent },
        meta: intent?.isFallback === true ? { fallback: true } : undefined,
      },
      source,
    );
  }

  #noteRest(): void {
    const named = (pattern: RegExp): string[] =>
      this.#archive.entries.filter(({ path }) => pattern.test(path)).map(({ path }) => baseName(path));
    const entities = named(/^entities\/[^/]+\.json$/u).filter((name) => !/_entries_[A-Za-z0-9-]+$/u.test(name));
    noteNames(this.utterances, 'entity types with their values are left out', entities);
    const all = [...this.#intents.values()];
    const followUps = all.filter(({ parentId }) => parentId !== undefined && this.#names.has(parentId));
    noteNames(
      this.utterances,
      `follow-up intents: the intent before is kept as features.${FOLLOW_UP}`,
      followUps.map(({ name }) => name),
    );
    noteNames(
      this.utterances,
      'answers, contexts and events of intents are left out',
      all.map(({ name }) => name),
    );
  }
}

function phraseOf(row: unknown): Phrase {
  if (!isFields(row)) return 'a phrase has to be an object';
  const { data, isTemplate } = row;
  if (!Array.isArray(data)) return 'a phrase has to have "data", a list of its parts';
  const pieces: TextPiece[] = [];
  for (const [at, part] of (data as readonly unknown[]).entries()) {
    if (!isFields(part) || typeof part['text'] !== 'string') return `part ${at + 1} of "data" has no text`;
    const meta = textOf(part['meta']);
    const isIgnored = meta !== undefined && typeOfReference(meta) === IGNORED_TYPE;
    pieces.push({ text: part['text'], label: isIgnored ? undefined : labelOf(meta, textOf(part['alias'])) });
  }
  return { pieces, isTemplate: isTemplate === true };
}

/** What two phrases have in common that are the same, but for blanks at their ends. */
function sameness(pieces: readonly TextPiece[]): string {
  const { text, entities } = joinPieces(pieces);
  return JSON.stringify([trim(text), entities.map(({ start, end, type, role }) => [start, end, type, role ?? null])]);
}
