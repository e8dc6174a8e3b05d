import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { add } from '../../src/repo/add.ts';
import { commit } from '../../src/repo/commit.ts';
import { fsckRemote } from '../../src/repo/fsck.ts';
import { init } from '../../src/repo/init.ts';
import { pull } from '../../src/repo/pull.ts';
import { push } from '../../src/repo/push.ts';
import { Repository } from '../../src/repo/repository.ts';
import { editConfig } from '../../src/repo/working-copy.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

const around = { clock: { now: () => new Date() }, random: { bytes: randomBytes }, environment: {} };

async function using<T>(root: string, work: (repository: Repository) => Promise<T>): Promise<T> {
  const repository = await Repository.open(root, around);
  try {
    return await work(repository);
  } finally {
    await repository.close();
  }
}

async function commitRows(root: string, from: number, count: number): Promise<void> {
  const file = join(root, `batch-${from}.csv`);
  const rows = Array.from({ length: count }, (_, at) => `utterance number ${from + at},intent_${at % 3}`);
  writeFileSync(file, ['text,intent', ...rows, ''].join('\n'));
  await using(root, async (repository) => {
    await add(repository, 'support', [{ kind: 'file', path: file, name: file }]);
    await commit(repository, 'support', { author: 'Ada' });
  });
}

test('a working copy that holds the newest version only pushes the whole history to a second remote', async () => {
  const [first, second, writer, reader] = Array.from({ length: 4 }, temporaryDirectory) as [
    string,
    string,
    string,
    string,
  ];
  await init(writer, first);
  for (const from of [0, 500, 1000]) await commitRows(writer, from, 400);
  await using(writer, (repository) => push(repository, undefined, ['support']));

  await init(reader, first);
  await using(reader, (repository) => pull(repository, { datasets: ['support'] }));
  await editConfig(reader, (config) => {
    (config['remotes'] as Record<string, unknown>)['backup'] = { url: second };
  });
  const summary = await using(reader, (repository) => push(repository, 'backup', ['support']));
  expect(summary.versions).toBe(3);

  const check = temporaryDirectory();
  await init(check, second);
  await using(check, (repository) => pull(repository, { datasets: ['support'] }));
  await using(check, async (repository) => {
    const report = await fsckRemote(repository, 'origin');
    expect(report).toMatchObject({ ok: true, versions: 3 });
  });
});
