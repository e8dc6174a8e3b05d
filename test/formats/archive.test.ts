import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { openArchive, type PackedFile, rootedAt, writeArchive } from '../../src/formats/archive.ts';
import { isZip } from '../../src/formats/signature.ts';

async function packed(files: readonly PackedFile[], level?: 0 | 6): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(writeArchive(files, level)));
}

const FILES: readonly PackedFile[] = [
  { path: 'agent/agent.json', bytes: Buffer.from('{}') },
  { path: 'agent/intents/héllo wörld.json', bytes: Buffer.from('[1]'.repeat(1000)) },
  { path: '__MACOSX/agent/._agent.json', bytes: Buffer.from('x') },
];

describe('zip archives', () => {
  test('are read as they were written, in the order of their paths, without what macOS adds', async () => {
    for (const level of [0, 6] as const) {
      const bytes = await packed(FILES.toReversed(), level);
      expect(isZip(bytes)).toBe(true);
      const { entries } = await openArchive(bytes, 'a.zip');
      expect(entries.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
        ['agent/agent.json', 2],
        ['agent/intents/héllo wörld.json', 3000],
      ]);
      expect(String(await entries[0]?.read())).toBe('{}');
      expect(Buffer.concat(await Array.fromAsync(entries[1]?.stream() ?? []))).toEqual(await entries[1]?.read());
      expect((await entries[1]?.read())?.equals(FILES[1]?.bytes as Buffer)).toBe(true);
    }
  });

  test('the same files give the same bytes, wherever they are written (Z3)', async () => {
    const first = await packed(FILES);
    expect(await packed(FILES)).toEqual(first);
    const script = `import { writeArchive } from ${JSON.stringify(new URL('../../src/formats/archive.ts', import.meta.url).href)};
      const parts = await Array.fromAsync(writeArchive([{ path: 'agent/agent.json', bytes: Buffer.from('{}') }]));
      process.stdout.write(Buffer.concat(parts).toString('hex'));`;
    const elsewhere = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, TZ: 'Pacific/Kiritimati' },
      encoding: 'utf8',
    });
    expect(elsewhere).toBe((await packed(FILES.slice(0, 1))).toString('hex'));
  });

  test('take files in pieces, and give them so', async () => {
    const text = Buffer.from(Array.from({ length: 100_000 }, (_, index) => `line ${index}\n`).join(''));
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      for (let from = 0; from < text.length; from += 50_000) yield text.subarray(from, from + 50_000);
    };
    const archive = Buffer.concat(await Array.fromAsync(writeArchive([{ path: 'a.txt', bytes: bytes() }])));
    const { entries } = await openArchive(archive, 'a.zip');
    const pieces: Buffer[] = [];
    for await (const piece of entries[0]?.stream() ?? []) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(2);
    expect(Buffer.concat(pieces).equals(text)).toBe(true);
    for await (const piece of entries[0]?.stream() ?? []) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
  });

  test('are looked at from the folder that the marking file lies in', async () => {
    const archive = await openArchive(await packed(FILES), 'a.zip');
    expect(rootedAt(archive, 'agent.json')?.entries.map(({ path }) => path)).toEqual([
      'agent.json',
      'intents/héllo wörld.json',
    ]);
    expect(rootedAt(archive, 'app.json')).toBeUndefined();
  });

  test('names that lead out of the archive are refused (Z1)', async () => {
    for (const path of ['../evil.json', '/etc/passwd', 'a/../../b', 'C:/x', 'a\\..\\b']) {
      const bytes = await packed([{ path, bytes: Buffer.from('{}') }]);
      await expect(openArchive(bytes, 'a.zip')).rejects.toMatchObject({ code: 'bad-format' });
    }
  });

  test('what would unpack to too much is refused before it is unpacked (Z2)', async () => {
    const bomb = await packed([{ path: 'a.json', bytes: Buffer.alloc(32 * 2 ** 20) }]);
    expect(bomb.length).toBeLessThan(2 ** 18);
    await expect(openArchive(bomb, 'bomb.zip')).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringMatching(/a\.json would unpack to \d+ times its size/u),
    });
    const many = Array.from({ length: 20_001 }, (_, index) => ({ path: `${index}`, bytes: Buffer.alloc(0) }));
    await expect(openArchive(await packed(many, 0), 'many.zip')).rejects.toMatchObject({
      message: expect.stringContaining('more than 20000 entries'),
    });
  });

  test('an entry that unpacks to more than the directory says is refused (Z2)', async () => {
    const bytes = await packed([{ path: 'a.json', bytes: Buffer.from('x'.repeat(5000)) }]);
    const lying = Buffer.from(bytes);
    // The size in the central directory, and in the descriptor after the data.
    const directory = lying.indexOf(Buffer.from('PK\u0001\u0002', 'latin1'));
    lying.writeUInt32LE(10, directory + 24);
    const { entries } = await openArchive(lying, 'lying.zip');
    await expect(entries[0]?.read()).rejects.toMatchObject({ code: 'bad-format' });
  });

  test('cut short at any length, they are refused', async () => {
    const bytes = await packed(FILES);
    for (let length = 0; length < bytes.length; length += 7) {
      await expect(openArchive(bytes.subarray(0, length), 'cut.zip')).rejects.toMatchObject({ code: 'bad-format' });
    }
  });

  test('an entry with another byte than was written is refused', async () => {
    const bytes = await packed([{ path: 'a.json', bytes: Buffer.from('{"text":"hello"}') }], 0);
    const at = bytes.indexOf('hello');
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    const { entries } = await openArchive(bytes, 'a.zip');
    await expect(entries[0]?.read()).rejects.toMatchObject({ message: expect.stringContaining('a.json is damaged') });
  });
});
