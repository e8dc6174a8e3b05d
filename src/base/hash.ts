/**
 * SHA-256 names. A Hash is made only here, so two kinds of string cannot be mixed up.
 */
import { createHash, hash as digest, type Hash as Hasher } from 'node:crypto';
import { UttrError } from './errors.ts';

declare const hashBrand: unique symbol;

/** A SHA-256 as 64 lower-case hexadecimal digits. */
export type Hash = string & { readonly [hashBrand]: true };

declare const shortNameBrand: unique symbol;

/**
 * The first half of a SHA-256, as 32 digits: enough to find a chunk by, not to trust it. Two chunks that share it
 * would take some 2^64 attempts to make.
 */
export type ShortName = string & { readonly [shortNameBrand]: true };

export const HASH_BYTES = 32;
export const SHORT_NAME_BYTES = 16;

const HEX = /^[0-9a-f]{64}$/u;

/** Names bytes (a string is hashed as UTF-8; it must be well formed, or two strings could share a name). */
export function sha256(bytes: Uint8Array | string): Hash {
  return digest('sha256', bytes, 'hex') as Hash;
}

/** The digest as a string of 32 characters, one for each byte: the form that node makes fastest. */
export function sha256Characters(text: string): string {
  return digest('sha256', text, 'binary');
}

/** The digest as 32 bytes. */
export function sha256Bytes(bytes: Uint8Array | string): Buffer {
  return digest('sha256', bytes, 'buffer');
}

/** The name of several parts, end to end. */
export function sha256Of(parts: Iterable<Uint8Array>): Hash {
  const hasher = createHash('sha256');
  for (const part of parts) hasher.update(part);
  return hasher.digest('hex') as Hash;
}

/** A running SHA-256, for streams. */
export function sha256Stream(): Hasher {
  return createHash('sha256');
}

/** Parses 64 hexadecimal digits. @throws bad-checksum */
export function parseHash(text: string): Hash {
  if (!HEX.test(text)) throw new UttrError('bad-checksum', `not a SHA-256 in hexadecimal: ${text.slice(0, 80)}`);
  return text as Hash;
}

export function isHash(text: unknown): text is Hash {
  return typeof text === 'string' && HEX.test(text);
}

/** The 32 bytes that a name stands for. */
export function hashToBytes(hash: Hash): Buffer {
  return Buffer.from(hash, 'hex');
}

/** The name for 32 bytes read from a pack or the catalogue. */
export function hashFromBytes(bytes: Uint8Array): Hash {
  if (bytes.length !== HASH_BYTES) {
    throw new UttrError('bad-checksum', `a SHA-256 has ${HASH_BYTES} bytes, not ${bytes.length}`);
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex') as Hash;
}

export function shortName(name: Hash | ShortName): ShortName {
  return name.slice(0, 2 * SHORT_NAME_BYTES) as ShortName;
}

/** The 16 bytes that a short name stands for. */
export function shortNameToBytes(name: ShortName): Buffer {
  return Buffer.from(name, 'hex');
}

/** The short name for 16 bytes read from a pack or the catalogue. */
export function shortNameFromBytes(bytes: Buffer): ShortName {
  if (bytes.length !== SHORT_NAME_BYTES) {
    throw new UttrError('bad-checksum', `a short name has ${SHORT_NAME_BYTES} bytes, not ${bytes.length}`);
  }
  return bytes.toString('hex') as ShortName;
}
