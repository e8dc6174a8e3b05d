import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type CrashPoint, setCrashHook } from '../../src/base/crash-points.ts';
import { init } from '../../src/repo/init.ts';
import {
  editConfig,
  findRoot,
  parsePointer,
  pointedDatasets,
  pointerPath,
  readPointer,
  requireRoot,
} from '../../src/repo/working-copy.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';
import { type Copy, rows, World } from './world.ts';

describe('the root', () => {
  test('is the nearest folder with a uttr.json', async () => {
    const root = temporaryDirectory();
    await init(root);
    mkdirSync(join(root, 'a/b'), { recursive: true });
    expect(findRoot(join(root, 'a/b'))).toBe(root);
    expect(() => requireRoot(temporaryDirectory())).toThrow(
      expect.objectContaining({ code: 'not-a-repository', hint: 'run: uttr init' }),
    );
  });
});

describe('editConfig', () => {
  test('keeps what it does not touch, and writes nothing that is not valid', async () => {
    const root = temporaryDirectory();
    await init(root);
    await editConfig(root, (config) => {
      config['datasets'] = { support: {} };
    });
    const before = readFileSync(join(root, 'uttr.json'), 'utf8');
    const editing = editConfig(root, (config) => {
      config['datsets'] = {};
    });
    await expect(editing).rejects.toMatchObject({ code: 'bad-config' });
    expect(readFileSync(join(root, 'uttr.json'), 'utf8')).toBe(before);
  });
});

describe('an interrupted commit', () => {
  /** Ends a commit at a point, as a killed process would; what it wrote stays. */
  async function commitUntil(copy: Copy, point: CrashPoint): Promise<void> {
    setCrashHook((reached) => {
      if (reached === point) throw new Error(`ended at ${point}`);
    });
    try {
      await expect(copy.commit()).rejects.toThrow(`ended at ${point}`);
    } finally {
      setCrashHook(undefined);
    }
  }

  const pointerOf = (copy: Copy): string => readFileSync(join(copy.root, 'manifests/support.json'), 'utf8');

  async function staged(): Promise<{ readonly copy: Copy; readonly before: string }> {
    const copy = await new World().copy('ada', { remote: false });
    await copy.put(rows(0, 2));
    await copy.add(rows(2, 2));
    return { copy, before: pointerOf(copy) };
  }

  test('W1: leaves the old pointer or the new one, whole', async () => {
    for (const point of ['commit.packs-written', 'commit.recorded', 'commit.pointer-written'] as const) {
      const { copy, before } = await staged();
      await commitUntil(copy, point);
      const records = parsePointer(pointerOf(copy), 'support').records;
      expect(pointerOf(copy) === before ? 2 : 4).toBe(records);
      expect(records).toBe(point === 'commit.pointer-written' ? 4 : 2);
    }
  });

  test('W2: the next command writes the pointer that a finished commit could not', async () => {
    const { copy, before } = await staged();
    await commitUntil(copy, 'commit.recorded');
    expect(pointerOf(copy)).toBe(before);
    await copy.open(async () => undefined);
    expect(parsePointer(pointerOf(copy), 'support').records).toBe(4);
    expect(copy.world.notes.join('\n')).toContain('finished an interrupted command');
  });

  test('W2: a pointer that was moved on since is left alone', async () => {
    const { copy } = await staged();
    await commitUntil(copy, 'commit.recorded');
    rmSync(join(copy.root, 'manifests/support.json'));
    await copy.open(async () => undefined);
    expect(await readPointer(copy.root, 'support')).toBeUndefined();
  });
});

describe('pointers', () => {
  test('lie below manifests/, and no name leads elsewhere', () => {
    expect(pointerPath('support')).toBe('manifests/support.json');
    for (const name of ['../x', 'a/b', 'a\\b', '', 'nul']) {
      expect(() => pointerPath(name)).toThrow(expect.objectContaining({ code: 'bad-dataset-name' }));
    }
  });

  test('are refused where they belong to another dataset', async () => {
    const copy = await new World().copy('ada', { remote: false });
    await copy.put(rows(0, 2));
    const text = readFileSync(join(copy.root, 'manifests/support.json'), 'utf8');
    expect(parsePointer(text, 'support').records).toBe(2);
    expect(() => parsePointer(text, 'other')).toThrow('manifests/other.json is the pointer of "support"');
    expect(await readPointer(copy.root, 'other')).toBeUndefined();
  });

  test('are listed by name; hidden files and others are none', async () => {
    const root = temporaryDirectory();
    expect(await pointedDatasets(root)).toEqual([]);
    mkdirSync(join(root, 'manifests'));
    for (const name of ['b.json', 'a.json', '.c.json', 'README.md']) writeFileSync(join(root, 'manifests', name), '');
    expect(await pointedDatasets(root)).toEqual(['a', 'b']);
  });
});
