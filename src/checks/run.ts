/**
 * Runs checks over the records of one version: all of them in one pass.
 */
import { canonicalJson } from '../base/canonical-json.ts';
import { sha256 } from '../base/hash.ts';
import { fold } from '../records/text.ts';
import {
  type Check,
  type CheckedRecord,
  type CheckRun,
  type Draft,
  type FoundRecord,
  intentsOf,
  labelled,
  type Scene,
  SEVERITIES,
  type Severity,
} from './check.ts';
import { CHECKS } from './registry.ts';
import { type CheckSetting, type CheckSettings, type Waiver, Waivers } from './settings.ts';
import { type TokenSets, TrigramCorpus } from './trigram-corpus.ts';

/** One problem that a check found. */
export interface Finding {
  /** The same for the same problem in every version: a waiver may name it. */
  readonly id: string;
  readonly check: string;
  readonly severity: Severity;
  readonly intents: readonly string[];
  readonly records: readonly FoundRecord[];
  /** How many records it is about; of many only some are in `records`. */
  readonly recordCount: number;
  readonly place: string;
  readonly message: string;
  readonly hint: string;
  /** Who let it stand, and why; such a finding is not counted as one. */
  readonly waived: Waiver | null;
}

/** What one check found. */
export interface CheckResult {
  readonly check: string;
  readonly title: string;
  /** `off`: it did not run. */
  readonly severity: Severity | 'off';
  /** Findings that are not waived, by severity. */
  readonly error: number;
  readonly warn: number;
  readonly info: number;
  readonly waived: number;
  /** Some findings were counted only. */
  readonly truncated: boolean;
  readonly unusedWaivers: readonly Waiver[];
}

export interface CheckReport {
  /** No finding of severity error that is not waived. */
  readonly ok: boolean;
  readonly records: number;
  readonly counts: Readonly<Record<Severity | 'waived', number>>;
  readonly checks: readonly CheckResult[];
  readonly findings: readonly Finding[];
}

/** What is to be checked, and what is known of it. */
export interface CheckInput extends Pick<Scene, 'sides' | 'identity' | 'parentIntents' | 'leftSides'> {
  /** All records of a version; those of a group are neighbours. */
  readonly records: AsyncIterable<readonly CheckedRecord[]>;
  readonly settings: CheckSettings;
  /** The day on which waivers must still hold, as 2026-11-23. */
  readonly today: string;
  /** Only these checks; all by default. */
  readonly only?: readonly string[] | undefined;
}

/** Findings of one check that are kept; more are counted. */
const KEPT_FINDINGS = 10_000;
/** Records named in one finding. */
const KEPT_RECORDS = 10;

/** The checks that are to run. */
export function chosenChecks({ settings, only }: Pick<CheckInput, 'settings' | 'only'>): readonly Check[] {
  return CHECKS.filter(({ name }) => (only === undefined || only.includes(name)) && settings[name]?.severity !== 'off');
}

/** Runs every check that is not off and tells what they found, in the order of the registry. */
export async function runChecks(input: CheckInput): Promise<CheckReport> {
  const chosen = chosenChecks(input);
  const corpus = chosen.some(({ needsTrigrams }) => needsTrigrams === true) ? new TrigramCorpus() : undefined;
  let sets: TokenSets | undefined;
  const trigrams = (): TokenSets => (sets ??= (corpus ?? new TrigramCorpus()).finish());
  const ledgers = new Map<string, Ledger>();
  const runs = chosen.map((check): CheckRun => {
    const setting = input.settings[check.name] as CheckSetting;
    const ledger = new Ledger(check, setting, input.today);
    ledgers.set(check.name, ledger);
    return check.start({ ...input, trigrams, find: (draft) => ledger.add(draft) }, setting.values);
  });
  const inspections = runs.flatMap(({ group }) => (group === undefined ? [] : [group]));
  let records = 0;
  for await (const group of groupsOf(input.records)) {
    records += group.length;
    if (corpus !== undefined) addTrigrams(corpus, group);
    for (const inspect of inspections) inspect(group);
  }
  for (const run of runs) run.finish?.();
  return summarize(records, [...ledgers.values()], input);
}

