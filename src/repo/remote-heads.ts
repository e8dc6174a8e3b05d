/**
 * Heads and tags on a remote: small blobs moved by compare-and-swap, with a write-once log of their moves.
 *
 *   heads/<dataset>/<branch>          {"author","checkpoint","dataset","branch","previous","sequence","time","txid",
 *                                     "version"}
 *   log/<dataset>/<branch>/<sequence> the same bytes, written once after the head has moved
 *   tags/<dataset>/<name>             {"version"}, written once
 *
 * H1  A head moves only forward: the old version is an ancestor of the new one.
 * H2  A head names a version only after everything that the version needs is on the remote (P4).
 * H3  The log entry of a move may be missing after a crash; the next push writes it from the head.
 */
import { canonicalJson } from '../base/canonical-json.ts';
import { UttrError } from '../base/errors.ts';
import { type Hash, isHash } from '../base/hash.ts';
import { mapLimited } from '../base/parallel.ts';
import type { CallOptions, Random } from '../base/ports.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { type Checkpoint, isCheckpoint } from './checkpoint.ts';

export interface RemoteHead {
  readonly dataset: string;
  readonly branch: string;
  readonly version: Hash;
  readonly previous: Hash | null;
  readonly sequence: number;
  readonly time: string;
  readonly author: string;
  readonly txid: string;
  /** What fetching the version takes; absent where that is not known. */
  readonly checkpoint?: Checkpoint;
}

export interface TaggedHead {
  readonly head: RemoteHead;
  readonly tag: string;
}

const TXID_BYTES = 16;
/** Small blobs read at the same time. */
const READS_IN_FLIGHT = 16;

/** Branch names of git may hold what a blob's name may not: such bytes are written as %XX. */
export function branchSegment(branch: string): string {
  return encodeURIComponent(branch).replaceAll('.', '%2E');
}

function headName(dataset: string, branch: string): string {
  return `heads/${dataset}/${branchSegment(branch)}`;
}

export async function readHead(
  store: BlobStore,
  dataset: string,
  branch: string,
  options?: CallOptions,
): Promise<TaggedHead | undefined> {
  const blob = await store.read(headName(dataset, branch), options);
  return blob === undefined ? undefined : { head: parseHead(blob.bytes, store.url, dataset, branch), tag: blob.tag };
}

/** Heads of every branch of a dataset. */
export async function readHeads(store: BlobStore, dataset: string, options?: CallOptions): Promise<RemoteHead[]> {
  const blobs = await Array.fromAsync(store.list(`heads/${dataset}/`, options));
  const heads = await mapLimited(blobs, READS_IN_FLIGHT, async ({ name }) => {
    const blob = await store.read(name, options);
    return blob === undefined ? [] : [parseHead(blob.bytes, store.url, dataset)];
  });
  return heads.flat();
}

/** Datasets that have a head on a remote. */
export async function readDatasets(store: BlobStore, options?: CallOptions): Promise<string[]> {
  const names = new Set<string>();
  for await (const { name } of store.list('heads/', options)) names.add(name.split('/')[1] ?? '');
  return [...names].filter((name) => name !== '');
}

/** @throws wrong-answer */
function parseHead(bytes: Buffer, url: string, dataset: string, branch?: string): RemoteHead {
  const head = parseSmall(bytes, `a head of ${dataset}`, url) as unknown as RemoteHead;
  const { version, previous, sequence, txid } = head;
  if (!isHash(version) || !(previous === null || isHash(previous))) {
    throw new UttrError('wrong-answer', `a head of ${dataset} on ${url} names no version`);
  }
  if (!Number.isSafeInteger(sequence) || sequence < 1 || typeof txid !== 'string') {
    throw new UttrError('wrong-answer', `a head of ${dataset} on ${url} does not say which move it is`);
  }
  if (head.dataset !== dataset || typeof head.branch !== 'string' || (branch ?? head.branch) !== head.branch) {
    throw new UttrError('wrong-answer', `a head of ${dataset} on ${url} says that it is another one`);
  }
  if (head.checkpoint !== undefined && !isCheckpoint(head.checkpoint)) {
    throw new UttrError('wrong-answer', `a head of ${dataset} on ${url} has a checkpoint that is none`);
  }
  return head;
}

export function parseSmall(bytes: Buffer, what: string, url: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(bytes.toString('utf8')) as unknown;
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new UttrError('wrong-answer', `${what} on ${url} is no JSON`, { cause: error });
  }
  throw new UttrError('wrong-answer', `${what} on ${url} is no JSON object`);
}

