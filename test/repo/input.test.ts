import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openArchive } from '../../src/formats/archive.ts';
import { BatchInput, readText } from '../../src/repo/input.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

const fileSource = (path: string, name = 'batches/a.csv') => ({ kind: 'file', path, name }) as const;

async function* pieces(...parts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

async function readAll(input: BatchInput): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(input.chunks()));
}

describe('BatchInput', () => {
  test('gives every byte once, whatever was looked at before, and their hash', async () => {
    const bytes = Buffer.alloc(3 << 20, 'some bytes ');
    const path = join(temporaryDirectory(), 'a');
    writeFileSync(path, bytes);
    const input = await BatchInput.open(fileSource(path));
    expect((await input.head()).length).toBe(64 * 1024);
    expect((await input.head()).equals(bytes.subarray(0, 64 * 1024))).toBe(true);
    expect((await readAll(input)).equals(bytes)).toBe(true);
    expect(input.sizeBytes).toBe(bytes.length);
    expect(input.digest()).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect([input.name, input.batchName]).toEqual(['batches/a.csv', 'a.csv']);
    await input.close();
  });

  test('reads a stream in pieces of any size', async () => {
    const input = await BatchInput.open({ kind: 'stream', name: '<stdin>', stream: pieces('a', '', 'bc') });
    expect((await input.head()).toString()).toBe('abc');
    expect((await readAll(input)).toString()).toBe('abc');
  });

  test('refuses a file that changes while it is read', async () => {
    const path = join(temporaryDirectory(), 'a');
    writeFileSync(path, 'one');
    const input = await BatchInput.open(fileSource(path));
    appendFileSync(path, ' more');
    await expect(readAll(input)).rejects.toMatchObject({ code: 'unreadable-file', details: { file: 'batches/a.csv' } });
    await input.close();
  });

  test('a folder is read as an archive of its files, without hidden ones; an empty one is refused', async () => {
    const folder = temporaryDirectory();
    mkdirSync(join(folder, 'agent', 'intents'), { recursive: true });
    const open = (): Promise<BatchInput> => BatchInput.open(fileSource(join(folder, 'agent'), 'agent'));
    await expect(open().then(readAll)).rejects.toMatchObject({
      code: 'unreadable-file',
      message: 'agent is a folder without files',
    });
    writeFileSync(join(folder, 'agent', 'intents', 'b.json'), '[]');
    writeFileSync(join(folder, 'agent', 'a.json'), '{}');
    writeFileSync(join(folder, 'agent', '.hidden'), '');
    const archive = await openArchive(await (await open()).gather(), 'agent');
    expect(archive.entries.map(({ path }) => path)).toEqual(['a.json', 'intents/b.json']);
    const [first, second] = [await open(), await open()];
    expect(await readAll(first)).toEqual(await readAll(second));
    expect(first.digest()).toBe(second.digest());
  });

  test('suggests the nearest name for one that nothing has', async () => {
    const folder = temporaryDirectory();
    writeFileSync(join(folder, 'support.csv'), '');
    await expect(BatchInput.open(fileSource(join(folder, 'suport.csv'), 'suport.csv'))).rejects.toMatchObject({
      code: 'unreadable-file',
      message: 'suport.csv does not exist',
      hint: 'did you mean support.csv?',
    });
  });

  test('stops waiting for a silent stream when it is told to', async () => {
    const controller = new AbortController();
    async function* silent(): AsyncIterable<Uint8Array> {
      yield Buffer.from('text,intent\n');
      await new Promise(() => undefined);
    }
    const input = await BatchInput.open({ kind: 'stream', name: '-', stream: silent() }, controller.signal);
    const reading = readAll(input);
    setImmediate(() => controller.abort());
    await expect(reading).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('readText', () => {
  test('reads UTF-8 without its mark, and refuses anything else', async () => {
    const stream = pieces('\uFEFFgood', ' bye');
    expect(await readText({ kind: 'stream', name: '-', stream })).toBe('good bye');
    const path = join(temporaryDirectory(), 'a');
    writeFileSync(path, Buffer.of(0x62, 0xe4, 0x64));
    await expect(readText(fileSource(path))).rejects.toMatchObject({ code: 'bad-format' });
  });
});
