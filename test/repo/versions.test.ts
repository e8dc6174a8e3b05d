import { describe, expect, test } from 'vitest';
import { parseTarget, resolveVersion } from '../../src/repo/versions.ts';
import { type Copy, DATASET, rows, World } from './world.ts';

const resolved = (copy: Copy, name: string): Promise<string> =>
  copy.open(async (repository) => (await resolveVersion(repository, parseTarget(repository, name))).hash);

async function copyWith(versions: number): Promise<{ readonly copy: Copy; readonly hashes: readonly string[] }> {
  const copy = await new World().copy('ada', { remote: false });
  const hashes: string[] = [];
  for (let version = 0; version < versions; version++) hashes.push((await copy.put(rows(version, 1))).version);
  return { copy, hashes };
}

describe('a name of a version', () => {
  test('is a hash, the beginning of one, HEAD, or steps back from any of them', async () => {
    const { copy, hashes } = await copyWith(4);
    const [first, second, third, fourth] = hashes as [string, string, string, string];
    const names: Record<string, string> = {
      HEAD: fourth,
      '@': fourth,
      [DATASET]: fourth,
      [`${DATASET}@`]: fourth,
      'HEAD~': third,
      'HEAD~2~': first,
      'HEAD~~': second,
      'HEAD~0': fourth,
      [third]: third,
      [third.slice(0, 6)]: third,
      [`${DATASET}@${third.slice(0, 20)}~1`]: second,
    };
    for (const [name, hash] of Object.entries(names)) expect([name, await resolved(copy, name)]).toEqual([name, hash]);
  });

  test('that several versions begin with is ambiguous', async () => {
    const { copy, hashes } = await copyWith(1);
    const [hash = ''] = hashes;
    await copy.open(async ({ catalogue }) => {
      const row = catalogue.version(hash as never);
      if (row === undefined) throw new Error('the version is not there');
      const twin = `${hash.slice(0, 10)}${'0'.repeat(54)}` as typeof row.hash;
      catalogue.transaction(() => catalogue.addVersion({ ...row, hash: twin }));
    });
    await expect(resolved(copy, hash.slice(0, 8))).rejects.toMatchObject({ code: 'ambiguous-version' });
    expect(await resolved(copy, hash.slice(0, 12))).toBe(hash);
  });

  test.each(['HEAD~9', 'abc', '0000000', '@nothing', 'git:', 'git:--all', 'git:main', '~', '@~'])(
    '%s leads nowhere',
    async (name) => {
      const { copy } = await copyWith(1);
      await expect(resolved(copy, name)).rejects.toMatchObject({ kind: 'usage' });
    },
  );

  test('of a dataset without a version says what to do', async () => {
    const { copy } = await copyWith(0);
    await expect(resolved(copy, 'HEAD')).rejects.toMatchObject({ hint: expect.stringContaining('uttr add') as string });
    await copy.add(rows(0, 1));
    await expect(resolved(copy, 'HEAD')).rejects.toMatchObject({
      hint: expect.stringContaining('uttr commit') as string,
    });
  });
});
