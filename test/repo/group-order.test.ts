import { describe, expect, test, vi } from 'vitest';
import { fsck } from '../../src/repo/fsck.ts';
import { compareGroups, inRetiredOrder } from '../../src/repo/group-order.ts';
import type { Edit } from '../../src/tree/edit.ts';
import { type Row, World } from './world.ts';

vi.setConfig({ testTimeout: 60_000 });

const TEXTS = ['a', 'a\u0001', 'a\u0001\u0002', 'a\u0001b', 'a\u0002', 'a b', 'ab', 'b', 'b\u0008c'];

const bytes = (text: string): Buffer => Buffer.from(text);
const withTab = (text: string): Buffer => Buffer.from(`${text}\t`);

describe('the order of groups', () => {
  test('is that of the keys of their records', () => {
    for (const a of TEXTS) {
      for (const b of TEXTS) {
        expect(Math.sign(compareGroups(bytes(a), bytes(b)))).toBe(Buffer.compare(withTab(a), withTab(b)));
      }
    }
  });

  test('becomes that of the tree of retired groups, however the edits are batched', async () => {
    const edits: Edit[] = TEXTS.toSorted((a, b) => compareGroups(bytes(a), bytes(b))).map((text) => ({
      key: bytes(text),
      value: undefined,
    }));
    const expected = TEXTS.toSorted((a, b) => Buffer.compare(bytes(a), bytes(b)));
    for (let size = 1; size <= edits.length; size++) {
      const batches = Array.from({ length: Math.ceil(edits.length / size) }, (_, index) =>
        edits.slice(index * size, (index + 1) * size),
      );
      const ordered = await Array.fromAsync(inRetiredOrder(stream(batches)));
      expect(ordered.flat().map(({ key }) => key.toString())).toEqual(expected);
    }
  });

  test('texts with control characters can be added, removed, brought back, replaced and merged', async () => {
    const world = new World();
    const ada = await world.copy('ada');
    const labelled = (intent: string, texts = TEXTS): Row[] => texts.map((text) => ({ text, intent }));
    await ada.put([...labelled('x'), { text: 'more', intent: 'x' }]);
    await ada.push();
    const bob = world.clone(ada, 'bob');
    await bob.pull();
    await ada.remove(...TEXTS);
    await ada.put(labelled('y', TEXTS.slice(0, 4)));
    await ada.push();
    await bob.put(labelled('z', ['a\u0003', 'a c']));
    await bob.pull();
    await bob.put(labelled('w', TEXTS.slice(2)), { replace: true });
    await bob.relabel('a\u0001b', 'v');
    for (const copy of [ada, bob]) {
      expect((await copy.open((repository) => fsck(repository))).problems).toEqual([]);
    }
  });
});

async function* stream<T>(items: readonly T[]): AsyncIterable<T> {
  yield* items;
}