/** The head that a move would leave: it follows `from` and carries an id of its own. */
export async function nextHead(
  store: BlobStore,
  from: RemoteHead | undefined,
  move: Omit<RemoteHead, 'sequence' | 'previous' | 'txid'>,
  random: Random,
  options?: CallOptions,
): Promise<RemoteHead> {
  return {
    ...move,
    previous: from?.version ?? null,
    sequence: await nextSequence(store, move.dataset, move.branch, from?.sequence ?? 0, options),
    txid: newTxid(random),
  };
}

/** One more than the last move; where a head was put back, one more than all that the log has. */
async function nextSequence(
  store: BlobStore,
  dataset: string,
  branch: string,
  last: number,
  options?: CallOptions,
): Promise<number> {
  if ((await store.stat(logName(dataset, branch, last + 1), options)) === undefined) return last + 1;
  let highest = last + 1;
  const folder = logName(dataset, branch, 0).replace(/0+$/u, '');
  for await (const { name } of store.list(folder, options)) {
    highest = Math.max(highest, Number(name.slice(folder.length)) || 0);
  }
  return highest + 1;
}

/** A mark that no two small blobs share, so that no two have equal bytes. */
export function newTxid(random: Random): string {
  return Buffer.from(random.bytes(TXID_BYTES)).toString('hex');
}

function encodeHead({ checkpoint, ...head }: RemoteHead): Buffer {
  return Buffer.from(canonicalJson(checkpoint === undefined ? head : { ...head, checkpoint: { ...checkpoint } }));
}

/** Moves a head. @throws head-moved when somebody else was first */
export async function moveHead(
  store: BlobStore,
  from: TaggedHead | undefined,
  head: RemoteHead,
  options?: CallOptions,
): Promise<void> {
  await store.replace(headName(head.dataset, head.branch), from?.tag, encodeHead(head), options);
}

/** Writes the log entry of a head's move unless it is there (H3). */
export async function writeLog(store: BlobStore, head: RemoteHead, options?: CallOptions): Promise<void> {
  await store.create(logName(head.dataset, head.branch, head.sequence), encodeHead(head), options);
}

/** The log entry of one move; undefined where there is none. */
export async function readLog(
  store: BlobStore,
  dataset: string,
  branch: string,
  sequence: number,
  options?: CallOptions,
): Promise<RemoteHead | undefined> {
  const blob = await store.read(logName(dataset, branch, sequence), options);
  return blob === undefined ? undefined : parseHead(blob.bytes, store.url, dataset, branch);
}

function logName(dataset: string, branch: string, sequence: number): string {
  return `log/${dataset}/${branchSegment(branch)}/${String(sequence).padStart(12, '0')}`;
}

/** Tags of a dataset on a remote. */
export async function readTags(store: BlobStore, dataset: string, options?: CallOptions): Promise<Map<string, Hash>> {
  const folder = `tags/${dataset}/`;
  const blobs = await Array.fromAsync(store.list(folder, options));
  const tags = await mapLimited(blobs, READS_IN_FLIGHT, async ({ name }): Promise<[string, Hash][]> => {
    const blob = await store.read(name, options);
    if (blob === undefined) return [];
    const { version } = parseSmall(blob.bytes, `a tag of ${dataset}`, store.url);
    if (typeof version !== 'string' || !isHash(version)) {
      throw new UttrError('wrong-answer', `a tag of ${dataset} on ${store.url} names no version`);
    }
    return [[decodeURIComponent(name.slice(folder.length)), version]];
  });
  return new Map(tags.flat());
}

/** Puts a tag on the remote. @throws tag-exists when it names another version there */
export async function writeTag(
  store: BlobStore,
  dataset: string,
  tag: string,
  version: Hash,
  options?: CallOptions,
): Promise<void> {
  const name = `tags/${dataset}/${branchSegment(tag)}`;
  const bytes = Buffer.from(canonicalJson({ version }));
  if (await store.create(name, bytes, options)) return;
  const there = await store.read(name, options);
  if (there?.bytes.equals(bytes) === true) return;
  throw new UttrError('tag-exists', `tag "${tag}" of ${dataset} names another version on ${store.url}`, {
    hint: `take theirs: uttr tag --delete ${tag} ${dataset}, then uttr fetch`,
  });
}
