/**
 * The pages of a column, unpacked and checked before hyparquet decodes them.
 *
 * A run of equal values is a count and one value, and hyparquet fills an array with as many values as the count says:
 * a page of ten bytes could fill all memory. So every count is compared here with what its header says, and what the
 * headers say is taken from a budget for the whole file.
 */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { type ColumnMetaData, type FileMetaData, type SchemaTree, parquetSchema, snappyUncompress } from 'hyparquet';
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { isUttrError, UttrError } from '../../base/errors.ts';
import { damaged, type ThriftStruct, walkStruct } from './thrift-structs.ts';

/** A file may unpack to this much, and beyond to so many times its size. */
const FREE_BYTES = 64 * 2 ** 20;
const RATIO_LIMIT = 200;
/** Bytes that one column of a row group may unpack to. */
const COLUMN_LIMIT_BYTES = 512 * 2 ** 20;
/** Values that a packed run may have beyond those of its page. */
const PACKED_SLACK = 512;
/** Writers have blocks of 128 values. */
const DELTA_BLOCK_LIMIT = 65_536;
/** What a value counts at least, whatever its bytes: it takes a place in an array. */
const VALUE_BYTES = 8;

/** What a file may still unpack to. */
export class Budget {
  readonly #file: string;
  #left: number;

  constructor(fileBytes: number, file: string) {
    this.#file = file;
    this.#left = FREE_BYTES + RATIO_LIMIT * fileBytes;
  }

  /** @throws bad-format */
  spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left >= 0) return;
    throw badParquet(this.#file, damaged(`it would unpack to more than ${RATIO_LIMIT} times its size`));
  }
}

/** One packed page, as hyparquet will ask for it. */
interface UnpackedPage {
  readonly packedBytes: number;
  readonly page: Uint8Array;
}

/** What is known of a column's pages beforehand. */
interface Column {
  readonly meta: ColumnMetaData;
  readonly maxRepetition: number;
  readonly maxDefinition: number;
  /** Of values of a fixed length. */
  readonly typeLength: number;
}

type Unpack = (packed: Uint8Array, length: number) => Uint8Array;

const CODECS: Readonly<Record<string, Unpack>> = {
  SNAPPY: (packed, length) => {
    const page = new Uint8Array(length);
    snappyUncompress(packed, page);
    return page;
  },
  GZIP: (packed, length) => gunzipSync(packed, { maxOutputLength: Math.max(length, 1) }),
  BROTLI: (packed, length) => brotliDecompressSync(packed, { maxOutputLength: Math.max(length, 1) }),
  ZSTD: (packed, length) => zstdDecompressSync(packed, { maxOutputLength: Math.max(length, 1) }),
};

/** Unpacks the pages of one column after another; hyparquet gets them as if it had unpacked them. */
export class CheckedPages {
  /** To be given to hyparquet. */
  readonly compressors: Readonly<Record<string, Unpack>>;
  readonly #bytes: Uint8Array;
  readonly #budget: Budget;
  readonly #columns: ReadonlyMap<string, SchemaTree[]>;
  #pages: UnpackedPage[] = [];

  constructor(bytes: Uint8Array, metadata: FileMetaData, budget: Budget) {
    this.#bytes = bytes;
    this.#budget = budget;
    this.#columns = leafPaths(parquetSchema(metadata));
    const next: Unpack = (packed) => {
      const found = this.#pages.shift();
      if (found?.packedBytes !== packed.length) throw damaged('its pages come in another order');
      return found.page;
    };
    this.compressors = Object.fromEntries(Object.keys(CODECS).map((codec) => [codec, next]));
  }

