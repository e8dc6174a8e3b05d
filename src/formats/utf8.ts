/**
 * Strict UTF-8 that tells where it fails.
 *
 * Bytes that are not UTF-8 become lone surrogates U+DC80 to U+DCFF, one for each byte (as in Python's
 * "surrogateescape"). Valid UTF-8 never decodes to a lone surrogate, so a row holds one exactly where the file
 * was wrong, and the row can be reported while its neighbours are read.
 */

/** Decodes bytes that are known not to be all valid. `onInvalid` gets each bad byte's index and its place in the text. */
export function decodeEscaping(bytes: Buffer, onInvalid: (byteIndex: number, charIndex: number) => void): string {
  let out = '';
  let validFrom = 0;
  let index = 0;
  while (index < bytes.length) {
    const length = sequenceLength(bytes, index);
    if (length > 0) {
      index += length;
      continue;
    }
    out += bytes.toString('utf8', validFrom, index);
    onInvalid(index, out.length);
    out += String.fromCharCode(0xdc00 + (bytes[index] as number));
    index++;
    validFrom = index;
  }
  return out + bytes.toString('utf8', validFrom);
}

/** Bytes at the end that begin a character whose rest may still come: 0 to 3. */
export function unfinishedTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < leadLength(byte) ? back : 0;
  }
  return 0;
}

function leadLength(lead: number): number {
  if (lead >= 0xf0) return 4;
  return lead >= 0xe0 ? 3 : 2;
}

/** Length of the well-formed character at `index`, 0 if there is none. @see Unicode, table 3-7 */
function sequenceLength(bytes: Buffer, index: number): number {
  const lead = bytes[index] as number;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = leadLength(lead);
  const second = bytes[index + 1] ?? 0;
  if (second < secondMinimum(lead) || second > secondMaximum(lead)) return 0;
  for (let offset = 2; offset < length; offset++) {
    const byte = bytes[index + offset] ?? 0;
    if (byte < 0x80 || byte > 0xbf) return 0;
  }
  return length;
}

function secondMinimum(lead: number): number {
  if (lead === 0xe0) return 0xa0;
  return lead === 0xf0 ? 0x90 : 0x80;
}

function secondMaximum(lead: number): number {
  if (lead === 0xed) return 0x9f;
  return lead === 0xf4 ? 0x8f : 0xbf;
}
