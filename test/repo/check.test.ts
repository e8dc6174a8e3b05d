import { describe, expect, test } from 'vitest';
import { checkVersion, type CheckOptions, type VersionCheck } from '../../src/repo/check.ts';
import { headVersion } from '../../src/repo/versions.ts';
import { editConfig } from '../../src/repo/working-copy.ts';
import { type Copy, DATASET, rows, World } from './world.ts';

function check(copy: Copy, options: CheckOptions = {}): Promise<VersionCheck> {
  return copy.open(async (repository) => {
    const version = await headVersion(repository, DATASET);
    if (version === undefined) throw new Error('there is no version');
    return checkVersion(repository, version, options);
  });
}

describe('checkVersion', () => {
  test('sees every record of every side once, and groups whole', async () => {
    const copy = await new World().copy('ada', { remote: false });
    const base = rows(0, 3000);
    await copy.put([...base, { text: 'To-do list', intent: 'intent 0' }, { text: 'to do list', intent: 'intent 1' }]);
    await copy.put([{ text: 'no label here' }]);
    const report = await check(copy);
    expect(report).toMatchObject({ ok: false, dataset: DATASET, records: 3003 });
    const conflicts = report.findings.filter((finding) => finding.check === 'conflicting-labels');
    expect(conflicts).toHaveLength(1);
    expect(conflicts[0]?.records.map(({ text }) => text).toSorted()).toEqual(['To-do list', 'to do list']);
    expect(conflicts[0]?.records[0]?.side).toBe(conflicts[0]?.records[1]?.side);
  });

  test('a history of removals, edits and relabelling never leaks, and its texts come back to their side', async () => {
    const copy = await new World().copy('ada', { remote: false });
    await copy.put(rows(0, 60));
    const gone = rows(0, 30).map(({ text }) => text);
    await copy.remove(...gone);
    await copy.relabel('utterance number 40', 'intent 2');
    await copy.put(rows(0, 30));
    expect((await check(copy, { only: ['leaks'] })).findings).toEqual([]);
  });

  test('new intents are told against the parent version', async () => {
    const copy = await new World().copy('ada', { remote: false });
    await copy.put(rows(0, 30));
    expect((await check(copy, { only: ['intent-changes'] })).findings).toEqual([]);
    await copy.put([{ text: 'something new', intent: 'intent 9' }]);
    expect((await check(copy, { only: ['intent-changes'] })).findings.map(({ message }) => message)).toEqual([
      '"intent 9" is new, with 1 text',
    ]);
  });

  test('the settings of the dataset hold, and an unknown check has a hint', async () => {
    const copy = await new World().copy('ada', { remote: false });
    await copy.put(rows(0, 60));
    expect((await check(copy)).counts.error).toBe(0);
    await editConfig(copy.root, (config) => {
      const datasets = config['datasets'] as Record<string, Record<string, unknown>>;
      (datasets[DATASET] as Record<string, unknown>)['checks'] = { expectations: { minRows: 61 } };
    });
    expect(await check(copy)).toMatchObject({ ok: false, counts: { error: 1 } });
    await expect(check(copy, { only: ['leak'] })).rejects.toMatchObject({
      code: 'bad-option',
      hint: 'did you mean "leaks"?',
    });
  });
});
