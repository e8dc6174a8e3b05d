/**
 * One blob, or a part of it, out of a bucket: put together from as many answers as it takes.
 *
 * A connection may end early with or without an error, an answer may lack its length, a proxy may ignore the range.
 * So every answer is measured against what it says of itself and against the range, and after a cut the next
 * request asks only for what is missing, of the very same object (If-Match).
 */
import { badRange, type ByteRange } from './blob-store.ts';
import { doubtfulAnswer } from './s3-errors.ts';

/** A blob read whole is held in memory; packs have 64 MiB at most, so this is far beyond anything of ours. */
const WHOLE_LIMIT_BYTES = 1024 ** 3;

/** One answer to a GET. */
export interface Answer {
  readonly body: AsyncIterable<Uint8Array>;
  readonly tag: string | undefined;
  /** Bytes in this body, as its headers say. */
  readonly lengthBytes: number | undefined;
  /** `bytes 0-9/100`, where the answer is a part. */
  readonly contentRange: string | undefined;
}

/** What the next request should ask for. */
export interface Question {
  /** The value of the Range header. */
  readonly range: string | undefined;
  /** The value of the If-Match header. */
  readonly tag: string | undefined;
}

/** The connection ended before the body did, without an error: worth another request for the rest. */
export class CutShort extends Error {
  override readonly name = 'TimeoutError';
}

export class Download {
  readonly #name: string;
  readonly #url: string;
  readonly #range: ByteRange | undefined;
  #pieces: Uint8Array[] = [];
  #have = 0;
  /** Where the first byte that we have lies in the blob. */
  #base = 0;
  #tag: string | undefined;
  #sizeBytes: number | undefined;

  /** @param range must not be empty. */
  constructor(name: string, url: string, range: ByteRange | undefined) {
    this.#name = name;
    this.#url = url;
    this.#range = range;
    this.restart();
  }

  /** Bytes received so far. */
  get haveBytes(): number {
    return this.#have;
  }

  /** The blob's tag; known after the first answer. */
  get tag(): string | undefined {
    return this.#tag;
  }

  /** Size of the whole blob, if an answer told. */
  get sizeBytes(): number | undefined {
    return this.#sizeBytes;
  }

  /** Forgets what was received: the blob is another one by now. */
  restart(): void {
    this.#pieces = [];
    this.#have = 0;
    this.#base = this.#range?.start ?? 0;
    this.#tag = undefined;
    this.#sizeBytes = undefined;
  }

  /** What to ask for next. */
  get question(): Question {
    const next = this.#base + this.#have;
    if (this.#range === undefined && next === 0) return { range: undefined, tag: undefined };
    const last = this.#range === undefined ? '' : String(this.#range.end - 1);
    return { range: `bytes=${next}-${last}`, tag: this.#have === 0 ? undefined : this.#tag };
  }

  /** Whether a cut left everything wanted on this side already. */
  get isComplete(): boolean {
    return this.#range === undefined ? this.#have === this.#sizeBytes : this.#base + this.#have >= this.#range.end;
  }

  /** Takes in one answer. @throws CutShort, wrong-answer, and what reading the body throws */
  async take(answer: Answer): Promise<void> {
    if (answer.tag === undefined) throw doubtfulAnswer(`${this.#name} came without a tag`, { url: this.#url });
    if (this.#tag !== undefined && this.#tag !== answer.tag) this.restart();
    this.#tag = answer.tag;
    const expected = this.#place(answer);
    const began = this.#have;
    for await (const piece of answer.body) {
      this.#pieces.push(piece);
      this.#have += piece.length;
      if (this.#have - began > (expected ?? WHOLE_LIMIT_BYTES)) throw this.#tooLong(expected);
    }
    if (expected !== undefined && this.#have - began < expected) {
      throw new CutShort(`${this.#name} ended after ${this.#have - began} of ${expected} bytes`);
    }
  }

  /** The bytes asked for; call it once the blob's size is known and everything is there. */
  finish(sizeBytes: number): Buffer {
    const { end } = this.#range ?? { end: sizeBytes };
    if (this.#range !== undefined && sizeBytes < end) throw badRange(this.#name, this.#range, sizeBytes);
    const got = this.#base + this.#have;
    if (got < end) throw new CutShort(`${this.#name} ended after ${got} of ${end} bytes`);
    const [only, second] = this.#pieces;
    const all =
      only !== undefined && second === undefined
        ? Buffer.from(only.buffer, only.byteOffset, only.byteLength)
        : Buffer.concat(this.#pieces, this.#have);
    return all.subarray((this.#range?.start ?? 0) - this.#base, end - this.#base);
  }

  /** Finds out where the answer's bytes lie. @returns how many they must be, if that is known. */
  #place({ contentRange, lengthBytes }: Answer): number | undefined {
    if (contentRange === undefined) {
      // The whole blob, though perhaps a part was asked for: a proxy took the range away.
      const tag = this.#tag;
      this.restart();
      this.#tag = tag;
      this.#base = 0;
      this.#sizeBytes = this.#withinLimit(lengthBytes);
      return lengthBytes;
    }
    const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/u.exec(contentRange) ?? [];
    const length = Number(last) + 1 - Number(first);
    const isAsked = Number(first) === this.#base + this.#have && length > 0;
    const wanted = this.#range === undefined ? Infinity : this.#range.end - Number(first);
    if (!isAsked || length > wanted || (lengthBytes !== undefined && lengthBytes !== length)) {
      throw doubtfulAnswer(`${this.#name}: ${contentRange} is not what was asked for`, { url: this.#url });
    }
    if (total !== '*') this.#sizeBytes = Number(total);
    if (this.#range === undefined) this.#withinLimit(this.#sizeBytes);
    return length;
  }

  #withinLimit(sizeBytes: number | undefined): number | undefined {
    if (sizeBytes !== undefined && sizeBytes > WHOLE_LIMIT_BYTES) throw this.#tooLong(WHOLE_LIMIT_BYTES);
    return sizeBytes;
  }

  #tooLong(limit: number | undefined): Error {
    this.restart();
    const message = `${this.#name} has more than the ${limit ?? WHOLE_LIMIT_BYTES} bytes it should have at most`;
    return doubtfulAnswer(message, { url: this.#url });
  }
}
