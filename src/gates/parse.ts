/**
 * The gates of a dataset as uttr.json declares them.
 *
 *   "gates": { "intent accuracy": { "metric": "accuracy",
 *       "target": { "start": 0.80, "step": 0.01, "every": "7d", "steps": 10, "from": "2026-11-23" },
 *       "decide": "upper-bound", "tolerance": 0.005, "minSupport": 100, "below": "fail", "failAfter": 2 } }
 */
import { DAY, isObject } from '../base/json.ts';
import { hintFor } from '../base/near-miss.ts';
import type { Gate, Rule } from './decide.ts';
import { isMetric, METRICS_HINT } from './metric.ts';
import type { Target } from './target.ts';

type Json = Readonly<Record<string, unknown>>;

const GATE_KEYS = ['metric', 'on', 'target', 'decide', 'tolerance', 'minSupport', 'below', 'failAfter'];
const RULES: readonly Rule[] = ['point', 'lower-bound', 'upper-bound', 'not-worse-than-best'];
const DAY_MS = 86_400_000;
const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS };

/** Keys of each kind of target; the first kind whose keys are all known is meant. */
const TARGET_KEYS: readonly (readonly [Exclude<Target['kind'], 'constant'>, readonly string[]])[] = [
  ['ratchet', ['ratchet']],
  ['step', ['start', 'step', 'every', 'steps', 'from']],
  ['ramp', ['start', 'end', 'from', 'until']],
];

/** Reads the `gates` of a dataset; adds to `problems` what is wrong, each with its path. */
export function parseGates(value: unknown, path: string, problems: string[]): readonly Gate[] {
  if (!isObject(value)) {
    problems.push(`"${path}" is not an object of gates by their names`);
    return [];
  }
  return Object.entries(value).map(([name, gate]) => new GateParser(`${path}.${name}`, problems).gate(name, gate));
}

class GateParser {
  readonly #path: string;
  readonly #problems: string[];

  constructor(path: string, problems: string[]) {
    this.#path = path;
    this.#problems = problems;
  }

  gate(name: string, value: unknown): Gate {
    const given = isObject(value) ? value : {};
    if (given !== value) this.#wrong('', 'is not an object');
    this.#unknown(given, GATE_KEYS, '');
    const { metric, on = 'test', decide = 'point', below = 'fail' } = given;
    if (typeof metric !== 'string' || !isMetric(metric)) this.#wrong('.metric', `is no metric: ${METRICS_HINT}`);
    if (on !== 'test') this.#wrong('.on', 'is not "test": models are measured on what they have not seen');
    if (!RULES.includes(decide as Rule)) this.#wrong('.decide', `is none of ${RULES.join(', ')}`);
    if (below !== 'warn' && below !== 'fail') this.#wrong('.below', 'is neither "warn" nor "fail"');
    return {
      name,
      metric: String(metric),
      target: this.#target(given['target'], decide),
      rule: decide as Rule,
      tolerance: this.#number(given, 'tolerance', 0, (number) => number >= 0 && number < 1),
      minSupport: this.#number(given, 'minSupport', 0, (number) => Number.isInteger(number) && number >= 0),
      below: below as Gate['below'],
      failAfter: this.#number(given, 'failAfter', 1, (number) => Number.isInteger(number) && number >= 1),
    };
  }

  #target(value: unknown, rule: unknown): Target {
    const none: Target = { kind: 'constant', value: 0 };
    if (value === undefined && rule === 'not-worse-than-best') return none;
    if (typeof value === 'number' && isShare(value)) return { kind: 'constant', value };
    const kind = isObject(value)
      ? TARGET_KEYS.find(([, keys]) => Object.keys(value).every((key) => keys.includes(key)))
      : undefined;
    if (kind === undefined || !isObject(value)) {
      const kinds = TARGET_KEYS.map(([, keys]) => `{${keys.join(', ')}}`).join(', ');
      this.#wrong('.target', `is none of: a number from 0 to 1, ${kinds}`);
      return none;
    }
    const share = (key: string): number => this.#number(value, key, undefined, isShare, '.target');
    switch (kind[0]) {
      case 'ratchet':
        return { kind: 'ratchet', floor: share('ratchet') };
      case 'ramp': {
        const [fromMs, untilMs] = [this.#day(value, 'from'), this.#day(value, 'until')];
        if (untilMs <= fromMs) this.#wrong('.target.until', 'is not after "from"');
        return { kind: 'ramp', start: share('start'), end: share('end'), fromMs, untilMs };
      }
      case 'step':
        return {
          kind: 'step',
          start: share('start'),
          step: this.#number(value, 'step', undefined, (number) => Math.abs(number) < 1, '.target'),
          everyMs: this.#duration(value, 'every'),
          steps: this.#number(
            value,
            'steps',
            undefined,
            (number) => Number.isInteger(number) && number >= 0,
            '.target',
          ),
          fromMs: this.#day(value, 'from'),
        };
    }
  }

  #number(
    given: Json,
    key: string,
    usual: number | undefined,
    isFine: (number: number) => boolean,
    within = '',
  ): number {
    const value = given[key] ?? usual;
    if (typeof value === 'number' && isFine(value)) return value;
    this.#wrong(`${within}.${key}`, value === undefined ? 'is missing' : `cannot be ${JSON.stringify(value)}`);
    return 0;
  }

  #day(given: Json, key: string): number {
    const value = given[key];
    if (typeof value === 'string' && DAY.test(value)) return Date.parse(`${value}T00:00:00Z`);
    this.#wrong(`.target.${key}`, 'is no day like "2026-11-23"');
    return 0;
  }

  #duration(given: Json, key: string): number {
    const match = /^(?<count>[1-9]\d{0,3})(?<unit>[hdw])$/u.exec(String(given[key]));
    if (match?.groups !== undefined) return Number(match.groups['count']) * (UNITS[match.groups['unit'] ?? ''] ?? 0);
    this.#wrong(`.target.${key}`, 'is no duration like "7d", "2w" or "12h"');
    return DAY_MS;
  }

  #unknown(given: Json, keys: readonly string[], within: string): void {
    for (const key of Object.keys(given).filter((name) => !keys.includes(name))) {
      this.#problems.push(`unknown "${this.#path}${within}.${key}" (${hintFor(key, keys, 'settings')})`);
    }
  }

  #wrong(key: string, problem: string): void {
    this.#problems.push(`"${this.#path}${key}" ${problem}`);
  }
}

function isShare(value: number): boolean {
  return value >= 0 && value <= 1;
}
