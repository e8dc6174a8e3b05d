/**
 * Bounded readers and writers for binary documents: big-endian integers and varints.
 *
 * A varint holds 7 bits a byte, the least significant group first, the high bit set on all bytes but the last
 * (LEB128), up to 2^53 − 1. Each number has exactly one encoding: a last byte of zero after another byte is refused.
 */
import { assert, UttrError, type ErrorCode } from './errors.ts';

const VARINT_MAX_BYTES = 8;

/** Reads a document from start to end; whatever does not fit becomes an error of the given code. */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #code: ErrorCode;
  readonly #what: string;
  #at = 0;

  /** @param what names the document in messages: 'footer of packs/d/…'. */
  constructor(bytes: Buffer, code: ErrorCode, what: string) {
    this.#bytes = bytes;
    this.#code = code;
    this.#what = what;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) return this.fail('ends too early');
    this.#at += 1;
    return value;
  }

  u32(): number {
    return this.bytes(4).readUInt32BE(0);
  }

  /** @param limit the largest value that makes sense here; checked before anybody allocates by it. */
  varint(limit: number, name: string): number {
    let value = 0;
    let scale = 1;
    for (let count = 1; count <= VARINT_MAX_BYTES; count += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && count > 1) return this.fail(`${name} is not in its shortest form`);
        if (value > limit) return this.fail(`${name} is ${value}, more than ${limit}`);
        return value;
      }
      scale *= 128;
    }
    return this.fail(`${name} is too long a number`);
  }

  /** The next `count` bytes, without copying. */
  bytes(count: number): Buffer {
    if (count > this.left) return this.fail('ends too early');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  end(): void {
    if (this.left > 0) this.fail(`has ${this.left} bytes too many`);
  }

  fail(reason: string): never {
    throw new UttrError(this.#code, `${this.#what}: ${reason}`, { details: { at: this.#at } });
  }
}

/** Collects a binary document. */
export class ByteWriter {
  #bytes = Buffer.alloc(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32BE(value, this.#length);
  }

  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'a varint is a safe natural number');
    let rest = value;
    while (rest >= 128) {
      this.byte((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** What was written so far, as bytes of its own. */
  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#length + count));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
