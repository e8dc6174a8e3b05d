/**
 * Variations of utterances: as reproducible as made-up rows, distinct, and labelled as what they vary.
 *
 * The corpus is invented, so that its golden digest needs no data of others.
 */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Corpus, makeCorpus, readRealCorpus } from '../../../scripts/bench/corpus.ts';
import { batch, generate, type GeneratedRow, relabels, rowAt } from '../../../scripts/bench/generate.ts';
import { norm } from '../../../src/records/text.ts';
import { HAS_DATA, NO_DATA } from '../../formats/support.ts';

const INVENTED = makeCorpus('invented', [
  ['i want to know where my umbrella is', 'find_umbrella'],
  ['Please book the 12 seats for Monday, 5 March.', 'book_seats'],
  ['Why can\'t you say "hello" to me?', 'greet'],
  ['do not wake me at 7:15 in london', 'cancel_alarm'],
  ['yes', 'yes'],
]);
const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
/** No variation changes words of three letters, so each shows what it varies. */
const MARKED = makeCorpus(
  'marked',
  LETTERS.flatMap((first) =>
    LETTERS.map((second) => {
      const mark = `x${first}${second}`;
      return [`can you tell me where the ${mark} that i ordered is`, `find_${mark}`] as const;
    }),
  ),
);

const parse = (line: string): GeneratedRow => JSON.parse(line) as GeneratedRow;
const shape = (corpus: Corpus, rows = 1000) => ({ rows, seed: 1, corpus });
const digest = (lines: Iterable<string>): string =>
  createHash('sha256')
    .update([...lines].join(''))
    .digest('hex');

/** How many rows say what one before them said, and how many of those have another intent. */
function repetitions(lines: Iterable<string>): { repeated: number; contradicted: number } {
  const intents = new Map<string, string>();
  const count = { repeated: 0, contradicted: 0 };
  for (const line of lines) {
    const { text, intent } = parse(line);
    const before = intents.get(norm(text));
    if (before !== undefined) count.repeated += 1;
    if (before !== undefined && before !== intent) count.contradicted += 1;
    intents.set(norm(text), intent);
  }
  return count;
}

describe('a dataset of variations', () => {
  test('is the same for ever', () => {
    expect([...generate(shape(INVENTED, 4))]).toStrictEqual([
      '{"features":{"location":"berlin","role":"engineer"},"intent":"cancel_alarm","text":"hi do not wake me at 7:15 in Malmo... call me on 0345083111"}\n',
      '{"features":{"location":"madrid","role":"manager"},"intent":"cancel_alarm","text":"customer number 5902594 - do not wake me at 7:15 in Rome."}\n',
      '{"features":{"location":"berlin","role":"support"},"intent":"greet","text":"Why cant you say \\"hello\\" to me?? waiting since 7 november at 7:42"}\n',
      '{"features":{"location":"madrid","role":"sales"},"intent":"greet","text":"Why cant u say \\"hello\\" to me? customer number 2132072"}\n',
    ]);
    expect(digest(generate(shape(INVENTED)))).toBe('7b9468a992345b7633edd2320b86879c3ddfc8de95e7040e851ba6e7c8dba982');
  });

  test('gives every row without the others', () => {
    expect(rowAt(shape(INVENTED), 777)).toStrictEqual(parse([...generate(shape(INVENTED))][777] as string));
  });

  test('labels each variation as what it varies', () => {
    for (const line of generate(shape(MARKED, 20_000))) {
      const { text, intent } = parse(line);
      expect(intent).toBe(`find_${/\bx[a-j]{2}\b/iu.exec(text)?.[0].toLowerCase()}`);
    }
  });

  test('hardly ever has a text twice, though each utterance a thousand times', () => {
    const { repeated, contradicted } = repetitions(generate(shape(MARKED, 100_000)));
    expect(contradicted).toBe(0);
    expect(repeated).toBeLessThan(100);
  });

  test.skipIf(!HAS_DATA)(`of real utterances never gives one text two intents${NO_DATA}`, () => {
    const { repeated, contradicted } = repetitions(generate(shape(readRealCorpus(), 100_000)));
    expect(contradicted).toBe(0);
    expect(repeated).toBeLessThan(10);
  });
});

describe('a batch of variations', () => {
  test('brings new texts of the intents that the dataset has', () => {
    const texts = new Set(Array.from(generate(shape(MARKED, 20_000)), (line) => parse(line).text));
    const added = Array.from(batch(shape(MARKED)), parse);
    expect(added.filter((row) => texts.has(row.text))).toStrictEqual([]);
    expect(added.filter((row) => !MARKED.intents.includes(row.intent))).toStrictEqual([]);
    expect(digest(batch(shape(INVENTED)))).toBe('dcd086923af28c50b5ae2075b7ed12e00b413b1c6d15be25df86ac6b267ed224');
  });
});

test('relabels of variations change nothing but the intent', () => {
  const rows = new Map(Array.from(generate(shape(MARKED)), (line) => [parse(line).text, parse(line)]));
  const changed = Array.from(relabels(shape(MARKED), 100, 1), parse);
  expect(changed).toHaveLength(100);
  for (const row of changed) {
    const before = rows.get(row.text);
    expect(before).toStrictEqual({ ...row, intent: before?.intent });
    expect(row.intent).not.toBe(before?.intent);
  }
});
