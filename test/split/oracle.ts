/**
 * The draw once more, from the words of the specification: crypto-js for SHA-256, BigInt for numbers, a full sort.
 * Slow, and shares no code with src/split.
 */
import CryptoJS from 'crypto-js';

/** The place of a text: the first 8 bytes of the digest. */
export function placeOf(salt: string, foldedText: string): bigint {
  const digest = CryptoJS.SHA256(CryptoJS.enc.Utf8.parse(`${salt}\0${foldedText}`)).toString(CryptoJS.enc.Hex);
  return BigInt(`0x${digest.slice(0, 16)}`);
}

/** The texts in the order of the draw. */
export function drawn(salt: string, texts: readonly string[]): string[] {
  return texts
    .map((text) => ({ text, place: placeOf(salt, text) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ text }) => text);
}

/** A double as an exact fraction: numerator over 2^1074. */
function exact(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const mantissa = bits & 0xf_ffff_ffff_ffffn;
  return exponent === 0n ? mantissa : (mantissa | (1n << 52n)) << (exponent - 1n);
}

/** The side under the method `hash`, for shares in ascending order: the first whose running sum exceeds u. */
export function hashSide(salt: string, text: string, shares: readonly number[]): number {
  // place / 2^64 < sum, with sum = exact / 2^1074
  const place = placeOf(salt, text) << (1074n - 64n);
  let sum = 0;
  for (const [side, share] of shares.slice(0, -1).entries()) {
    sum += share;
    if (place < exact(sum)) return side;
  }
  return shares.length - 1;
}
