/**
 * Every kind of digest that a store holds, by an implementation of SHA-256 that shares nothing with ours. The draw of
 * the split, batches and ids of events are checked so in format.test.ts and examples.test.ts.
 */
import { readFileSync } from 'node:fs';
import CryptoJS from 'crypto-js';
import { expect, test } from 'vitest';
import { contentOf, DecodedStore } from './store-decoder.ts';

const GOLDEN = new URL('../golden/store-v1/', import.meta.url);
const store = new DecodedStore(new URL('remote', GOLDEN).pathname);
const expected = JSON.parse(readFileSync(new URL('expected.json', GOLDEN), 'utf8')) as {
  readonly version: string;
  readonly content: string;
}[];

function digest(bytes: Buffer): string {
  return CryptoJS.SHA256(CryptoJS.lib.WordArray.create(new Uint8Array(bytes))).toString(CryptoJS.enc.Hex);
}

test('P6: names of chunks are the digests that crypto-js gives', () => {
  expect(store.chunkNames.length).toBeGreaterThan(30);
  for (const name of store.chunkNames) expect(digest(store.chunk(name)).startsWith(name)).toBe(true);
});

test('P2, P3: so are those of footers and of what lies before them', () => {
  for (const bytes of store.packs.values()) {
    const end = bytes.length - 44;
    const footer = bytes.subarray(end - bytes.readUInt32BE(end + 32), end);
    expect(digest(footer)).toBe(bytes.toString('hex', end, end + 32));
    // Three varints of few chunks take one byte each.
    expect(digest(bytes.subarray(0, end - footer.length))).toBe(footer.toString('hex', 3, 35));
  }
});

test('R13, R14: so are names of versions and content ids', () => {
  for (const { version, content } of expected) {
    expect(digest(store.chunk(version))).toBe(version);
    expect(contentOf(store.manifest(version), (text) => digest(Buffer.from(text)))).toBe(content);
  }
});
