/**
 * What the failures of an S3 client mean: whether to try again, and what to tell a person.
 *
 * Failures come as errors of the SDK (named by the server's `<Code>`), of Node's network, or of the credentials
 * chain. None of their texts is shown as ours: each becomes one of our codes, with a hint that can be acted on.
 */
import { isUttrError, UttrError, type ErrorCode } from '../base/errors.ts';
import type { FailureKind } from './retry.ts';

/** What was being done, for messages. */
export interface S3Call {
  /** As it reads after "cannot": "read packs/d/x". */
  readonly action: string;
  readonly bucket: string;
  /** The store, without credentials. */
  readonly url: string;
  /** Undefined for AWS itself. */
  readonly endpoint: string | undefined;
  readonly tries: number;
}

/** The parts of an SDK error, or of a Node error, that are looked at. */
interface Anatomy {
  /** The server's code, the SDK's name for it, or Node's. */
  readonly code: string;
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly region: string | undefined;
}

interface Meaning {
  readonly kind: FailureKind;
  readonly code: ErrorCode;
  /** What is wrong, if more can be said than that the call failed. */
  readonly says?: (call: S3Call, anatomy: Anatomy) => string;
  readonly hint: (call: S3Call, anatomy: Anatomy) => string;
}

const where = (call: S3Call): string => call.endpoint ?? 'AWS S3';

const NO_CREDENTIALS: Meaning = {
  kind: 'final',
  code: 'access-denied',
  says: (call) => `no credentials for ${where(call)}`,
  hint: () => 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or log in with aws sso login',
};
const EXPIRED: Meaning = {
  kind: 'final',
  code: 'access-denied',
  says: (call) => `the credentials for ${where(call)} have expired`,
  hint: () => 'get new ones (aws sso login, or a new session token), then run the command again',
};
const UNKNOWN_KEY: Meaning = {
  kind: 'final',
  code: 'access-denied',
  says: (call) => `${where(call)} does not know this access key`,
  hint: () => 'check AWS_ACCESS_KEY_ID or AWS_PROFILE, and that the endpoint is the one the key is for',
};
const WRONG_SECRET: Meaning = {
  kind: 'final',
  code: 'access-denied',
  says: (call) => `${where(call)} rejects the signature`,
  hint: () => 'check AWS_SECRET_ACCESS_KEY; if it is right, check the region and that no proxy changes requests',
};
const FORBIDDEN: Meaning = {
  kind: 'final',
  code: 'access-denied',
  says: (call) => `these credentials may not use the bucket ${call.bucket} like that`,
  hint: () => 'they need s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject in it',
};
const NO_BUCKET: Meaning = {
  kind: 'final',
  code: 'bad-remote',
  says: (call) => `there is no bucket ${call.bucket} at ${where(call)}`,
  hint: () => 'check its name and the endpoint in uttr.json, or make the bucket',
};
const WRONG_REGION: Meaning = {
  kind: 'final',
  code: 'bad-remote',
  says: (call, { region }) => `the bucket ${call.bucket} is in ${region ?? 'another region'}`,
  hint: (_, { region }) => `set "region"${region === undefined ? '' : ` to "${region}"`} for this remote in uttr.json`,
};
const NO_REGION: Meaning = {
  kind: 'final',
  code: 'bad-remote',
  says: (call) => `no region is set for the bucket ${call.bucket}`,
  hint: () => 'set "region" for this remote in uttr.json, or AWS_REGION',
};
const CLOCK: Meaning = {
  // The SDK learns the server's time from the refusal, so the next try is signed with it.
  kind: 'transient',
  code: 'remote-unreachable',
  says: (call) => `the clock of this machine differs too much from that of ${where(call)}`,
  hint: () => 'set the clock (timedatectl set-ntp true), then run the command again',
};
const THROTTLED: Meaning = {
  kind: 'throttled',
  code: 'remote-unreachable',
  says: (call) => `${where(call)} asks for fewer requests, for minutes now`,
  hint: () => 'try again later; what was sent already is not sent again',
};
const STUMBLED: Meaning = {
  kind: 'transient',
  code: 'remote-unreachable',
  hint: () => 'try again; what was sent already is not sent again',
};
const BROKEN_ON_THE_WAY: Meaning = {
  kind: 'transient',
  code: 'wrong-answer',
  says: () => 'the bytes were changed on the way',
  hint: () => 'check the network between here and the bucket: a proxy, a cable, memory',
};
const NOBODY: Meaning = {
  kind: 'unreachable',
  code: 'remote-unreachable',
  says: (call) => `nothing answers at ${where(call)}`,
  hint: () => 'check the endpoint in uttr.json, the network, and that the server runs',
};
const UNTRUSTED: Meaning = {
  kind: 'final',
  code: 'remote-unreachable',
  says: (call) => `the certificate of ${where(call)} is not trusted`,
  hint: () => "if it is your own authority's, name its file in NODE_EXTRA_CA_CERTS; else check the endpoint",
};
const FULL: Meaning = {
  kind: 'final',
  code: 'disk-full',
  says: (call) => `the storage behind ${where(call)} is full`,
  hint: () => 'free some space there or raise the quota, then run the command again',
};
const NOT_OFFERED: Meaning = {
  kind: 'final',
  code: 'bad-remote',
  says: (call) => `${where(call)} does not offer what is needed`,
  hint: () => 'run uttr remote check: it tells what the server can do',
};
const REFUSED: Meaning = {
  kind: 'final',
  code: 'bad-remote',
  says: (call, { code }) => `${where(call)} refuses it (${code})`,
  hint: () => 'check the address, the endpoint and the region of this remote in uttr.json',
};
const NO_S3: Meaning = {
  kind: 'doubtful',
  code: 'wrong-answer',
  says: (call) => `the answer of ${where(call)} is not one of an S3 server`,
  hint: () => 'check the endpoint, and whether a proxy or a login page of the network answers in its place',
};

