import { expect, test } from 'vitest';
import { keyAt, parseLeaf, valueAt } from '../../src/tree/lines.ts';

/** `count` lines with ascending keys, some of which hold a TAB. */
function leafOf(count: number, name: string): Buffer {
  const lines = Array.from(
    { length: count },
    (_, row) => `${name}${10_000_000 + row}\t${row % 3 ? '' : 'p'}\t{"n":${row}}\n`,
  );
  return Buffer.from(lines.join(''));
}

test('leaves of any number of lines are parsed one after another, and stay as they were', () => {
  const counts = [1, 8190, 1, 1, 20_000, 3, 8192, 8191, 2];
  const parsed = counts.map((count) => parseLeaf(leafOf(count, `of ${count} `)));
  for (const [position, lines] of parsed.entries()) {
    const count = counts[position] as number;
    expect(lines.count).toBe(count);
    expect(lines.starts).toHaveLength(count + 1);
    expect(lines.keyEnds).toHaveLength(count);
    expect(lines.starts[count]).toBe(lines.bytes.length);
    for (const row of [0, Math.floor(count / 2), count - 1]) {
      expect(keyAt(lines, row).toString()).toBe(`of ${count} ${10_000_000 + row}\t${row % 3 ? '' : 'p'}`);
      expect(valueAt(lines, row).toString()).toBe(`{"n":${row}}`);
    }
  }
});

test('a leaf that is refused leaves no trace in those parsed after it', () => {
  for (const bad of ['a\t1\nno tab\n', 'b\t1\na\t2\n', 'a\t1\nb', '', 'a\t\xff\n']) {
    expect(() => parseLeaf(Buffer.from(bad, 'latin1'))).toThrow(expect.objectContaining({ code: 'bad-chunk' }));
    const lines = parseLeaf(Buffer.from('k\t{"v":1}\n'));
    expect([...lines.starts, ...lines.keyEnds]).toEqual([0, 10, 1]);
  }
});
