import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exportVersion, type ExportSummary } from '../../src/repo/export.ts';
import { Repository } from '../../src/repo/repository.ts';
import { type Copy, rows, World } from './world.ts';

async function exported(
  copy: Copy,
  options: { format?: string; side?: string; folder?: string },
): Promise<ExportSummary> {
  const version = await copy.head();
  return copy.open((repository) =>
    exportVersion(repository, version, {
      directory: join(copy.root, options.folder ?? 'out'),
      format: options.format ?? 'jsonl',
      side: options.side,
    }),
  );
}

async function newCopy(): Promise<Copy> {
  const copy = await new World().copy('ada', { remote: false });
  await copy.put([...rows(0, 40), { text: 'two', intent: ['a', 'b'], meta: { x: [1] } }, { text: 'no label' }]);
  return copy;
}

describe('exportVersion', () => {
  test('writes each side once, the same bytes each time, and says how many records there are', async () => {
    const copy = await newCopy();
    const summary = await exported(copy, {});
    expect(summary.files.map(({ side }) => side)).toEqual(['train', 'test']);
    for (const { path, records, bytes } of summary.files) {
      const text = readFileSync(path, 'utf8');
      expect(text.trim().split('\n')).toHaveLength(records);
      expect(Buffer.byteLength(text)).toBe(bytes);
    }
    expect(readdirSync(join(copy.root, 'out')).sort()).toEqual(['test.jsonl', 'train.jsonl']);
    const again = await exported(copy, { folder: 'again' });
    for (const [index, { path }] of summary.files.entries()) {
      expect(readFileSync(again.files[index]?.path ?? '').equals(readFileSync(path))).toBe(true);
    }
  });

  test('writes records without a label where they are asked for', async () => {
    const copy = await newCopy();
    const { files } = await exported(copy, { side: 'unlabelled' });
    expect(readFileSync(files[0]?.path ?? '', 'utf8')).toBe('{"text":"no label"}\n');
    await expect(exported(copy, { side: 'dev' })).rejects.toMatchObject({ code: 'bad-option' });
  });

  test('replaces older files, and leaves them whole where it is interrupted', async () => {
    const copy = await newCopy();
    mkdirSync(join(copy.root, 'out'));
    for (const name of ['train.jsonl', 'test.jsonl']) writeFileSync(join(copy.root, 'out', name), 'old\n');
    const controller = new AbortController();
    const repository = await Repository.open(copy.root, {
      clock: copy.world.clock,
      random: copy.world.random,
      environment: {},
      signal: controller.signal,
    });
    const version = await copy.head();
    controller.abort();
    const directory = join(copy.root, 'out');
    await expect(exportVersion(repository, version, { directory, format: 'jsonl' })).rejects.toMatchObject({
      code: 'aborted',
    });
    await repository.close();
    expect(readdirSync(directory).sort()).toEqual(['test.jsonl', 'train.jsonl']);
    expect(readFileSync(join(directory, 'train.jsonl'), 'utf8')).toBe('old\n');
    await exported(copy, {});
    expect(readFileSync(join(directory, 'train.jsonl'), 'utf8')).not.toContain('old');
  });

  test('of an empty side is an empty file', async () => {
    const copy = await new World().copy('ada', { remote: false });
    await copy.put(rows(0, 1));
    const { files } = await exported(copy, {});
    expect(files.map(({ records }) => records).sort((a, b) => a - b)).toEqual([0, 1]);
    expect((await exported(copy, { format: 'csv', folder: 'csv' })).files).toHaveLength(2);
  });

  test('refuses a format that cannot be written, and a folder that is a file', async () => {
    const copy = await newCopy();
    await expect(exported(copy, { format: 'xml' })).rejects.toMatchObject({ code: 'bad-option' });
    await expect(exported(copy, { folder: 'uttr.json' })).rejects.toMatchObject({ code: 'bad-option' });
  });
});
