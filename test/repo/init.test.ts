import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { init } from '../../src/repo/init.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

describe('init', () => {
  test('keeps what is there', async () => {
    const root = temporaryDirectory();
    writeFileSync(join(root, 'uttr.json'), '{"uttr":1,"datasets":{"support":{}}}');
    writeFileSync(join(root, '.gitignore'), 'node_modules');
    expect(await init(root, 'ignored-for-it-is-there')).toEqual({
      root,
      created: ['.uttr/', '.gitignore'],
      git: false,
    });
    expect(readFileSync(join(root, 'uttr.json'), 'utf8')).toBe('{"uttr":1,"datasets":{"support":{}}}');
    expect(readFileSync(join(root, '.gitignore'), 'utf8')).toBe('node_modules\n/.uttr/\n');
    expect((await init(root)).created).toEqual([]);
  });

  test('in a git repository installs the drivers and keeps the data out of git', async () => {
    const root = temporaryDirectory();
    execFileSync('git', ['init', '-q'], { cwd: root });
    const summary = await init(root);
    expect(summary).toMatchObject({ git: true, created: expect.arrayContaining(['.gitattributes']) as string[] });
    const status = execFileSync('git', ['status', '--porcelain', '-uall'], { cwd: root, encoding: 'utf8' });
    expect(status).not.toContain('.uttr/');
    expect(readFileSync(join(root, '.gitattributes'), 'utf8')).toContain('manifests/*.json');
  });

  test('refuses to begin a project inside another', async () => {
    const root = temporaryDirectory();
    await init(root);
    mkdirSync(join(root, 'inner'));
    await expect(init(join(root, 'inner'))).rejects.toMatchObject({ code: 'bad-config' });
  });
});
