/**
 * The checks of a dataset as uttr.json declares them: severities, parameters, waivers.
 *
 *   "checks": { "text-length": { "severity": "error", "max": 300,
 *       "waive": [{ "texts": ["…"], "by": "Ada", "why": "a real complaint", "until": "2027-01-31" }] } }
 */
import { DAY } from '../base/json.ts';
import { hintFor } from '../base/near-miss.ts';
import { fold } from '../records/text.ts';
import { type Check, SEVERITIES, type Severity } from './check.ts';
import { isNames, parameterProblem } from './parameters.ts';
import { CHECKS } from './registry.ts';

/** A finding that somebody has looked at and lets stand. */
export interface Waiver {
  /** The id of a finding. */
  readonly finding?: string;
  /** Texts; a finding is waived when the texts of all its records are among them. */
  readonly texts?: readonly string[];
  /** Intents; a finding is waived when all the intents it is about are among them. */
  readonly intents?: readonly string[];
  readonly by: string;
  readonly why: string;
  /** The last day on which it holds, in UTC. */
  readonly until?: string;
}

/** One check as it is to run. */
export interface CheckSetting {
  readonly severity: Severity | 'off';
  readonly values: Readonly<Record<string, unknown>>;
  readonly waive: readonly Waiver[];
}

/** Settings by the name of the check; every check is there. */
export type CheckSettings = Readonly<Record<string, CheckSetting>>;

type Json = Readonly<Record<string, unknown>>;

const OWN_KEYS = ['severity', 'waive'];
const WAIVER_KEYS = ['finding', 'texts', 'intents', 'by', 'why', 'until'];

/** Reads the `checks` of a dataset; adds to `problems` what is wrong, each with its path. */
export function parseChecks(value: unknown, path: string, problems: string[]): CheckSettings {
  const declared = object(value, path, problems);
  const known = CHECKS.map(({ name }) => name);
  for (const name of Object.keys(declared)) {
    if (!known.includes(name)) problems.push(`unknown check "${path}.${name}" (${hintFor(name, known, 'checks')})`);
  }
  const settings: Record<string, CheckSetting> = {};
  for (const check of CHECKS) {
    const item = Object.hasOwn(declared, check.name) ? declared[check.name] : {};
    settings[check.name] = parseSetting(check, item, `${path}.${check.name}`, problems);
  }
  return settings;
}

/** Every check with its defaults. */
export function defaultChecks(): CheckSettings {
  return parseChecks({}, 'checks', []);
}

function parseSetting(check: Check, value: unknown, path: string, problems: string[]): CheckSetting {
  const given = object(value, path, problems);
  const { parameters } = check;
  const known = [...OWN_KEYS, ...Object.keys(parameters)];
  for (const key of Object.keys(given)) {
    if (!known.includes(key)) problems.push(`unknown key "${path}.${key}" (${hintFor(key, known, 'keys')})`);
  }
  const severity = given['severity'] ?? check.severity;
  if (severity !== 'off' && !SEVERITIES.includes(severity as Severity)) {
    problems.push(`${path}.severity must be "error", "warn", "info" or "off"`);
  }
  const values: Record<string, unknown> = {};
  for (const [name, parameter] of Object.entries(parameters)) {
    values[name] = parameter.default;
    if (given[name] === undefined) continue;
    const problem = parameterProblem(parameter, given[name]);
    if (problem === undefined) values[name] = given[name];
    else problems.push(`${path}.${name} ${problem}`);
  }
  const waivers = given['waive'] ?? [];
  if (!Array.isArray(waivers)) problems.push(`${path}.waive must be a list`);
  const waive = (Array.isArray(waivers) ? waivers : []).map((waiver, index) =>
    parseWaiver(waiver, `${path}.waive[${index}]`, problems),
  );
  return { severity: severity as CheckSetting['severity'], values, waive };
}

function parseWaiver(value: unknown, path: string, problems: string[]): Waiver {
  const given = object(value, path, problems);
  for (const key of Object.keys(given)) {
    if (!WAIVER_KEYS.includes(key)) {
      problems.push(`unknown key "${path}.${key}" (${hintFor(key, WAIVER_KEYS, 'keys')})`);
    }
  }
  for (const key of ['by', 'why']) {
    if (typeof given[key] !== 'string' || !/\S/u.test(given[key])) problems.push(`${path}.${key} must say who or why`);
  }
  checkMeant(given, path, problems);
  const { until } = given;
  if (until !== undefined && !(typeof until === 'string' && DAY.test(until))) {
    problems.push(`${path}.until must be a day, as 2027-01-31`);
  }
  return given as unknown as Waiver;
}

/** What a waiver waives. */
function checkMeant(given: Json, path: string, problems: string[]): void {
  const { finding, texts, intents } = given;
  if (finding !== undefined && typeof finding !== 'string') problems.push(`${path}.finding must be a finding's id`);
  for (const [key, list] of Object.entries({ texts, intents })) {
    if (list !== undefined && !(isNames(list) && list.length > 0))
      problems.push(`${path}.${key} must be a list of strings`);
  }
  if (finding === undefined && texts === undefined && intents === undefined) {
    problems.push(`${path} must name what it waives: "finding", "texts" or "intents"`);
  }
}

function object(value: unknown, path: string, problems: string[]): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  problems.push(`${path} must be an object`);
  return {};
}

/** What a waiver is asked about. */
export interface Waivable {
  readonly id: string;
  readonly texts: readonly string[];
  readonly intents: readonly string[];
}

/** The waivers of one check on one day. */
export class Waivers {
  readonly #waivers: readonly { readonly waiver: Waiver; readonly folds?: ReadonlySet<string> }[];
  readonly #used = new Set<Waiver>();
  readonly #all: readonly Waiver[];

  /** @param today as 2026-11-23 */
  constructor(waivers: readonly Waiver[], today: string) {
    this.#all = waivers;
    this.#waivers = waivers
      .filter(({ until }) => until === undefined || until >= today)
      .map((waiver) =>
        waiver.texts === undefined ? { waiver } : { waiver, folds: new Set(waiver.texts.map((text) => fold(text))) },
      );
  }

  /** The first waiver that holds for a finding. */
  waive(finding: Waivable): Waiver | undefined {
    const found = this.#waivers.find(
      ({ waiver, folds }) =>
        (waiver.finding === undefined || waiver.finding === finding.id) &&
        (folds === undefined || isWithin(finding.texts, (text) => folds.has(fold(text)))) &&
        (waiver.intents === undefined ||
          isWithin(finding.intents, (intent) => waiver.intents?.includes(intent) === true)),
    )?.waiver;
    if (found !== undefined) this.#used.add(found);
    return found;
  }

  /** Those that waived nothing: they expired, or what they were for is mended. */
  get unused(): readonly Waiver[] {
    return this.#all.filter((waiver) => !this.#used.has(waiver));
  }
}

function isWithin(items: readonly string[], has: (item: string) => boolean): boolean {
  return items.length > 0 && items.every((item) => has(item));
}
