/**
 * An S3 server in this process, on a loopback port of its own: strict where real servers are strict (signatures,
 * checksums, conditions), and able to fail in every way that real servers and networks do.
 *
 *   const s3 = await FakeS3.start();
 *   const store = s3.store();                                  // an S3BlobStore with short time limits
 *   s3.inject({ kind: 'slow-down', operation: 'put', times: 2 });
 *   …
 *   await s3.stop();
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { S3BlobStore, type S3Limits, type S3Options } from '../../src/store/s3-blob-store.ts';
import { FaultScript, flipped, type S3Fault, type S3FaultKind, type S3Operation } from './fake-s3-faults.ts';
import { checkSignature } from './fake-s3-signature.ts';

export type { S3Fault, S3FaultKind, S3Operation } from './fake-s3-faults.ts';

/** One request that the server saw, in order of arrival. */
export interface S3Request {
  readonly operation: S3Operation | 'other';
  readonly key: string;
  readonly range: string | undefined;
  readonly fault: S3FaultKind | undefined;
  /** 0 while there is no answer, or where none was given. */
  status: number;
}

export interface FakeS3Options {
  /**
   * `atomic` honours If-Match and If-None-Match; `racy` looks, waits, then writes, so that several racers win;
   * `ignored` does as servers do that have never heard of them.
   */
  readonly conditions?: 'atomic' | 'racy' | 'ignored';
  /** Objects on a page of a list; 1,000 on real servers. */
  readonly pageSize?: number;
  readonly region?: string;
}

interface StoredObject {
  readonly bytes: Buffer;
  readonly tag: string;
}

/** What the server means to answer, before a fault gets at it. */
export interface FakeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Time limits that let a test of failures end soon. */
export const SHORT_LIMITS: Partial<S3Limits> = {
  connectMs: 500,
  idleMs: 150,
  answerMs: 300,
  requestMs: 2_000,
  retry: {
    baseMs: 1,
    capMs: 10,
    budgetMs: 3_000,
    tries: { throttled: 8, transient: 4, unreachable: 2, doubtful: 2, final: 0 },
  },
};

export class FakeS3 {
  readonly bucket = 'bucket';
  readonly credentials = { accessKeyId: 'AKIAFAKE', secretAccessKey: 'fake/secret+key' };
  readonly region: string;
  /** What is stored, by key; tests may look inside and damage it. */
  readonly objects = new Map<string, StoredObject>();
  readonly requests: S3Request[] = [];
  /** Bytes of bodies, as they arrived and as they were meant to be sent. */
  readonly traffic = { inBytes: 0, outBytes: 0 };
  readonly #server: Server;
  readonly #faults = new FaultScript();
  readonly #options: FakeS3Options;

