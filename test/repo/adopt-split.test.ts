import { describe, expect, test } from 'vitest';
import { fsck } from '../../src/repo/fsck.ts';
import { type Copy, DATASET, type Row, World } from './world.ts';

const newCopy = (): Promise<Copy> => new World().copy('ada', { remote: false });

/** Rows that a file has on a side. */
const said = (split: string, from: number, count: number): Row[] =>
  Array.from({ length: count }, (_, at) => ({ text: `utterance ${from + at}`, intent: `intent ${at % 3}`, split }));

const sidesOf = async (copy: Copy): Promise<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(await copy.records()).map(([text, place]) => [text, place.split(' ')[0] as string]),
  );

async function expectSound(copy: Copy): Promise<void> {
  const { ok, problems } = await copy.open((repository) => fsck(repository));
  expect(problems).toEqual([]);
  expect(ok).toBe(true);
}

describe('a split that comes with the files', () => {
  test('is taken over where that is asked for, and counted as it is', async () => {
    const copy = await newCopy();
    const batch = [...said('train', 0, 20), ...said('test', 20, 30)];
    const summary = await copy.add(batch, { split: 'adopt' });
    expect(summary.sides).toEqual({ adopted: 50, divided: 0, settled: 0, examples: [] });
    const committed = await copy.commit();
    expect(committed.sides).toEqual({ train: 20, test: 30 });
    const sides = await sidesOf(copy);
    for (const { text, split } of batch) expect(sides[text]).toBe(split);
    await expectSound(copy);
  });

  test('is ignored by default', async () => {
    const copy = await newCopy();
    const summary = await copy.add([...said('train', 0, 20), ...said('test', 20, 20)]);
    expect(summary.sides).toBeUndefined();
    expect((await copy.commit()).sides).toEqual({ train: 30, test: 10 });
  });

  test('leaks no text: what stands on both sides goes to train, and is listed', async () => {
    const copy = await newCopy();
    const batch = [
      ...said('train', 0, 10),
      ...said('test', 10, 10),
      { text: 'Both, sides!', intent: 'a', split: 'test' },
      { text: 'both sides', intent: 'a', split: 'train' },
    ];
    const summary = await copy.add(batch, { split: 'adopt' });
    expect(summary.sides).toEqual({ adopted: 21, divided: 1, settled: 0, examples: ['both sides'] });
    await copy.commit();
    const sides = await sidesOf(copy);
    expect([sides['both sides'], sides['Both, sides!']]).toEqual(['train', 'train']);
    await expectSound(copy);
  });

  test('moves nothing that has a side, or had one before it left', async () => {
    const copy = await newCopy();
    await copy.put([...said('train', 0, 10), ...said('test', 10, 10)], { split: 'adopt' });
    await copy.remove('utterance 3');
    const back = [...said('test', 3, 1), ...said('train', 12, 1), ...said('test', 30, 4)];
    const summary = await copy.add(back, { split: 'adopt' });
    expect(summary.sides).toEqual({ adopted: 4, divided: 0, settled: 2, examples: [] });
    await copy.commit();
    const sides = await sidesOf(copy);
    expect([sides['utterance 3'], sides['utterance 12'], sides['utterance 30']]).toEqual(['train', 'test', 'test']);
    await expectSound(copy);
  });

  test('two batches before one commit: train wins here, too', async () => {
    const copy = await newCopy();
    await copy.add([...said('test', 0, 10)], { split: 'adopt' });
    const second = await copy.add([...said('train', 5, 10)], { split: 'adopt', onConflict: 'keep' });
    expect(second.sides).toMatchObject({ adopted: 10, divided: 0 });
    expect((await copy.commit()).sides).toEqual({ train: 10, test: 5 });
  });

  test('rows without a side among them are split as always, onto what was adopted', async () => {
    const copy = await newCopy();
    const batch = [...said('test', 0, 12), ...said('train', 12, 12).map(({ text, intent = '' }) => ({ text, intent }))];
    await copy.put(batch, { split: 'adopt' });
    const sides = await sidesOf(copy);
    for (let row = 0; row < 12; row += 1) expect(sides[`utterance ${row}`]).toBe('test');
    // A quarter of each intent is in test by what was adopted already: the others all go to train.
    for (let row = 12; row < 24; row += 1) expect(sides[`utterance ${row}`]).toBe('train');
    await expectSound(copy);
  });

  test('is carried over to the version that git has checked out meanwhile', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    await ada.put(said('train', 0, 8));
    await ada.push();
    const bob = world.clone(ada, 'bob');
    await bob.pull();
    await bob.add(said('test', 20, 5), { split: 'adopt' });
    await ada.put(said('train', 10, 4));
    await ada.push();
    await bob.pull({ latest: true });
    await bob.commit();
    const sides = await sidesOf(bob);
    for (let row = 20; row < 25; row += 1) expect(sides[`utterance ${row}`]).toBe('test');
  });

  test(`an unlabelled text has no side, whatever the file says, in ${DATASET}`, async () => {
    const copy = await newCopy();
    await copy.put([...said('train', 0, 4), { text: 'who knows', split: 'test' }], { split: 'adopt' });
    expect((await sidesOf(copy))['who knows']).toBe('unlabelled');
    await expectSound(copy);
  });
});
