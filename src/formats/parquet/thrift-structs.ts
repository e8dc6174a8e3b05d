/**
 * Structs in Thrift's compact protocol, within limits: the footer and the page headers of a Parquet file.
 *
 * They are walked here before hyparquet decodes them, because it trusts every length it meets: a list that claims two
 * thousand million elements, a number without end or nesting without end would exhaust the process.
 */
import { UttrError } from '../../base/errors.ts';

/** Levels of structs and lists; the footer has seven. */
const DEPTH_LIMIT = 24;

const TYPE = {
  stop: 0,
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  struct: 12,
} as const;

/** The numbers and structs of a struct, by field; what else it has was walked over. */
export interface ThriftStruct {
  readonly fields: ReadonlyMap<number, number | boolean | ThriftStruct>;
  /** Where it ends in the bytes. */
  readonly end: number;
}

/** @throws bad-row, saying what is wrong */
export function walkStruct(bytes: Uint8Array, start: number): ThriftStruct {
  return new Walk(bytes, start).struct(0);
}

class Walk {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  struct(depth: number): ThriftStruct {
    if (depth > DEPTH_LIMIT) throw damaged('a struct is nested too deep');
    const fields = new Map<number, number | boolean | ThriftStruct>();
    let field = 0;
    for (;;) {
      const head = this.#byte();
      const type = head & 0x0f;
      if (type === TYPE.stop) return { fields, end: this.#at };
      const step = head >> 4;
      field = step === 0 ? this.#zigzag() : field + step;
      const value = this.#element(type, depth + 1);
      if (value !== undefined) fields.set(field, value);
    }
  }

  #element(type: number, depth: number): number | boolean | ThriftStruct | undefined {
    switch (type) {
      case TYPE.true:
        return true;
      case TYPE.false:
        return false;
      case TYPE.byte:
        return this.#byte();
      case TYPE.i16:
      case TYPE.i32:
        return this.#zigzag();
      case TYPE.i64:
        this.#varint(10);
        return undefined;
      case TYPE.double:
        this.#skip(8);
        return undefined;
      case TYPE.binary:
        this.#skip(this.#varint(5));
        return undefined;
      case TYPE.list:
        this.#list(depth);
        return undefined;
      case TYPE.struct:
        return this.struct(depth);
      default:
        throw damaged(`a struct has a field of type ${type}`);
    }
  }

  #list(depth: number): void {
    if (depth > DEPTH_LIMIT) throw damaged('a list is nested too deep');
    const head = this.#byte();
    const isBoolean = (head & 0x0f) === TYPE.true || (head & 0x0f) === TYPE.false;
    const type = isBoolean ? TYPE.byte : head & 0x0f;
    const count = head >> 4 === 15 ? this.#varint(5) : head >> 4;
    // Every element takes a byte at least.
    if (count > this.#bytes.length - this.#at) throw damaged(`a list claims ${count} elements`);
    for (let index = 0; index < count; index++) this.#element(type, depth + 1);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw damaged('a struct is cut short');
    return byte;
  }

  #skip(length: number): void {
    if (length > this.#bytes.length - this.#at) throw damaged('a struct is cut short');
    this.#at += length;
  }

  /** An unsigned number; of 32 bits where it has up to five bytes. */
  #varint(byteLimit: 5 | 10): number {
    let value = 0;
    for (let index = 0; index < byteLimit; index++) {
      const byte = this.#byte();
      if (index < 5) value |= (byte & 0x7f) << (7 * index);
      if ((byte & 0x80) === 0) return value >>> 0;
    }
    throw damaged('a number has no end');
  }

  #zigzag(): number {
    const value = this.#varint(5);
    return (value >>> 1) ^ -(value & 1);
  }
}

/** What is wrong with the bytes of a file; the reader says of which. */
export function damaged(message: string): UttrError {
  return new UttrError('bad-row', message);
}
