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
  #tokens = new Uint32Array(FIRST_TOKENS);
  #offsets = new Uint32Array(FIRST_TEXTS);
  #tokenCount = 0;
  #length = 0;
  #count = 0;

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

  /** The sets as they are now, each ordered by how rare its tokens are; the corpus is used up. */
  finish(): TokenSets {
    const ranks = this.#ranks();
    const tokens = this.#tokens.subarray(0, this.#length);
    for (let at = 0; at < tokens.length; at++) tokens[at] = ranks[tokens[at] as number] as number;
    for (let number = 0; number < this.#count; number++) {
      tokens.subarray(this.#offsets[number], this.#offsets[number + 1]).sort();
    }
    return { count: this.#count, offsets: this.#offsets, tokens, tokenCount: this.#tokenCount };
  }

  /** The place of each token when all are ordered by frequency. */
  #ranks(): Uint32Array {
    const order = Uint32Array.from({ length: this.#tokenCount }, (_, token) => token);
    const frequencies = this.#frequencies;
    order.sort((a, b) => (frequencies[a] as number) - (frequencies[b] as number) || a - b);
    const ranks = new Uint32Array(this.#tokenCount);
    for (let rank = 0; rank < order.length; rank++) ranks[order[rank] as number] = rank;
    return ranks;
  }

  #tokenOf(a: number, b: number, c: number): number {
    if ((a | b | c) < 0x80) {
      const code = (a << 14) | (b << 7) | c;
      const known = this.#ascii[code] as number;
      return known > 0 ? known - 1 : (this.#ascii[code] = this.#newToken() + 1) - 1;
    }
    const code = (a * 2 ** 16 + b) * 2 ** 16 + c;
    const known = this.#others.get(code);
    if (known !== undefined) return known;
    const token = this.#newToken();
    this.#others.set(code, token);
    return token;
  }

  #newToken(): number {
    if (this.#tokenCount === this.#frequencies.length) {
      this.#frequencies = grown(this.#frequencies);
      this.#lastTexts = grown(this.#lastTexts);
    }
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
