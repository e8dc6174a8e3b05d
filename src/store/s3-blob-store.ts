/**
 * Blobs as objects of an S3 bucket. The one module that imports the AWS SDK, and only when the first request is due,
 * so that commands which need no remote do not pay for loading it.
 *
 * All repeating is done here and none by the SDK (`maxAttempts: 1`): the SDK does not try again once a body has
 * begun, nor after a 409, gives up on throttling within seconds, and hides from us that a conditional PUT was sent
 * twice. What one call does:
 *
 *   place in the concurrency limit -> request and body, with a time limit -> checks of the answer -> done
 *          ^-- pause (retry.ts) <-- what the failure means (s3-errors.ts) <--/
 *
 * B1  A PUT is believed when the answer carries a tag and a HEAD tells the right size: a proxy's "200 OK" does neither.
 * B2  A GET is believed when as many bytes came as the server and the range say; their hash is checked by the caller.
 * B3  A conditional PUT that is refused, or whose answer was lost, is settled by reading back: if our bytes are there,
 *     we have won, since no other writer has the same bytes.
 */
import { randomBytes } from 'node:crypto';
import type * as Sdk from '@aws-sdk/client-s3';
import { isUttrError, throwIfAborted, UttrError } from '../base/errors.ts';
import type { CallOptions, Random } from '../base/ports.ts';
import {
  badRange,
  blobNotFound,
  checkBlobName,
  checkBlobPrefix,
  checkRange,
  headMoved,
  isBlobName,
  type BlobStat,
  type BlobStore,
  type ByteRange,
  type TaggedBlob,
} from './blob-store.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import { Patience, RETRY_LIMITS, type RetryLimits } from './retry.ts';
import { Download } from './s3-download.ts';
import {
  doubtfulAnswer,
  failureOf,
  isAbsent,
  isConditionFailed,
  retryAfterMs,
  s3Error,
  statusOf,
  type S3Call,
} from './s3-errors.ts';

/** Time limits and limits of effort; tests set them low. */
export interface S3Limits {
  readonly connectMs: number;
  /** No byte in either direction for this long ends a request. */
  readonly idleMs: number;
  /** From the request's last byte, sent at `SLOWEST_BYTES_PER_MS` or faster, to the answer's first. */
  readonly answerMs: number;
  /** One request with its body, however slowly it trickles. */
  readonly requestMs: number;
  readonly concurrency: number;
  readonly retry: RetryLimits;
}

export const S3_LIMITS: S3Limits = {
  connectMs: 5_000,
  idleMs: 30_000,
  answerMs: 60_000,
  requestMs: 900_000,
  concurrency: 16,
  retry: RETRY_LIMITS,
};

export interface S3Options {
  readonly bucket: string;
  /** Put before every name; empty, or ends with `/`. */
  readonly prefix?: string | undefined;
  /** Undefined for AWS itself. */
  readonly endpoint?: string | undefined;
  /** Undefined: from the AWS chain (AWS_REGION, profile). */
  readonly region?: string | undefined;
  /** `endpoint/bucket/name` in place of `bucket.endpoint/name`; by default where an endpoint is given. */
  readonly forcePathStyle?: boolean | undefined;
  /** False for a server that the probe found not to honour conditions: one writer at a time then. */
  readonly conditionalPut?: boolean | undefined;
  /** In place of the AWS chain. */
  readonly credentials?: Sdk.S3ClientConfig['credentials'];
  readonly limits?: Partial<S3Limits> | undefined;
  /** For the pauses between tries. */
  readonly random?: Random | undefined;
}

/** A slower uplink than this (64 KB/s) is taken for a broken one. */
const SLOWEST_BYTES_PER_MS = 64;

/** How often a blob is sent that turns out to be of another size. */
const PUT_TRIES = 2;

/** A call that got this much further has made progress: its failures so far no longer count. */
const PROGRESS_BYTES = 64 * 1024;

