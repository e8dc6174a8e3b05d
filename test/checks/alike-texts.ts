/** Texts over few words and characters, so that many of them share trigrams. */
import * as fc from 'fast-check';

/** The trigrams of a folded text, by their definition. */
export function trigrams(text: string): Set<string> {
  const padded = ` ${text} `;
  return new Set(Array.from({ length: padded.length - 2 }, (_, at) => padded.slice(at, at + 3)));
}

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '語', '\u{1F600}', ' '), maxLength: 12 });
const phrase = fc.array(fc.constantFrom('book', 'a', 'table', 'for', 'two', 'now', 'please', 'cancel'), {
  minLength: 1,
  maxLength: 9,
});

export const texts: fc.Arbitrary<string[]> = fc.array(
  fc.oneof(
    word,
    phrase.map((words) => words.join(' ')),
  ),
  { maxLength: 40 },
);

export const threshold: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 1),
  fc.double({ min: 0.3, max: 1, noNaN: true }),
);
