import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256, type Hash } from '../../src/base/hash.ts';
import { ChunkFileWriter, readChunkFile } from '../../src/store/chunk-file.ts';

const MEBIBYTE = 2 ** 20;
const chunk = (text: string): [Hash, Buffer] => [sha256(text), Buffer.from(text)];

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uttr-chunks-'));
  path = join(folder, 'a.chunks');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(chunks: readonly [Hash, Buffer][], limitBytes = MEBIBYTE): void {
  const writer = new ChunkFileWriter(path, limitBytes);
  writer.add(chunks);
  writer.close();
}

describe('a file of chunks', () => {
  test('gives back what was written, each chunk once, and goes on where another writer ended', async () => {
    write([chunk('one'), chunk('two'), chunk('one')]);
    write([chunk('three')]);
    expect([...(await readChunkFile(path))]).toEqual([chunk('one'), chunk('two'), chunk('three')]);
    expect(statSync(path).size).toBe(3 * 36 + 'onetwothree'.length);
  });

  test('its bytes are names, lengths and chunks', () => {
    write([chunk('one')]);
    expect(readFileSync(path)).toEqual(
      Buffer.concat([Buffer.from(sha256('one'), 'hex'), Buffer.of(3, 0, 0, 0), Buffer.from('one')]),
    );
  });

  test('what is beyond the limit is left out, also what another writer had begun', async () => {
    write([chunk('one'), chunk('two')], 36 + 3);
    write([chunk('three')], 36 + 3);
    expect([...(await readChunkFile(path))]).toEqual([chunk('one')]);
  });

  test('no file is made where nothing is written, and a file that is not there holds nothing', async () => {
    new ChunkFileWriter(path, MEBIBYTE).close();
    expect(existsSync(path)).toBe(false);
    expect((await readChunkFile(path)).size).toBe(0);
  });

  test('a place that cannot be written to is no failure', () => {
    const writer = new ChunkFileWriter(join(folder, 'nowhere', 'a.chunks'), MEBIBYTE);
    expect(() => {
      writer.add([chunk('one')]);
      writer.close();
    }).not.toThrow();
  });

  test('a file that is cut short or has other bytes at its end gives the whole entries before', async () => {
    write([chunk('one'), chunk('two')]);
    truncateSync(path, statSync(path).size - 1);
    expect([...(await readChunkFile(path))]).toEqual([chunk('one')]);
    appendFileSync(path, 'garbage');
    expect((await readChunkFile(path)).get(sha256('one'))).toEqual(Buffer.from('one'));
    writeFileSync(path, Buffer.alloc(100, 0xff));
    expect((await readChunkFile(path)).size).toBe(0);
  });
});
