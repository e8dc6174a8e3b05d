/**
 * Who brought an utterance and each of its labels: the versions in which its record changed.
 */
import { throwIfAborted, UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import { decodeRecord } from '../records/encode-record.ts';
import { groupColumn, groupPrefix } from '../records/key.ts';
import { norm } from '../records/text.ts';
import type { TreeRoot } from '../tree/build.ts';
import { TreeReader } from '../tree/reader.ts';
import { UNLABELLED_PLACE as UNLABELLED } from '../records/manifest.ts';
import { changeKind, labelText } from './group-state.ts';
import { listedChanges, treeOf } from './record-changes.ts';
import type { Repository } from './repository.ts';
import { loadVersion, type Version } from './versions.ts';

export interface BlameStep {
  readonly version: string;
  readonly time: string;
  readonly author: string;
  readonly message: string;
  readonly batches: readonly string[];
  readonly kind: 'added' | 'relabelled' | 'updated' | 'removed';
  readonly intent: string | null;
}

export interface Blame {
  readonly dataset: string;
  readonly text: string;
  readonly intent: string | null;
  readonly features: Readonly<Record<string, unknown>>;
  /** Newest first. */
  readonly history: readonly BlameStep[];
}

/**
 * Follows the records of a text back through history.
 *
 * Where a version lists its changes, a look at the list is enough: it is small and lies with the metadata, so a
 * fresh clone fetches little. Elsewhere the record is looked up in the parents. A merge leads to the parent that
 * has the record as it is: to the branch it came by.
 *
 * @throws unknown-utterance
 */
export async function blame(repository: Repository, version: Version, text: string): Promise<Blame[]> {
  const wanted = norm(text);
  const records = (await recordsOf(repository, version, text)).filter(
    ({ json }) => norm(decodeRecord(json).text) === wanted,
  );
  if (records.length === 0) {
    throw new UttrError('unknown-utterance', `${version.manifest.dataset} has no utterance "${text.slice(0, 200)}"`, {
      hint: `search for it: uttr grep ${JSON.stringify(text.slice(0, 40))} ${version.manifest.dataset}`,
    });
  }
  const results: Blame[] = [];
  for (const { key, json } of records) results.push(await blameRecord(repository, version, text, key, json));
  return results;
}

async function blameRecord(
  repository: Repository,
  start: Version,
  text: string,
  key: string,
  json: string,
): Promise<Blame> {
  const history: BlameStep[] = [];
  let version = start;
  let state: string | undefined = json;
  for (;;) {
    throwIfAborted(repository.signal);
    const origin = await originOf(repository, version, { text, key, state });
    const kind = changeKind(origin?.state, state);
    if (kind !== undefined) history.push(step(version, kind, state));
    if (origin === undefined) break;
    version = await loadVersion(repository, origin.parent);
    ({ state } = origin);
  }
  const record = decodeRecord(json);
  return {
    dataset: start.manifest.dataset,
    text: record.text,
    intent: record.intent === undefined ? null : labelText(record.intent),
    features: record.features ?? {},
    history,
  };
}

/** The parent from which a version has a record, and the record as it was there; undefined at the beginning. */
async function originOf(
  repository: Repository,
  version: Version,
  wanted: { readonly text: string; readonly key: string; readonly state: string | undefined },
): Promise<{ readonly parent: Hash; readonly state: string | undefined } | undefined> {
  const { parents, changes } = version.manifest;
  const [first, ...others] = parents;
  if (first === undefined) return undefined;
  const before =
    changes.list === null
      ? await stateIn(repository, first, wanted)
      : await listedBefore(repository, changes.list, wanted);
  if (before === wanted.state) return { parent: first, state: before };
  for (const parent of others) {
    if ((await stateIn(repository, parent, wanted)) === wanted.state) return { parent, state: wanted.state };
  }
  return { parent: first, state: before };
}

async function stateIn(
  repository: Repository,
  parent: Hash,
  { text, key }: { readonly text: string; readonly key: string },
): Promise<string | undefined> {
  const records = await recordsOf(repository, await loadVersion(repository, parent), text);
  return records.find((item) => item.key === key)?.json;
}

/** The record before the listed changes; what the list does not name was as it is. */
async function listedBefore(
  repository: Repository,
  list: TreeRoot,
  { text, key, state }: { readonly text: string; readonly key: string; readonly state: string | undefined },
): Promise<string | undefined> {
  const changes = await listedChanges(repository.chunks, list, groupPrefix(groupColumn(text)));
  const change = changes.find((item) => item.key.toString('utf8') === key);
  return change === undefined ? state : change.before;
}

function step(version: Version, kind: BlameStep['kind'], state: string | undefined): BlameStep {
  const { manifest, hash } = version;
  const intent = state === undefined ? undefined : decodeRecord(state).intent;
  return {
    version: hash,
    time: manifest.time,
    author: manifest.author,
    message: manifest.message,
    batches: manifest.batches.map((batch) => batch.name),
    kind,
    intent: intent === undefined ? null : labelText(intent),
  };
}

/** The records of a text's group, wherever they lie. */
async function recordsOf(
  repository: Repository,
  version: Version,
  text: string,
): Promise<{ readonly key: string; readonly json: string }[]> {
  const prefix = Buffer.from(groupPrefix(groupColumn(text)));
  const found: { key: string; json: string }[] = [];
  for (const place of [...Object.keys(version.manifest.sides), UNLABELLED]) {
    const tree = treeOf(version.manifest, place);
    if (tree.root === null) continue;
    const [entries] = await new TreeReader(repository.chunks, tree).prefixes([prefix]);
    for (const { key, value } of entries ?? []) found.push({ key: key.toString('utf8'), json: value.toString('utf8') });
  }
  return found;
}
