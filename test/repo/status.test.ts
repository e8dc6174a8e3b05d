import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { reset, status, type DatasetStatus } from '../../src/repo/status.ts';
import { type Copy, DATASET, rows, World } from './world.ts';

const only = (copy: Copy): Promise<DatasetStatus> =>
  copy.open(async (repository) => (await status(repository)).datasets[0] as DatasetStatus);

describe('status', () => {
  test('follows a version from staged to committed to pushed', async () => {
    const copy = await new World().copy('ada');
    expect(await only(copy)).toMatchObject({ version: null, staged: null, local: 'absent', changed: false });
    await copy.add(rows(0, 4));
    expect(await only(copy)).toMatchObject({ version: null, staged: { changes: { added: 4 } }, changed: true });
    await copy.commit();
    expect(await only(copy)).toMatchObject({ staged: null, local: 'complete', remote: 'not-pushed', records: 4 });
    await copy.push();
    expect(await only(copy)).toMatchObject({ remote: 'pushed', changed: false });
  });

  test('of a clone says what is here', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(rows(0, 4));
    await ada.push();
    const clone = world.clone(ada, 'clone');
    expect(await only(clone)).toMatchObject({ local: 'absent', remote: 'unknown', records: 4, problem: null });
    await clone.records();
    expect((await only(clone)).local).toBe('partial');
    await clone.pull();
    expect(await only(clone)).toMatchObject({ local: 'complete', remote: 'pushed' });
  });

  test('tells of a pointer that cannot be read, and shows the others', async () => {
    const copy = await new World().copy('ada', { remote: false });
    await copy.put(rows(0, 4));
    writeFileSync(join(copy.root, 'manifests/broken.json'), readFileSync(join(copy.root, 'manifests/support.json')));
    const { datasets } = await copy.open(status);
    expect(datasets.map(({ dataset, problem }) => [dataset, problem])).toEqual([
      ['broken', 'manifests/broken.json is the pointer of "support"'],
      ['support', null],
    ]);
  });

  test('reset drops what is staged, with its file', async () => {
    const copy = await new World().copy('ada', { remote: false });
    await copy.add(rows(0, 4));
    expect(await copy.open((repository) => reset(repository, DATASET))).toBe(true);
    expect(await copy.open((repository) => reset(repository, DATASET))).toBe(false);
    expect((await only(copy)).staged).toBeNull();
    await expect(copy.open((repository) => reset(repository, 'other'))).rejects.toMatchObject({
      code: 'unknown-dataset',
    });
  });
});
