/**
 * uttr.json: unknown JSON in, a finished Config out, or every problem at once with its path.
 */
import { UttrError } from '../base/errors.ts';
import { hintFor } from '../base/near-miss.ts';
import { type CheckSettings, defaultChecks, parseChecks } from '../checks/settings.ts';
import type { Gate } from '../gates/decide.ts';
import { parseGates } from '../gates/parse.ts';
import { type EventsConfig, NO_EVENTS, parseEventsConfig } from '../events/config.ts';
import { type CleanRules, MASKS } from '../records/clean.ts';
import { parseDatasetName } from '../records/dataset-name.ts';
import type { SplitPolicy } from '../records/manifest.ts';
import { checkSplitPolicy } from '../split/policy.ts';

export const CONFIG_FILE = 'uttr.json';

export interface RemoteConfig {
  readonly url: string;
  readonly endpoint?: string;
  readonly region?: string;
  /** Allows an endpoint without TLS that is not on this machine. */
  readonly insecure?: boolean;
}

export interface DatasetConfig {
  /** Paths of fields that make two equal texts different records, e.g. `features.role`. */
  readonly identity: readonly string[];
  readonly split: SplitPolicy;
  /** What `add` changes in texts. */
  readonly clean: CleanRules;
  /** Every check, with what is declared of it. */
  readonly checks: CheckSettings;
  readonly gates: readonly Gate[];
}

export interface Config {
  readonly remotes: Readonly<Record<string, RemoteConfig>>;
  readonly datasets: Readonly<Record<string, DatasetConfig>>;
  readonly events: EventsConfig;
}

type Json = Record<string, unknown>;

const TOP_KEYS = ['$schema', 'uttr', 'remotes', 'datasets', 'events'];
const REMOTE_KEYS = ['url', 'endpoint', 'region', 'insecure'];
const REMOTE_TEXTS = ['url', 'endpoint', 'region'];
const DATASET_KEYS = ['identity', 'split', 'clean', 'checks', 'retrain', 'gates'];
const SPLIT_KEYS = ['method', 'sides', 'salt', 'stratify'];
const CLEAN_KEYS = ['stripHtml', 'mask', 'collapseWhitespace', 'maxCharacters'];
const FIELD_PATH = /^(?:intent|lang|id|features\.[^.]+)$/u;

/** A dataset that says nothing else. */
export function newDataset(dataset: string): DatasetConfig {
  return {
    identity: [],
    split: { method: 'sticky', sides: { train: 0.75, test: 0.25 }, salt: dataset, stratify: ['intent'] },
    clean: {},
    checks: defaultChecks(),
    gates: [],
  };
}

/** What `add` writes for a new dataset: the defaults, spelled out. */
export function defaultDatasetConfig(dataset: string): Json {
  return { ...newDataset(dataset), checks: {}, retrain: {}, gates: {} };
}

/** Parses the text of uttr.json. @throws bad-config listing every problem; format-too-new */
export function parseConfig(text: string, file: string = CONFIG_FILE): Config {
  let value: unknown;
  try {
    // Editors on Windows put a mark before the text.
    value = JSON.parse(text.replace(/^\uFEFF/u, ''));
  } catch (error) {
    throw new UttrError('bad-config', `${file} is not JSON: ${(error as Error).message}`, {
      cause: error,
      hint: 'mend the file, or compare it with: git diff uttr.json',
    });
  }
  const problems: string[] = [];
  const config = readTop(value, problems);
  if (problems.length > 0) {
    throw new UttrError('bad-config', `${file}: ${problems.join('; ')}`, {
      hint: 'see "Configuration" in the README',
      details: { file, problems },
    });
  }
  return config;
}

function readTop(value: unknown, problems: string[]): Config {
  const top = object(value, 'the file', problems);
  unknownKeys(top, TOP_KEYS, '', problems);
  const format = top['uttr'];
  if (typeof format === 'number' && format > 1) {
    throw new UttrError('format-too-new', `${CONFIG_FILE} has format ${format}; this uttr knows 1`, {
      hint: 'install the newest uttr',
      details: { format, known: 1 },
    });
  }
  if (format !== 1) problems.push('"uttr" must be 1');
  const events = parseEventsConfig(top['events'] ?? {}, 'events');
  problems.push(...events.problems);
  return {
    remotes: readRemotes(top['remotes'] ?? {}, problems),
    datasets: readDatasets(top['datasets'] ?? {}, problems),
    events: events.config ?? NO_EVENTS,
  };
}

function readRemotes(value: unknown, problems: string[]): Record<string, RemoteConfig> {
  const remotes = byName<RemoteConfig>();
  for (const [name, item] of Object.entries(object(value, 'remotes', problems))) {
    const path = `remotes.${name}`;
    if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/u.test(name))
      problems.push(`${path}: a remote's name has letters, digits, - and _`);
    const remote = object(item, path, problems);
    unknownKeys(remote, REMOTE_KEYS, `${path}.`, problems);
    for (const key of REMOTE_TEXTS) {
      const setting = remote[key];
      if (setting !== undefined && typeof setting !== 'string') problems.push(`${path}.${key} must be a string`);
      if (typeof setting === 'string' && hasCredentials(setting)) {
        problems.push(`${path}.${key} holds credentials: take them out, they come from the AWS environment`);
      }
    }
    const { insecure } = remote;
    if (insecure !== undefined && typeof insecure !== 'boolean')
      problems.push(`${path}.insecure must be true or false`);
    if (remote['url'] === undefined) problems.push(`${path}.url is missing`);
    remotes[name] = remote as unknown as RemoteConfig;
  }
  return remotes;
}

