/** Recognises files that are no text, so that a message can say what was given. */

interface Signature {
  readonly bytes: readonly number[];
  readonly what: string;
}

const SIGNATURES: readonly Signature[] = [
  { bytes: [0x50, 0x4b, 0x03, 0x04], what: 'a zip archive or an Office document' },
  { bytes: [0x50, 0x4b, 0x05, 0x06], what: 'an empty zip archive' },
  {
    bytes: [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1],
    what: 'an old Office document (.xls, .doc), or one with a password',
  },
  { bytes: [0x25, 0x50, 0x44, 0x46, 0x2d], what: 'a PDF document' },
  { bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], what: 'a PNG image' },
  { bytes: [0xff, 0xd8, 0xff], what: 'a JPEG image' },
  { bytes: [0x47, 0x49, 0x46, 0x38], what: 'a GIF image' },
  { bytes: [0x1f, 0x8b], what: 'a gzip archive' },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: 'a zstd archive' },
  { bytes: [0x42, 0x5a, 0x68], what: 'a bzip2 archive' },
  { bytes: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], what: 'a 7z archive' },
  { bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], what: 'an xz archive' },
  { bytes: [0x50, 0x41, 0x52, 0x31], what: 'a Parquet file' },
  { bytes: [0x50, 0x41, 0x52, 0x45], what: 'an encrypted Parquet file' },
  { bytes: [0x7f, 0x45, 0x4c, 0x46], what: 'a program' },
  { bytes: [...Buffer.from('SQLite format 3\0')], what: 'an SQLite database' },
];

/** Names in a zip's first entries that say more than "zip". */
const ZIP_KINDS: readonly (readonly [string, string])[] = [
  ['xl/', 'an Excel workbook (.xlsx)'],
  ['word/', 'a Word document (.docx)'],
  ['ppt/', 'a PowerPoint document (.pptx)'],
  ['[Content_Types].xml', 'an Office document'],
];

/** What a file that is no text looks like, e.g. "a PNG image"; undefined for text. */
export function binaryKind(head: Uint8Array): string | undefined {
  const found = SIGNATURES.find(({ bytes }) => bytes.every((byte, index) => head[index] === byte));
  if (found?.bytes[0] === 0x50 && found.bytes[1] === 0x4b) {
    const names = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1');
    return ZIP_KINDS.find(([part]) => names.includes(part))?.[1] ?? found.what;
  }
  if (found !== undefined) return found.what;
  return isBinary(head) ? 'a binary file' : undefined;
}

/** Control characters other than those of text, in number, and no sign of UTF-16. */
function isBinary(head: Uint8Array): boolean {
  const sample = head.subarray(0, 8192);
  if (sample[0] === 0xff && sample[1] === 0xfe) return false;
  let controls = 0;
  let zeros = 0;
  for (const byte of sample) {
    if (byte === 0) zeros++;
    else if (byte < 0x20 && (byte < 0x09 || byte > 0x0d) && byte !== 0x1b) controls++;
  }
  // A few zeros are a fault in a text, which its reader reports with the row; UTF-16 has no other controls.
  return controls * 20 > sample.length || (controls > 0 && zeros * 10 > sample.length);
}

/** Whether the bytes begin like a zip archive. */
export function isZip(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && ((head[2] === 3 && head[3] === 4) || (head[2] === 5 && head[3] === 6));
}
