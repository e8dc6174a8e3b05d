/**
 * The `events` part of uttr.json: unknown value in, finished configuration or all problems out.
 *
 * E13 Secrets are never read from the file: it names environment variables. What only the machine's owner may
 *     decide (trust, private addresses) is refused there too, because the file comes with a clone.
 */
import { isObject } from '../base/json.ts';
import { canonicalJson } from '../base/canonical-json.ts';
import { hintFor } from '../base/near-miss.ts';
import { sha256 } from '../base/hash.ts';
import { DEFAULT_RETRY_FOR_MS } from './backoff.ts';
import { checkWebhookUrl } from './sinks/webhook-target.ts';

interface SinkBase {
  readonly name: string;
  /** After this time without success a delivery is dead. */
  readonly retryForMs: number;
}

export interface FileSinkConfig extends SinkBase {
  readonly type: 'file';
  /** Relative to the repository. */
  readonly path: string;
}

export interface CommandSinkConfig extends SinkBase {
  readonly type: 'command';
  /** Arguments run without a shell; a single string runs through the platform's shell. */
  readonly command: string | readonly string[];
  readonly timeoutMs: number;
}

export interface WebhookSinkConfig extends SinkBase {
  readonly type: 'webhook';
  readonly url: string;
  /** Names of environment variables that hold the secrets; none: requests are not signed. */
  readonly secretEnv: readonly string[];
}

export type SinkConfig = FileSinkConfig | CommandSinkConfig | WebhookSinkConfig;

export interface EventsConfig {
  /** Only moves of these branches are events. */
  readonly branches: readonly string[];
  readonly sinks: readonly SinkConfig[];
}

const DEFAULT_BRANCHES: readonly string[] = ['main', 'master'];

/** What holds where uttr.json says nothing about events. */
export const NO_EVENTS: EventsConfig = { branches: DEFAULT_BRANCHES, sinks: [] };

const DEFAULT_COMMAND_TIMEOUT_MS = 3_600_000;
/** The longest delay a timer can hold is 2^31 - 1 ms. */
const LONGEST_DURATION_MS = 2_147_483_647;
const SINK_LIMIT = 32;

const SINK_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/iu;
const VARIABLE_NAME = /^[A-Z_][A-Z0-9_]*$/iu;
const DURATION = /^(\d{1,9})(s|m|h|d)$/u;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const COMMON_KEYS = ['name', 'type', 'retryFor'];
const KEYS_BY_TYPE: Readonly<Record<SinkConfig['type'], readonly string[]>> = {
  file: ['path'],
  command: ['command', 'timeout'],
  webhook: ['url', 'secretEnv'],
};

/** Keys people reach for, and where the thing belongs instead. */
const MISPLACED: Readonly<Record<string, string>> = {
  secret: 'secrets are never kept in uttr.json; name an environment variable in "secretEnv"',
  token: 'secrets are never kept in uttr.json; name an environment variable in "secretEnv"',
  password: 'secrets are never kept in uttr.json; name an environment variable in "secretEnv"',
  allowPrivate: 'uttr.json comes with a clone, so it cannot allow private addresses; each machine does that for itself',
  trusted: 'uttr.json comes with a clone, so it cannot trust itself; on each machine, run: uttr events trust',
};

/**
 * Parses `events`.
 *
 * @param path where the value stands, for messages: "events".
 * @returns the configuration only where there are no problems; each problem is "path: what; hint".
 */
export function parseEventsConfig(value: unknown, path: string): { config?: EventsConfig; problems: string[] } {
  const reader = new Reader();
  const config = readEvents(reader, value, path);
  return reader.problems.length === 0 && config !== undefined
    ? { config, problems: [] }
    : { problems: reader.problems };
}

/**
 * Names everything about a sink that the user looks at before trusting it: any change asks for trust again.
 * The program that a command runs is not part of it.
 */
export function sinkFingerprint(config: SinkConfig): string {
  return sha256(`uttr-sink-1\n${canonicalJson({ ...config })}`);
}

function readEvents(reader: Reader, value: unknown, path: string): EventsConfig | undefined {
  if (value === undefined) return NO_EVENTS;
  const object = reader.object(value, path, ['branches', 'sinks']);
  if (object === undefined) return undefined;
  const branches = object['branches'];
  const sinks = object['sinks'] ?? [];
  if (!Array.isArray(sinks)) {
    reader.problem(`${path}.sinks`, 'must be a list of sinks');
    return undefined;
  }
  if (sinks.length > SINK_LIMIT)
    reader.problem(`${path}.sinks`, `has ${sinks.length} sinks; the limit is ${SINK_LIMIT}`);
  const parsed = sinks.map((sink: unknown, index) => readSink(reader, sink, `${path}.sinks[${index}]`));
  const names = new Set<string>();
  for (const [index, sink] of parsed.entries()) {
    if (sink === undefined) continue;
    if (sink.name !== '' && names.has(sink.name))
      reader.problem(`${path}.sinks[${index}].name`, `"${sink.name}" is taken by another sink`);
    names.add(sink.name);
  }
  return {
    branches: branches === undefined ? DEFAULT_BRANCHES : (reader.strings(branches, `${path}.branches`) ?? []),
    sinks: parsed.filter((sink) => sink !== undefined),
  };
}

