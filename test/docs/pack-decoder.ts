/** Sections 6 and 7 of docs/format.md, written from the page. */
import { zstdDecompressSync } from 'node:zlib';
import { sha256 } from './forms.ts';

export interface DecodedFrame {
  readonly depth: number;
  readonly dictionary: readonly string[];
  readonly stored: Buffer;
  /** By their short names. */
  readonly chunks: readonly { readonly name: string; readonly length: number }[];
}

export interface DecodedPack {
  readonly frames: readonly DecodedFrame[];
  readonly outside: readonly string[];
}

function require(claim: boolean, what: string): void {
  if (!claim) throw new Error(what);
}

class Numbers {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  varint(): number {
    let value = 0;
    for (let place = 0; place < 8; place++) {
      const byte = this.#bytes.readUInt8(this.at++);
      value += (byte & 0x7f) * 128 ** place;
      if (byte >= 128) continue;
      require(byte > 0 || place === 0, 'a varint is in its shortest form');
      return value;
    }
    throw new Error('a varint has at most 8 bytes');
  }

  hex(count: number): string {
    return this.#bytes.toString('hex', this.at, (this.at += count));
  }
}

/** Reads a pack from its end; every digest and every count must fit. */
export function decodePack(bytes: Buffer): DecodedPack {
  const trailer = bytes.subarray(-44);
  require(bytes.subarray(0, 8).equals(Buffer.from('uttrpak\u0001')), 'header');
  require(trailer.subarray(36).equals(Buffer.from('uttrend\u0001')), 'end of the trailer');
  const length = trailer.readUInt32BE(32);
  const footer = bytes.subarray(bytes.length - 44 - length, bytes.length - 44);
  require(sha256(footer) === trailer.toString('hex', 0, 32), 'digest of the footer');

  const numbers = new Numbers(footer);
  const [frameCount, chunkCount, outsideCount] = [numbers.varint(), numbers.varint(), numbers.varint()];
  const bodyLength = bytes.length - 44 - length;
  require(sha256(bytes.subarray(0, bodyLength)) === numbers.hex(32), 'digest of the body');
  const entries = Array.from({ length: frameCount }, () => decodeEntry(numbers));
  const lengths = Array.from({ length: chunkCount }, () => numbers.varint());
  const names = Array.from({ length: chunkCount }, () => numbers.hex(16));
  const outside = Array.from({ length: outsideCount }, () => numbers.hex(16));
  require(numbers.at === footer.length, 'nothing is left over in the footer');

  const frames: DecodedFrame[] = [];
  let offset = 8;
  let first = 0;
  let next = 0;
  for (const { storedLength, count, depth, references } of entries) {
    const dictionary = references.map((reference) => {
      if (reference === 0) return outside[next++] as string;
      if (reference % 2 === 1) {
        require((reference - 1) / 2 < next, 'a repeated outside chunk was named before');
        return outside[(reference - 1) / 2] as string;
      }
      return names[first - reference / 2] as string;
    });
    const chunks = names
      .slice(first, first + count)
      .map((name, at) => ({ name, length: lengths[first + at] as number }));
    frames.push({ depth, dictionary, stored: bytes.subarray(offset, offset + storedLength), chunks });
    offset += storedLength;
    first += count;
  }
  require(offset === bodyLength && first === chunkCount && next === outsideCount, 'frames, chunks and names fit');
  return { frames, outside };
}

function decodeEntry(numbers: Numbers): {
  readonly storedLength: number;
  readonly count: number;
  readonly depth: number;
  readonly references: readonly number[];
} {
  const storedLength = numbers.varint();
  const head = numbers.varint();
  const count = Math.floor(head / 2);
  require(count > 0, 'a frame holds a chunk');
  if (head % 2 === 0) return { storedLength, count, depth: 0, references: [] };
  const shape = numbers.varint();
  const references = Array.from({ length: Math.floor(shape / 16) + 1 }, () => numbers.varint());
  return { storedLength, count, depth: (shape % 16) + 1, references };
}

/** The header that a delta of so many raw bytes is stored without. */
export function deltaHeader(rawLength: number): Buffer {
  const [descriptor, value, bytes] =
    rawLength < 256 ? [0x20, rawLength, 1] : rawLength < 65_792 ? [0x60, rawLength - 256, 2] : [0xa0, rawLength, 4];
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, descriptor, 0, 0, 0, 0]);
  header.writeUIntLE(value, 5, bytes);
  return header.subarray(0, 5 + bytes);
}

/** Opens a frame and takes its chunks apart, by short name; each must have the bytes of its name. */
export function openFrame(frame: DecodedFrame, dictionary: Buffer | undefined): Map<string, Buffer> {
  const rawLength = frame.chunks.reduce((sum, { length }) => sum + length, 0);
  const isDelta = dictionary !== undefined;
  const whole = isDelta ? Buffer.concat([deltaHeader(rawLength), frame.stored]) : frame.stored;
  require(whole.readUInt32LE(0) === 0xfd2fb528, 'a frame is one of zstd');
  require((whole.readUInt8(4) & 7) ===
    (isDelta ? 0 : 4), 'no dictionary id, and a checksum where there is no dictionary');
  require(!isDelta ||
    dictionary.length < 4 ||
    dictionary.readUInt32LE(0) !== 0xec30a437, 'a dictionary is raw content');
  const raw = zstdDecompressSync(whole, isDelta ? { dictionary } : {});
  require(raw.length === rawLength, 'a frame has the raw bytes of its chunks');
  const chunks = new Map<string, Buffer>();
  let offset = 0;
  for (const { name, length } of frame.chunks) {
    const chunk = raw.subarray(offset, (offset += length));
    require(sha256(chunk).startsWith(name), `chunk ${name} has the bytes of its name`);
    chunks.set(name, chunk);
  }
  return chunks;
}
