/**
 * Which files of a Hugging Face dataset folder hold data, and of which part of the set.
 *
 * As `datasets` does it: first the name `train-00000-of-00001`, then a folder, then a file name that has a split word
 * between characters that are no letters. `testfile.csv` is no test file, `test-file.csv` is.
 */

/** Kinds of data files, by extension, and the format that reads them; where two are as many, the first one counts. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['parquet', 'parquet'],
  ['jsonl', 'jsonl'],
  ['ndjson', 'jsonl'],
  ['json', 'json'],
  ['csv', 'csv'],
  ['tsv', 'tsv'],
]);

const SPLIT_WORDS: ReadonlyMap<string, string> = new Map([
  ...['train', 'training'].map((word) => [word, 'train'] as const),
  ...['test', 'testing', 'eval', 'evaluation'].map((word) => [word, 'test'] as const),
  ...['validation', 'valid', 'dev', 'val'].map((word) => [word, 'validation'] as const),
]);

/** JSON that is about the data. */
const DESCRIPTIONS: ReadonlySet<string> = new Set([
  'dataset_infos.json',
  'dataset_info.json',
  'dataset_dict.json',
  'state.json',
]);

/** A file with data. */
export interface Shard {
  readonly path: string;
  /** Name of the format that reads it. */
  readonly format: string;
  /** The part of the set, if something names it. */
  readonly split: string | undefined;
}

/** The format of a file by its name; undefined for what holds no data. */
export function shardFormat(path: string): string | undefined {
  const name = baseName(path);
  if (DESCRIPTIONS.has(name)) return undefined;
  return KINDS.get(name.slice(name.lastIndexOf('.') + 1).toLowerCase());
}

/** The data files among paths: those of the commonest kind, and where some are named by a split, only those. */
export function findShards(paths: readonly string[]): readonly Shard[] {
  const shards = paths.flatMap((path): Shard[] => {
    const format = shardFormat(path);
    return format === undefined ? [] : [{ path, format, split: splitOf(path) }];
  });
  const counts = new Map<string, number>([...KINDS.values()].map((format) => [format, 0]));
  for (const { format } of shards) counts.set(format, (counts.get(format) ?? 0) + 1);
  const [commonest] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [];
  const alike = shards.filter(({ format }) => format === commonest);
  const named = alike.filter(({ split }) => split !== undefined);
  return named.length > 0 ? named : alike;
}

function splitOf(path: string): string | undefined {
  const name = baseName(path);
  const sharded = /^(?<split>[\w.-]+?)-\d{5}-of-\d{5}/u.exec(name)?.groups?.['split'];
  if (sharded !== undefined) return sharded;
  const parts = [...path.split('/').slice(0, -1), name];
  for (const part of parts) {
    for (const word of part.toLowerCase().split(/[-._ 0-9]+/u)) {
      const split = SPLIT_WORDS.get(word);
      if (split !== undefined) return split;
    }
  }
  return undefined;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** What stands beside data and holds none. */
const COMPANION =
  /(?:^|\/)(?:licen[cs]e|notice|[^/]*\.(?:md|txt|py|png|jpe?g|svg|gif|bib|cff|gitignore|gitattributes))$/iu;

/** How surely files are such a dataset, from their paths alone. */
export function datasetConfidence(paths: readonly string[]): number {
  const shards = findShards(paths);
  const [first] = shards;
  if (first === undefined) return 0;
  const hasCard = paths.includes('README.md');
  const isNamed = first.split !== undefined;
  // No other tool exports Parquet.
  if (first.format === 'parquet') return isNamed || hasCard ? 0.8 : 0.7;
  const isClean = paths.every((path) => COMPANION.test(path) || shardFormat(path) !== undefined || isDescription(path));
  if (!isClean) return 0;
  const jsonCount = paths.filter((path) => shardFormat(path) === 'json').length;
  if (first.format === 'json') return jsonCount === shards.length && areSplits(shards) ? 0.6 : 0;
  if (isNamed) return hasCard || jsonCount === 0 ? 0.6 : 0;
  return hasCard && jsonCount === 0 ? 0.3 : 0;
}

/** JSON may be anything, and a folder around it may be called anything: each file has to say its split by itself. */
function areSplits(shards: readonly Shard[]): boolean {
  return shards.every(({ path }) => splitOf(baseName(path)) !== undefined);
}

function isDescription(path: string): boolean {
  return DESCRIPTIONS.has(baseName(path));
}