  private constructor(options: FakeS3Options) {
    this.#options = options;
    this.region = options.region ?? 'eu-fake-1';
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => request.socket.destroy());
    });
  }

  static async start(options: FakeS3Options = {}): Promise<FakeS3> {
    const fake = new FakeS3(options);
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A store on this server. */
  store(options: Partial<S3Options> = {}): S3BlobStore {
    return new S3BlobStore({
      bucket: this.bucket,
      endpoint: this.endpoint,
      region: this.region,
      credentials: this.credentials,
      limits: SHORT_LIMITS,
      ...options,
    });
  }

  /** Arms a fault; of several that match a request, the first injected strikes. */
  inject(fault: S3Fault): this {
    this.#faults.inject(fault);
    return this;
  }

  /** Ends all faults, forgets all requests, removes all objects. */
  reset(): void {
    this.#faults.clear();
    this.requests.length = 0;
    this.objects.clear();
    this.traffic.inBytes = 0;
    this.traffic.outBytes = 0;
  }

  /** Ends all faults. */
  heal(): void {
    this.#faults.clear();
  }

  /** Puts an object there without a request. @returns its tag. */
  seed(key: string, bytes: Buffer): string {
    const tag = `"${createHash('md5').update(bytes).digest('hex')}"`;
    this.objects.set(key, { bytes, tag });
    return tag;
  }

  /** How many requests of a kind arrived. */
  count(operation: S3Operation): number {
    return this.requests.filter((request) => request.operation === operation).length;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { bucket, key, query } = parseTarget(request.url ?? '/');
    const operation = operationOf(request.method ?? '', key, query);
    const fault = operation === 'other' ? undefined : this.#faults.strike(operation, key);
    const range = request.headers.range;
    const seen: S3Request = { operation, key, range, fault: fault?.kind, status: 0 };
    this.requests.push(seen);
    if (fault?.kind === 'reset-at-once') {
      request.socket.destroy();
      return;
    }
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
    this.traffic.inBytes += body.length;
    const arrived = fault?.kind === 'flip-request' ? flipped(body) : body;
    const work = async (): Promise<FakeAnswer> => {
      const problem = checkSignature(request, arrived, this.credentials, this.region, new Date());
      if (problem !== undefined) return xmlError(problem.status, problem.code);
      if (bucket !== this.bucket) return xmlError(404, 'NoSuchBucket');
      if (fault?.kind === 'range-ignored') delete request.headers.range;
      return this.#answer(request, operation, key, query, arrived);
    };
    const answer = await this.#faults.apply(fault, response, work);
    if (answer === undefined) return;
    seen.status = answer.status;
    this.traffic.outBytes += answer.body.length;
    response.writeHead(answer.status, { 'content-length': answer.body.length, ...answer.headers });
    response.end(request.method === 'HEAD' ? undefined : answer.body);
  }

  async #answer(
    request: IncomingMessage,
    operation: S3Operation | 'other',
    key: string,
    query: URLSearchParams,
    body: Buffer,
  ): Promise<FakeAnswer> {
    switch (operation) {
      case 'put':
        return this.#put(request, key, body);
      case 'get':
      case 'head':
        return this.#get(request, key);
      case 'delete':
        this.objects.delete(key);
        return { status: 204, headers: {}, body: Buffer.alloc(0) };
      case 'list':
        return this.#list(query);
      case 'other':
        return xmlError(501, 'NotImplemented');
      default:
        return operation satisfies never;
    }
  }

  async #put(request: IncomingMessage, key: string, body: Buffer): Promise<FakeAnswer> {
    const header = (name: string): string | undefined => request.headers[name] as string | undefined;
    if (header('content-length') === undefined) return xmlError(411, 'MissingContentLength');
    if (header('content-encoding')?.includes('aws-chunked') === true) return xmlError(501, 'NotImplemented');
    if (Buffer.byteLength(key) > 1024) return xmlError(400, 'KeyTooLongError');
    const md5 = createHash('md5').update(body).digest();
    if (!isUnsetOr(header('content-md5'), md5.toString('base64'))) return xmlError(400, 'BadDigest');
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(body));
    if (!isUnsetOr(header('x-amz-checksum-crc32'), crc.toString('base64'))) return xmlError(400, 'BadDigest');

    if (this.#options.conditions !== 'ignored') {
      const refusal = this.#refusal(key, header('if-match'), header('if-none-match'));
      if (refusal !== undefined) return refusal;
      if (this.#options.conditions === 'racy') await sleep(20);
    }
    const etag = this.seed(key, body);
    return { status: 200, headers: { etag }, body: Buffer.alloc(0) };
  }

  #refusal(key: string, ifMatch: string | undefined, ifNoneMatch: string | undefined): FakeAnswer | undefined {
    const present = this.objects.get(key);
    if (ifNoneMatch !== undefined && ifNoneMatch !== '*') return xmlError(501, 'NotImplemented');
    if (ifNoneMatch === '*' && present !== undefined) return xmlError(412, 'PreconditionFailed');
    if (ifMatch !== undefined && present === undefined) return xmlError(404, 'NoSuchKey');
    return isUnsetOr(ifMatch, present?.tag) ? undefined : xmlError(412, 'PreconditionFailed');
  }

  #get(request: IncomingMessage, key: string): FakeAnswer {
    const found = this.objects.get(key);
    if (found === undefined) return xmlError(404, 'NoSuchKey');
    const { bytes, tag } = found;
    if (!isUnsetOr(request.headers['if-match'], tag)) return xmlError(412, 'PreconditionFailed');
    const headers = { etag: tag, 'accept-ranges': 'bytes', 'content-type': 'application/octet-stream' };
    const wanted = parseRange(request.headers.range, bytes.length);
    if (wanted === undefined) {
      const length = { 'content-length': String(bytes.length) };
      return { status: 200, headers: { ...headers, ...length }, body: bytes };
    }
    const [start, end] = wanted;
    if (start >= end) return xmlError(416, 'InvalidRange', { 'content-range': `bytes */${bytes.length}` });
    const contentRange = { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` };
    return { status: 206, headers: { ...headers, ...contentRange }, body: bytes.subarray(start, end) };
  }

  #list(query: URLSearchParams): FakeAnswer {
    if (query.get('list-type') !== '2' || query.has('delimiter')) return xmlError(501, 'NotImplemented');
    const prefix = query.get('prefix') ?? '';
    const after = Buffer.from(query.get('continuation-token') ?? '', 'base64').toString();
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, this.#options.pageSize ?? 1000);
    const isTruncated = page.length < keys.length;
    const contents = page.map((key) => {
      const { bytes, tag } = this.objects.get(key) ?? { bytes: Buffer.alloc(0), tag: '' };
      return `<Contents><Key>${escapeXml(key)}</Key><LastModified>2026-12-01T12:00:00.000Z</LastModified><ETag>${escapeXml(tag)}</ETag><Size>${bytes.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
    });
    const next = isTruncated
      ? `<NextContinuationToken>${Buffer.from(page.at(-1) ?? '').toString('base64')}</NextContinuationToken>`
      : '';
    const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${this.bucket}</Name><Prefix>${escapeXml(prefix)}</Prefix><KeyCount>${page.length}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`;
    return { status: 200, headers: { 'content-type': 'application/xml' }, body: Buffer.from(xml) };
  }
}

function operationOf(method: string, key: string, query: URLSearchParams): S3Operation | 'other' {
  if (key === '') return method === 'GET' && query.has('list-type') ? 'list' : 'other';
  const operations = { PUT: 'put', GET: 'get', HEAD: 'head', DELETE: 'delete' } as const;
  return operations[method as keyof typeof operations] ?? 'other';
}

function parseTarget(url: string): { bucket: string; key: string; query: URLSearchParams } {
  const [path = '', query = ''] = url.split('?');
  const [, bucket = '', ...rest] = path.split('/').map((segment) => decodeURIComponent(segment));
  return { bucket, key: rest.join('/'), query: new URLSearchParams(query) };
}

/** The bytes that a Range header means; undefined where it means the whole. */
function parseRange(range: string | undefined, sizeBytes: number): readonly [number, number] | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/u.exec(range ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') return [Math.max(0, sizeBytes - Number(last)), sizeBytes];
  return [Number(first), Math.min(sizeBytes, last === '' ? Infinity : Number(last) + 1)];
}

function isUnsetOr(value: string | undefined, expected: string | undefined): boolean {
  return value === undefined || value === expected;
}

/** An error in the form in which S3 gives it. */
export function xmlError(status: number, code: string, headers: Record<string, string> = {}): FakeAnswer {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code}</Message><RequestId>0</RequestId></Error>`;
  return { status, headers: { 'content-type': 'application/xml', ...headers }, body: Buffer.from(xml) };
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/gu, (sign) => `&#${sign.charCodeAt(0)};`);
}
