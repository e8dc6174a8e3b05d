/**
 * The front matter of a dataset's README.md: which files are which split, and the names of numbered labels.
 *
 * @see https://huggingface.co/docs/hub/datasets-manual-configuration
 */
import { UttrError } from '../../base/errors.ts';
import { labelNamesOf, type LabelNames } from '../class-labels.ts';
import { parseYaml } from '../yaml-document.ts';
import { fitsPattern } from './path-pattern.ts';
import { findShards, type Shard, shardFormat } from './shards.ts';
import { isFields, type Fields } from '../../records/row-problems.ts';

/** More patterns than this name no files. */
const PATTERN_LIMIT = 1000;
const PATTERN_LENGTH_LIMIT = 500;

export interface DatasetCard {
  readonly shards: readonly Shard[];
  readonly labelNames: LabelNames;
}

/**
 * What a README.md says about the other files of its folder.
 *
 * @param text of README.md; empty where there is none
 * @throws bad-format: no YAML, several configurations, files that are not there or in no format that is read
 */
export function readCard(text: string, paths: readonly string[], file: string): DatasetCard {
  const matter = frontMatter(text, file);
  const config = chooseConfig(listOf(matter['configs']), file);
  const patterns = config === undefined ? [] : patternsOf(config);
  const infos = listOf(matter['dataset_info']);
  const info = infos.find((candidate) => candidate['config_name'] === config?.['config_name']) ?? infos[0];
  return {
    shards: patterns.length === 0 ? findShards(paths) : namedShards(patterns, paths, file),
    labelNames: labelNamesOf(info?.['features']),
  };
}

/** Between two lines of three dashes at the start. */
function frontMatter(text: string, file: string): Fields {
  const lines = text
    .replace(/^\uFEFF/u, '')
    .split('\n')
    .map((line) => line.replace(/\r$/u, ''));
  const end = lines.indexOf('---', 1);
  if (lines[0] !== '---' || end < 0) return {};
  // The empty line keeps the numbers of the lines.
  const [document] = parseYaml(['', ...lines.slice(1, end)].join('\n'), file);
  const value = document?.toValue();
  return isFields(value) ? value : {};
}

function chooseConfig(configs: readonly Fields[], file: string): Fields | undefined {
  const chosen =
    configs.length < 2
      ? configs[0]
      : (configs.find((config) => config['default'] === true) ??
        configs.find((config) => config['config_name'] === 'default'));
  if (chosen !== undefined || configs.length === 0) return chosen;
  const names = configs.map((config) => String(config['config_name'])).slice(0, 12);
  throw new UttrError('bad-format', `${file} has ${configs.length} configurations, and none of them is the default`, {
    hint: `name the files of one of them: ${names.join(', ')}`,
    details: { file },
  });
}

interface SplitPattern {
  readonly split: string | undefined;
  readonly pattern: string;
}

/** `data_files` is a pattern, a list of patterns, or a list of splits with their patterns; so is `data_dir`. */
function patternsOf(config: Fields): SplitPattern[] {
  const folder = typeof config['data_dir'] === 'string' ? `${config['data_dir'].replace(/\/+$/u, '')}/` : '';
  const given = config['data_files'] ?? (folder === '' ? undefined : '**');
  const found: SplitPattern[] = [];
  const add = (split: string | undefined, value: unknown): void => {
    for (const pattern of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof pattern === 'string')
        found.push({ split, pattern: `${folder}${pattern}`.slice(0, PATTERN_LENGTH_LIMIT) });
      else if (isFields(pattern)) add(typeof pattern['split'] === 'string' ? pattern['split'] : split, pattern['path']);
    }
  };
  add(undefined, given);
  return found.slice(0, PATTERN_LIMIT);
}

function namedShards(patterns: readonly SplitPattern[], paths: readonly string[], file: string): readonly Shard[] {
  const shards = new Map<string, Shard>();
  for (const { split, pattern } of patterns) {
    const found = paths.filter((path) => shardFormat(path) !== undefined && fitsPattern(path, pattern));
    if (found.length === 0) {
      throw new UttrError('bad-format', `${file} names ${pattern}, but no data file that is read fits that`, {
        hint: 'the data may lie elsewhere, or be in a format that uttr does not read: uttr reads Parquet, JSON Lines, JSON, CSV and TSV',
        details: { file },
      });
    }
    const named = new Map(findShards(found).map((shard) => [shard.path, shard.split]));
    for (const path of found) {
      if (!shards.has(path))
        shards.set(path, { path, format: shardFormat(path) as string, split: split ?? named.get(path) });
    }
  }
  return [...shards.values()];
}

/** A list of mappings, or the one mapping that stands for it. */
function listOf(value: unknown): readonly Fields[] {
  if (Array.isArray(value)) return value.filter(isFields);
  return isFields(value) ? [value] : [];
}
