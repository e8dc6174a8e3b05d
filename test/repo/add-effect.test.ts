import { describe, expect, test } from 'vitest';
import type { AddSummary } from '../../src/repo/add-summary.ts';
import { checkVersion } from '../../src/repo/check.ts';
import { type Copy, type Row, rows, World } from './world.ts';

const make = (): Promise<Copy> => new World().copy('ada', { remote: false });

const BALANCE: Row = { text: 'how much paid time off is left for me', intent: 'balance' };
const USED: Row = { text: 'how much paid time off is left for mee', intent: 'used' };

describe('the effect of a batch', () => {
  test('tells new, unchanged, repeated and echoed rows apart', async () => {
    const copy = await make();
    await copy.put(rows(0, 10));
    const batch = [
      ...rows(8, 4),
      ...rows(11, 1),
      { text: 'Utterance number 1', intent: 'intent 1' },
      { text: 'utterance, number 2', intent: 'intent 2' },
    ];
    const { rows: counts } = await copy.add(batch);
    expect(counts).toMatchObject({ accepted: 3, duplicate: 4, repeated: 1, echoed: 1 });
  });

  test('counts intents from the last version to all that is staged, with and without a look at the file', async () => {
    const copy = await make();
    await copy.put(rows(0, 9));
    const batch: Row[] = [
      { text: 'utterance number 0', intent: 'intent 1' },
      { text: 'two at once', intent: ['intent 2', 'intent 9'] },
      { text: 'no label at all' },
    ];
    const intents: AddSummary['intents'] = [
      { intent: 'intent 0', before: 3, after: 2 },
      { intent: 'intent 1', before: 3, after: 4 },
      { intent: 'intent 2', before: 3, after: 4 },
      { intent: 'intent 9', before: 0, after: 1 },
    ];
    expect((await copy.add(batch, { dryRun: true })).intents).toEqual(intents);
    expect((await copy.add(batch)).intents).toEqual(intents);
    const more = await copy.add([{ text: 'one more', intent: 'intent 9' }]);
    expect(more.intents?.at(-1)).toEqual({ intent: 'intent 9', before: 0, after: 2 });
    const large = await make();
    await large.put(rows(0, 50_001));
    expect((await large.add([{ text: 'one more', intent: 'intent 9' }])).intents).toEqual([
      { intent: 'intent 9', before: 0, after: 1 },
    ]);
  });

  test('names new texts that are nearly equal to others, those of another intent first', async () => {
    const copy = await make();
    await copy.put([BALANCE, ...rows(0, 3)]);
    const { nearDuplicates } = await copy.add([
      USED,
      { text: 'a text about the opening hours of a shop', intent: 'hours' },
      { text: 'a text about the opening hours of a shops', intent: 'hours' },
    ]);
    expect(nearDuplicates?.count).toBe(3);
    expect(nearDuplicates?.first[0]).toMatchObject({
      ...USED,
      near: BALANCE,
      sameIntent: false,
    });
    expect(nearDuplicates?.first.slice(1).map(({ sameIntent }) => sameIntent)).toEqual([true, true]);
    expect((await copy.add([BALANCE])).nearDuplicates).toEqual({ count: 3, first: nearDuplicates?.first });
  });

  test('does not look where the dataset is large and has no index; a dry run makes one, and then it does', async () => {
    const copy = await make();
    await copy.put([BALANCE, ...rows(0, 50_001)]);
    expect((await copy.add([USED])).nearDuplicates).toBeNull();
    expect((await copy.add([USED], { dryRun: true, replace: false })).nearDuplicates).toMatchObject({ count: 1 });
    expect((await copy.add([{ ...USED, text: `${USED.text}e` }])).nearDuplicates).toMatchObject({ count: 2 });
  });

  test('of a dry run has what the checks of the version would say of what changes', async () => {
    const copy = await make();
    await copy.put([...rows(0, 40), BALANCE]);
    const batch: Row[] = [
      USED,
      { text: 'To-do list', intent: 'todo' },
      { text: 'to do list', intent: 'reminder' },
      { text: 'call {name} back', intent: 'todo' },
    ];
    const { checks } = await copy.add(batch, { dryRun: true });
    await copy.put(batch);
    const report = await copy.open(async (repository) => checkVersion(repository, await copy.head()));
    const touched = new Set(['used', 'todo', 'reminder']);
    const ids = report.findings
      .filter(({ intents, check }) => check !== 'out-of-scope' && intents.some((intent) => touched.has(intent)))
      .map(({ id }) => id);
    expect(checks?.findings.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(checks?.ok).toBe(false);
  });

  test('lists rows with characters that nobody sees, and shows these', async () => {
    const copy = await make();
    const { rows: counts, invisible } = await copy.add([...rows(0, 2), { text: 'zero\u200Bwidth', intent: 'x' }]);
    expect(counts.invisible).toBe(1);
    expect(invisible).toEqual([{ file: 'batch.jsonl', row: 3, line: 3, text: 'zero<U+200B>width' }]);
  });

  test('lists rows without a label', async () => {
    const copy = await make();
    const { rows: counts, unlabelled } = await copy.add([...rows(0, 2), { text: 'what is this' }]);
    expect(counts.unlabelled).toBe(1);
    expect(unlabelled).toEqual([{ file: 'batch.jsonl', row: 3, line: 3, text: 'what is this' }]);
  });
});
