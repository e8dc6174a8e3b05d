/**
 * Texts in files that can be asked which of them are like another text, at a cost that follows the question.
 *
 * The same exact search as that of similarity-join.ts, its postings in a file: each text is found by its rarest
 * trigrams. Two texts that are alike share several of these, not only one, so few that are not have to be compared.
 * All segments of an index order trigrams alike, by how rare they were in the first one; trigrams that it has not come
 * before all of its. Any order gives the same answers; this one gives them fast.
 *
 *   segment     = header codes ranks postingEnds postings sizeFirsts nameEnds names
 *   codes       f64 each: the trigrams, ascending
 *   ranks       u32 each: how rare each of them is; in the first segment only
 *   postingEnds u32 each: where the postings of each trigram end, counted in postings
 *   postings    u32 each: numbers of texts, ascending for each trigram
 *   sizeFirsts  u32 each: the first text with so many trigrams or more, from 0 to one more than the most
 *   nameEnds    u32 each: where each text ends, counted in bytes
 *   names       the folded texts, UTF-8
 *
 * Texts are numbered by how many trigrams they have, so those of the sizes in question are one stretch of every list.
 * Numbers are little-endian.
 *
 * @see J. Wang, G. Li, J. Feng, "Can we beat the prefix filtering?", SIGMOD 2012 (several shared tokens)
 */
import { crc32 } from 'node:zlib';
import { bySize, ROUNDING, sizeOf } from './similarity-join.ts';
import { trigramCode, TrigramCorpus, type TokenSets } from './trigram-corpus.ts';

/** How many of their rarest trigrams two texts that are alike share, as far as they have so many. */
const SHARED = 8;
/** Texts of one segment: what building it needs in memory follows them. */
export const SEGMENT_TEXTS = 1_000_000;

const MAGIC = Buffer.from('uttr trigrams 1\n', 'latin1');
const HEADER_BYTES = 64;
const BLANK = 0x20;
const PAGE_BYTES = 2 ** 14;
/** Trigrams that are counted for one text. */
const MOST_HITS = 0xff;
const LAST_ROUND = 2 ** 32 - 2 * (MOST_HITS + 1);

/** Fills all of `target` from a position on. */
export type ReadAt = (target: Uint8Array, position: number) => void;

/** How rare each trigram is: what all segments of an index have in common. */
export interface TrigramOrder {
  /** The place of a trigram, the rarest first; -1 for one that is not known. */
  readonly rankOf: (code: number) => number;
}

/** Trigrams of a text of which an index posts, or is asked for, the first ones. */
function prefixLength(size: number, threshold: number): number {
  return Math.min(size, size - Math.ceil(threshold * size - ROUNDING) + SHARED);
}

/** Gathers the texts of a segment. */
export class SegmentBuilder {
  readonly #corpus = new TrigramCorpus();
  #names = Buffer.alloc(2 ** 16);
  #nameEnds: Uint32Array<ArrayBuffer> = new Uint32Array(2 ** 10);
  #length = 0;

  get count(): number {
    return this.#corpus.count;
  }

