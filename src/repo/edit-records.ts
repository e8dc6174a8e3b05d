/**
 * `remove` and `relabel`: changes to records that are there, staged like a batch.
 */
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';
import { UttrError } from '../base/errors.ts';
import { decodeRecord } from '../records/encode-record.ts';
import { groupColumn, groupPrefix, recordKey } from '../records/key.ts';
import { makeRecord } from '../records/make-record.ts';
import { norm } from '../records/text.ts';
import { TreeReader } from '../tree/reader.ts';
import { compareGroups } from './group-order.ts';
import type { RowLines } from './batch-rows.ts';
import type { ChangeCounts } from './group-state.ts';
import { placesOf } from './query.ts';
import { treeOf } from './record-changes.ts';
import type { Repository } from './repository.ts';
import { stageBatch } from './stage-batch.ts';
import { headVersion, type Version } from './versions.ts';

/** Which records are meant; all given conditions must hold. */
export interface Selection {
  /** Utterances, compared by their normalised text. */
  readonly texts?: readonly string[] | undefined;
  /** Field to value: `intent`, `lang`, `id`, `features.<name>`. */
  readonly where?: Readonly<Record<string, string>> | undefined;
}

export interface EditSummary {
  readonly dataset: string;
  readonly matched: number;
  readonly changes: ChangeCounts;
  /** Texts that were asked for and are not there. */
  readonly missing: readonly string[];
  readonly staged: boolean;
  readonly dryRun: boolean;
}

/** Stages the removal of records. @throws unknown-utterance when nothing matches */
export function removeRecords(
  repository: Repository,
  dataset: string,
  selection: Selection,
  dryRun: boolean,
): Promise<EditSummary> {
  return edit(repository, dataset, selection, dryRun, (rows, key, place) => rows.remove(key, place));
}

/** Stages a new label for records. @param intent undefined is not allowed: removing a label is no relabelling */
export function relabelRecords(
  repository: Repository,
  dataset: string,
  selection: Selection,
  intent: string,
  dryRun: boolean,
): Promise<EditSummary> {
  const made = makeRecord({ text: 'x', intent });
  if (!('record' in made)) {
    throw new UttrError(
      'bad-option',
      `"${intent.slice(0, 100)}" cannot be a label: ${made.problems[0]?.message ?? ''}`,
    );
  }
  const label = canonicalJson(made.record.intent as JsonValue);
  return edit(repository, dataset, selection, dryRun, (rows, key, place) => rows.label(key, label, place));
}

type Apply = (rows: RowLines, key: string, place: { file: number; row: number; line: number }) => void;

async function edit(
  repository: Repository,
  dataset: string,
  selection: Selection,
  dryRun: boolean,
  apply: Apply,
): Promise<EditSummary> {
  const config = repository.dataset(dataset);
  const version = await headVersion(repository, dataset);
  if (version === undefined) {
    throw new UttrError('unknown-version', `${dataset} has no version yet`, {
      hint: `commit what is staged first: uttr commit ${dataset}`,
    });
  }
  const found = await select(repository, version, selection, config.identity);
  if (found.keys.length === 0) {
    throw new UttrError('unknown-utterance', `nothing in ${dataset} matches`, {
      hint: `look what is there: uttr grep <text> ${dataset}, uttr stats ${dataset}`,
    });
  }
  let staged = false;
  const tally = await stageBatch(repository, {
    dataset,
    identity: config.identity,
    parent: version,
    policy: { onConflict: 'relabel', replace: false, sides: [] },
    fresh: false,
    batches: () => [],
    feed: async (rows) => {
      for (const [index, key] of found.keys.entries()) {
        apply(rows, key, { file: 0, row: index + 1, line: index + 1 });
        await rows.spill();
      }
    },
    onConflict: () => undefined,
    decide: ({ changes }) => {
      staged = !dryRun && Object.values(changes).some((count) => count > 0);
      return staged;
    },
  });
  return { dataset, matched: found.keys.length, changes: tally.changes, missing: found.missing, staged, dryRun };
}

interface Selected {
  readonly keys: readonly string[];
  readonly missing: readonly string[];
}

async function select(
  repository: Repository,
  version: Version,
  selection: Selection,
  identity: readonly string[],
): Promise<Selected> {
  const where = Object.entries(selection.where ?? {});
  const matches = (json: string): boolean => where.every(([field, value]) => hasValue(json, field, value));
  if (selection.texts === undefined) {
    if (where.length === 0)
      throw new UttrError('bad-option', 'no records are named', { hint: 'name them: --text, --from-file or --where' });
    return { keys: await scan(repository, version, matches), missing: [] };
  }
  const keys: string[] = [];
  const missing: string[] = [];
  const texts = new Map(selection.texts.map((text) => [norm(text), text]));
  const byGroup = new Map<string, [string, string][]>();
  for (const [normed, text] of texts) {
    const group = groupColumn(text);
    byGroup.set(group, [...(byGroup.get(group) ?? []), [normed, text]]);
  }
  const groups = [...byGroup.keys()].map((group) => Buffer.from(group)).sort(compareGroups);
  const found = new Set<string>();
  for (const place of placesOf(version, undefined)) {
    const tree = treeOf(version.manifest, place);
    if (tree.root === null) continue;
    const prefixes = groups.map((group) => Buffer.from(groupPrefix(group.toString('utf8'))));
    for (const entries of await new TreeReader(repository.chunks, tree).prefixes(prefixes)) {
      for (const { value } of entries) {
        const json = value.toString('utf8');
        const record = decodeRecord(json);
        if (!texts.has(norm(record.text)) || !matches(json)) continue;
        found.add(norm(record.text));
        keys.push(recordKey(record, identity));
      }
    }
  }
  for (const [normed, text] of texts) if (!found.has(normed)) missing.push(text);
  return { keys, missing };
}

async function scan(repository: Repository, version: Version, matches: (json: string) => boolean): Promise<string[]> {
  const keys: string[] = [];
  for (const place of placesOf(version, undefined)) {
    const tree = treeOf(version.manifest, place);
    if (tree.root === null) continue;
    for await (const entries of new TreeReader(repository.chunks, tree).scan({})) {
      for (const { key, value } of entries) if (matches(value.toString('utf8'))) keys.push(key.toString('utf8'));
    }
  }
  return keys;
}

function hasValue(json: string, field: string, value: string): boolean {
  const record = decodeRecord(json);
  if (field === 'intent') {
    const intents =
      record.intent === undefined ? [] : typeof record.intent === 'string' ? [record.intent] : record.intent;
    return intents.includes(value);
  }
  if (field === 'lang' || field === 'id') return record[field] === value;
  if (field.startsWith('features.')) return String(record.features?.[field.slice('features.'.length)] ?? '') === value;
  throw new UttrError('bad-option', `"${field}" is no field to select by`, {
    hint: 'use intent, lang, id or features.<name>',
  });
}