function summarize(records: number, ledgers: readonly Ledger[], input: CheckInput): CheckReport {
  const counts: Record<Severity | 'waived', number> = { error: 0, warn: 0, info: 0, waived: 0 };
  for (const ledger of ledgers) {
    for (const kind of [...SEVERITIES, 'waived'] as const) counts[kind] += ledger.counts[kind];
  }
  const off = CHECKS.filter(({ name }) => input.settings[name]?.severity === 'off');
  return {
    ok: counts.error === 0,
    records,
    counts,
    checks: [...ledgers.map((ledger) => ledger.result), ...off.map((check) => resultOff(check))],
    findings: ledgers.flatMap((ledger) => ledger.findings),
  };
}

function resultOff({ name, title }: Check): CheckResult {
  const none = { error: 0, warn: 0, info: 0, waived: 0 };
  return { check: name, title, severity: 'off', ...none, truncated: false, unusedWaivers: [] };
}

function addTrigrams(corpus: TrigramCorpus, group: readonly CheckedRecord[]): void {
  const first = labelled(group);
  if (first !== undefined) corpus.add(fold(first.record.text));
}

/** Cuts a stream where a group ends. */
async function* groupsOf(records: AsyncIterable<readonly CheckedRecord[]>): AsyncIterable<readonly CheckedRecord[]> {
  let open: CheckedRecord[] = [];
  for await (const batch of records) {
    for (const record of batch) {
      const first = open[0];
      if (first !== undefined && first.group !== record.group) {
        yield open;
        open = [];
      }
      open.push(record);
    }
  }
  if (open.length > 0) yield open;
}

/** What one check has found so far. */
class Ledger {
  readonly counts: Record<Severity | 'waived', number> = { error: 0, warn: 0, info: 0, waived: 0 };
  readonly findings: Finding[] = [];
  readonly #check: Check;
  readonly #severity: Severity;
  readonly #waivers: Waivers;
  #truncated = false;

  constructor(check: Check, { severity, waive }: CheckSetting, today: string) {
    this.#check = check;
    this.#severity = severity as Severity;
    this.#waivers = new Waivers(waive, today);
  }

  add(draft: Draft): void {
    const records = draft.records ?? [];
    const intents = draft.intents ?? [...new Set(records.flatMap(({ record }) => intentsOf(record)))];
    const id = findingId(this.#check.name, draft.subject);
    const texts = records.map(({ record }) => record.text);
    const waived = this.#waivers.waive({ id, texts, intents }) ?? null;
    const severity = lowest(draft.severity ?? this.#severity, this.#severity);
    this.counts[waived === null ? severity : 'waived']++;
    if (this.findings.length >= KEPT_FINDINGS) {
      this.#truncated = true;
      return;
    }
    this.findings.push({
      id,
      check: this.#check.name,
      severity,
      intents,
      records: records.slice(0, KEPT_RECORDS).map((found) => foundRecord(found)),
      recordCount: records.length,
      place: draft.place,
      message: draft.message,
      hint: draft.hint,
      waived,
    });
  }

  get result(): CheckResult {
    const { name, title } = this.#check;
    return {
      check: name,
      title,
      severity: this.#severity,
      ...this.counts,
      truncated: this.#truncated,
      unusedWaivers: this.#waivers.unused,
    };
  }
}

function foundRecord({ record, side }: CheckedRecord): FoundRecord {
  return { text: record.text, intent: record.intent ?? null, side };
}

function lowest(a: Severity, b: Severity): Severity {
  return SEVERITIES.indexOf(a) > SEVERITIES.indexOf(b) ? a : b;
}

/** The name of a problem: the check, and 12 digits of the hash of what it is about. */
export function findingId(check: string, subject: readonly string[]): string {
  return `${check}:${sha256(canonicalJson([...subject])).slice(0, 12)}`;
}
