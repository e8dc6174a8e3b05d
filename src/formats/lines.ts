/** Splits text that comes in pieces into lines, holding no more than ROW_LIMIT of it. */
import { ROW_LIMIT } from './format.ts';

/** Gets each line without its LF, or the length of one over the limit. */
export interface LineSink {
  /** @param start where the line starts, in characters from the start of the file. */
  line(text: string, lineNumber: number, start: number): void;
  tooLong(length: number, lineNumber: number, start: number): void;
}

export class LineSplitter {
  readonly #sink: LineSink;
  #parts: string[] = [];
  #heldLength = 0;
  #skipping = false;
  #lineNumber = 1;
  #start = 0;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  push(piece: string): void {
    let from = 0;
    for (;;) {
      const end = piece.indexOf('\n', from);
      if (end < 0) break;
      this.#emit(piece, from, end);
      from = end + 1;
    }
    this.#hold(piece, from);
  }

  /** The last line needs no LF. */
  end(): void {
    if (this.#heldLength > 0) this.#emit('', 0, 0);
  }

  #hold(piece: string, from: number): void {
    if (from === piece.length) return;
    this.#heldLength += piece.length - from;
    if (this.#heldLength > ROW_LIMIT) {
      this.#skipping = true;
      this.#parts = [];
    } else {
      this.#parts.push(piece.slice(from));
    }
  }

  #emit(piece: string, from: number, end: number): void {
    const length = this.#heldLength + end - from;
    if (this.#skipping || length > ROW_LIMIT) {
      this.#sink.tooLong(length, this.#lineNumber, this.#start);
    } else {
      const last = piece.slice(from, end);
      this.#sink.line(this.#parts.length === 0 ? last : this.#parts.join('') + last, this.#lineNumber, this.#start);
    }
    this.#parts = [];
    this.#heldLength = 0;
    this.#skipping = false;
    this.#lineNumber++;
    this.#start += length + 1;
  }
}
