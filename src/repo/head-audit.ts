/**
 * Checks of the small blobs of a remote: heads, their logs, tags, cursors. They have one encoding and are written once
 * or moved one step at a time, so that nearly every change of a byte shows.
 */
import { canonicalJson, type JsonValue } from '../base/canonical-json.ts';
import { UttrError } from '../base/errors.ts';
import { type Hash, isHash } from '../base/hash.ts';
import type { CallOptions } from '../base/ports.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { isCheckpoint } from './checkpoint.ts';
import type { ProblemList } from './problem-list.ts';
import { isCursor } from './remote-cursors.ts';

type Fields = Readonly<Record<string, unknown>>;

const HEAD_FIELDS = 'author,branch,dataset,previous,sequence,time,txid,version';
const TXID = /^[0-9a-f]{32}$/u;

/** Checks heads, logs and tags. @returns the versions that heads and tags name, by dataset */
export async function auditHeads(
  store: BlobStore,
  problems: ProblemList,
  options: CallOptions,
): Promise<ReadonlyMap<string, readonly Hash[]>> {
  const tips = new Map<string, Hash[]>();
  const moves = new Map<string, string>();
  for (const folder of ['log/', 'heads/', 'tags/']) {
    const last = new Map<string, Fields>();
    for await (const { name } of store.list(folder, options)) {
      try {
        const blob = await store.read(name, options);
        if (blob === undefined) continue;
        const text = blob.bytes.toString('utf8');
        const fields = parse(text);
        const dataset = name.split('/')[1] as string;
        if (folder === 'log/') {
          checkStep(name, fields, last);
          moves.set(name, text);
          continue;
        }
        if (folder === 'heads/') checkHead(name, fields, moves, text);
        tips.set(dataset, [...(tips.get(dataset) ?? []), versionOf(fields)]);
      } catch (error) {
        problems.add(error, name);
      }
    }
  }
  return tips;
}

/** Checks how far sinks were told of the moves of heads. */
export async function auditCursors(store: BlobStore, problems: ProblemList, options: CallOptions): Promise<void> {
  for await (const { name } of store.list('cursors/', options)) {
    try {
      const blob = await store.read(name, options);
      if (blob !== undefined && !isCursor(parseCanonical(blob.bytes.toString('utf8')))) {
        throw damaged('has not the fields of a cursor');
      }
    } catch (error) {
      problems.add(error, name);
    }
  }
}

function parse(text: string): Fields {
  const fields = parseCanonical(text);
  versionOf(fields);
  return fields;
}

function parseCanonical(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged('is no JSON', error);
  }
  if (typeof value !== 'object' || value === null) throw damaged('is no JSON object');
  if (canonicalJson(value as JsonValue) !== text) throw damaged('is not in its one form');
  return value as Fields;
}

function versionOf(fields: Fields): Hash {
  const { version } = fields;
  if (!isHash(version)) throw damaged('names no version');
  return version;
}

/** A log entry is a whole head, and follows the one before it. */
function checkStep(name: string, fields: Fields, last: Map<string, Fields>): void {
  checkFields(name, fields);
  const log = name.slice(0, name.lastIndexOf('/'));
  const before = last.get(log);
  last.set(log, fields);
  if (Number(name.slice(log.length + 1)) !== fields['sequence']) throw damaged('has another number than its name');
  if (before !== undefined && before['version'] !== fields['previous']) throw damaged('does not follow the one before');
}

/** A head has the bytes of its log entry, where that was written (H3). */
function checkHead(name: string, fields: Fields, moves: ReadonlyMap<string, string>, text: string): void {
  checkFields(name, fields);
  const entry = `${name.replace('heads/', 'log/')}/${String(fields['sequence']).padStart(12, '0')}`;
  const logged = moves.get(entry);
  if (logged !== undefined && logged !== text) throw damaged('is not what its log says');
}

function checkFields(name: string, fields: Fields): void {
  const { checkpoint, ...others } = fields;
  const { dataset, previous, sequence, txid, branch } = others;
  if (Object.keys(others).sort().join() !== HEAD_FIELDS) throw damaged('has not the fields of a head');
  if (name.split('/')[1] !== dataset || typeof branch !== 'string') throw damaged('is of another dataset');
  if (previous !== null && !isHash(previous)) throw damaged('names no version before it');
  if (!Number.isSafeInteger(sequence) || !TXID.test(String(txid))) throw damaged('does not say which move it is');
  if (checkpoint !== undefined && !isCheckpoint(checkpoint)) throw damaged('has a checkpoint that is none');
}

function damaged(what: string, cause?: unknown): UttrError {
  return new UttrError('wrong-answer', `it ${what}`, { cause });
}
