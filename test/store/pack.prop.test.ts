/**
 * No footer, however made, does harm: it is refused as a bad pack, or it describes frames and chunks that fill
 * the pack without gap or overlap (P3, P4, P5).
 *
 * Method: bytes of the frozen pack's footer are changed, dropped and doubled at random, and the footer is given a
 * valid digest again, as somebody who means harm would.
 */
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isUttrError } from '../../src/base/errors.ts';
import { sha256Bytes } from '../../src/base/hash.ts';
import { decodeFooter, footerLength, PACK_TRAILER_BYTES, type PackIndex } from '../../src/store/pack.ts';

const NAME = 'packs/d/01KDVDH3G8KDVDH3G8KDVDH3G8';
const pack = readFileSync(new URL('../golden/pack-v1/pack.bin', import.meta.url));
const frozen = pack.subarray(pack.length - footerLength(NAME, pack), pack.length - PACK_TRAILER_BYTES);

const change = fc.record({
  at: fc.nat(frozen.length),
  drop: fc.nat(3),
  insert: fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.constant(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x07))),
});

function seal(footer: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(footer.length);
  return Buffer.concat([footer, sha256Bytes(footer), length, Buffer.from('uttrend\u0001', 'latin1')]);
}

/** What is wrong with the places that an index gives. */
function faultsOf(index: PackIndex): string[] {
  const faults: string[] = [];
  const check = (isRight: boolean, claim: string): void => {
    if (!isRight) faults.push(claim);
  };
  let end = 8;
  let chunk = 0;
  for (const [number, frame] of index.frames.entries()) {
    check(frame.offset === end, `frame ${number} follows the one before`);
    check(frame.firstChunk === chunk, `frame ${number} has the next chunks`);
    end += frame.storedBytes;
    let rawBytes = 0;
    for (; chunk < frame.firstChunk + frame.chunkCount; chunk += 1) {
      const place = index.chunks[chunk];
      check(place?.frame === number && place.offset === rawBytes, `chunk ${chunk} follows the one before`);
      rawBytes += place?.length ?? 0;
    }
    check(frame.rawBytes === rawBytes, `frame ${number} has the bytes of its chunks`);
  }
  check(chunk === index.chunks.length, 'each chunk is in a frame');
  check(end < index.sizeBytes, 'the footer follows the frames');
  return faults;
}

test('a footer changed at random and sealed again is refused or describes a sound pack', () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      let footer: Buffer = frozen;
      for (const { at, drop, insert } of changes) {
        footer = Buffer.concat([footer.subarray(0, at), insert, footer.subarray(at + drop)]);
      }
      let index: PackIndex;
      try {
        index = decodeFooter(NAME, seal(footer));
      } catch (error) {
        if (!isUttrError(error, 'bad-pack')) throw error;
        return;
      }
      expect(faultsOf(index)).toEqual([]);
    }),
    { numRuns: 3000 },
  );
});
