/**
 * What fetching the newest version of a branch takes. Its head keeps account of it, and a push sends that version
 * once more as a whole where the history behind it would make fetching it cost too much.
 *
 * Without that, a version is fetched as all leaves it was ever made from and all deltas between: several times what
 * a fresh import of it takes.
 */
import { isUlid } from '../base/ulid.ts';
import type { Manifest } from '../records/manifest.ts';
import type { TransferCount } from './transfer-count.ts';
import type { Version } from './versions.ts';

/** What was sent of a branch when its version was last sent whole, and since. */
export interface Checkpoint {
  /** Stored bytes of the packs of the version that was sent whole. */
  readonly bytes: number;
  /** ULIDs of the first and the last of them. What is older is not needed for the versions since, as a rule. */
  readonly first: string;
  readonly last: string;
  /** Bytes of the leaves of the version that was sent whole. */
  readonly raw: number;
  /** Stored bytes of the packs sent since. */
  readonly since: number;
}

/**
 * A version may take this much of what a fresh import of it takes. The design allows 1.5; what is left is for heads,
 * lists, and footers that are read along.
 */
const FETCH_SHARE = 1.45;
/** Below this, requests cost more than bytes, and two more of them are made for a version that is sent whole. */
const LEAST_BYTES = 64 * 2 ** 10;

/** Whether what a head says is a checkpoint. */
export function isCheckpoint(value: unknown): value is Checkpoint {
  if (typeof value !== 'object' || value === null) return false;
  const { first, last, ...numbers } = value as Readonly<Record<string, unknown>>;
  if (Object.keys(numbers).sort().join() !== 'bytes,raw,since') return false;
  if (typeof first !== 'string' || typeof last !== 'string' || !isUlid(first) || !isUlid(last)) return false;
  return Object.values(numbers).every((bytes) => Number.isSafeInteger(bytes) && Number(bytes) >= 0);
}

/**
 * After a push that sent what was missing.
 *
 * @param before of the heads that the version comes after
 * @param versions those that were missing, parents first
 */
export function checkpointAfter(
  before: Checkpoint | undefined,
  versions: readonly Version[],
  sent: TransferCount,
): Checkpoint | undefined {
  const newest = versions.at(-1);
  if (before !== undefined) {
    // The clock of another machine may have been ahead of ours.
    const first = sent.firstPack !== undefined && sent.firstPack < before.first ? sent.firstPack : before.first;
    return { ...before, first, since: before.since + sent.weight };
  }
  if (newest === undefined) return undefined;
  const whole = checkpointOfWhole(newest, sent);
  if (whole === undefined || versions.length === 1) return whole;
  // Of a history sent at once, the newest version takes about what its leaves take in frames of their own.
  const bytes = Math.min(sent.weight, Math.ceil(whole.raw * sent.shareAlone));
  return { ...whole, bytes, since: sent.weight - bytes };
}

/** After a version was sent whole. */
export function checkpointOfWhole({ manifest }: Version, sent: TransferCount): Checkpoint | undefined {
  const { weight: bytes, firstPack: first, lastPack: last } = sent;
  if (first === undefined || last === undefined) return undefined;
  return { bytes, first, last, raw: rawBytesOf(manifest), since: 0 };
}

/** Whether fetching the version costs so much that it is worth sending it whole. */
export function isHeavy({ bytes, raw, since }: Checkpoint, { manifest }: Version): boolean {
  const fresh = raw === 0 ? bytes : (bytes / raw) * rawBytesOf(manifest);
  return bytes + since > Math.max(FETCH_SHARE * fresh, fresh + LEAST_BYTES);
}

/** The one that covers several heads, all of which a version comes after. */
export function joinCheckpoints(heads: readonly { readonly checkpoint?: Checkpoint }[]): Checkpoint | undefined {
  const [first, ...others] = heads.flatMap(({ checkpoint }) => (checkpoint === undefined ? [] : [checkpoint]));
  if (first === undefined) return undefined;
  const heaviest = others.reduce((a, b) => (b.since > a.since ? b : a), first);
  const least = others.reduce((a, b) => (b.first < a.first ? b : a), first);
  return { ...heaviest, first: least.first };
}

function rawBytesOf({ sides, unlabelled }: Manifest): number {
  return [...Object.values(sides), unlabelled].reduce((sum, tree) => sum + tree.bytes, 0);
}
