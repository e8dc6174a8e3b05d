/**
 * How far a sink has been told of the moves of a head, kept on the remote for all machines that deliver:
 *
 *   cursors/<sink>/<dataset>/<branch>   {"lease","retry","sequence","txid"}
 */
import { canonicalJson } from '../base/canonical-json.ts';
import { UttrError } from '../base/errors.ts';
import type { CallOptions, Random } from '../base/ports.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { sinkNames } from './change-event.ts';
import { branchSegment, newTxid, parseSmall } from './remote-heads.ts';
import type { Repository } from './repository.ts';

export interface CursorKey {
  readonly sink: string;
  readonly dataset: string;
  readonly branch: string;
}

/** All times are RFC 3339, UTC. */
export interface Cursor {
  /** The move that the sink was told of last, or that was given up. */
  readonly sequence: number;
  /** The deliverer that is at it; null where none is. */
  readonly lease: { readonly owner: string; readonly until: string } | null;
  /** The attempts at the next move that failed; null where there was none. */
  readonly retry: Retry | null;
}

export interface Retry {
  readonly attempts: number;
  readonly error: string;
  readonly first: string;
  readonly next: string;
}

export interface TaggedCursor {
  readonly cursor: Cursor;
  /** Undefined: there is none yet. */
  readonly tag: string | undefined;
}

/** The cursor of a sink; undefined where it has none. @throws wrong-answer */
export async function readCursor(
  store: BlobStore,
  key: CursorKey,
  options?: CallOptions,
): Promise<TaggedCursor | undefined> {
  const name = cursorName(key);
  const blob = await store.read(name, options);
  if (blob === undefined) return undefined;
  const fields = parseSmall(blob.bytes, `the cursor of ${key.sink} in ${key.dataset}`, store.url);
  if (!isCursor(fields)) {
    throw new UttrError('wrong-answer', `the cursor ${name} on ${store.url} is damaged`, {
      hint: 'remove it; then the newest move of the branch is announced again',
    });
  }
  const { sequence, lease, retry } = fields;
  return { cursor: { sequence, lease, retry }, tag: blob.tag };
}

/** Names of the configured sinks that have a cursor: a push leaves them to it. */
export async function sinksWithCursor(
  repository: Repository,
  store: BlobStore,
  { dataset, branch }: Omit<CursorKey, 'sink'>,
): Promise<readonly string[]> {
  const names = sinkNames(repository);
  const { signal } = repository;
  const cursors = await Promise.all(names.map((sink) => readCursor(store, { sink, dataset, branch }, { signal })));
  return names.filter((_, position) => cursors[position] !== undefined);
}

/** Replaces a cursor. @returns it with its tag @throws head-moved when somebody else was first */
export async function moveCursor(
  store: BlobStore,
  key: CursorKey,
  { from, to }: { readonly from: string | undefined; readonly to: Cursor },
  random: Random,
  options?: CallOptions,
): Promise<TaggedCursor> {
  const lease = to.lease === null ? null : { ...to.lease };
  const retry = to.retry === null ? null : { ...to.retry };
  const bytes = Buffer.from(canonicalJson({ sequence: to.sequence, lease, retry, txid: newTxid(random) }));
  return { cursor: to, tag: await store.replace(cursorName(key), from, bytes, options) };
}

/** Whether fields are those of a cursor. */
export function isCursor(
  fields: Readonly<Record<string, unknown>>,
): fields is Readonly<Record<string, unknown>> & Cursor {
  const { sequence, lease, retry, txid, ...others } = fields;
  return (
    Object.keys(others).length === 0 &&
    Number.isSafeInteger(sequence) &&
    Number(sequence) >= 0 &&
    typeof txid === 'string' &&
    (lease === null || hasFields(lease, { owner: isText, until: isTime })) &&
    (retry === null || hasFields(retry, { attempts: isCount, error: isText, first: isTime, next: isTime }))
  );
}

function hasFields(value: unknown, fields: Readonly<Record<string, (field: unknown) => boolean>>): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const entries = Object.entries(value);
  return (
    entries.length === Object.keys(fields).length && entries.every(([name, field]) => fields[name]?.(field) === true)
  );
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0;
const isTime = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value));

function cursorName({ sink, dataset, branch }: CursorKey): string {
  return `cursors/${branchSegment(sink)}/${dataset}/${branchSegment(branch)}`;
}
