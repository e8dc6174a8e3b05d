/**
 * Texts as sets of character trigrams, packed into typed arrays: what the similarity join works on.
 *
 * A trigram is three neighbouring UTF-16 code units of the folded text (without punctuation, in lower case) with a
 * blank at either end, so that the first and last words count as words do elsewhere. Trigrams are exact, not hashed.
 */

/** Sets of tokens; those of set `n` lie at `[offsets[n], offsets[n + 1])`, ascending, the rarest token first. */
export interface TokenSets {
  readonly count: number;
  readonly offsets: Uint32Array;
  readonly tokens: Uint32Array;
  /** Different tokens of all sets. */
  readonly tokenCount: number;
  /** By token: its trigram, as a number. */
  readonly codes: Float64Array;
}

/** A trigram as a number: three code units of 16 bits. */
export function trigramCode(a: number, b: number, c: number): number {
  return (a * 2 ** 16 + b) * 2 ** 16 + c;
}

/** Trigrams of ASCII are numbers of 21 bits, found in a table; others are found in a map. */
const ASCII_TRIGRAMS = 2 ** 21;
const BLANK = 0x20;
const FIRST_TOKENS = 2 ** 16;
const FIRST_TEXTS = 2 ** 10;

export class TrigramCorpus {
  /** The token of each ASCII trigram, plus 1. */
  readonly #ascii = new Uint32Array(ASCII_TRIGRAMS);
  readonly #others = new Map<number, number>();
  /** By token: the texts that have it, and the last of them, plus 1. */
  #frequencies = new Uint32Array(FIRST_TOKENS);
  #lastTexts = new Uint32Array(FIRST_TOKENS);
  #codes = new Float64Array(FIRST_TOKENS);
  #tokens = new Uint32Array(FIRST_TOKENS);
  #offsets = new Uint32Array(FIRST_TEXTS);
  #tokenCount = 0;
  #length = 0;
  #count = 0;
  #sets: TokenSets | undefined;

  get count(): number {
    return this.#count;
  }

  /** Adds a folded text and returns its number, counted from 0. */
  add(folded: string): number {
    const number = this.#count++;
    const length = folded.length;
    this.#reserve(length);
    let a = BLANK;
    let b = length === 0 ? BLANK : folded.charCodeAt(0);
    for (let at = 1; at <= length; at++) {
      const c = at === length ? BLANK : folded.charCodeAt(at);
      const token = this.#tokenOf(a, b, c);
      if (this.#lastTexts[token] !== number + 1) {
        this.#lastTexts[token] = number + 1;
        this.#frequencies[token] = (this.#frequencies[token] as number) + 1;
        this.#tokens[this.#length++] = token;
      }
      a = b;
      b = c;
    }
    this.#offsets[number + 1] = this.#length;
    return number;
  }

  /**
   * The sets, each ordered by how rare its tokens are; nothing can be added after that.
   *
   * @param rankOf orders the tokens by another measure: by its number for their trigram, those without one (-1) first.
   */
  finish(rankOf?: (code: number) => number): TokenSets {
    return (this.#sets ??= this.#order(rankOf));
  }

  #order(rankOf: ((code: number) => number) | undefined): TokenSets {
    const order = Uint32Array.from({ length: this.#tokenCount }, (_, token) => token);
    const measures =
      rankOf === undefined
        ? this.#frequencies
        : Float64Array.from(order, (token) => rankOf(this.#codes[token] as number));
    const codes = this.#codes;
    order.sort(
      (a, b) => (measures[a] as number) - (measures[b] as number) || (codes[a] as number) - (codes[b] as number),
    );
    const ranks = new Uint32Array(this.#tokenCount);
    for (let rank = 0; rank < order.length; rank++) ranks[order[rank] as number] = rank;
    const tokens = this.#tokens.subarray(0, this.#length);
    for (let at = 0; at < tokens.length; at++) tokens[at] = ranks[tokens[at] as number] as number;
    for (let number = 0; number < this.#count; number++) {
      tokens.subarray(this.#offsets[number], this.#offsets[number + 1]).sort();
    }
    return {
      count: this.#count,
      offsets: this.#offsets,
      tokens,
      tokenCount: this.#tokenCount,
      codes: Float64Array.from(order, (token) => codes[token] as number),
    };
  }

  #tokenOf(a: number, b: number, c: number): number {
    if ((a | b | c) < 0x80) {
      const code = (a << 14) | (b << 7) | c;
      const known = this.#ascii[code] as number;
      return known > 0 ? known - 1 : (this.#ascii[code] = this.#newToken(trigramCode(a, b, c)) + 1) - 1;
    }
    const code = trigramCode(a, b, c);
    const known = this.#others.get(code);
    if (known !== undefined) return known;
    const token = this.#newToken(code);
    this.#others.set(code, token);
    return token;
  }

  #newToken(code: number): number {
    if (this.#tokenCount === this.#frequencies.length) {
      const codes = new Float64Array(this.#codes.length * 2);
      codes.set(this.#codes);
      this.#codes = codes;
      this.#frequencies = grown(this.#frequencies);
      this.#lastTexts = grown(this.#lastTexts);
    }
    this.#codes[this.#tokenCount] = code;
    return this.#tokenCount++;
  }

  #reserve(tokens: number): void {
    while (this.#length + tokens > this.#tokens.length) this.#tokens = grown(this.#tokens);
    if (this.#count >= this.#offsets.length) this.#offsets = grown(this.#offsets);
  }
}

function grown(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
