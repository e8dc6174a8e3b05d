import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { add } from '../../src/repo/add.ts';
import { exportVersion, type ExportSummary } from '../../src/repo/export.ts';
import { Repository } from '../../src/repo/repository.ts';
import { type Copy, DATASET, rows, World } from './world.ts';
import { pythonWith } from '../formats/python.ts';

async function exported(copy: Copy, folder: string, side?: string): Promise<ExportSummary> {
  const version = await copy.head();
  return copy.open((repository) =>
    exportVersion(repository, version, { directory: join(copy.root, folder), format: 'huggingface', side }),
  );
}

async function newCopy(): Promise<Copy> {
  const copy = await new World().copy('ada', { remote: false });
  await copy.put([
    ...rows(0, 40),
    { text: 'two \u{1F600}', intent: ['a', 'b'], features: { a: 1, b: null }, meta: { x: [1] } },
    { text: 'no label' },
  ]);
  return copy;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

const { command: python, note } = pythonWith('datasets');

describe('export of a folder', () => {
  test('writes a card and one file for each side, the same bytes each time', async () => {
    const copy = await newCopy();
    const { files, losses, format } = await exported(copy, 'out');
    expect([format, losses]).toEqual(['huggingface', []]);
    expect(files.map(({ side, path }) => [side, path.slice(copy.root.length + 5)])).toEqual([
      [undefined, 'README.md'],
      ['train', 'data/train-00000-of-00001.parquet'],
      ['test', 'data/test-00000-of-00001.parquet'],
    ]);
    expect(files.reduce((sum, { records }) => sum + records, 0)).toBe(41);
    expect(filesBelow(join(copy.root, 'out'))).toEqual(
      files.map(({ path }) => path.slice(copy.root.length + 5)).sort(),
    );
    for (const { path, bytes } of files) expect(readFileSync(path)).toHaveLength(bytes);
    const again = await exported(copy, 'again');
    for (const [index, { path }] of files.entries()) {
      expect(readFileSync(again.files[index]?.path ?? '').equals(readFileSync(path))).toBe(true);
    }
  });

  test('of one side has only that side', async () => {
    const copy = await newCopy();
    const { files } = await exported(copy, 'out', 'unlabelled');
    expect(filesBelow(join(copy.root, 'out'))).toEqual(['README.md', 'data/unlabelled-00000-of-00001.parquet']);
    expect(files.map(({ records }) => records)).toEqual([0, 1]);
    expect(readFileSync(join(copy.root, 'out/README.md'), 'utf8')).not.toContain('train');
  });

  test('is read again as the same records, each on its side', async () => {
    const copy = await newCopy();
    await exported(copy, 'out');
    await exported(copy, 'more', 'unlabelled');
    const other = await new World().copy('bob', { remote: false });
    const sources = ['out', 'more'].map((name) => ({ kind: 'file' as const, path: join(copy.root, name), name }));
    const { rows: read, files } = await other.open((repository) => add(repository, DATASET, sources, {}));
    expect([read.accepted, read.rejected]).toEqual([42, 0]);
    expect(files.map(({ format, split }) => [format, [...(split?.values.keys() ?? [])].sort()])).toEqual([
      ['huggingface', ['test', 'train']],
      ['huggingface', ['unlabelled']],
    ]);
    await other.commit();
    expect(await other.records()).toEqual(await copy.records());
  });

  test('leaves older files whole where it is interrupted', async () => {
    const copy = await newCopy();
    const directory = join(copy.root, 'out');
    mkdirSync(join(directory, 'data'), { recursive: true });
    writeFileSync(join(directory, 'README.md'), 'old');
    const controller = new AbortController();
    const repository = await Repository.open(copy.root, {
      clock: copy.world.clock,
      random: copy.world.random,
      environment: {},
      signal: controller.signal,
    });
    const version = await copy.head();
    controller.abort();
    await expect(exportVersion(repository, version, { directory, format: 'huggingface' })).rejects.toMatchObject({
      code: 'aborted',
    });
    await repository.close();
    expect(filesBelow(directory)).toEqual(['README.md']);
    expect(readFileSync(join(directory, 'README.md'), 'utf8')).toBe('old');
  });

  test.skipIf(python === undefined)(`is what datasets.load_dataset reads${note}`, { timeout: 180_000 }, async () => {
    const copy = await newCopy();
    await exported(copy, 'out');
    const script = `
import sys, json, datasets
datasets.disable_progress_bars()
found = datasets.load_dataset(sys.argv[1], cache_dir=sys.argv[2])
print(json.dumps({split: rows.to_list() for split, rows in found.items()}))`;
    const output = execFileSync(python ?? '', ['-c', script, join(copy.root, 'out'), join(copy.root, 'cache')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, HF_HUB_OFFLINE: '1', HF_HOME: join(copy.root, 'home') },
    });
    const found = JSON.parse(output) as Record<string, Record<string, unknown>[]>;
    expect(Object.keys(found).sort()).toEqual(['test', 'train']);
    const all = Object.values(found).flat();
    expect(all).toHaveLength(41);
    expect(Object.keys(all[0] ?? {})).toEqual(['text', 'intent', 'id', 'lang', 'entities', 'features', 'meta']);
    expect(all.find(({ text }) => text === 'two \u{1F600}')).toEqual({
      text: 'two \u{1F600}',
      intent: '["a","b"]',
      id: null,
      lang: null,
      entities: null,
      features: '{"a":1,"b":null}',
      meta: '{"x":[1]}',
    });
  });
});