const MEANINGS: Readonly<Record<string, Meaning>> = {
  CredentialsProviderError: NO_CREDENTIALS,
  TokenProviderError: EXPIRED,
  ExpiredToken: EXPIRED,
  ExpiredTokenException: EXPIRED,
  TokenRefreshRequired: EXPIRED,
  InvalidToken: EXPIRED,
  InvalidAccessKeyId: UNKNOWN_KEY,
  XAdminUserNotFound: UNKNOWN_KEY,
  SignatureDoesNotMatch: WRONG_SECRET,
  AccessDenied: FORBIDDEN,
  AllAccessDisabled: FORBIDDEN,
  AccountProblem: FORBIDDEN,
  NoSuchBucket: NO_BUCKET,
  InvalidBucketName: NO_BUCKET,
  PermanentRedirect: WRONG_REGION,
  TemporaryRedirect: WRONG_REGION,
  AuthorizationHeaderMalformed: WRONG_REGION,
  IllegalLocationConstraintException: WRONG_REGION,
  RegionMissing: NO_REGION,
  RequestTimeTooSkewed: CLOCK,
  RequestExpired: CLOCK,
  SlowDown: THROTTLED,
  ThrottlingException: THROTTLED,
  Throttling: THROTTLED,
  TooManyRequests: THROTTLED,
  TooManyRequestsException: THROTTLED,
  RequestLimitExceeded: THROTTLED,
  ServiceUnavailable: THROTTLED,
  BadDigest: BROKEN_ON_THE_WAY,
  InvalidDigest: BROKEN_ON_THE_WAY,
  XAmzContentSHA256Mismatch: BROKEN_ON_THE_WAY,
  IncompleteBody: STUMBLED,
  RequestTimeout: STUMBLED,
  TimeoutError: STUMBLED,
  ConditionalRequestConflict: STUMBLED,
  OperationAborted: STUMBLED,
  ECONNRESET: STUMBLED,
  EPIPE: STUMBLED,
  ETIMEDOUT: STUMBLED,
  ERR_STREAM_PREMATURE_CLOSE: STUMBLED,
  ECONNREFUSED: NOBODY,
  ENOTFOUND: NOBODY,
  EAI_AGAIN: NOBODY,
  EHOSTUNREACH: NOBODY,
  ENETUNREACH: NOBODY,
  EPROTO: NO_S3,
  InsufficientStorage: FULL,
  XMinioStorageFull: FULL,
  QuotaExceeded: FULL,
  NotImplemented: NOT_OFFERED,
  MethodNotAllowed: NOT_OFFERED,
};

const MEANINGS_OF_STATUS: Readonly<Record<number, Meaning>> = {
  301: WRONG_REGION,
  307: WRONG_REGION,
  401: FORBIDDEN,
  403: FORBIDDEN,
  405: NOT_OFFERED,
  408: STUMBLED,
  409: STUMBLED,
  // Of a read: the blob became another one between two parts of it.
  412: STUMBLED,
  429: THROTTLED,
  501: NOT_OFFERED,
  503: THROTTLED,
  507: FULL,
};

