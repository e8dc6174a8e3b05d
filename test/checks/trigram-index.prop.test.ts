/**
 * An index finds exactly the texts that comparing with all of them finds, however it is cut into segments.
 *
 * Method: the same texts as for the join; the model compares sets of trigrams.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Query, Segment, SegmentBuilder, type TrigramOrder } from '../../src/checks/trigram-index.ts';
import { texts, threshold, trigrams } from './alike-texts.ts';

function open(pieces: readonly Uint8Array[]): Segment | undefined {
  const bytes = Buffer.concat(pieces);
  const read = (target: Uint8Array, position: number): void => {
    if (bytes.copy(target, 0, position) < target.length) throw new Error('read past the end');
  };
  return Segment.open(read, bytes.length);
}

function build(list: readonly string[], least: number, order?: TrigramOrder): Segment {
  const builder = new SegmentBuilder();
  for (const text of list) builder.add(text);
  const segment = open(builder.finish(least, order));
  if (segment === undefined) throw new Error('no segment');
  return segment;
}

function found(segments: readonly Segment[], text: string, least: number): string[] {
  const query = new Query(text, segments[0] as Segment);
  const all: string[] = [];
  for (const segment of segments)
    segment.search(query, least, (name, alike) => all.push(`${alike.toFixed(6)} ${name}`));
  return all.sort();
}

function bruteForce(list: readonly string[], text: string, least: number): string[] {
  const set = trigrams(text);
  return list
    .flatMap((other) => {
      const others = trigrams(other);
      const shared = [...set].filter((trigram) => others.has(trigram)).length;
      const all = set.size + others.size - shared;
      return set.size > 0 && others.size > 0 && shared / all >= least - 1e-9
        ? `${(shared / all).toFixed(6)} ${other}`
        : [];
    })
    .sort();
}

test('a search finds the texts that comparing with all finds, in however many segments they are', () => {
  fc.assert(
    fc.property(
      texts,
      texts,
      texts,
      threshold,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (a, b, asked, least, more) => {
        const first = build(a, least);
        const segments = [first, build(b, least, first)];
        const wanted = least + more * (1 - least);
        for (const text of [...asked, ...a.slice(0, 5), ...b.slice(0, 5)]) {
          expect(found(segments, text, wanted)).toEqual(bruteForce([...a, ...b], text, wanted));
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('texts of thousands of trigrams, and more texts than one page holds, are found', () => {
  const long = Array.from({ length: 9000 }, (_, at) => (at * 7919).toString(36)).join(' ');
  const list = [...Array.from({ length: 3000 }, (_, at) => `utterance ${(at * 7919).toString(36)}`), long, `${long} x`];
  const segment = build(list, 0.7);
  expect(segment.count).toBe(3002);
  expect(Array.from({ length: 3002 }, (_, number) => segment.nameOf(number)).sort()).toEqual(list.toSorted());
  expect(found([segment], long, 0.9).map((line) => line.length)).toEqual([long.length + 11, long.length + 9]);
  expect(found([segment], 'utterance 0', 0.7)).toEqual(bruteForce(list, 'utterance 0', 0.7));
});

test('a segment without texts answers nothing', () => {
  expect(found([build([], 0.7)], 'hello', 0.7)).toEqual([]);
});

test('a file that is cut short, longer, or of something else is no segment', () => {
  const builder = new SegmentBuilder();
  builder.add('hello there');
  const bytes = Buffer.concat(builder.finish(0.7, undefined));
  expect(open([bytes])?.count).toBe(1);
  expect(open([bytes, Buffer.from('x')])).toBeUndefined();
  for (let length = 0; length < bytes.length; length++) expect(open([bytes.subarray(0, length)])).toBeUndefined();
  for (let at = 0; at < 64; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] as number) ^ 1;
    expect(open([damaged])).toBeUndefined();
  }
});
