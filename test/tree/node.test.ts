import { describe, expect, test } from 'vitest';
import { isUttrError } from '../../src/base/errors.ts';
import { sha256 } from '../../src/base/hash.ts';
import { decodeNode, encodeNode, type Child } from '../../src/tree/node.ts';

const child = (key: string, records = 3, bytes = 90): Child => ({
  key: Buffer.from(key),
  hash: sha256(key),
  records,
  bytes,
});

const line = (key: string, rest = `"${sha256('x')}",3,90`): string => `[${JSON.stringify(key)},${rest}]\n`;

function isRefused(text: string | Buffer): boolean {
  try {
    decodeNode(Buffer.from(text as string));
    return false;
  } catch (error) {
    return isUttrError(error, 'bad-chunk');
  }
}

describe('nodes', () => {
  test('a node reads as the format says', () => {
    const bytes = encodeNode({ level: 1, children: [child('a\t'), child('b\t"\\')] });
    expect(bytes.toString()).toBe(
      `node 1\n["a\\t","${sha256('a\t')}",3,90]\n["b\\t\\"\\\\","${sha256('b\t"\\')}",3,90]\n`,
    );
  });

  test('T3: a node has no TAB in its first line, nor anywhere else', () => {
    expect(encodeNode({ level: 2, children: [child('\t\ta\t'), child('b\t')] }).includes(9)).toBe(false);
  });

  test('T4: children out of order and totals that cannot be are refused', () => {
    expect(isRefused(`node 1\n${line('b')}${line('a')}`)).toBe(true);
    expect(isRefused(`node 1\n${line('a')}${line('a')}`)).toBe(true);
    for (const totals of ['0,90', '3,5', '-1,90', '1.5,90', '"3",90', '3,null', '3,9007199254740992']) {
      expect(isRefused(`node 1\n${line('a', `"${sha256('x')}",${totals}`)}`)).toBe(true);
    }
  });

  test('T5: any other spelling of a node is refused', () => {
    const good = `node 1\n${line('z')}${line('é')}`;
    expect(decodeNode(Buffer.from(good)).children).toHaveLength(2);
    expect(isRefused('')).toBe(true);
    expect(isRefused('node 1\n')).toBe(true);
    expect(isRefused('node 1')).toBe(true);
    expect(isRefused(good.slice(0, -1))).toBe(true);
    expect(isRefused(`${good}\n`)).toBe(true);
    expect(isRefused(good.replace('node 1', 'node 01'))).toBe(true);
    expect(isRefused(good.replace('node 1', 'node 0'))).toBe(true);
    expect(isRefused(good.replace('node 1', 'node 61'))).toBe(true);
    expect(isRefused(good.replace('node 1', 'Node 1'))).toBe(true);
    expect(isRefused(good.replace('node 1\n', 'node 1\r\n'))).toBe(true);
    expect(isRefused(good.replace('é', '\\u00e9'))).toBe(true);
    expect(isRefused(good.replace(',3,', ', 3,'))).toBe(true);
    expect(isRefused(good.replace(',3,', ',3.0,'))).toBe(true);
    expect(isRefused(good.replace(',90]', ',90,1]'))).toBe(true);
    expect(isRefused(good.replace(',90]', ',9e1]'))).toBe(true);
    expect(isRefused(good.replace('"z"', '"\\ud800"'))).toBe(true);
    expect(isRefused(good.replace(sha256('x'), sha256('x').toUpperCase()))).toBe(true);
    expect(isRefused(good.replace(sha256('x'), sha256('x').slice(1)))).toBe(true);
    expect(isRefused(Buffer.concat([Buffer.from(good.slice(0, -1)), Buffer.of(0xff, 10)]))).toBe(true);
    expect(isRefused(good.replace('[', '{'))).toBe(true);
  });
});