/** Pauses need no reproducible chance unless a test wants it. */
const CHANCE: Random = { bytes: (count) => randomBytes(count) };

type Condition = Pick<Sdk.PutObjectCommandInput, 'IfMatch' | 'IfNoneMatch'>;

interface Connection {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.S3Client;
}

export class S3BlobStore implements BlobStore {
  readonly supports: { readonly conditionalPut: boolean };
  readonly url: string;
  readonly #options: S3Options;
  readonly #limits: S3Limits;
  readonly #prefix: string;
  readonly #slots: ConcurrencyLimit;
  #connection: Promise<Connection> | undefined;

  constructor(options: S3Options) {
    this.#options = options;
    this.#limits = { ...S3_LIMITS, ...options.limits };
    this.#prefix = options.prefix ?? '';
    this.#slots = new ConcurrencyLimit(this.#limits.concurrency);
    this.supports = { conditionalPut: options.conditionalPut ?? true };
    this.url = `s3://${options.bucket}/${this.#prefix}`;
  }

  async put(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<void> {
    checkBlobName(name);
    for (let tries = 1; ; tries += 1) {
      await this.#persist(`write ${name}`, options, async (signal) => this.#send(name, bytes, {}, signal));
      const sizeBytes = (await this.stat(name, options))?.sizeBytes;
      if (sizeBytes === bytes.length) return;
      const found = sizeBytes === undefined ? 'is not there' : `has ${sizeBytes} bytes`;
      if (tries === PUT_TRIES) throw doubtfulAnswer(`${name} ${found} after writing ${bytes.length} bytes`, this);
    }
  }

  async create(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<boolean> {
    checkBlobName(name);
    if (this.supports.conditionalPut) {
      return (await this.#sendIf(name, bytes, { IfNoneMatch: '*' }, options)) !== undefined;
    }
    if ((await this.stat(name, options)) !== undefined) return false;
    await this.put(name, bytes, options);
    return true;
  }

  async replace(
    name: string,
    expected: string | undefined,
    bytes: Uint8Array,
    options: CallOptions = {},
  ): Promise<string> {
    checkBlobName(name);
    let tag: string | undefined;
    if (this.supports.conditionalPut) {
      const condition = expected === undefined ? { IfNoneMatch: '*' } : { IfMatch: expected };
      tag = await this.#sendIf(name, bytes, condition, options);
    } else if ((await this.read(name, options))?.tag === expected) {
      // One writer at a time is the user's promise here; reading back at least notices when it is broken.
      await this.put(name, bytes, options);
      tag = await this.#tagIfEqual(name, bytes, options);
    }
    if (tag === undefined) throw headMoved(name, this.url);
    return tag;
  }

  async get(name: string, range?: ByteRange, options: CallOptions = {}): Promise<Buffer> {
    checkBlobName(name);
    checkRange(name, range);
    if (range !== undefined && range.start === range.end) {
      const sizeBytes = (await this.stat(name, options))?.sizeBytes;
      if (sizeBytes === undefined) throw blobNotFound(name, this.url);
      if (sizeBytes < range.end) throw badRange(name, range, sizeBytes);
      return Buffer.alloc(0);
    }
    return (await this.#download(name, range, options)).bytes;
  }

  async read(name: string, options: CallOptions = {}): Promise<TaggedBlob | undefined> {
    checkBlobName(name);
    try {
      return await this.#download(name, undefined, options);
    } catch (error) {
      if (isUttrError(error, 'blob-not-found')) return undefined;
      throw error;
    }
  }

  async stat(name: string, options: CallOptions = {}): Promise<BlobStat | undefined> {
    checkBlobName(name);
    return this.#persist(`look for ${name}`, options, async (signal) => this.#head(name, signal));
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<BlobStat> {
    checkBlobPrefix(prefix);
    let last = '';
    for (let token: string | undefined, isLast = false; !isLast;) {
      throwIfAborted(options.signal);
      const page = await this.#persist(`list ${prefix}`, options, async (signal) => this.#page(prefix, token, signal));
      if (page.token !== undefined && page.token === token) throw this.#endlessList(prefix);
      for (const stat of page.stats) {
        throwIfAborted(options.signal);
        if (stat.name <= last) throw this.#endlessList(prefix);
        last = stat.name;
        yield stat;
      }
      ({ token } = page);
      isLast = token === undefined;
    }
  }

  async delete(name: string, options: CallOptions = {}): Promise<void> {
    checkBlobName(name);
    await this.#persist(`remove ${name}`, options, async (signal) => {
      const { sdk, client } = await this.#connect();
      const command = new sdk.DeleteObjectCommand(this.#key(name));
      const { $metadata } = await client.send(command, { abortSignal: signal });
      // 204 is the answer of S3; a plain 200 may be anybody's.
      if ($metadata.httpStatusCode === 204 || (await this.#head(name, signal)) === undefined) return;
      throw doubtfulAnswer(`${name} is still there after removing it`, this);
    });
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) (await connection).client.destroy();
  }

  /** Runs one request until it passes or there is no point in going on. */
  async #persist<T>(
    action: string,
    options: CallOptions,
    request: (signal: AbortSignal, patience: Patience) => Promise<T>,
  ): Promise<T> {
    throwIfAborted(options.signal);
    const patience = new Patience(this.#limits.retry, this.#options.random ?? CHANCE, options.signal);
    for (let tries = 1; ; tries += 1) {
      const slot = await this.#slots.acquire(options.signal);
      const limit = AbortSignal.timeout(this.#limits.requestMs);
      const signal = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
      let failure: unknown;
      try {
        const result = await request(signal, patience);
        slot.release(false);
        return result;
      } catch (error) {
        failure = limit.aborted ? limit.reason : error;
      }
      slot.release(failureOf(failure) === 'throttled');
      throwIfAborted(options.signal);
      if (!(await patience.pause(failureOf(failure), retryAfterMs(failure)))) {
        throw s3Error(failure, this.#call(action, tries));
      }
    }
  }

  async #download(name: string, range: ByteRange | undefined, options: CallOptions): Promise<TaggedBlob> {
    const download = new Download(name, this.url, range);
    const missing = blobNotFound(name, this.url);
    return this.#persist(`read ${name}`, options, async (signal, patience) => {
      const before = download.haveBytes;
      try {
        if (!download.isComplete) await this.#receive(name, download, signal);
      } catch (error) {
        if (isAbsent(error)) throw missing;
        if (statusOf(error) === 412) download.restart();
        if (statusOf(error) === 416 && range !== undefined) {
          throw badRange(name, range, (await this.#head(name, signal))?.sizeBytes ?? 0);
        }
        if (download.haveBytes - before >= PROGRESS_BYTES) patience.progressed();
        throw error;
      }
      const sizeBytes = download.sizeBytes ?? (await this.#head(name, signal))?.sizeBytes;
      if (sizeBytes === undefined) throw missing;
      return { bytes: download.finish(sizeBytes), tag: download.tag ?? '' };
    });
  }

  async #receive(name: string, download: Download, signal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#connect();
    const { range, tag } = download.question;
    const asked = { ...(range === undefined ? {} : { Range: range }), ...(tag === undefined ? {} : { IfMatch: tag }) };
    const command = new sdk.GetObjectCommand({ ...this.#key(name), ...asked });
    const answer = await client.send(command, { abortSignal: signal });
    await download.take({
      body: answer.Body as unknown as AsyncIterable<Uint8Array>,
      tag: answer.ETag,
      lengthBytes: answer.ContentLength,
      contentRange: answer.ContentRange,
    });
  }

  async #head(name: string, signal: AbortSignal): Promise<BlobStat | undefined> {
    const { sdk, client } = await this.#connect();
    try {
      const answer = await client.send(new sdk.HeadObjectCommand(this.#key(name)), { abortSignal: signal });
      if (answer.ETag === undefined || answer.ContentLength === undefined) {
        throw doubtfulAnswer(`${name} is there without a tag or a size`, this);
      }
      return { name, sizeBytes: answer.ContentLength };
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  async #send(name: string, bytes: Uint8Array, condition: Condition, signal: AbortSignal): Promise<string> {
    const { sdk, client } = await this.#connect();
    // A buffer has a known length, so it is neither framed nor sent in chunks, which some servers store as data.
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const command = new sdk.PutObjectCommand({ ...this.#key(name), ...condition, Body: body });
    const requestTimeout = this.#limits.answerMs + bytes.length / SLOWEST_BYTES_PER_MS;
    const { ETag: tag } = await client.send(command, { abortSignal: signal, requestTimeout });
    if (tag === undefined) throw doubtfulAnswer(`${name} was taken without giving it a tag`, this);
    return tag;
  }

  /** Writes on a condition. @returns the tag of our bytes; undefined when the condition does not hold. */
  async #sendIf(
    name: string,
    bytes: Uint8Array,
    condition: Condition,
    options: CallOptions,
  ): Promise<string | undefined> {
    try {
      return await this.#persist(`write ${name}`, options, async (signal) =>
        this.#send(name, bytes, condition, signal).catch((error: unknown) => {
          if (isConditionFailed(error)) return undefined;
          throw error;
        }),
      ).then((tag) => tag ?? this.#tagIfEqual(name, bytes, options));
    } catch (error) {
      if (!isUttrError(error, 'remote-unreachable', 'wrong-answer')) throw error;
      // Every answer was lost; a write may have arrived all the same. If the question is lost too, tell of the first.
      const tag = await this.#tagIfEqual(name, bytes, options).catch(() => undefined);
      if (tag === undefined) throw error;
      return tag;
    }
  }

  async #tagIfEqual(name: string, bytes: Uint8Array, options: CallOptions): Promise<string | undefined> {
    const present = await this.read(name, options);
    return present?.bytes.equals(bytes) === true ? present.tag : undefined;
  }

  async #page(
    prefix: string,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly stats: readonly BlobStat[]; readonly token: string | undefined }> {
    const { sdk, client } = await this.#connect();
    const command = new sdk.ListObjectsV2Command({
      Bucket: this.#options.bucket,
      Prefix: this.#prefix + prefix,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    });
    const answer = await client.send(command, { abortSignal: signal });
    if (answer.IsTruncated === undefined || (answer.IsTruncated && answer.NextContinuationToken === undefined)) {
      throw doubtfulAnswer(`the list of ${prefix} has no end`, this);
    }
    const stats = (answer.Contents ?? []).flatMap(({ Key: key = '', Size: sizeBytes = 0 }) => {
      const name = key.slice(this.#prefix.length);
      // Others may keep things under the prefix, such as the empty objects that stand for folders in some tools.
      return key.startsWith(this.#prefix + prefix) && isBlobName(name) ? [{ name, sizeBytes }] : [];
    });
    return { stats, token: answer.IsTruncated ? answer.NextContinuationToken : undefined };
  }

  #key(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.#options.bucket, Key: this.#prefix + name };
  }

  #call(action: string, tries: number): S3Call {
    const { bucket, endpoint } = this.#options;
    return { action: `${action} in ${this.url}`, bucket, url: this.url, endpoint, tries };
  }

  #endlessList(prefix: string): UttrError {
    return new UttrError('wrong-answer', `${this.url} lists ${prefix} out of order or without end`, {
      details: { url: this.url, prefix },
      hint: 'this server cannot be used as a remote: run uttr remote check',
    });
  }

  async #connect(): Promise<Connection> {
    this.#connection ??= this.#open();
    return this.#connection;
  }

  async #open(): Promise<Connection> {
    const sdk = await import('@aws-sdk/client-s3');
    const { endpoint, region, credentials, forcePathStyle = endpoint !== undefined } = this.#options;
    const config: Sdk.S3ClientConfig = {
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
