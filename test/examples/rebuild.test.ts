import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { DATASET, POINTER_PATH, rebuildExample, type RebuiltExample } from '../../scripts/rebuild-example.ts';
import { defaultDatasetConfig, parseConfig } from '../../src/repo/config.ts';
import { decodePointer } from '../../src/records/pointer.ts';

const pointer = readFileSync(POINTER_PATH, 'utf8');
let rebuilt: RebuiltExample;

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'uttr-rebuild-'));
  try {
    rebuilt = await rebuildExample(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

describe('the pointer of the example', () => {
  test('names the content that the batches give', () => {
    expect(rebuilt.commits.at(-1)?.content).toBe(decodePointer(pointer, 'manifests/assistant.json').content);
  });

  test('is what a rebuild writes, to the last byte, where clock and author are the same', () => {
    expect(rebuilt.pointer).toBe(pointer);
  });

  test('has the dataset in uttr.json that add would write', () => {
    const text = readFileSync(join(POINTER_PATH, '../../uttr.json'), 'utf8');
    expect(parseConfig(text).datasets).toStrictEqual(
      parseConfig(JSON.stringify({ uttr: 1, datasets: { [DATASET]: defaultDatasetConfig(DATASET) } })).datasets,
    );
  });

  test('leaves a test side of a quarter, and nothing crossed, after each batch', () => {
    expect(rebuilt.commits.map(({ crossed }) => crossed)).toStrictEqual([0, 0, 0]);
    for (const { rows, sides } of rebuilt.commits) {
      expect((sides['test'] as number) / rows).toBeCloseTo(0.25, 1);
    }
  });
});
