/**
 * The texts that the cells of a workbook refer to by number.
 *
 * Any cell may refer to any of them, so all are in memory: as UTF-8 in blocks, which takes less than half of what as
 * many strings would, and does not keep the XML that they were cut from.
 */
import type { ArchiveEntry } from '../archive.ts';
import { CellText, decodeText, ESCAPED_LIMIT, PLAIN_TEXT } from './cell-text.ts';
import { badPart, parseXml } from './xml-stream.ts';

const BLOCK_BYTES = 2 ** 20;
/** More than a sheet of a million rows with four texts each, none of them twice. */
export const SHARED_STRING_LIMIT = 2 ** 22;
export const SHARED_BYTES_LIMIT = 512 * 2 ** 20;

/** A text without formatting. */
const PLAIN_ITEM = new RegExp(`<si><t(?: xml:space="preserve")?>(${PLAIN_TEXT})</t></si>`, 'uy');

/** Marks a text that is longer than a cell may be. */
const TOO_LONG = 0xffffffff;

export class SharedStrings {
  readonly #blocks: Buffer[] = [];
  /** Where each text starts: its block in units of BLOCK_BYTES, and the place within. */
  #starts = new Uint32Array(1024);
  #lengths = new Uint32Array(1024);
  #free = BLOCK_BYTES;
  #count = 0;

  /** @param text with its escapes: half of a surrogate pair has no UTF-8. @returns false where there is no room */
  add(text: string): boolean {
    if (this.#count === SHARED_STRING_LIMIT) return false;
    if (this.#count === this.#starts.length) {
      this.#starts = grown(this.#starts);
      this.#lengths = grown(this.#lengths);
    }
    const index = this.#count++;
    if (text.length > ESCAPED_LIMIT) {
      this.#lengths[index] = TOO_LONG;
      return true;
    }
    if (text === '') return true;
    // A code unit takes at most three bytes, and a text is far shorter than a block.
    if (this.#free + text.length * 3 > BLOCK_BYTES) {
      if ((this.#blocks.length + 1) * BLOCK_BYTES > SHARED_BYTES_LIMIT) return false;
      this.#blocks.push(Buffer.allocUnsafeSlow(BLOCK_BYTES));
      this.#free = 0;
    }
    const block = this.#blocks.length - 1;
    const written = (this.#blocks[block] as Buffer).write(text, this.#free);
    this.#starts[index] = block * BLOCK_BYTES + this.#free;
    this.#lengths[index] = written;
    this.#free += written;
    return true;
  }

  has(index: number): boolean {
    return index >= 0 && index < this.#count;
  }

  /** The text; undefined where it is longer than a cell can be. */
  get(index: number): string | undefined {
    const length = this.#lengths[index] as number;
    if (length === TOO_LONG) return undefined;
    const start = this.#starts[index] as number;
    const from = start % BLOCK_BYTES;
    const block = this.#blocks[Math.floor(start / BLOCK_BYTES)];
    return decodeText(block?.toString('utf8', from, from + length) ?? '');
  }
}

/** Reads the part that holds the texts. @throws bad-format */
export async function readSharedStrings(file: string, part: ArchiveEntry | undefined): Promise<SharedStrings> {
  const strings = new SharedStrings();
  if (part === undefined) return strings;
  const text = new CellText();
  let isInside = false;
  await parseXml(file, part, {
    open(name) {
      if (name === 'si') {
        isInside = true;
        text.reset();
      } else if (isInside) {
        text.open(name);
      }
    },
    close(name) {
      if (!isInside) return;
      text.close(name);
      if (name !== 'si') return;
      isInside = false;
      if (!strings.add(text.escaped)) throw badPart(file, part.path, 'it has more texts than can be read');
    },
    text: (piece) => text.add(piece),
    shortcut: { after: '</si>', take: (xml, from) => (isInside ? from : takePlain(strings, xml, from)) },
  });
  return strings;
}

function takePlain(strings: SharedStrings, xml: string, from: number): number {
  let end = from;
  PLAIN_ITEM.lastIndex = from;
  for (let found = PLAIN_ITEM.exec(xml); found !== null; found = PLAIN_ITEM.exec(xml)) {
    // Where there is no room, the parser comes to the same item, and says so.
    if (!strings.add(found[1] as string)) break;
    end = PLAIN_ITEM.lastIndex;
  }
  return end;
}

function grown(old: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(old.length * 2);
  larger.set(old);
  return larger;
}
