/**
 * The one error class, its codes and their kinds.
 *
 * A kind exists only where a caller would act differently; a code is stable, a message is free to change.
 * docs/errors.md explains every code; test/base/errors.test.ts holds the two together.
 */
import type { JsonValue } from './json.ts';

/** What the caller should do about an error; each kind has one exit code. */
export type ErrorKind =
  | 'usage'
  | 'rejected'
  | 'conflict'
  | 'corrupt'
  | 'unavailable'
  | 'incompatible'
  | 'internal'
  | 'aborted';

/** Exit code of the command for each kind of error. 1 is kept for "the answer is no", which is no error. */
export const EXIT_CODES = {
  usage: 2,
  rejected: 3,
  conflict: 4,
  corrupt: 5,
  unavailable: 6,
  incompatible: 7,
  internal: 70,
  aborted: 130,
} as const satisfies Record<ErrorKind, number>;

/** Every code, once, with its kind. */
export const ERROR_KINDS = {
  aborted: 'aborted',
  'access-denied': 'unavailable',
  'ambiguous-version': 'usage',
  'bad-checksum': 'corrupt',
  'bad-chunk': 'corrupt',
  'bad-config': 'usage',
  'bad-dataset-name': 'usage',
  'bad-format': 'rejected',
  'bad-manifest': 'corrupt',
  'bad-option': 'usage',
  'bad-pack': 'corrupt',
  'bad-pointer': 'rejected',
  'bad-record': 'rejected',
  'bad-remote': 'usage',
  'bad-row': 'rejected',
  'bad-split': 'usage',
  'bad-tag-name': 'usage',
  'blob-not-found': 'usage',
  'catalogue-unusable': 'unavailable',
  'check-failed': 'rejected',
  'conflicting-label': 'rejected',
  'disk-full': 'unavailable',
  'format-too-new': 'incompatible',
  'git-failed': 'unavailable',
  'head-moved': 'conflict',
  internal: 'internal',
  'io-failed': 'unavailable',
  'merge-conflict': 'conflict',
  'missing-chunk': 'corrupt',
  'missing-column': 'rejected',
  'no-merge': 'usage',
  'not-a-repository': 'usage',
  'nothing-staged': 'usage',
  'remote-unreachable': 'unavailable',
  'tag-exists': 'conflict',
  'unknown-dataset': 'usage',
  'unknown-remote': 'usage',
  'unknown-utterance': 'usage',
  'unknown-version': 'usage',
  'unreadable-file': 'usage',
  'wrong-answer': 'corrupt',
  'wrong-predictions': 'rejected',
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;

/** JSON-safe facts about an error: names, numbers, hashes, places; never utterance texts. */
export type ErrorDetails = Readonly<Record<string, JsonValue | undefined>>;

interface ErrorRest {
  readonly details?: ErrorDetails;
  /** What to do next, as a sentence fragment. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** The only error class the library throws on purpose. `message` may change; `code` may not. */
export class UttrError extends Error {
  override readonly name = 'UttrError';
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly details: ErrorDetails;
  readonly hint: string | undefined;

  /** @param message lower case, no full stop: what failed and on which object. */
  constructor(code: ErrorCode, message: string, rest: ErrorRest = {}) {
    super(message, { cause: rest.cause });
    this.code = code;
    this.kind = ERROR_KINDS[code];
    this.details = rest.details ?? {};
    this.hint = rest.hint;
  }

  get exitCode(): number {
    return EXIT_CODES[this.kind];
  }
}

/** Tells whether `error` is ours, optionally with one of the given codes. */
export function isUttrError(error: unknown, ...codes: readonly ErrorCode[]): error is UttrError {
  return error instanceof UttrError && (codes.length === 0 || codes.includes(error.code));
}

/** Throws `aborted` when the signal has fired; called between units of long work. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new UttrError('aborted', 'interrupted', { hint: 'nothing was changed; run the command again' });
  }
}

/** An internal error: a state that our own code must have ruled out. */
export function assert(condition: boolean, claim: string): asserts condition {
  if (!condition) throw new UttrError('internal', `assertion failed: ${claim}`, { hint: 'this is a bug in uttr' });
}
