/**
 * Heads and tags on a remote: small blobs moved by compare-and-swap, with a write-once log of their moves.
 *
 *   heads/<dataset>/<branch>          {"author","dataset","branch","previous","sequence","time","txid","version"}
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
import type { CallOptions, Random } from '../base/ports.ts';
import type { BlobStore } from '../store/blob-store.ts';

export interface RemoteHead {
  readonly dataset: string;
  readonly branch: string;
  readonly version: Hash;
  readonly previous: Hash | null;
  readonly sequence: number;
  readonly time: string;
  readonly author: string;
  readonly txid: string;
}

export interface TaggedHead {
  readonly head: RemoteHead;
  readonly tag: string;
}

const TXID_BYTES = 16;

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
  return blob === undefined ? undefined : { head: parseHead(blob.bytes, store.url), tag: blob.tag };
}

/** Heads of every branch of a dataset. */
export async function readHeads(store: BlobStore, dataset: string, options?: CallOptions): Promise<RemoteHead[]> {
  const heads: RemoteHead[] = [];
  for await (const { name } of store.list(`heads/${dataset}/`, options)) {
    const blob = await store.read(name, options);
    if (blob !== undefined) heads.push(parseHead(blob.bytes, store.url));
  }
  return heads;
}

function parseHead(bytes: Buffer, url: string): RemoteHead {
  try {
    const head = JSON.parse(bytes.toString('utf8')) as RemoteHead;
    if (isHash(head.version) && Number.isSafeInteger(head.sequence)) return head;
  } catch (error) {
    throw new UttrError('wrong-answer', `a head on ${url} is no JSON`, { cause: error });
  }
  throw new UttrError('wrong-answer', `a head on ${url} names no version`);
}

/** Moves a head. @throws head-moved when somebody else was first */
export async function moveHead(
  store: BlobStore,
  from: TaggedHead | undefined,
  move: Omit<RemoteHead, 'sequence' | 'previous' | 'txid'>,
  random: Random,
  options?: CallOptions,
): Promise<RemoteHead> {
  const head: RemoteHead = {
    ...move,
    previous: from?.head.version ?? null,
    sequence: (from?.head.sequence ?? 0) + 1,
    txid: Buffer.from(random.bytes(TXID_BYTES)).toString('hex'),
  };
  await store.replace(headName(move.dataset, move.branch), from?.tag, Buffer.from(canonicalJson({ ...head })), options);
  return head;
}

/** Writes the log entry of a head's move unless it is there (H3). */
export async function writeLog(store: BlobStore, head: RemoteHead, options?: CallOptions): Promise<void> {
  const name = `log/${head.dataset}/${branchSegment(head.branch)}/${String(head.sequence).padStart(12, '0')}`;
  await store.create(name, Buffer.from(canonicalJson({ ...head })), options);
}

/** Tags of a dataset on a remote. */
export async function readTags(store: BlobStore, dataset: string, options?: CallOptions): Promise<Map<string, Hash>> {
  const tags = new Map<string, Hash>();
  for await (const { name } of store.list(`tags/${dataset}/`, options)) {
    const blob = await store.read(name, options);
    if (blob === undefined) continue;
    const { version } = JSON.parse(blob.bytes.toString('utf8')) as { version: unknown };
    if (isHash(version)) tags.set(decodeURIComponent(name.slice(`tags/${dataset}/`.length)), version);
  }
  return tags;
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
  if (await store.create(name, Buffer.from(canonicalJson({ version })), options)) return;
  const there = await store.read(name, options);
  if (there?.bytes.toString('utf8').includes(version) === true) return;
  throw new UttrError('tag-exists', `tag "${tag}" of ${dataset} names another version on ${store.url}`, {
    hint: `take theirs: uttr fetch; or choose another name: uttr tag <name> ${dataset}@${version.slice(0, 12)}`,
  });
}
