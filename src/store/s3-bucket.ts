/**
 * Single requests to one S3 bucket, each sent once. The one module that imports the AWS SDK, and only when the first
 * request is due, so that commands which need no remote do not pay for loading it.
 *
 * Answers are checked for what every S3 server says: a PUT, GET or HEAD without a tag, or a list without an end, comes
 * from somebody else (a proxy, a login page) and is a `wrong-answer`. Failures are thrown as the SDK gives them:
 * s3-errors.ts reads them.
 */
import type { Readable } from 'node:stream';
import type * as Sdk from '@aws-sdk/client-s3';
import { isBlobName, type BlobStat } from './blob-store.ts';
import type { Answer, Question } from './s3-download.ts';
import { doubtfulAnswer, isAbsent, sizeBeyondRange, statusOf } from './s3-errors.ts';

/** Time limits of one request, and how many there may be. */
export interface RequestLimits {
  readonly connectMs: number;
  /** No byte in either direction for this long ends a request. */
  readonly idleMs: number;
  /** From a request without a body to the beginning of its answer. */
  readonly answerMs: number;
  readonly concurrency: number;
}

export interface BucketOptions {
  readonly bucket: string;
  /** Put before every name; empty, or ends with `/`. */
  readonly prefix?: string | undefined;
  /** Undefined for AWS itself. */
  readonly endpoint?: string | undefined;
  /** Undefined: from the AWS chain (AWS_REGION, profile). */
  readonly region?: string | undefined;
  /** `endpoint/bucket/name` in place of `bucket.endpoint/name`; by default where an endpoint is given. */
  readonly forcePathStyle?: boolean | undefined;
  /** In place of the AWS chain. */
  readonly credentials?: Sdk.S3ClientConfig['credentials'];
}

export type Condition = Pick<Sdk.PutObjectCommandInput, 'IfMatch' | 'IfNoneMatch'>;

export interface Page {
  readonly stats: readonly BlobStat[];
  /** Leads to the next page; undefined on the last. */
  readonly token: string | undefined;
}

/** A slower uplink than this (64 KB/s) is taken for a broken one. */
const SLOWEST_BYTES_PER_MS = 64;

interface Connection {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.S3Client;
}

export class S3Bucket {
  /** `s3://bucket/prefix/` */
  readonly url: string;
  readonly #options: BucketOptions;
  readonly #limits: RequestLimits;
  readonly #prefix: string;
  #connection: Promise<Connection> | undefined;
  /** Set once the server has said of a blob that it is absent: from then on, a 404 means just that. */
  #isKnown = false;

  constructor(options: BucketOptions, limits: RequestLimits) {
    this.#options = options;
    this.#limits = limits;
    this.#prefix = options.prefix ?? '';
    this.url = `s3://${options.bucket}/${this.#prefix}`;
  }

