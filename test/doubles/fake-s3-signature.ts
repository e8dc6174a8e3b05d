/**
 * Checks AWS Signature Version 4, from its description alone: nothing here is shared with the client.
 *
 *   string to sign = "AWS4-HMAC-SHA256" date scope sha256(canonical request)
 *   signature      = HMAC chain of the secret over date, region, "s3", "aws4_request", string to sign
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Servers refuse a clock that is further off. */
const SKEW_LIMIT_MS = 15 * 60 * 1000;

export interface FakeCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A refusal, as S3 codes it. */
export interface SignatureProblem {
  readonly status: number;
  readonly code: string;
}

const refuse = (code: string, status = 403): SignatureProblem => ({ status, code });

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=(?<key>[^/]+)\/(?<day>\d{8})\/(?<region>[^/]+)\/s3\/aws4_request, ?SignedHeaders=(?<headers>[^,]+), ?Signature=(?<signature>[0-9a-f]{64})$/u;

/** @returns what is wrong with the request's signature; undefined when it is in order. */
export function checkSignature(
  request: IncomingMessage,
  body: Buffer,
  credentials: FakeCredentials,
  region: string,
  now: Date,
): SignatureProblem | undefined {
  const header = (name: string): string => String(request.headers[name] ?? '');
  if (header('authorization') === '') return refuse('AccessDenied');
  const parts = AUTHORIZATION.exec(header('authorization'))?.groups;
  if (parts === undefined) return refuse('AuthorizationHeaderMalformed', 400);
  const { key = '', day = '', headers = '', signature = '' } = parts;
  if (key !== credentials.accessKeyId) return refuse('InvalidAccessKeyId');
  if (parts['region'] !== region) return refuse('AuthorizationHeaderMalformed', 400);

  const date = header('x-amz-date');
  if (!date.startsWith(day)) return refuse('AccessDenied');
  if (!(Math.abs(parseDate(date).getTime() - now.getTime()) <= SKEW_LIMIT_MS)) return refuse('RequestTimeTooSkewed');

  const signed = headers.split(';');
  const mustBeSigned = Object.keys(request.headers).filter((name) => name === 'host' || name.startsWith('x-amz-'));
  if (!mustBeSigned.every((name) => signed.includes(name))) return refuse('AccessDenied');
  if (headers !== [...signed].sort((a, b) => (a < b ? -1 : 1)).join(';')) return refuse('SignatureDoesNotMatch');

  const payload = header('x-amz-content-sha256');
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const canonical = [
    request.method ?? '',
    path,
    query
      .split('&')
      .filter(Boolean)
      .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
      .sort((a, b) => (a < b ? -1 : 1))
      .join('&'),
    ...signed.map((name) => `${name}:${header(name).trim().replace(/ +/gu, ' ')}`),
    '',
    headers,
    payload,
  ].join('\n');
  const scope = `${day}/${parts['region']}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const expected = [day, region, 's3', 'aws4_request', toSign].reduce<Buffer>(
    (secret, message) => createHmac('sha256', secret).update(message).digest(),
    Buffer.from(`AWS4${credentials.secretAccessKey}`),
  );
  if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return refuse('SignatureDoesNotMatch');
  if (payload !== 'UNSIGNED-PAYLOAD' && payload !== sha256(body)) return refuse('XAmzContentSHA256Mismatch', 400);
  return undefined;
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** `20261201T120000Z` */
function parseDate(text: string): Date {
  return new Date(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u, '$1-$2-$3T$4:$5:$6Z'));
}