/** What the SDK calls an error that the server gave no code for: hardly the word of an S3 server. */
const NO_NAME: ReadonlySet<string> = new Set(['', 'Error', 'Unknown', 'UnknownError', 'SyntaxError', 'NotFound']);

const UNTRUSTED_CODE = /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|UNABLE_TO_)/u;

/** Whether, and how patiently, the call should be tried again. */
export function failureOf(error: unknown): FailureKind {
  // Errors of ours are thrown in two places only: for an answer that cannot be true, and by the caller's signal.
  if (isUttrError(error)) return error.details['doubtful'] === true ? 'doubtful' : 'final';
  return meaningOf(dissect(error)).kind;
}

/** The pause that the server asked for; 0 if it did not. */
export function retryAfterMs(error: unknown): number {
  const seconds = Number(dissect(error).headers['retry-after'] ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

/** The HTTP status of an error that a server answered with. */
export function statusOf(error: unknown): number | undefined {
  return dissect(error).status;
}

/** The size of the blob, where the server refused a range because the blob ends before it. */
export function sizeBeyondRange(error: unknown): number | undefined {
  const { status, headers } = dissect(error);
  const [, size] = /^bytes \*\/(\d+)$/u.exec(headers['content-range'] ?? '') ?? [];
  return status === 416 && size !== undefined ? Number(size) : undefined;
}

/** Whether the server said that there is no such blob, rather than no such bucket, user or page. */
export function isAbsent(error: unknown): boolean {
  return dissect(error).code === 'NoSuchKey';
}

/** Whether a conditional write was refused: the blob is there, or is another, or is gone. */
export function isConditionFailed(error: unknown): boolean {
  const { code, status } = dissect(error);
  return status === 412 || code === 'PreconditionFailed' || (status === 404 && code === 'NoSuchKey');
}

/** Turns the failure of a call into an error of ours. */
export function s3Error(error: unknown, call: S3Call): UttrError {
  if (isUttrError(error)) return error;
  const anatomy = dissect(error);
  const meaning = meaningOf(anatomy);
  const said = meaning.says?.(call, anatomy) ?? (anatomy.code === '' ? '' : anatomy.code);
  const tries = call.tries > 1 ? ` after ${call.tries} tries` : '';
  const message = `cannot ${call.action}${tries}${said === '' ? '' : `: ${said}`}`;
  const details = { url: call.url, tries: call.tries, reason: anatomy.code };
  return new UttrError(meaning.code, message, {
    cause: error,
    details: anatomy.status === undefined ? details : { ...details, status: anatomy.status },
    hint: meaning.hint(call, anatomy),
  });
}

/** An answer that cannot be true: no tag, another size, bytes beyond the end. It is worth one more look. */
export function doubtfulAnswer(message: string, call: Pick<S3Call, 'url'>): UttrError {
  return new UttrError('wrong-answer', message, {
    details: { url: call.url, doubtful: true },
    hint: 'check the endpoint, and whether a proxy or a login page of the network answers in its place',
  });
}

function meaningOf(anatomy: Anatomy): Meaning {
  const { code, status } = anatomy;
  // Some servers hide the code of a refusal in a body that a HEAD has not, so the status must do.
  const named = Object.hasOwn(MEANINGS, code) ? MEANINGS[code] : undefined;
  if (named !== undefined) return named;
  if (UNTRUSTED_CODE.test(code)) return UNTRUSTED;
  return status === undefined ? STUMBLED : meaningOfStatus(status, NO_NAME.has(code));
}

function meaningOfStatus(status: number, isNameless: boolean): Meaning {
  const meaning = MEANINGS_OF_STATUS[status];
  if (meaning !== undefined) return meaning;
  if (status >= 500) return STUMBLED;
  return status >= 400 && !isNameless ? REFUSED : NO_S3;
}

function dissect(error: unknown): Anatomy {
  const shape = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const metadata = (shape['$metadata'] ?? {}) as { httpStatusCode?: number };
  const response = (shape['$response'] ?? {}) as { statusCode?: number; headers?: Record<string, string | undefined> };
  const headers = response.headers ?? {};
  const region = headers['x-amz-bucket-region'] ?? text(shape['Region']);
  return { code: codeOf(shape, error), status: metadata.httpStatusCode ?? response.statusCode, headers, region };
}

function codeOf(shape: Record<string, unknown>, error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  if (/Region is missing/u.test(message)) return 'RegionMissing';
  // The server's word first, then Node's, then the name of the class.
  return text(shape['Code']) ?? text(shape['code']) ?? text(shape['name']) ?? '';
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
