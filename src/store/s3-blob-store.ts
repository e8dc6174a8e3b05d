/**
 * Blobs as objects of an S3 bucket.
 *
 * All repeating is done here and none by the SDK: the SDK does not try again once a body has begun, nor after a 409,
 * gives up on throttling within seconds, and hides that a conditional PUT was sent twice. What one call does:
 *
 *   place in the concurrency limit -> request and body, with a time limit -> checks of the answer -> done
 *          ^-- pause (retry.ts) <-- what the failure means (s3-errors.ts) <--/
 *
 * B1  A PUT is believed when the answer carries a tag and a HEAD tells the right size: a proxy's "200 OK" does neither.
 * B2  A GET is believed when as many bytes came as the server and the range say; their hash is checked by the caller.
 * B3  A conditional PUT that is refused, or whose answer was lost, is settled by reading back: if our bytes are there,
 *     we have won, since no other writer has the same bytes.
 */
import { createHash, randomBytes } from 'node:crypto';
import { isUttrError, throwIfAborted, UttrError } from '../base/errors.ts';
import type { CallOptions, Random } from '../base/ports.ts';
import {
  badRange,
  blobNotFound,
  checkBlobName,
  checkBlobPrefix,
  checkRange,
  headMoved,
  type BlobStat,
  type BlobStore,
  type ByteRange,
  type TaggedBlob,
} from './blob-store.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import { Patience, RETRY_LIMITS, type RetryLimits } from './retry.ts';
import { S3Bucket, type BucketOptions, type Condition, type RequestLimits } from './s3-bucket.ts';
import { Download } from './s3-download.ts';
import {
  doubtfulAnswer,
  failureOf,
  isAbsent,
  isConditionFailed,
  retryAfterMs,
  s3Error,
  sizeBeyondRange,
  statusOf,
  type S3Call,
} from './s3-errors.ts';

/** Time limits and limits of effort; tests set them low. */
export interface S3Limits extends RequestLimits {
  /** One request with its body, however slowly it trickles. */
  readonly requestMs: number;
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

export interface S3Options extends BucketOptions {
  /** False for a server that the probe found not to honour conditions: one writer at a time then. */
  readonly conditionalPut?: boolean | undefined;
  readonly limits?: Partial<S3Limits> | undefined;
  /** For the pauses between tries. */
  readonly random?: Random | undefined;
}

/** How often a blob is sent that turns out to be of another size. */
const PUT_TRIES = 2;

/** How often a head is read at most until its tag and its bytes are sure to belong together. */
const READ_LOOKS = 5;

/** A call that got this much further has made progress: its failures so far no longer count. */
const PROGRESS_BYTES = 64 * 1024;

/** Pauses need no reproducible chance unless a test wants it. */
const CHANCE: Random = { bytes: (count) => randomBytes(count) };

export class S3BlobStore implements BlobStore {
  readonly supports: { readonly conditionalPut: boolean };
  readonly url: string;
  readonly #options: S3Options;
  readonly #limits: S3Limits;
  readonly #bucket: S3Bucket;
  readonly #slots: ConcurrencyLimit;

  constructor(options: S3Options) {
    this.#options = options;
    this.#limits = { ...S3_LIMITS, ...options.limits };
    this.#bucket = new S3Bucket(options, this.#limits);
    this.#slots = new ConcurrencyLimit(this.#limits.concurrency);
    this.supports = { conditionalPut: options.conditionalPut ?? true };
    this.url = this.#bucket.url;
  }

  async put(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<void> {
    checkBlobName(name);
    for (let tries = 1; ; tries += 1) {
      await this.#persist(`write ${name}`, options, async (signal) => this.#bucket.put(name, bytes, {}, signal));
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
      let head = await this.#download(name, undefined, options);
      // Some servers look up the tag and open the object one after the other, so that a write in between gives old
      // bytes with the new tag, and whoever builds on these would undo that write. Bytes that the tag is the MD5 of
      // belong to it; otherwise (encrypted buckets) two looks in a row must agree.
      for (let look = 1; look < READ_LOOKS && !isDigest(head); look += 1) {
        const again = await this.#download(name, undefined, options);
        const agrees = again.tag === head.tag && again.bytes.equals(head.bytes);
        head = again;
        if (agrees) break;
      }
      return head;
    } catch (error) {
      if (isUttrError(error, 'blob-not-found')) return undefined;
      throw error;
    }
  }

  async stat(name: string, options: CallOptions = {}): Promise<BlobStat | undefined> {
    checkBlobName(name);
    return this.#persist(`look for ${name}`, options, async (signal) => this.#bucket.head(name, signal));
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<BlobStat> {
    checkBlobPrefix(prefix);
    let last = '';
    for (let token: string | undefined, isLast = false; !isLast;) {
      throwIfAborted(options.signal);
      const page = await this.#persist(`list ${prefix}*`, options, async (signal) =>
        this.#bucket.list(prefix, token, signal),
      );
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
    await this.#persist(`remove ${name}`, options, async (signal) => this.#bucket.delete(name, signal));
  }

  async close(): Promise<void> {
    await this.#bucket.close();
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
        if (!download.isComplete) await download.take(await this.#bucket.get(name, download.question, signal));
      } catch (error) {
        if (isAbsent(error)) throw missing;
        if (statusOf(error) === 412) download.restart();
        if (statusOf(error) === 416) {
          const ends = sizeBeyondRange(error) ?? (await this.#bucket.head(name, signal))?.sizeBytes ?? 0;
          return { bytes: download.finish(ends), tag: download.tag ?? '' };
        }
        if (download.haveBytes - before >= PROGRESS_BYTES) patience.progressed();
        throw error;
      }
      const sizeBytes = download.sizeBytes ?? (await this.#bucket.head(name, signal))?.sizeBytes;
      if (sizeBytes === undefined) throw missing;
      return { bytes: download.finish(sizeBytes), tag: download.tag ?? '' };
    });
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
        this.#bucket.put(name, bytes, condition, signal).catch((error: unknown) => {
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
}

function isDigest({ bytes, tag }: TaggedBlob): boolean {
  try {
    return tag.replaceAll('"', '') === createHash('md5').update(bytes).digest('hex');
  } catch {
    // A Node that is bound to FIPS has no MD5.
    return false;
  }
}