function readSink(reader: Reader, value: unknown, path: string): SinkConfig | undefined {
  const types = Object.keys(KEYS_BY_TYPE);
  const type = isObject(value) ? value['type'] : undefined;
  if (isObject(value) && (typeof type !== 'string' || !types.includes(type))) {
    if (typeof type === 'string') reader.problem(`${path}.type`, `is "${type}"; ${hintFor(type, types, 'types')}`);
    else reader.problem(`${path}.type`, `must be one of ${types.join(', ')}`);
    return undefined;
  }
  const kind = type as SinkConfig['type'];
  const object = reader.object(value, path, [...COMMON_KEYS, ...(KEYS_BY_TYPE[kind] ?? [])]);
  if (object === undefined) return undefined;
  const name = reader.text(object['name'], `${path}.name`);
  if (name !== undefined && !SINK_NAME.test(name)) {
    reader.problem(`${path}.name`, `must be letters, digits, ".", "_" and "-", at most 64: ${JSON.stringify(name)}`);
  }
  const base = {
    name: name ?? '',
    retryForMs: reader.duration(object['retryFor'], `${path}.retryFor`, DEFAULT_RETRY_FOR_MS),
  };
  switch (kind) {
    case 'file':
      return { ...base, type: 'file', path: readFilePath(reader, object['path'], `${path}.path`) };
    case 'command':
      return {
        ...base,
        type: 'command',
        command: readCommand(reader, object['command'], `${path}.command`),
        timeoutMs: reader.duration(object['timeout'], `${path}.timeout`, DEFAULT_COMMAND_TIMEOUT_MS),
      };
    case 'webhook':
      return {
        ...base,
        type: 'webhook',
        url: readUrl(reader, object['url'], `${path}.url`),
        secretEnv: readSecretEnv(reader, object['secretEnv'], `${path}.secretEnv`),
      };
  }
}

function readFilePath(reader: Reader, value: unknown, path: string): string {
  const text = reader.text(value, path) ?? '';
  if (text.includes('\0')) reader.problem(path, 'holds a NUL character');
  if (text.endsWith('/')) reader.problem(path, 'names a folder; it must name a file');
  if (text.split(/[/\\]/u).some((segment) => ['.git', '.uttr'].includes(segment.toLowerCase()))) {
    reader.problem(path, 'lies in a folder that git or uttr keeps for itself');
  }
  return text;
}

function readCommand(reader: Reader, value: unknown, path: string): string | readonly string[] {
  if (typeof value === 'string') return reader.text(value, path) ?? '';
  const command = reader.strings(value, path) ?? [];
  if (Array.isArray(value) && command[0] === '') reader.problem(path, 'must begin with the name of a program');
  return command;
}

function readUrl(reader: Reader, value: unknown, path: string): string {
  const text = reader.text(value, path) ?? '';
  const refusal = text === '' ? undefined : checkWebhookUrl(text);
  if (refusal !== undefined) reader.problem(path, refusal);
  return text;
}

function readSecretEnv(reader: Reader, value: unknown, path: string): readonly string[] {
  if (value === undefined) return [];
  const names = typeof value === 'string' ? [value] : (reader.strings(value, path) ?? []);
  if (names.some((name) => !VARIABLE_NAME.test(name))) {
    // The value is not repeated: it may be the secret itself.
    reader.problem(path, 'must be the name of an environment variable, or a list of names; never the secret itself');
  }
  return names;
}

/** Reads parts of an unknown value and collects what is wrong with them. */
class Reader {
  readonly problems: string[] = [];

  problem(path: string, what: string): void {
    this.problems.push(`${path}: ${what}`);
  }

  object(value: unknown, path: string, keys: readonly string[]): Readonly<Record<string, unknown>> | undefined {
    if (!isObject(value)) {
      this.problem(path, 'must be an object');
      return undefined;
    }
    for (const key of Object.keys(value)) {
      if (keys.includes(key)) continue;
      const misplaced = Object.hasOwn(MISPLACED, key) ? MISPLACED[key] : undefined;
      this.problem(`${path}.${key}`, misplaced ?? `unknown key; ${hintFor(key, keys, 'keys')}`);
    }
    return value;
  }

  /** A text that is not empty. */
  text(value: unknown, path: string): string | undefined {
    if (typeof value === 'string' && value.trim() !== '') return value;
    this.problem(path, value === undefined ? 'is missing' : 'must be a text that is not empty');
    return undefined;
  }

  /** A list of at least one text. */
  strings(value: unknown, path: string): readonly string[] | undefined {
    if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')) return value;
    this.problem(path, value === undefined ? 'is missing' : 'must be a list of texts that is not empty');
    return undefined;
  }

  duration(value: unknown, path: string, absentMs: number): number {
    if (value === undefined) return absentMs;
    const [, digits, unit] = (typeof value === 'string' ? DURATION.exec(value) : null) ?? [];
    const durationMs = Number(digits) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
    if (durationMs > 0 && durationMs <= LONGEST_DURATION_MS) return durationMs;
    this.problem(path, 'must be a duration from "1s" to "24d", like "30s", "10m", "24h" or "7d"');
    return absentMs;
  }
}
