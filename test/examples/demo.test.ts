import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const DEMO = join(import.meta.dirname, '../../scripts/demo.ts');

describe('the demonstration', () => {
  test('trains once per batch, crosses nothing, ends with the content id of the example, and cleans up', () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [DEMO], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).not.toContain('not as it should be');
    expect(status).toBe(0);
    expect(stdout.match(/^accuracy 0\.\d+ on \d+ test utterances/gmu)).toHaveLength(3);
    expect(stdout.match(/ {2}0 crossed$/gmu)).toHaveLength(3);
    expect(stdout).toMatch(/^ +3 +853 +636 +217 +0 +0\.\d{3}$/mu);
    expect(stdout).toContain('Texts in the train file of any version and the test file of any version: 0.');
    const folder = /^It all happened in (?<folder>.+), which is removed again/mu.exec(stdout)?.groups?.['folder'];
    expect(existsSync(folder as string)).toBe(false);
  }, 60_000);
});