  /** @returns the tag of what was written. */
  async put(name: string, bytes: Uint8Array, condition: Condition, signal: AbortSignal): Promise<string> {
    const { sdk, client } = await this.#connect();
    // A buffer has a known length, so it is neither framed nor sent in chunks, which some servers store as data.
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const command = new sdk.PutObjectCommand({ ...this.#key(name), ...condition, Body: body });
    const requestTimeout = this.#limits.answerMs + bytes.length / SLOWEST_BYTES_PER_MS;
    const { ETag: tag } = await client.send(command, { abortSignal: signal, requestTimeout });
    if (tag === undefined) throw doubtfulAnswer(`${name} was taken without giving it a tag`, this);
    return tag;
  }

  /** The beginning of an answer; its body comes as it is read. */
  async get(name: string, { range, tag }: Question, signal: AbortSignal): Promise<Answer> {
    const { sdk, client } = await this.#connect();
    const asked = { ...(range === undefined ? {} : { Range: range }), ...(tag === undefined ? {} : { IfMatch: tag }) };
    const command = new sdk.GetObjectCommand({ ...this.#key(name), ...asked });
    const answer = await client.send(command, { abortSignal: signal });
    return {
      body: answer.Body as unknown as AsyncIterable<Uint8Array>,
      tag: answer.ETag,
      lengthBytes: answer.ContentLength,
      contentRange: answer.ContentRange,
    };
  }

  /** undefined when absent. */
  async head(name: string, signal: AbortSignal): Promise<BlobStat | undefined> {
    const { sdk, client } = await this.#connect();
    try {
      const answer = await client.send(new sdk.HeadObjectCommand(this.#key(name)), { abortSignal: signal });
      if (answer.ETag === undefined || answer.ContentLength === undefined) {
        throw doubtfulAnswer(`${name} is there without a tag or a size`, this);
      }
      return { name, sizeBytes: answer.ContentLength };
    } catch (error) {
      const status = statusOf(error);
      if (status === 404 && this.#isKnown) return undefined;
      if (status === undefined || status < 300 || status >= 500) throw error;
      if ((await this.#explain(name, signal)) === 'absent') return undefined;
      // By now it is there, or the SDK has learnt the server's time from the refusal.
      throw doubtfulAnswer(`HEAD and GET of ${name} do not agree`, this);
    }
  }

  async delete(name: string, signal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#connect();
    const command = new sdk.DeleteObjectCommand(this.#key(name));
    const { $metadata } = await client.send(command, { abortSignal: signal });
    // 204 is the answer of S3; a plain 200 may be anybody's.
    if ($metadata.httpStatusCode === 204 || (await this.head(name, signal)) === undefined) return;
    throw doubtfulAnswer(`${name} is still there after removing it`, this);
  }

  /** One page of the blobs whose name starts with `prefix`. */
  async list(prefix: string, token: string | undefined, signal: AbortSignal): Promise<Page> {
    const { sdk, client } = await this.#connect();
    const command = new sdk.ListObjectsV2Command({
      Bucket: this.#options.bucket,
      Prefix: this.#prefix + prefix,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    });
    const answer = await client.send(command, { abortSignal: signal });
    if (answer.IsTruncated === undefined || (answer.IsTruncated && answer.NextContinuationToken === undefined)) {
      throw doubtfulAnswer(`the list of ${prefix}* does not tell where it ends`, this);
    }
    const stats = (answer.Contents ?? []).flatMap(({ Key: key = '', Size: sizeBytes = 0 }) => {
      const name = key.slice(this.#prefix.length);
      // Others may keep things under the prefix, such as the empty objects that stand for folders in some tools.
      return key.startsWith(this.#prefix + prefix) && isBlobName(name) ? [{ name, sizeBytes }] : [];
    });
    return { stats, token: answer.IsTruncated ? answer.NextContinuationToken : undefined };
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) (await connection).client.destroy();
  }

  /**
   * Asks again by GET why a HEAD failed. The answer to a HEAD has no body and so no reason: a 404 may mean that there
   * is no such blob, bucket, user or page. @throws the reason, unless it is that the blob is absent
   */
  async #explain(name: string, signal: AbortSignal): Promise<'there' | 'absent'> {
    const { sdk, client } = await this.#connect();
    const command = new sdk.GetObjectCommand({ ...this.#key(name), Range: 'bytes=0-0' });
    try {
      const { Body: body } = await client.send(command, { abortSignal: signal });
      (body as Readable | undefined)?.destroy();
      return 'there';
    } catch (error) {
      if (sizeBeyondRange(error) !== undefined) return 'there';
      if (!isAbsent(error)) throw error;
      this.#isKnown = true;
      return 'absent';
    }
  }

  #key(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#options.bucket, Key: this.#prefix + name };
  }

  async #connect(): Promise<Connection> {
    this.#connection ??= this.#open();
    return this.#connection;
  }

  async #open(): Promise<Connection> {
    const sdk = await import('@aws-sdk/client-s3');
    const { endpoint, region, credentials, forcePathStyle = endpoint !== undefined } = this.#options;
    const config: Sdk.S3ClientConfig = {
      // Repeating is the business of s3-blob-store.ts, which must know of every attempt.
      maxAttempts: 1,
      forcePathStyle,
      followRegionRedirects: endpoint === undefined,
      // Checksums that need trailers or frames are refused by several servers; the payload's SHA-256 is signed anyway,
      // and every chunk is checked against its name when it is read.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      // A server that does not know "Expect: 100-continue" would let each large PUT wait for its time limit.
      expectContinueHeader: false,
      requestHandler: this.#handlerOptions(),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
    };
    if (region !== undefined) return { sdk, client: new sdk.S3Client({ ...config, region }) };
    const client = new sdk.S3Client(config);
    if (endpoint === undefined || (await hasRegion(client))) return { sdk, client };
    // Servers other than AWS rarely care, but the signature needs some region.
    return { sdk, client: new sdk.S3Client({ ...config, region: 'us-east-1' }) };
  }

  #handlerOptions(): NonNullable<Sdk.S3ClientConfig['requestHandler']> {
    const { connectMs, idleMs, answerMs, concurrency } = this.#limits;
    const agent = { keepAlive: true, maxSockets: concurrency };
    return {
      connectionTimeout: connectMs,
      socketTimeout: idleMs,
      requestTimeout: answerMs,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    };
  }
}

async function hasRegion(client: Sdk.S3Client): Promise<boolean> {
  try {
    return (await client.config.region()) !== '';
  } catch {
    return false;
  }
}
