/**
 * The event "a dataset changed": one fact, as CloudEvents 1.0 JSON.
 *
 * E1  An event's id is a pure function of type, dataset, previous and new version: a rebuilt outbox gives the
 *     same ids, and a receiver recognises a repeated event.
 * E2  A body is a valid CloudEvent of at most 8 KiB and holds counts, ids and names; never an utterance's text.
 *
 * The JSON is written here by hand, so that making an event loads no library; the CloudEvents SDK validates it
 * where it is sent over HTTP, and in the tests.
 */
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';
import type { EventRow } from '../base/event-rows.ts';
import { sha256 } from '../base/hash.ts';

/** A version became available: on the remote, or on this machine where there is no remote. */
export const DATASET_CHANGED = 'dev.uttr.dataset.changed.v1';

export const EVENT_BODY_LIMIT_BYTES = 8192;

/** Hexadecimal digits of an event's id: 128 bits. */
const ID_DIGITS = 32;

/** How many bytes of JSON each part may keep once the whole is too large; the table by intent gets the rest. */
const SOURCE_LIMIT_BYTES = 512;
const AUTHOR_LIMIT_BYTES = 256;
const MESSAGE_LIMIT_BYTES = 1024;
const BATCHES_LIMIT_BYTES = 1024;
const INTENTS_LIMIT_BYTES = 768;
const REFERENCE_LIMIT_BYTES = 256;

