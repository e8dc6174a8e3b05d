import { describe, expect, test } from 'vitest';
import { type EditSummary, relabelRecords, removeRecords, type Selection } from '../../src/repo/edit-records.ts';
import { type Copy, DATASET, World } from './world.ts';

async function newCopy(): Promise<Copy> {
  const copy = await new World().copy('ada', { remote: false });
  await copy.put([
    { text: 'Good morning', intent: 'greet', lang: 'en', id: '1', features: { role: 'agent', age: 7 } },
    { text: 'good morning!', intent: 'greet', lang: 'en' },
    { text: 'buenos dias', intent: ['greet', 'polite'], lang: 'es', features: { role: 'user' } },
    { text: 'no label', features: { role: 'user' } },
  ]);
  return copy;
}

const remove = (copy: Copy, selection: Selection, dryRun = false): Promise<EditSummary> =>
  copy.open((repository) => removeRecords(repository, DATASET, selection, dryRun));
const relabel = (copy: Copy, selection: Selection, intent: string): Promise<EditSummary> =>
  copy.open((repository) => relabelRecords(repository, DATASET, selection, intent, false));

describe('a selection', () => {
  test.each([
    [{ texts: ['GOOD  morning'] }, 1],
    [{ texts: ['Good morning', 'good morning!'] }, 2],
    [{ where: { intent: 'greet' } }, 3],
    [{ where: { intent: 'polite' } }, 1],
    [{ where: { lang: 'en', intent: 'greet' } }, 2],
    [{ where: { id: '1' } }, 1],
    [{ where: { 'features.role': 'user' } }, 2],
    [{ where: { 'features.age': '7' } }, 1],
    [{ texts: ['Good morning', 'buenos dias'], where: { lang: 'es' } }, 1],
  ])('%j means %i records', async (selection: Selection, count) => {
    const copy = await newCopy();
    expect(await remove(copy, selection, true)).toMatchObject({ matched: count, staged: false, dryRun: true });
  });

  test('tells which texts are not there, and fails where nothing is', async () => {
    const copy = await newCopy();
    expect((await remove(copy, { texts: ['no label', 'nobody'] }, true)).missing).toEqual(['nobody']);
    await expect(remove(copy, { texts: ['nobody'] })).rejects.toMatchObject({ code: 'unknown-utterance' });
    await expect(remove(copy, { where: { colour: 'red' } })).rejects.toMatchObject({ code: 'bad-option' });
    await expect(remove(copy, {})).rejects.toMatchObject({ code: 'bad-option' });
  });
});

describe('removeRecords', () => {
  test('twice stages once', async () => {
    const copy = await newCopy();
    const selection = { texts: ['no label'] };
    expect(await remove(copy, selection)).toMatchObject({ changes: { removed: 1 }, staged: true });
    expect(await remove(copy, selection)).toMatchObject({ changes: { removed: 0 }, staged: false });
    expect((await copy.commit()).changes.removed).toBe(1);
    expect(Object.keys(await copy.records())).not.toContain('no label');
  });
});

describe('relabelRecords', () => {
  test('gives a label, and a side to a record that had none', async () => {
    const copy = await newCopy();
    const before = await copy.records();
    await relabel(copy, { texts: ['no label'] }, 'found');
    await relabel(copy, { texts: ['Good morning'] }, 'other');
    await copy.commit();
    const after = await copy.records();
    expect(after['no label']).toMatch(/^(?:train|test) "found"$/u);
    expect(after['Good morning']).toBe(before['Good morning']?.replace('"greet"', '"other"'));
  });

  test('to the label that is there changes nothing', async () => {
    const copy = await newCopy();
    expect(await relabel(copy, { texts: ['Good morning'] }, 'greet')).toMatchObject({ matched: 1, staged: false });
    await expect(copy.commit()).rejects.toMatchObject({ code: 'nothing-staged' });
  });

  test('refuses what cannot be a label', async () => {
    const copy = await newCopy();
    for (const intent of ['', '__proto__', 'a\nb']) {
      await expect(relabel(copy, { texts: ['no label'] }, intent)).rejects.toMatchObject({ code: 'bad-option' });
    }
  });
});
