import { describe, expect, test } from 'vitest';
import { editConfig } from '../../src/repo/working-copy.ts';
import { type Copy, DATASET, type Row, rows, World } from './world.ts';

async function withChecks(checks: unknown): Promise<Copy> {
  const copy = await new World().copy('ada', { remote: false });
  await editConfig(copy.root, (config) => {
    const datasets = config['datasets'] as Record<string, Record<string, unknown>>;
    (datasets[DATASET] as Record<string, unknown>)['checks'] = checks;
  });
  return copy;
}

const CONFLICT: Row[] = [
  { text: 'To-do list', intent: 'todo' },
  { text: 'to do list', intent: 'reminder' },
];

describe('a commit that is checked', () => {
  test('is refused for two labels of one text, keeps what is staged, and records what is let pass', async () => {
    const copy = await withChecks({});
    await copy.add([...rows(0, 9), ...CONFLICT]);
    await expect(copy.commit({ allow: [] })).rejects.toMatchObject({
      code: 'check-failed',
      exitCode: 3,
      details: { checks: ['conflicting-labels'], errors: 1 },
    });
    await expect(copy.commit({ allow: ['leaks'] })).rejects.toMatchObject({ code: 'check-failed' });
    const { allowed, rows: count } = await copy.commit({ allow: ['leaks', 'conflicting-labels'] });
    expect([allowed, count]).toEqual([['conflicting-labels'], 11]);
    expect((await copy.head()).manifest.allowed).toEqual(['conflicting-labels']);
    // What was there before is not looked at again.
    await copy.add(rows(9, 3));
    expect((await copy.commit({ allow: [] })).allowed).toEqual([]);
    expect((await copy.head()).manifest).not.toHaveProperty('allowed');
  });

  test('of a first version with many rows finds every text with two labels', async () => {
    const copy = await withChecks({});
    const repeated = rows(0, 24_000).filter((_, at) => at % 1000 === 7);
    const again = repeated.map(({ text }) => ({ text: `${text}!`, intent: 'other' }));
    await copy.add([...rows(0, 24_000), ...again, { text: 'utterance number 8.' }]);
    await expect(copy.commit({ allow: [] })).rejects.toMatchObject({ details: { errors: repeated.length } });
    expect((await copy.commit({ allow: ['conflicting-labels'] })).rows).toBe(24_025);
  });

  test('sees a group whole, also where the batch touches one of its records', async () => {
    const copy = await withChecks({});
    await copy.put([...rows(0, 9), { text: 'To-do list', intent: 'todo' }]);
    await copy.add([{ text: 'to do list', intent: 'reminder' }]);
    await expect(copy.commit({ allow: [] })).rejects.toMatchObject({
      message: '"to do list" is labelled "reminder", "todo" (conflicting-labels); nothing was committed',
    });
  });

  test('asks what the dataset declares, with its waivers', async () => {
    const waive = [{ texts: ['to do list'], by: 'Ada', why: 'both are meant' }];
    const waived = await withChecks({ 'conflicting-labels': { waive } });
    await waived.add(CONFLICT);
    expect((await waived.commit({ allow: [] })).allowed).toEqual([]);
    const strict = await withChecks({ 'text-length': { severity: 'error', max: 12 }, expectations: { maxRows: 3 } });
    await strict.add(CONFLICT);
    await expect(strict.commit({ allow: ['conflicting-labels'] })).resolves.toMatchObject({ rows: 2 });
    await strict.add([{ text: 'much too long a text', intent: 'todo' }, ...rows(0, 1)]);
    await expect(strict.commit({ allow: [] })).rejects.toMatchObject({
      details: { checks: ['expectations', 'text-length'] },
    });
  });

  test('looks for like texts in the whole dataset where they are errors', async () => {
    const copy = await withChecks({ 'near-duplicates': { severity: 'error', sides: false } });
    await copy.put([{ text: 'how much paid time off is left for me', intent: 'balance' }, ...rows(0, 30, 1)]);
    await copy.add([{ text: 'how much paid time off is left for mee', intent: 'used' }]);
    await expect(copy.commit({ allow: [] })).rejects.toMatchObject({ details: { checks: ['near-duplicates'] } });
  });

  test('may bring the first text of an intent', async () => {
    const copy = await withChecks({});
    await copy.add([{ text: 'the first of its kind', intent: 'new' }]);
    expect((await copy.commit({ allow: [] })).allowed).toEqual([]);
  });

  test('knows no check of another name', async () => {
    const copy = await withChecks({});
    await copy.add(rows(0, 2));
    await expect(copy.commit({ allow: ['leak'] })).rejects.toMatchObject({
      code: 'bad-option',
      hint: 'did you mean "leaks"?',
    });
  });
});
