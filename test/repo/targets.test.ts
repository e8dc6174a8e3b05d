import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isUttrError } from '../../src/base/errors.ts';
import { parseHash } from '../../src/base/hash.ts';
import { add } from '../../src/repo/add.ts';
import { commit } from '../../src/repo/commit.ts';
import { init } from '../../src/repo/init.ts';
import { Repository } from '../../src/repo/repository.ts';
import { parseTarget } from '../../src/repo/versions.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

const around = { clock: { now: () => new Date() }, random: { bytes: randomBytes }, environment: {} };

async function commitDataset(repository: Repository, dataset: string): Promise<string> {
  const file = join(repository.root, `${dataset}.csv`);
  writeFileSync(file, 'text,intent\nhello,greet\nhi,greet\n');
  await add(repository, dataset, [{ kind: 'file', path: file, name: file }], { allowNew: true });
  return (await commit(repository, dataset, { author: 'Ada' })).version;
}

test('a tag alone names a version where there is one dataset, and needs its dataset where there are two', async () => {
  const root = temporaryDirectory();
  await init(root);
  const repository = await Repository.open(root, around);
  try {
    const version = parseHash(await commitDataset(repository, 'support'));
    repository.catalogue.transaction(() => repository.catalogue.setTag('support', 'v1', version));
    expect(parseTarget(repository, 'v1')).toStrictEqual({ dataset: 'support', name: 'v1' });
    expect(parseTarget(repository, 'support')).toStrictEqual({ dataset: 'support', name: 'HEAD' });
    const unknown = (text: string): unknown => {
      try {
        return parseTarget(repository, text);
      } catch (error) {
        return isUttrError(error, 'unknown-dataset');
      }
    };
    expect(unknown('v2')).toBe(true);
    await commitDataset(repository, 'sales');
    expect(unknown('v1')).toBe(true);
    expect(parseTarget(repository, 'support@v1')).toStrictEqual({ dataset: 'support', name: 'v1' });
  } finally {
    await repository.close();
  }
});
