import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { xlsxFormat } from '../../src/formats/xlsx/xlsx-format.ts';
import { readAll } from '../formats/support.ts';
import { editConfig } from '../../src/repo/working-copy.ts';
import { type Copy, DATASET, rows, World } from './world.ts';

const BALANCE = { text: 'how much paid time off is left for me', intent: 'balance' };

async function prepared(): Promise<{ readonly copy: Copy; readonly page: string; readonly book: string }> {
  const copy = await new World().copy('ada', { remote: false });
  await copy.put([BALANCE, ...rows(0, 5)]);
  return { copy, page: join(copy.root, 'out.html'), book: join(copy.root, 'out.xlsx') };
}

/** Rows of a page as `place | text | intent | effect | problem`, in its order. */
function rowsOf(path: string): string[] {
  const html = readFileSync(path, 'utf8');
  return [...html.matchAll(/<tr[^>]*data-effect="(?<effect>\w+)"[^>]*>(?<cells>.*?)<\/tr>/gsu)].map(
    ({ groups }) =>
      `${groups?.['effect']}: ${(groups?.['cells'] ?? '')
        .replaceAll(/<[^>]+>/gu, ' ')
        .replaceAll(/\s+/gu, ' ')
        .trim()}`,
  );
}

/** Features but those that uttr's own columns give. */
function withoutOurs(features: Readonly<Record<string, unknown>> | undefined): object {
  const rest = Object.entries(features ?? {}).filter(([name]) => !name.startsWith('uttr_'));
  return rest.length === 0 ? {} : { features: Object.fromEntries(rest) };
}

describe('the report of a batch', () => {
  test('has every row in the order of the file, with what became of it and what is wrong with it', async () => {
    const { copy, page } = await prepared();
    await copy.add(
      [
        { text: 'zebra crossing', intent: 'x' },
        { text: 'utterance number 1', intent: 'intent 1' },
        { text: 'utterance number 2', intent: 'other' },
        { text: 'zebra crossing', intent: 'x' },
        { text: 'Utterance number 3!', intent: 'intent 0' },
        { text: `${BALANCE.text}e`, intent: 'used' },
        { text: 'no label' },
        { text: '', intent: 'x' },
      ],
      { dryRun: true, onConflict: 'error', report: page },
    );
    const found = rowsOf(page);
    expect(found.map((row) => row.split(':')[0])).toEqual([
      'new',
      'unchanged',
      'conflict',
      'duplicate',
      'new',
      'new',
      'new',
      'rejected',
    ]);
    expect(found[2]).toContain('the label is intent 2 in the dataset');
    expect(found[3]).toContain('twice in the files');
    expect(found[4]).toContain('the text is there but for case, blanks or punctuation');
    expect(found[5]).toMatch(/nearly equal \(0\.9\d\) to .*how much paid time off is left for me.*, which is balance/u);
    expect(found[6]).toContain('no intent, so it is on no side');
    expect(found[7]).toContain('&quot;text&quot; is empty');
  });

  test('is written for a batch that is refused, which leaves nothing else', async () => {
    const { copy, book } = await prepared();
    await expect(
      copy.add([{ text: 'utterance number 2', intent: 'other' }, ...rows(7, 2)], { onConflict: 'error', report: book }),
    ).rejects.toMatchObject({ code: 'conflicting-label' });
    const { records } = await readAll(xlsxFormat, readFileSync(book));
    expect(records.map(({ text }) => text)).toEqual(['utterance number 2', 'utterance number 7', 'utterance number 8']);
    expect(readdirSync(join(copy.root, '.uttr', 'staged'))).toEqual([]);
  });

  test('gives a workbook that brings the same records when it is added again, features and all', async () => {
    const { copy, book } = await prepared();
    const batch = [
      { text: 'call me', intent: 'x', features: { role: 'manager', location: 'Bonn' }, id: 'a1' },
      { text: 'write to me', intent: 'x', features: { role: 'clerk', age: 7 }, meta: { by: 'ada' } },
      { text: 'ask Bob', intent: 'x', entities: [{ start: 4, end: 7, type: 'name', text: 'Bob' }] },
    ];
    await copy.add(batch, { dryRun: true, report: book });
    const { records, problems } = await readAll(xlsxFormat, readFileSync(book));
    expect(problems).toEqual([]);
    expect(records.map(({ features, ...record }) => ({ ...record, ...withoutOurs(features) }))).toEqual(batch);
  });

  test('of a first batch has the rows that a rule of the dataset drops, too', async () => {
    const copy = await new World().copy('ada', { remote: false });
    const page = join(copy.root, 'out.html');
    await editConfig(copy.root, (config) => {
      const datasets = config['datasets'] as Record<string, Record<string, unknown>>;
      (datasets[DATASET] as Record<string, unknown>)['clean'] = { maxCharacters: 20 };
    });
    await copy.add([...rows(0, 2), { text: 'much too long to be of any use', intent: 'x' }], { report: page });
    const found = rowsOf(page);
    expect(found.map((row) => row.split(':')[0])).toEqual(['new', 'new', 'rejected']);
    expect(found[2]).toContain('dropped by a rule of the dataset');
  });

  test('of another kind is refused before anything is read', async () => {
    const { copy } = await prepared();
    const path = join(copy.root, 'out.pdf');
    await expect(copy.add(rows(7, 2), { report: path })).rejects.toMatchObject({ code: 'bad-option' });
    expect(existsSync(path)).toBe(false);
  });
});
