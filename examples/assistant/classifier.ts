/**
 * A small intent classifier: kernel ridge regression over TF-IDF weighted n-grams.
 *
 * Every utterance becomes a unit vector of word and character n-grams. Training solves
 * (K + λI) A = Y, where K holds the cosine similarity of each pair of training utterances and Y one column
 * per intent; a new utterance gets the intent with the highest similarity-weighted sum. There is nothing
 * random in it, so equal files in equal order give an equal model. The cost grows with the cube of the training
 * rows: seconds at two thousand, too much at twenty thousand.
 */
import { CholeskyDecomposition, Matrix } from 'ml-matrix';

/** One labelled utterance, as `uttr export` writes it. */
export interface Utterance {
  readonly id?: string;
  readonly text: string;
  readonly intent: string;
}

export interface Classifier {
  /** The intents seen in training, sorted. */
  readonly intents: readonly string[];
  predict(text: string): string;
}

/** A sparse vector of unit length: n-gram to weight. */
type Features = ReadonlyMap<string, number>;

/** λ: how much the model distrusts single examples. Wrong labels exist, so it is far from zero. */
const RIDGE = 0.5;
/** What one occurrence counts. Words say most; runs of characters help with typos and word forms. */
const WEIGHTS = { word: 1, pair: 0.6, characters: 0.4 } as const;
const CHARACTER_RUNS = [3, 4] as const;
const TOKEN = /[\p{L}\p{M}]+|\p{N}+|\p{Extended_Pictographic}/gu;

/** Trains on the given utterances; their order matters only for the last bits of the sums. */
export function trainClassifier(utterances: readonly Utterance[]): Classifier {
  const intents = [...new Set(utterances.map((utterance) => utterance.intent))].sort();
  const counts = utterances.map((utterance) => countGrams(utterance.text));
  const rarity = rarityOfGrams(counts);
  const vectors = counts.map((grams) => weigh(grams, rarity));

  const similarity = similarities(vectors);
  const targets = Matrix.zeros(utterances.length, intents.length);
  utterances.forEach((utterance, row) => targets.set(row, intents.indexOf(utterance.intent), 1));
  const ridge = Matrix.eye(utterances.length).mul(RIDGE);
  const weights = new CholeskyDecomposition(similarity.add(ridge)).solve(targets);

  return {
    intents,
    predict(text) {
      const vector = weigh(countGrams(text), rarity);
      const scores = Matrix.rowVector(vectors.map((other) => cosine(vector, other))).mmul(weights);
      return intents[scores.maxRowIndex(0)[1]] as string;
    },
  };
}

/** Counts words, pairs of neighbouring words, and runs of characters across the whole text. */
function countGrams(text: string): Map<string, number> {
  const words = text.normalize('NFKC').toLowerCase().replaceAll(/['’]/gu, '').match(TOKEN) ?? [];
  // The digits of a number say nothing about the intent; that there is a number does.
  const tokens = words.map((word) => (/^\p{N}/u.test(word) ? '#' : word));
  const grams = new Map<string, number>();
  const count = (gram: string, weight: number): void => void grams.set(gram, (grams.get(gram) ?? 0) + weight);

  tokens.forEach((token, at) => {
    count(`w ${token}`, WEIGHTS.word);
    count(`p ${at === 0 ? '^' : (tokens[at - 1] as string)} ${token}`, WEIGHTS.pair);
  });
  const line = ` ${tokens.join(' ')} `;
  for (const length of CHARACTER_RUNS) {
    for (let start = 0; start + length <= line.length; start += 1) {
      count(`c ${line.slice(start, start + length)}`, WEIGHTS.characters);
    }
  }
  return grams;
}

/** Inverse document frequency, smoothed; a gram never seen in training has none and is left out of vectors. */
function rarityOfGrams(documents: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const frequency = new Map<string, number>();
  for (const grams of documents) {
    for (const gram of grams.keys()) frequency.set(gram, (frequency.get(gram) ?? 0) + 1);
  }
  return new Map([...frequency].map(([gram, count]) => [gram, Math.log((1 + documents.length) / (1 + count)) + 1]));
}

function weigh(grams: ReadonlyMap<string, number>, rarity: ReadonlyMap<string, number>): Features {
  const weighted = [...grams].flatMap(([gram, count]): [string, number][] => {
    const factor = rarity.get(gram);
    return factor === undefined ? [] : [[gram, count * factor]];
  });
  const length = Math.hypot(...weighted.map(([, weight]) => weight));
  return new Map(weighted.map(([gram, weight]) => [gram, weight / length]));
}

/** The similarity of every pair. Each is computed once: the decomposition wants both halves equal to the last bit. */
function similarities(vectors: readonly Features[]): Matrix {
  const matrix = Matrix.zeros(vectors.length, vectors.length);
  vectors.forEach((vector, row) => {
    for (let column = 0; column <= row; column += 1) {
      const value = cosine(vector, vectors[column] as Features);
      matrix.set(row, column, value);
      matrix.set(column, row, value);
    }
  });
  return matrix;
}

function cosine(a: Features, b: Features): number {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  let sum = 0;
  for (const [gram, weight] of small) sum += weight * (large.get(gram) ?? 0);
  return sum;
}