  add(folded: string): void {
    while (this.#length + folded.length * 3 > this.#names.length) {
      this.#names = Buffer.concat([this.#names, Buffer.alloc(this.#names.length)]);
    }
    this.#length += this.#names.write(folded, this.#length);
    const number = this.#corpus.add(folded);
    if (number === this.#nameEnds.length) {
      const larger = new Uint32Array(this.#nameEnds.length * 2);
      larger.set(this.#nameEnds);
      this.#nameEnds = larger;
    }
    this.#nameEnds[number] = this.#length;
  }

  /**
   * The pieces of the file.
   *
   * @param threshold the least likeness that it can be asked for.
   * @param order that of the first segment; undefined for the first one.
   */
  finish(threshold: number, order: TrigramOrder | undefined): readonly Uint8Array[] {
    const sets = this.#corpus.finish(order?.rankOf);
    const numbered = bySize(sets);
    const sizes = sizeFirstsOf(sets, numbered);
    const byCode = Uint32Array.from({ length: sets.tokenCount }, (_, token) => token);
    byCode.sort((a, b) => (sets.codes[a] as number) - (sets.codes[b] as number));
    const { ends, postings } = postingsOf(sets, numbered, byCode, threshold);
    const names = this.#namesOf(numbered);
    const header = Buffer.alloc(HEADER_BYTES);
    MAGIC.copy(header);
    header.writeDoubleLE(threshold, 16);
    header.writeDoubleLE(names.bytes.length, 24);
    const counts = [sets.count, sets.tokenCount, order === undefined ? sets.tokenCount : 0, postings.length];
    for (const [index, count] of [...counts, sizes.length].entries()) header.writeUInt32LE(count, 32 + 4 * index);
    header.writeUInt32LE(crc32(header.subarray(0, HEADER_BYTES - 4)), HEADER_BYTES - 4);
    const codes = Float64Array.from(byCode, (token) => sets.codes[token] as number);
    const tables = [codes, order === undefined ? byCode : new Uint32Array(0), ends, postings, sizes, names.ends];
    return [
      header,
      ...tables.map((table) => new Uint8Array(table.buffer, table.byteOffset, table.byteLength)),
      names.bytes,
    ];
  }

  #namesOf(numbered: Uint32Array): { readonly ends: Uint32Array; readonly bytes: Buffer } {
    const ends = new Uint32Array(numbered.length);
    const bytes = Buffer.alloc(this.#length);
    let at = 0;
    for (let number = 0; number < numbered.length; number++) {
      const text = numbered[number] as number;
      const start = text === 0 ? 0 : (this.#nameEnds[text - 1] as number);
      at += this.#names.copy(bytes, at, start, this.#nameEnds[text]);
      ends[number] = at;
    }
    return { ends, bytes };
  }
}

function sizeFirstsOf(sets: TokenSets, numbered: Uint32Array): Uint32Array {
  const last = numbered.at(-1);
  const most = last === undefined ? 0 : sizeOf(sets, last);
  const firsts = new Uint32Array(most + 2);
  let number = 0;
  for (let size = 0; size < firsts.length; size++) {
    while (number < numbered.length && sizeOf(sets, numbered[number] as number) < size) number++;
    firsts[size] = number;
  }
  return firsts;
}

/** Postings of every token, the tokens in the order of their trigrams. */
function postingsOf(
  sets: TokenSets,
  numbered: Uint32Array,
  byCode: Uint32Array,
  threshold: number,
): { readonly ends: Uint32Array; readonly postings: Uint32Array } {
  const placeOf = new Uint32Array(byCode.length);
  for (let place = 0; place < byCode.length; place++) placeOf[byCode[place] as number] = place;
  const { offsets, tokens } = sets;
  const eachPosting = (use: (place: number, number: number) => void): void => {
    for (let number = 0; number < numbered.length; number++) {
      const set = numbered[number] as number;
      const from = offsets[set] as number;
      const end = from + prefixLength(sizeOf(sets, set), threshold);
      for (let at = from; at < end; at++) use(placeOf[tokens[at] as number] as number, number);
    }
  };
  const ends = new Uint32Array(byCode.length);
  eachPosting((place) => {
    ends[place] = (ends[place] as number) + 1;
  });
  const next = new Uint32Array(byCode.length);
  for (let place = 1; place < ends.length; place++) {
    next[place] = ends[place - 1] as number;
    ends[place] = (ends[place] as number) + (ends[place - 1] as number);
  }
  const postings = new Uint32Array(ends.at(-1) ?? 0);
  eachPosting((place, number) => {
    const at = next[place] as number;
    next[place] = at + 1;
    postings[at] = number;
  });
  return { ends, postings };
}

/** A text as it is looked for. */
export class Query {
  readonly size: number;
  /** Its trigrams, the rarest first. */
  readonly codes: readonly number[];
  readonly #places: ReadonlyMap<number, number>;
  readonly #seen: Uint32Array;
  #round = 0;

  constructor(folded: string, { rankOf }: TrigramOrder) {
    const codes = new Set<number>();
    eachTrigram(folded, (code) => codes.add(code));
    const ranked = [...codes].map((code) => ({ code, rank: rankOf(code) }));
    ranked.sort((a, b) => a.rank - b.rank || a.code - b.code);
    this.codes = ranked.map(({ code }) => code);
    this.size = codes.size;
    this.#places = new Map(this.codes.map((code, place) => [code, place]));
    this.#seen = new Uint32Array(codes.size);
  }

  /** Trigrams that it has in common with a text. */
  sharedWith(folded: string): number {
    const round = ++this.#round;
    let shared = 0;
    eachTrigram(folded, (code) => {
      const place = this.#places.get(code);
      if (place === undefined || this.#seen[place] === round) return;
      this.#seen[place] = round;
      shared++;
    });
    return shared;
  }
}

/** The trigrams of a folded text with a blank at either end, as TrigramCorpus has them. */
function eachTrigram(folded: string, use: (code: number) => void): void {
  const { length } = folded;
  let a = BLANK;
  let b = length === 0 ? BLANK : folded.charCodeAt(0);
  for (let at = 1; at <= length; at++) {
    const c = at === length ? BLANK : folded.charCodeAt(at);
    use(trigramCode(a, b, c));
    a = b;
    b = c;
  }
}

/** A segment, read where it lies. */
export class Segment implements TrigramOrder {
  readonly count: number;
  /** The least likeness that it can be asked for. */
  readonly threshold: number;
  readonly #read: ReadAt;
  readonly #codes: Float64Array;
  readonly #ranks: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #sizeFirsts: Uint32Array;
  readonly #nameEnds: Uint32Array;
  readonly #postingsAt: number;
  readonly #namesAt: number;
  readonly #lists = new Map<number, Uint32Array>();
  readonly #pages = new Map<number, Buffer>();
  /** By text: how many trigrams it has. */
  readonly #sizes: Uint16Array;
  /** By text: trigrams that it was found by, counted from the round of the search. */
  readonly #hits: Uint32Array;
  #round = 0;
  readonly #fileBytes: number;

  private constructor(read: ReadAt, header: Buffer, fileBytes: number) {
    this.#read = read;
    this.#fileBytes = fileBytes;
    this.threshold = header.readDoubleLE(16);
    const [count, codes, ranks, postings, sizes] = countsIn(header);
    this.count = count;
    let at = HEADER_BYTES;
    const table = <T extends Uint8Array | Uint32Array | Float64Array>(values: T): T => {
      read(new Uint8Array(values.buffer), at);
      at += values.byteLength;
      return values;
    };
    this.#codes = table(new Float64Array(codes));
    this.#ranks = table(new Uint32Array(ranks));
    this.#ends = table(new Uint32Array(codes));
    this.#postingsAt = at;
    at += 4 * postings;
    this.#sizeFirsts = table(new Uint32Array(sizes));
    this.#nameEnds = table(new Uint32Array(count));
    this.#namesAt = at;
    this.#hits = new Uint32Array(count);
    this.#sizes = new Uint16Array(count);
    for (let size = 1; size < sizes - 1; size++) {
      this.#sizes.fill(size, this.#sizeFirsts[size], this.#sizeFirsts[size + 1]);
    }
  }

  /** undefined where the file is no segment, or not whole. */
  static open(read: ReadAt, fileBytes: number): Segment | undefined {
    if (fileBytes < HEADER_BYTES) return undefined;
    const header = Buffer.alloc(HEADER_BYTES);
    read(header, 0);
    const isHeader =
      header.subarray(0, MAGIC.length).equals(MAGIC) &&
      header.readUInt32LE(HEADER_BYTES - 4) === crc32(header.subarray(0, HEADER_BYTES - 4));
    if (!isHeader) return undefined;
    const [count, codes, ranks, postings, sizes] = countsIn(header);
    const bytes = HEADER_BYTES + 12 * codes + 4 * (ranks + postings + sizes + count) + header.readDoubleLE(24);
    return bytes === fileBytes ? new Segment(read, header, fileBytes) : undefined;
  }

  readonly rankOf = (code: number): number => {
    const place = this.#placeOf(code);
    return place === -1 ? -1 : (this.#ranks[place] ?? -1);
  };

  /** Calls `use` with every text whose likeness to the one in question reaches the threshold, and with that likeness. */
  search(query: Query, threshold: number, use: (folded: string, similarity: number) => void): void {
    const { size } = query;
    const least = Math.ceil(threshold * size - ROUNDING);
    const first = this.#firstOf(least);
    const end = this.#firstOf(Math.floor(size / threshold + ROUNDING) + 1);
    if (size === 0 || first >= end) return;
    for (const number of this.#candidates(query, threshold, first, end)) {
      const folded = this.nameOf(number);
      const shared = query.sharedWith(folded);
      const similarity = shared / (size + this.#sizeOf(number) - shared);
      if (similarity >= threshold - ROUNDING) use(folded, similarity);
    }
  }

  /** Texts from `first` up to `end` that share enough of the first trigrams. */
  #candidates(query: Query, threshold: number, first: number, end: number): number[] {
    const [hits, sizes] = [this.#hits, this.#sizes];
    const needed = this.#neededHits(query.size, threshold, this.#sizeOf(first), this.#sizeOf(end - 1));
    const round = this.#nextRound();
    const found: number[] = [];
    for (const code of query.codes.slice(0, prefixLength(query.size, threshold))) {
      const list = this.#listOf(this.#placeOf(code));
      for (let at = lowerBound(list, first); at < list.length; at++) {
        const number = list[at] as number;
        if (number >= end) break;
        const before = hits[number] as number;
        const count = before < round ? 1 : before - round + 1;
        if (count > MOST_HITS) continue;
        hits[number] = round + count;
        if (count === needed[sizes[number] as number]) found.push(number);
      }
    }
    return found;
  }

  /**
   * By size, how many of the first trigrams a text must share: what all trigrams must have in common, less those behind
   * the first ones, of the text that has more of them.
   */
  #neededHits(size: number, threshold: number, least: number, most: number): Uint8Array {
    const behind = size - prefixLength(size, threshold);
    const needed = new Uint8Array(most + 1);
    for (let other = least; other <= most; other++) {
      const all = Math.ceil((threshold / (1 + threshold)) * (size + other) - ROUNDING);
      const behindOther = other - prefixLength(other, this.threshold);
      needed[other] = Math.min(all - Math.max(behind, behindOther), MOST_HITS);
    }
    return needed;
  }

  /** What hits are counted from: those of an earlier search are below it. */
  #nextRound(): number {
    this.#round += MOST_HITS + 1;
    if (this.#round > LAST_ROUND) {
      this.#hits.fill(0);
      this.#round = MOST_HITS + 1;
    }
    return this.#round;
  }

  /** The folded text of a number. */
  nameOf(number: number): string {
    const start = number === 0 ? 0 : (this.#nameEnds[number - 1] as number);
    const end = this.#nameEnds[number] as number;
    const page = Math.floor(start / PAGE_BYTES);
    const from = start - page * PAGE_BYTES;
    // Two pages at a time, so that what begins in the first one mostly ends in what was read.
    if (from + end - start <= 2 * PAGE_BYTES) return this.#page(page).toString('utf8', from, from + end - start);
    const bytes = Buffer.alloc(end - start);
    this.#read(bytes, this.#namesAt + start);
    return bytes.toString('utf8');
  }

  #page(page: number): Buffer {
    let bytes = this.#pages.get(page);
    if (bytes === undefined) {
      const start = this.#namesAt + page * PAGE_BYTES;
      bytes = Buffer.alloc(Math.min(2 * PAGE_BYTES, this.#fileBytes - start));
      this.#read(bytes, start);
      this.#pages.set(page, bytes);
    }
    return bytes;
  }

  #listOf(place: number): Uint32Array {
    if (place === -1) return NO_POSTINGS;
    let list = this.#lists.get(place);
    if (list === undefined) {
      const start = place === 0 ? 0 : (this.#ends[place - 1] as number);
      list = new Uint32Array((this.#ends[place] as number) - start);
      this.#read(new Uint8Array(list.buffer), this.#postingsAt + 4 * start);
      this.#lists.set(place, list);
    }
    return list;
  }

  #placeOf(code: number): number {
    const place = lowerBound(this.#codes, code);
    return this.#codes[place] === code ? place : -1;
  }

  /** The first text with so many trigrams or more. */
  #firstOf(size: number): number {
    return this.#sizeFirsts[size] ?? this.count;
  }

  /** How many trigrams a text has. */
  #sizeOf(number: number): number {
    return this.#sizes[number] as number;
  }
}

const NO_POSTINGS = new Uint32Array(0);

function countsIn(header: Buffer): readonly [number, number, number, number, number] {
  const at = (index: number): number => header.readUInt32LE(32 + 4 * index);
  return [at(0), at(1), at(2), at(3), at(4)];
}

/** The first place whose value is not below the one asked for. */
function lowerBound(values: Uint32Array | Float64Array, value: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
