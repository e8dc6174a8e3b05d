/**
 * Manifests: the document that describes one version.
 *
 *   manifest = canonical JSON of the fields of `Manifest`, without a line feed at the end
 *   version  = SHA-256 of the manifest's bytes
 *   content  = SHA-256 of the canonical JSON {"sides":{side: root or null, …},"unlabelled": root or null}
 *
 * R13  A manifest has exactly one encoding: decodeManifest refuses every other.
 * R14  Equal records on equal sides give an equal content id, whatever parents, messages, batches and times.
 *
 * Never in a manifest: where packs are, the name of a machine, a path.
 */
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';
import { UttrError } from '../base/errors.ts';
import { type Hash, sha256 } from '../base/hash.ts';
import { DocumentReader } from './document.ts';

/** The manifest format that this code writes; older ones it would still read, newer ones it cannot. */
export const MANIFEST_FORMAT = 1;
/** UTF-8 bytes of a manifest; some 100,000 labels and strata fit. */
export const MANIFEST_LIMIT_BYTES = 67_108_864;
/** UTF-8 bytes of a version's message. */
export const MESSAGE_LIMIT_BYTES = 65_536;
/** UTF-8 bytes of an author's name. */
export const AUTHOR_LIMIT_BYTES = 500;
/** Where records without a label are counted; no side may have this name. */
export const UNLABELLED_PLACE = 'unlabelled';

/** A tree with its size; `root` is null and all numbers are 0 where it is empty. */
export interface TreeState {
  readonly root: Hash | null;
  readonly height: number;
  readonly records: number;
  /** Raw bytes of the leaves. */
  readonly bytes: number;
}

export interface SideState extends TreeState {
  readonly groups: number;
}

/** The split of a dataset, as it stands in its configuration and in every manifest. */
export interface SplitPolicy {
  readonly method: 'sticky' | 'hash';
  /** Side to its share; the shares add up to 1. */
  readonly sides: Readonly<Record<string, number>>;
  readonly salt: string;
  /** Fields that form strata. */
  readonly stratify: readonly string[];
}

/** A file of records that went into a version. */
export interface ManifestBatch {
  readonly name: string;
  readonly sha256: Hash;
  readonly rows: number;
  readonly author?: string;
}

export interface ManifestChanges {
  readonly added: number;
  readonly relabelled: number;
  readonly updated: number;
  readonly removed: number;
  /** The changes against the first parent as a tree; null where there is none or they are too many to list. */
  readonly list: TreeState | null;
}

/** Counts by two names. */
export type CountsBySide = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface Manifest {
  readonly uttr: typeof MANIFEST_FORMAT;
  readonly dataset: string;
  /** None for a first version, two for a merge. */
  readonly parents: readonly Hash[];
  readonly content: Hash;
  readonly sides: Readonly<Record<string, SideState>>;
  readonly unlabelled: TreeState;
  /** Groups that left the data: group column to side. */
  readonly retired: TreeState;
  readonly split: SplitPolicy;
  readonly identity: readonly string[];
  readonly normaliser: number;
  /** Groups by stratum and side; what the split needs to know of the past. Zeros are left out. */
  readonly strata: CountsBySide;
  /** Records by label (`labelKey`) and side or `unlabelled`. Zeros are left out. */
  readonly intents: CountsBySide;
  readonly batches: readonly ManifestBatch[];
  readonly changes: ManifestChanges;
  /** Checks whose errors somebody let pass; absent where there were none. */
  readonly allowed?: readonly string[];
  /** Groups that a merge moved to the side with the largest share; 0 in every other version. */
  readonly crossed: number;
  readonly author: string;
  readonly message: string;
  /** ISO 8601 in UTC with milliseconds. */
  readonly time: string;
}

/** The id of what a version holds: the same records on the same sides give the same id. */
export function contentId(
  sides: Readonly<Record<string, { readonly root: Hash | null }>>,
  unlabelled: { readonly root: Hash | null },
): Hash {
  const roots: Record<string, Hash | null> = {};
  for (const [side, { root }] of Object.entries(sides)) roots[side] = root;
  return sha256(canonicalJson({ sides: roots, unlabelled: unlabelled.root }));
}

/** The id of what one side holds: its root, or for an empty side the SHA-256 of nothing. */
export function sideContentId(root: Hash | null): Hash {
  return root ?? sha256('');
}

/** Prints a manifest in its one encoding. @throws internal when it is none that decodeManifest would take */
export function encodeManifest(manifest: Manifest): string {
  const text = canonicalJson(manifest as unknown as JsonValue);
  try {
    decodeManifest(text);
  } catch (error) {
    throw new UttrError('internal', 'a manifest was made that nobody could read', { cause: error });
  }
  return text;
}

