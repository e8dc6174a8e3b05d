/**
 * The join is exact: it gives the pairs that comparing all with all gives, whatever the texts and the threshold.
 *
 * Method: texts over a small alphabet, so that they share trigrams; the model compares sets of trigrams pair by pair.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinSimilar } from '../../src/checks/similarity-join.ts';
import { TrigramCorpus } from '../../src/checks/trigram-corpus.ts';
import { texts, threshold, trigrams } from './alike-texts.ts';

function bruteForce(texts: readonly string[], threshold: number): string[] {
  const sets = texts.map((text) => trigrams(text));
  const pairs: string[] = [];
  for (const [a, left] of sets.entries()) {
    for (const [b, right] of sets.entries()) {
      if (a >= b) continue;
      const shared = [...left].filter((trigram) => right.has(trigram)).length;
      const all = left.size + right.size - shared;
      if (all > 0 && shared / all >= threshold - 1e-9) pairs.push(`${a} ${b} ${(shared / all).toFixed(6)}`);
    }
  }
  return pairs.sort();
}

function joined(texts: readonly string[], threshold: number): string[] {
  const corpus = new TrigramCorpus();
  for (const text of texts) corpus.add(text);
  const pairs: string[] = [];
  const isWhole = joinSimilar(corpus.finish(), threshold, (a, b, similarity) => {
    pairs.push(`${a} ${b} ${similarity.toFixed(6)}`);
    return true;
  });
  expect(isWhole).toBe(true);
  return pairs.sort();
}

test('the join finds the pairs that comparing all with all finds, each once', () => {
  fc.assert(
    fc.property(texts, threshold, (list, least) => {
      expect(joined(list, least)).toEqual(bruteForce(list, least));
    }),
    { numRuns: 1500 },
  );
});

test('pairs do not depend on the order of the texts', () => {
  const named = (list: readonly string[], pairs: readonly string[]): string[] =>
    pairs
      .map((pair) => {
        const [a, b, similarity] = pair.split(' ');
        return [...[list[Number(a)] ?? '', list[Number(b)] ?? ''].sort(), similarity ?? ''].join('\n');
      })
      .sort();
  fc.assert(
    fc.property(texts, threshold, (list, least) => {
      const turned = list.toReversed();
      expect(named(turned, joined(turned, least))).toEqual(named(list, joined(list, least)));
    }),
  );
});

test('the join ends when it is told to', () => {
  const corpus = new TrigramCorpus();
  for (let at = 0; at < 10; at++) corpus.add('the same text');
  let pairs = 0;
  expect(joinSimilar(corpus.finish(), 0.9, () => ++pairs < 5)).toBe(false);
  expect(pairs).toBe(5);
});

test('thousands of texts and tokens outgrow the first arrays and stay exact', () => {
  const list = Array.from({ length: 1500 }, (_, at) => `utterance ${(at * 7919).toString(36)} ${'語'.repeat(at % 60)}`);
  expect(joined(list, 0.8)).toEqual(bruteForce(list, 0.8));
});
