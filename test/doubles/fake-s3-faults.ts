/**
 * What can go wrong between a client and an S3 server, each as it shows on the wire.
 */
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeAnswer } from './fake-s3.ts';

export type S3Operation = 'put' | 'get' | 'head' | 'delete' | 'list';

/** Answered with an error in place of doing the work. */
const ERRORS = {
  'internal-error': [500, 'InternalError'],
  'bad-gateway': [502, ''],
  'slow-down': [503, 'SlowDown'],
  'too-many-requests': [429, 'TooManyRequests'],
  conflict: [409, 'ConditionalRequestConflict'],
  skewed: [403, 'RequestTimeTooSkewed'],
  denied: [403, 'AccessDenied'],
  'storage-full': [507, 'InsufficientStorage'],
} as const satisfies Record<string, readonly [number, string]>;

export type S3FaultKind =
  | keyof typeof ERRORS
  /** The connection is cut before the request was read. */
  | 'reset-at-once'
  /** The connection is cut when the request was read; nothing was done. */
  | 'reset-before-answer'
  /** The work is done, but the connection is cut before the answer: did it happen? */
  | 'lose-answer'
  /** The request arrives twice, as when a proxy repeats it; the second answer is the one that is seen. */
  | 'duplicate'
  /** Nothing is ever answered. */
  | 'no-answer'
  /** The connection is cut halfway through the answer's body. */
  | 'reset-in-body'
  /** The answer stops halfway and never goes on. */
  | 'stall-in-body'
  /** The answer comes a byte at a time, never idle and hardly ever done. */
  | 'trickle'
  /** Half the body, with a length that says so. */
  | 'short-body'
  /** Half the body, without any length. */
  | 'short-body-without-length'
  /** One bit of the answer's body is another. */
  | 'flip-answer'
  /** One bit of the request's body is another when it arrives. */
  | 'flip-request'
  /** A login page in place of an answer. */
  | 'html'
  /** The answer lacks its length. */
  | 'without-length'
  /** The Range header was taken away on the way. */
  | 'range-ignored'
  /** A list that knows nothing yet of what was written. */
  | 'empty-list';

export const S3_FAULTS: readonly S3FaultKind[] = [
  ...(Object.keys(ERRORS) as (keyof typeof ERRORS)[]),
  'reset-at-once',
  'reset-before-answer',
  'lose-answer',
  'duplicate',
  'no-answer',
  'reset-in-body',
  'stall-in-body',
  'trickle',
  'short-body',
  'short-body-without-length',
  'flip-answer',
  'flip-request',
  'html',
  'without-length',
  'range-ignored',
  'empty-list',
];

export interface S3Fault {
  readonly kind: S3FaultKind;
  /** Every operation by default. */
  readonly operation?: S3Operation;
  readonly key?: RegExp;
  /** How many matching requests pass unharmed first; none by default. */
  readonly after?: number;
  /** How many requests it hits; 1 by default, Infinity for all. */
  readonly times?: number;
}

const PAGE = Buffer.from('<!DOCTYPE html><html><head><title>Log in</title></head><body>Welcome to WiFi</body></html>');

export class FaultScript {
  #armed: { readonly fault: S3Fault; passes: number; left: number }[] = [];

  inject(fault: S3Fault): void {
    this.#armed.push({ fault, passes: fault.after ?? 0, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#armed = [];
  }

  /** The fault that this request suffers. */
  strike(operation: S3Operation, key: string): S3Fault | undefined {
    for (const armed of this.#armed) {
      const { fault } = armed;
      const isMeant = (fault.operation ?? operation) === operation && (fault.key?.test(key) ?? true);
      if (!isMeant || armed.left <= 0) continue;
      if (armed.passes > 0) {
        armed.passes -= 1;
        continue;
      }
      armed.left -= 1;
      return fault;
    }
    return undefined;
  }

  /** Lets the fault happen. @returns an answer to give as usual; undefined when there is nothing more to do. */
  async apply(
    fault: S3Fault | undefined,
    response: ServerResponse,
    work: () => Promise<FakeAnswer>,
  ): Promise<FakeAnswer | undefined> {
    const kind = fault?.kind;
    if (kind === undefined) return work();
    if (isError(kind)) return errorAnswer(kind);
    if (kind === 'html') return { status: 200, headers: { 'content-type': 'text/html' }, body: PAGE };
    if (kind === 'no-answer') return undefined;
    if (kind === 'reset-before-answer') return cut(response);
    if (kind === 'duplicate') await work();
    const answer = await work();
    return spoil(kind, answer, response);
  }
}

async function spoil(kind: S3FaultKind, answer: FakeAnswer, response: ServerResponse): Promise<FakeAnswer | undefined> {
  const { status, headers, body } = answer;
  const half = body.subarray(0, body.length >> 1);
  if (kind === 'lose-answer') return cut(response);
  if (kind === 'reset-in-body' || kind === 'stall-in-body') {
    // A HEAD or a 204 has no body to stop in.
    if (half.length === 0 || response.req.method === 'HEAD') return answer;
    response.writeHead(status, { ...headers, 'content-length': body.length });
    await new Promise((resolve) => response.write(half, resolve));
    return kind === 'stall-in-body' ? undefined : cut(response);
  }
  if (kind === 'trickle' && response.req.method !== 'HEAD') {
    response.writeHead(status, { ...headers, 'content-length': body.length });
    for (const byte of body) {
      if (response.destroyed) return undefined;
      response.write(Uint8Array.of(byte));
      await sleep(5);
    }
    response.end();
    return undefined;
  }
  if (kind === 'short-body') {
    return { status, headers: { ...headers, 'content-length': String(half.length) }, body: half };
  }
  if (kind === 'short-body-without-length' || kind === 'without-length') {
    const { 'content-length': _, ...rest } = headers;
    response.useChunkedEncodingByDefault = false;
    response.writeHead(status, { ...rest, connection: 'close' });
    response.end(kind === 'without-length' ? body : half);
    return undefined;
  }
  if (kind === 'flip-answer') return { status, headers, body: flipped(body) };
  if (kind === 'empty-list') {
    return { status, headers, body: Buffer.from(body.toString().replace(/<Contents>.*<\/Contents>/su, '')) };
  }
  return answer;
}

/** The bytes with one bit changed. */
export function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy.writeUInt8(copy.readUInt8(copy.length >> 1) ^ 1, copy.length >> 1);
  return copy;
}

function cut(response: ServerResponse): undefined {
  response.socket?.destroy();
}

function isError(kind: S3FaultKind): kind is keyof typeof ERRORS {
  return Object.hasOwn(ERRORS, kind);
}

function errorAnswer(kind: keyof typeof ERRORS): FakeAnswer {
  const [status, code] = ERRORS[kind];
  if (code === '') return { status, headers: { 'content-type': 'text/html' }, body: PAGE };
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>by request</Message></Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body: Buffer.from(xml) };
}