/** Reads a manifest. @throws bad-manifest, format-too-new */
export function decodeManifest(text: string): Manifest {
  const reader = new DocumentReader('bad-manifest', 'the manifest', 'run: uttr fsck');
  if (Buffer.byteLength(text) > MANIFEST_LIMIT_BYTES) reader.fail(`is larger than ${MANIFEST_LIMIT_BYTES} bytes`);
  const value = reader.json(text);
  reader.format(value, MANIFEST_FORMAT);
  const fields = reader.object(value, '', FIELDS, ['allowed']);
  reader.datasetName(fields['dataset'], 'dataset');
  for (const [index, parent] of reader.list(fields['parents'], 'parents').entries()) {
    reader.hash(parent, `parents[${index}]`);
  }
  reader.hash(fields['content'], 'content');
  checkSplit(reader, fields['split']);
  checkTrees(reader, fields);
  reader.strings(fields['identity'], 'identity');
  reader.count(fields['normaliser'], 'normaliser');
  const manifest = fields as unknown as Manifest;
  const sides = Object.keys(manifest.sides);
  checkCounts(reader, fields['strata'], 'strata', sides);
  checkCounts(reader, fields['intents'], 'intents', [...sides, UNLABELLED_PLACE]);
  checkBatches(reader, fields['batches']);
  checkChanges(reader, fields['changes']);
  reader.count(fields['crossed'], 'crossed');
  if (fields['allowed'] !== undefined) reader.strings(fields['allowed'], 'allowed');
  checkWords(reader, fields);
  if (contentId(manifest.sides, manifest.unlabelled) !== manifest.content) {
    reader.fail('has a content id that is not that of its sides');
  }
  if (canonicalJson(value as JsonValue) !== text) reader.fail('is not in its canonical form');
  return manifest;
}

const FIELDS = [
  'uttr',
  'dataset',
  'parents',
  'content',
  'sides',
  'unlabelled',
  'retired',
  'split',
  'identity',
  'normaliser',
  'strata',
  'intents',
  'batches',
  'changes',
  'crossed',
  'author',
  'message',
  'time',
] as const;

const TREE_FIELDS = ['root', 'height', 'records', 'bytes'] as const;

function checkTree(reader: DocumentReader, value: unknown, path: string, more: readonly string[] = []): void {
  const tree = reader.object(value, path, [...TREE_FIELDS, ...more]);
  const counts = ['height', 'records', 'bytes', ...more].map((name) => reader.count(tree[name], `${path}.${name}`));
  if (tree['root'] !== null) reader.hash(tree['root'], `${path}.root`);
  const isEmpty = counts.every((count) => count === 0);
  if (tree['root'] === null && !isEmpty) reader.fail(`has no root but contents at ${path}`);
  if (tree['root'] !== null && tree['records'] === 0) reader.fail(`has a root without records at ${path}`);
}

function checkTrees(reader: DocumentReader, fields: Readonly<Record<string, unknown>>): void {
  const sides = Object.keys((fields['split'] as SplitPolicy).sides);
  for (const [side, tree] of Object.entries(reader.object(fields['sides'], 'sides', sides))) {
    checkTree(reader, tree, `sides.${side}`, ['groups']);
  }
  checkTree(reader, fields['unlabelled'], 'unlabelled');
  checkTree(reader, fields['retired'], 'retired');
}

function checkSplit(reader: DocumentReader, value: unknown): void {
  const split = reader.object(value, 'split', ['method', 'sides', 'salt', 'stratify']);
  if (split['method'] !== 'sticky' && split['method'] !== 'hash') reader.fail('has no known method at split.method');
  for (const [side, share] of Object.entries(reader.table(split['sides'], 'split.sides'))) {
    if (typeof share !== 'number' || !(share > 0 && share <= 1)) reader.fail(`has no share at split.sides.${side}`);
    if (side === UNLABELLED_PLACE) reader.fail(`has a side named ${UNLABELLED_PLACE}`);
  }
  reader.string(split['salt'], 'split.salt');
  reader.strings(split['stratify'], 'split.stratify');
}

function checkCounts(reader: DocumentReader, value: unknown, path: string, places: readonly string[]): void {
  for (const [row, counts] of Object.entries(reader.table(value, path))) {
    for (const [place, count] of Object.entries(reader.object(counts, `${path}.${row}`, [], places))) {
      if (reader.count(count, `${path}.${row}.${place}`) === 0) reader.fail(`has a zero at ${path}.${row}.${place}`);
    }
  }
}

function checkBatches(reader: DocumentReader, value: unknown): void {
  for (const [index, item] of reader.list(value, 'batches').entries()) {
    const path = `batches[${index}]`;
    const batch = reader.object(item, path, ['name', 'sha256', 'rows'], ['author']);
    reader.string(batch['name'], `${path}.name`);
    reader.hash(batch['sha256'], `${path}.sha256`);
    reader.count(batch['rows'], `${path}.rows`);
    if (batch['author'] !== undefined) reader.string(batch['author'], `${path}.author`);
  }
}

function checkChanges(reader: DocumentReader, value: unknown): void {
  const changes = reader.object(value, 'changes', ['added', 'relabelled', 'updated', 'removed', 'list']);
  for (const name of ['added', 'relabelled', 'updated', 'removed']) reader.count(changes[name], `changes.${name}`);
  if (changes['list'] !== null) checkTree(reader, changes['list'], 'changes.list');
}

function checkWords(reader: DocumentReader, fields: Readonly<Record<string, unknown>>): void {
  const author = reader.string(fields['author'], 'author');
  const message = reader.string(fields['message'], 'message');
  if (Buffer.byteLength(author) > AUTHOR_LIMIT_BYTES) reader.fail(`has over ${AUTHOR_LIMIT_BYTES} bytes at author`);
  if (Buffer.byteLength(message) > MESSAGE_LIMIT_BYTES) reader.fail(`has over ${MESSAGE_LIMIT_BYTES} bytes at message`);
  reader.time(fields['time'], 'time');
}