  /** Makes ready all pages of a top-level column in a row group. @throws bad-row */
  prepare(chunks: readonly ColumnMetaData[], rows: number): void {
    this.#pages = [];
    let unpacked = 0;
    for (const meta of chunks) {
      const path = this.#columns.get(JSON.stringify(meta.path_in_schema));
      if (path === undefined) throw damaged(`its schema has no column ${meta.path_in_schema.join('.')}`);
      const levels = path.slice(1).map(({ element }) => element.repetition_type);
      unpacked += this.#chunk(
        {
          meta,
          maxRepetition: levels.filter((type) => type === 'REPEATED').length,
          maxDefinition: levels.filter((type) => type !== 'REQUIRED').length,
          typeLength: path.at(-1)?.element.type_length ?? 0,
        },
        rows,
      );
      if (unpacked > COLUMN_LIMIT_BYTES) {
        throw damaged(`a column of a row group has more than ${COLUMN_LIMIT_BYTES / 2 ** 20} MiB`);
      }
    }
  }

  /** @returns bytes it unpacked to */
  #chunk(column: Column, rows: number): number {
    const { meta } = column;
    if (meta.codec !== 'UNCOMPRESSED' && CODECS[meta.codec] === undefined) {
      throw damaged(`it is compressed with ${meta.codec}, which is not read`);
    }
    // As hyparquet finds them; a column without a dictionary has the offset 0 in some files.
    let at = Number(meta.dictionary_page_offset || meta.data_page_offset);
    const end = at + Number(meta.total_compressed_size);
    if (!(at >= 0 && end >= at && end <= this.#bytes.length)) throw damaged('a column lies outside of the file');
    const isFlat = meta.path_in_schema.length === 1 && column.maxRepetition === 0;
    let unpacked = 0;
    let values = 0;
    const wanted = isFlat ? rows : Infinity;
    while (at < end - 1 && values < wanted) {
      const header = walkStruct(this.#bytes.subarray(0, end), at);
      const packedBytes = size(header, 3);
      if (packedBytes > end - header.end) throw damaged('a page is longer than its column');
      const packed = this.#bytes.subarray(header.end, header.end + packedBytes);
      const page = new Page(header, column, packed);
      this.#budget.spend(page.unpackedBytes + VALUE_BYTES * page.valueCount);
      const body = page.unpack();
      if (body !== undefined) this.#pages.push(body);
      if (!page.isDictionary) values += page.valueCount;
      unpacked += page.unpackedBytes;
      if (unpacked > COLUMN_LIMIT_BYTES) return unpacked;
      page.check();
      at = header.end + packedBytes;
    }
    return unpacked;
  }
}

/** Leaves of a schema, with the nodes on the way to them, by path. */
function leafPaths(root: SchemaTree): Map<string, SchemaTree[]> {
  const leaves = new Map<string, SchemaTree[]>();
  const walk = (path: SchemaTree[]): void => {
    const node = path.at(-1) as SchemaTree;
    const key = JSON.stringify(node.path);
    // Of two with one name, hyparquet takes the first.
    if (node.children.length === 0 && !leaves.has(key)) leaves.set(key, path);
    for (const child of node.children) walk([...path, child]);
  };
  walk([root]);
  return leaves;
}

const PAGE = { data: 0, dictionary: 2, dataV2: 3 } as const;
const ENCODING = {
  plainDictionary: 2,
  rle: 3,
  deltaBinaryPacked: 5,
  deltaLengthByteArray: 6,
  deltaByteArray: 7,
  rleDictionary: 8,
  byteStreamSplit: 9,
} as const;

/** One page; the numbers of fields are those of PageHeader in parquet.thrift. */
class Page {
  readonly unpackedBytes: number;
  readonly valueCount: number;
  readonly isDictionary: boolean;
  readonly #type: number;
  readonly #head: ThriftStruct;
  readonly #column: Column;
  readonly #packed: Uint8Array;
  #body: Uint8Array | undefined;

  constructor(header: ThriftStruct, column: Column, packed: Uint8Array) {
    this.#column = column;
    this.#packed = packed;
    this.#type = size(header, 1);
    this.isDictionary = this.#type === PAGE.dictionary;
    const head = header.fields.get({ [PAGE.data]: 5, [PAGE.dictionary]: 7, [PAGE.dataV2]: 8 }[this.#type] ?? -1);
    if (typeof head !== 'object') throw damaged('a page has no header');
    this.#head = head;
    this.unpackedBytes = size(header, 2);
    this.valueCount = size(head, 1);
    if (this.unpackedBytes > COLUMN_LIMIT_BYTES) throw damaged('a page is too large');
  }

  get #isV2(): boolean {
    return this.#type === PAGE.dataV2;
  }

  /** Bytes before the values, which version 2 does not compress. */
  get #levelBytes(): number {
    return this.#isV2 ? size(this.#head, 5) + size(this.#head, 6) : 0;
  }

  /** What hyparquet will ask for; undefined where it takes the bytes as they are. */
  unpack(): UnpackedPage | undefined {
    const { codec } = this.#column.meta;
    const skip = this.#levelBytes;
    if (skip > this.#packed.length || skip > this.unpackedBytes) throw damaged('a page has levels longer than itself');
    const body = this.#packed.subarray(skip);
    const unpack = CODECS[codec];
    if (unpack === undefined || (this.#isV2 && this.#head.fields.get(7) === false)) {
      this.#body = body;
      return undefined;
    }
    this.#body = unpack(body, this.unpackedBytes - skip);
    if (this.#body.length !== this.unpackedBytes - skip) throw damaged('a page unpacks to another length than it says');
    return { packedBytes: body.length, page: this.#body };
  }

  /** Goes the way that hyparquet will go. @throws bad-row where it would not end, or read more than there is */
  check(): void {
    const body = this.#body as Uint8Array;
    // Values of a dictionary lie in its bytes one by one.
    if (this.isDictionary) return;
    const { maxRepetition, maxDefinition } = this.#column;
    if (this.#isV2) {
      const nulls = size(this.#head, 2);
      if (nulls > this.valueCount) throw damaged('a page has more nulls than values');
      checkLevels(this.#packed, maxRepetition, this.valueCount);
      checkLevels(this.#packed.subarray(size(this.#head, 6)), maxDefinition, this.valueCount);
      this.#checkValues(body, this.valueCount - nulls);
      return;
    }
    const definitions = afterLevels(body, maxRepetition, this.valueCount);
    const values = afterLevels(definitions, maxDefinition, this.valueCount);
    this.#checkValues(values, this.valueCount - nullCount(definitions, maxDefinition, this.valueCount));
  }

  #checkValues(values: Uint8Array, count: number): void {
    const { type } = this.#column.meta;
    const encoding = size(this.#head, this.#isV2 ? 4 : 2);
    switch (encoding) {
      case ENCODING.plainDictionary:
      case ENCODING.rle:
      case ENCODING.rleDictionary:
        this.#checkIndexes(values, count, encoding === ENCODING.rle);
        break;
      case ENCODING.deltaBinaryPacked:
      case ENCODING.deltaLengthByteArray:
        checkDeltas(values);
        break;
      case ENCODING.deltaByteArray:
        checkPrefixes(values, count);
        break;
      case ENCODING.byteStreamSplit:
        if (type === 'FIXED_LEN_BYTE_ARRAY' && this.#column.typeLength * count > values.length) throw cutShort();
        break;
      default:
    }
  }

  /** Places in a dictionary, or truth values, which are in runs, too. */
  #checkIndexes(values: Uint8Array, count: number, isPlainRuns: boolean): void {
    const isBoolean = this.#isV2 ? isPlainRuns : this.#column.meta.type === 'BOOLEAN';
    if (isBoolean) checkRuns(values.subarray(4), 1, count);
    else if (this.#isV2 || values[0] !== 0) checkRuns(values.subarray(1), values[0] ?? 0, count);
  }
}

/** What follows the levels at the start of a page of version 1. */
function afterLevels(bytes: Uint8Array, max: number, count: number): Uint8Array {
  if (max === 0) return bytes;
  const length = uint32(bytes, 0);
  checkLevels(bytes.subarray(4), max, count);
  return bytes.subarray(4 + length);
}

/** How many values of a page of version 1 are not there, from levels whose runs were checked. */
function nullCount(bytes: Uint8Array, max: number, count: number): number {
  if (max === 0) return 0;
  const levels: number[] = Array.from({ length: count });
  readRleBitPackedHybrid({ view: viewOf(bytes), offset: 0 }, bitsOf(max), levels);
  return levels.reduce((nulls, level) => nulls + (level === max ? 0 : 1), 0);
}

function bitsOf(max: number): number {
  return 32 - Math.clz32(max);
}

function checkLevels(bytes: Uint8Array, max: number, count: number): void {
  if (max > 0) checkRuns(bytes, bitsOf(max), count);
}

/** Walks runs of equal values, and packed ones, until there are as many values as there should be. */
function checkRuns(bytes: Uint8Array, bitWidth: number, count: number): void {
  if (bitWidth > 32) throw damaged(`values of ${bitWidth} bits are not possible`);
  const reader = { at: 0 };
  for (let seen = 0; seen < count;) {
    const header = varint(bytes, reader);
    const isPacked = (header & 1) === 1;
    const length = isPacked ? (header >>> 1) * 8 : header >>> 1;
    // Packed values come in eights, and the last of them may stand for nothing.
    if (length > count - seen + (isPacked ? PACKED_SLACK : 0)) throw damaged('a run is longer than its page');
    reader.at += isPacked ? (header >>> 1) * bitWidth : Math.ceil(bitWidth / 8);
    seen += length;
  }
}

/** Blocks of differences: hyparquet goes back in the page where the number of their parts is negative. */
function checkDeltas(values: Uint8Array): void {
  if (values.length === 0) return;
  const reader = { at: 0 };
  const blockSize = varint(values, reader);
  const parts = varint(values, reader);
  if (blockSize > DELTA_BLOCK_LIMIT || parts === 0 || parts > blockSize) throw damaged('a page has impossible blocks');
}

/** Texts that repeat the start of the one before them may grow without limit. */
function checkPrefixes(values: Uint8Array, count: number): void {
  if (count === 0) return;
  const reader = { view: viewOf(values), offset: 0 };
  let bytes = 0;
  for (let part = 0; part < 2; part++) {
    checkDeltas(values.subarray(reader.offset));
    const lengths = new Int32Array(count);
    deltaBinaryUnpack(reader, count, lengths);
    for (const length of lengths) bytes += Math.max(0, length);
  }
  if (bytes > COLUMN_LIMIT_BYTES) throw damaged('the texts of a page repeat too much of one another');
}

function varint(bytes: Uint8Array, reader: { at: number }): number {
  let value = 0;
  for (let shift = 0; shift <= 28; shift += 7) {
    const byte = bytes[reader.at++];
    if (byte === undefined) throw cutShort();
    value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) === 0) return value >>> 0;
  }
  throw damaged('a number has no end');
}

/** A number of a struct that counts something. */
function size(struct: ThriftStruct, field: number): number {
  const value = struct.fields.get(field);
  if (typeof value === 'number' && value >= 0) return value;
  throw damaged('a page header lacks a number');
}

function uint32(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) throw cutShort();
  return viewOf(bytes).getUint32(at, true);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function cutShort(): UttrError {
  return damaged('a page is cut short');
}

/** As an error of the file. */
export function badParquet(file: string, error: unknown): UttrError {
  if (isUttrError(error) && error.code !== 'bad-row') return error;
  const message = error instanceof Error ? error.message : '';
  // Its own errors begin like this; those of the runtime speak of arrays.
  const isTold = isUttrError(error) || message.startsWith('parquet ');
  const problem = isTold ? message.replace(/^parquet /u, '') : 'it is damaged';
  return new UttrError('bad-format', `${file} cannot be read as a Parquet file: ${problem}`, {
    hint: 'write it once more, compressed with snappy, gzip or zstd, or export the data as JSON Lines',
    details: { file },
    cause: error,
  });
}