/** What RFC 3986 has no place for in a path; a percent sign stays where it already encodes something. */
const NOT_IN_A_PATH = /%(?![0-9A-F]{2})|[^\w\-.~!$&'()*+,;=@%/]/gu;

export interface ChangeCounts {
  readonly added: number;
  readonly relabelled: number;
  readonly updated: number;
  readonly removed: number;
}

export interface EventBatch {
  readonly name: string;
  readonly sha256: string;
  readonly rows: number;
}

/** Everything an event tells about a change. */
export interface DatasetChange {
  /** The remote's URL or the repository's name; goes through eventSource. */
  readonly source: string;
  readonly dataset: string;
  readonly version: string;
  /** The version before; undefined for the first. */
  readonly previous: string | undefined;
  readonly content: string;
  /** Side name to the id of its content. */
  readonly sides: Readonly<Record<string, string>>;
  readonly changes: ChangeCounts;
  readonly changesBySide: Readonly<Record<string, ChangeCounts>>;
  /** Each intent that the change touches, once. */
  readonly changesByIntent: Iterable<readonly [intent: string, counts: ChangeCounts]>;
  readonly newIntents: readonly string[];
  readonly vanishedIntents: readonly string[];
  readonly batches: readonly EventBatch[];
  readonly author: string;
  readonly message: string;
  readonly time: Date;
  readonly branch?: string | undefined;
  readonly gitCommit?: string | undefined;
  readonly remote?: { readonly name: string; readonly url: string } | undefined;
}

/**
 * Makes the event for a change: pure, the same change gives the same bytes.
 *
 * Where the body would be larger than 8 KiB, long texts and lists are cut, the table by intent keeps the rows
 * with the most changes and sums up the others, and `truncated` is true. The totals are always exact.
 */
export function datasetChanged(change: DatasetChange): EventRow {
  const id = eventId(DATASET_CHANGED, change.dataset, change.previous, change.version);
  return {
    id,
    type: DATASET_CHANGED,
    dataset: change.dataset,
    version: change.version,
    previous: change.previous,
    time: change.time.toISOString(),
    body: fitBody(id, change),
  };
}

/** The id of an event (E1). */
export function eventId(type: string, dataset: string, previous: string | undefined, version: string): string {
  return sha256(canonicalJson([type, dataset, previous ?? null, version])).slice(0, ID_DIGITS);
}

/**
 * The `source` of a repository's events: the remote's URL, or the repository's name where there is none.
 *
 * Credentials, query and fragment are left out: they may hold secrets. What is too long is replaced by its hash.
 * The source of a source is itself.
 */
export function eventSource(urlOrName: string): string {
  const source = sourceReference(urlOrName.toWellFormed());
  return source.length <= SOURCE_LIMIT_BYTES ? source : `urn:sha256:${sha256(source)}`;
}

function sourceReference(urlOrName: string): string {
  const url = URL.parse(urlOrName);
  if (url === null) {
    const withoutCredentials = urlOrName.replace(/\/\/[^/]*@/u, '//');
    return withoutCredentials.replace(NOT_IN_A_PATH, encodeURIComponent) || 'uttr';
  }
  url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  return url.href;
}

type IntentRow = readonly [intent: string, counts: ChangeCounts];
type Fields = { readonly [key: string]: JsonValue | undefined };

function fitBody(id: string, change: DatasetChange): string {
  const rows: readonly IntentRow[] = [...change.changesByIntent].map(([intent, counts]) => [
    intent.toWellFormed(),
    counts,
  ]);
  const full = envelope(id, change, { byIntent: table(rows) }, texts(change, undefined));
  if (sizeBytes(full) <= EVENT_BODY_LIMIT_BYTES) return full;

  const short = texts(change, 'cut');
  const frame = envelope(id, change, { byIntent: {}, others: summary(rows) }, short);
  const kept = largestRows(rows, EVENT_BODY_LIMIT_BYTES - sizeBytes(frame));
  const keptNames = new Set(kept.map(([intent]) => intent));
  const others = rows.filter(([intent]) => !keptNames.has(intent));
  return envelope(id, change, { byIntent: table(kept), ...(others.length > 0 && { others: summary(others) }) }, short);
}

function envelope(id: string, change: DatasetChange, byIntent: Fields, rest: Fields): string {
  return canonicalJson({
    specversion: '1.0',
    id,
    source: eventSource(change.source),
    type: DATASET_CHANGED,
    subject: `${change.dataset}@${change.version}`,
    time: change.time.toISOString(),
    datacontenttype: 'application/json',
    data: {
      dataset: change.dataset,
      version: change.version,
      previous: change.previous ?? null,
      content: change.content,
      sides: change.sides,
      trainContent: change.sides['train'],
      testContent: change.sides['test'],
      changes: {
        ...countFields(change.changes),
        bySide: table(Object.entries(change.changesBySide)),
        ...byIntent,
      },
      newIntentCount: change.newIntents.length,
      vanishedIntentCount: change.vanishedIntents.length,
      ...rest,
    },
  });
}

/** The parts written by people, whole or cut; `undefined` as limit means whole. */
function texts(change: DatasetChange, limit: 'cut' | undefined): Fields {
  const most = (bytes: number): number => (limit === undefined ? Number.POSITIVE_INFINITY : bytes);
  const text = (value: string | undefined, bytes: number): string | undefined =>
    value === undefined ? undefined : cut(value.toWellFormed(), most(bytes));
  const names = (values: readonly string[]): readonly string[] =>
    fitting(
      values.map((value) => value.toWellFormed()),
      most(INTENTS_LIMIT_BYTES),
    );
  const batches = change.batches.map(({ name, sha256: digest, rows }) => ({
    name: text(name, REFERENCE_LIMIT_BYTES),
    sha256: digest,
    rows,
  }));
  return {
    newIntents: names(change.newIntents),
    vanishedIntents: names(change.vanishedIntents),
    batches: fitting(batches, most(BATCHES_LIMIT_BYTES)),
    author: text(change.author, AUTHOR_LIMIT_BYTES),
    message: text(change.message, MESSAGE_LIMIT_BYTES),
    branch: text(change.branch, REFERENCE_LIMIT_BYTES),
    gitCommit: text(change.gitCommit, REFERENCE_LIMIT_BYTES),
    remote: change.remote && {
      name: text(change.remote.name, REFERENCE_LIMIT_BYTES),
      url: eventSource(change.remote.url),
    },
    truncated: limit === 'cut',
  };
}

/** The rows with the most changes that fit into `budgetBytes`, those with an overlong name left out. */
function largestRows(rows: readonly IntentRow[], budgetBytes: number): readonly IntentRow[] {
  const kept: IntentRow[] = [];
  let left = budgetBytes;
  for (const row of rows.toSorted(byTotalDown)) {
    // One enormous name must not push out everything after it.
    if (sizeBytes(row[0]) > REFERENCE_LIMIT_BYTES) continue;
    // The row, and the comma after it.
    const rowBytes = sizeBytes(canonicalJson(table([row]))) - 1;
    if (rowBytes > left) break;
    left -= rowBytes;
    kept.push(row);
  }
  return kept;
}

function byTotalDown([nameA, a]: IntentRow, [nameB, b]: IntentRow): number {
  return total(b) - total(a) || Buffer.compare(Buffer.from(nameA), Buffer.from(nameB));
}

function total(counts: ChangeCounts): number {
  return counts.added + counts.relabelled + counts.updated + counts.removed;
}

function table(rows: readonly IntentRow[]): Fields {
  return Object.fromEntries(rows.map(([name, counts]) => [name, countFields(counts)]));
}

function summary(rows: readonly IntentRow[]): Fields {
  const sum = { added: 0, relabelled: 0, updated: 0, removed: 0 };
  for (const [, counts] of rows) {
    sum.added += counts.added;
    sum.relabelled += counts.relabelled;
    sum.updated += counts.updated;
    sum.removed += counts.removed;
  }
  return { intents: rows.length, ...sum };
}

function countFields({ added, relabelled, updated, removed }: ChangeCounts): Fields {
  return { added, relabelled, updated, removed };
}

/** The first items whose JSON takes at most `limitBytes` together. */
function fitting<T extends JsonValue>(items: readonly T[], limitBytes: number): readonly T[] {
  if (limitBytes === Number.POSITIVE_INFINITY) return items;
  let left = limitBytes;
  return items.filter((item) => {
    // Once one does not fit, no later one is taken: the list stays a beginning.
    left = Math.max(-1, left - sizeBytes(canonicalJson(item)) - 1);
    return left >= 0;
  });
}

/** The beginning of a text whose JSON takes at most `limitBytes`, with an ellipsis where something was cut. */
function cut(text: string, limitBytes: number): string {
  const jsonBytes = (value: string): number => sizeBytes(JSON.stringify(value));
  if (limitBytes === Number.POSITIVE_INFINITY || jsonBytes(text) <= limitBytes) return text;
  let kept = '';
  let used = jsonBytes('…');
  for (const character of text) {
    used += jsonBytes(character) - 2;
    if (used > limitBytes) break;
    kept += character;
  }
  return `${kept}…`;
}

function sizeBytes(text: string): number {
  return Buffer.byteLength(text);
}