/** What stands before an `@` is a name or a password; this file is in git, and everybody reads it. */
function hasCredentials(url: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/]*@/iu.test(url);
}

function readDatasets(value: unknown, problems: string[]): Record<string, DatasetConfig> {
  const datasets = byName<DatasetConfig>();
  for (const [name, item] of Object.entries(object(value, 'datasets', problems))) {
    const path = `datasets.${name}`;
    try {
      parseDatasetName(name);
    } catch (error) {
      problems.push(`${path}: ${(error as Error).message}`);
      continue;
    }
    const dataset = object(item, path, problems);
    unknownKeys(dataset, DATASET_KEYS, `${path}.`, problems);
    object(dataset['retrain'] ?? {}, `${path}.retrain`, problems);
    datasets[name] = {
      identity: readFields(dataset['identity'] ?? [], `${path}.identity`, problems),
      split: readSplit(dataset['split'] ?? {}, name, `${path}.split`, problems),
      clean: readClean(dataset['clean'] ?? {}, `${path}.clean`, problems),
      checks: parseChecks(dataset['checks'] ?? {}, `${path}.checks`, problems),
      gates: parseGates(dataset['gates'] ?? {}, `${path}.gates`, problems),
    };
  }
  return datasets;
}

function readSplit(value: unknown, dataset: string, path: string, problems: string[]): SplitPolicy {
  const split = object(value, path, problems);
  unknownKeys(split, SPLIT_KEYS, `${path}.`, problems);
  const before = problems.length;
  const method = split['method'] ?? 'sticky';
  if (method !== 'sticky' && method !== 'hash') problems.push(`${path}.method must be "sticky" or "hash"`);
  const salt = split['salt'] ?? dataset;
  if (typeof salt !== 'string') problems.push(`${path}.salt must be a string`);
  const sides = object(split['sides'] ?? { train: 0.75, test: 0.25 }, `${path}.sides`, problems);
  for (const [side, ratio] of Object.entries(sides)) {
    if (typeof ratio !== 'number') problems.push(`${path}.sides.${side} must be a number`);
  }
  const policy: SplitPolicy = {
    method: method as SplitPolicy['method'],
    sides: sides as Record<string, number>,
    salt: typeof salt === 'string' ? salt : '',
    stratify: readStrings(split['stratify'] ?? ['intent'], `${path}.stratify`, problems),
  };
  // What the values of a policy must be is told once its kinds are right.
  if (problems.length === before) problems.push(...checkSplitPolicy(policy).map((problem) => `${path}: ${problem}`));
  return policy;
}

function readClean(value: unknown, path: string, problems: string[]): CleanRules {
  const clean = object(value, path, problems);
  unknownKeys(clean, CLEAN_KEYS, `${path}.`, problems);
  for (const key of ['stripHtml', 'collapseWhitespace']) {
    if (!['undefined', 'boolean'].includes(typeof clean[key])) problems.push(`${path}.${key} must be true or false`);
  }
  const { maxCharacters = 1 } = clean;
  if (!Number.isSafeInteger(maxCharacters) || Number(maxCharacters) < 1) {
    problems.push(`${path}.maxCharacters must be a whole number from 1`);
  }
  for (const mask of readStrings(clean['mask'] ?? [], `${path}.mask`, problems)) {
    if (!(MASKS as readonly string[]).includes(mask)) {
      problems.push(`${path}.mask: ${JSON.stringify(mask)} is none of ${MASKS.join(', ')}`);
    }
  }
  return clean;
}

function readFields(value: unknown, path: string, problems: string[]): string[] {
  const fields = readStrings(value, path, problems);
  for (const field of fields) {
    if (FIELD_PATH.test(field)) continue;
    problems.push(`${path}: ${JSON.stringify(field)} is no field (intent, lang, id or features.<name>)`);
  }
  return fields;
}

function readStrings(value: unknown, path: string, problems: string[]): string[] {
  if (!Array.isArray(value)) {
    problems.push(`${path} must be a list`);
    return [];
  }
  if (value.every((item) => typeof item === 'string')) return value;
  problems.push(`${path} must be a list of strings`);
  return [];
}

/** Without a prototype, so that no name (`toString`) is there before somebody puts it there. */
function byName<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}

function object(value: unknown, path: string, problems: string[]): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  problems.push(`${path} must be an object`);
  return {};
}

function unknownKeys(value: Json, known: readonly string[], prefix: string, problems: string[]): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) problems.push(`unknown key "${prefix}${key}" (${hintFor(key, known, 'keys')})`);
  }
}
