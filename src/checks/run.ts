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
  type Sight,
  type UsePair,
} from './check.ts';
import { IntentCounts } from './intent-counts.ts';
import { CHECKS } from './registry.ts';
import { type CheckSetting, type CheckSettings, type Waiver, Waivers } from './settings.ts';
import { joinSimilar } from './similarity-join.ts';
import { TrigramCorpus } from './trigram-corpus.ts';

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

/** Two groups with texts that are alike, one of a change and one that it leaves alone. */
export interface Neighbour {
  readonly changed: CheckedRecord;
  readonly other: CheckedRecord;
  readonly similarity: number;
}

/** What is known of a version of which only the groups that a change touches are seen. */
export interface ChangeScope {
  /** Records of the version. */
  readonly rows: number;
  readonly counts: IntentCounts;
  /** Intents that the change touches. */
  readonly intents: readonly string[];
  /** Groups that the change leaves alone whose texts are like these. */
  readonly neighbours: (texts: readonly CheckedRecord[], threshold: number) => Promise<readonly Neighbour[]>;
  /** Some of the records that the version has without the change. */
  readonly sample: () => Promise<readonly CheckedRecord[]>;
}

/** What is to be checked, and what is known of it. */
export interface CheckInput extends Pick<Scene, 'sides' | 'identity' | 'parentIntents' | 'leftSides'> {
  /** All records of a version, or of the groups that a change touches; those of a group are neighbours. */
  readonly records: AsyncIterable<readonly CheckedRecord[]>;
  readonly settings: CheckSettings;
  /** There where only what a change touches is looked at. */
  readonly change?: ChangeScope | undefined;
  /** The day on which waivers must still hold, as 2026-11-23. */
  readonly today: string;
  /** Only these checks; all by default. */
  readonly only?: readonly string[] | undefined;
  /** Only checks whose errors stop a commit. */
  readonly stoppingOnly?: boolean | undefined;
}

/** Findings of one check that are kept; more are counted. */
const KEPT_FINDINGS = 10_000;
/** Records named in one finding. */
const KEPT_RECORDS = 10;

type Choice = Pick<CheckInput, 'settings' | 'only' | 'stoppingOnly'>;

/** The checks that are to run. */
export function chosenChecks({ settings, only, stoppingOnly }: Choice): readonly Check[] {
  return CHECKS.filter(({ name, stopsNoCommit }) => {
    const severity = settings[name]?.severity;
    if (only !== undefined && !only.includes(name)) return false;
    return stoppingOnly === true ? severity === 'error' && stopsNoCommit !== true : severity !== 'off';
  });
}

/** How much of the records these checks must see. */
export function sightOf(chosen: readonly Check[], settings: CheckSettings, isWhole: boolean): Sight {
  // Pairs are found among the texts that were seen.
  if (leastLikeness(chosen, settings) !== undefined) return 'records';
  const all = chosen.map((check) => check.looksAt?.(valuesOf(check, settings), isWhole) ?? 'records');
  return all.includes('records') ? 'records' : all.includes('repeats') ? 'repeats' : 'nothing';
}

function valuesOf({ name }: Check, settings: CheckSettings): CheckSetting['values'] {
  return (settings[name] as CheckSetting).values;
}

/** Runs every check that is not off and tells what they found, in the order of the registry. */
export async function runChecks(input: CheckInput): Promise<CheckReport> {
  const chosen = chosenChecks(input);
  const likeness = leastLikeness(chosen, input.settings);
  const seen = new Seen(input.change, likeness !== undefined);
  const ledgers = new Map<string, Ledger>();
  for (const { prepare } of chosen) await prepare?.();
  const runs = chosen.map((check): CheckRun => {
    const ledger = new Ledger(check, input.settings[check.name] as CheckSetting, input.today);
    ledgers.set(check.name, ledger);
    return check.start(
      { ...input, ...seen.scene, find: (draft) => ledger.add(draft) },
      valuesOf(check, input.settings),
    );
  });
  await giveContext(runs, input.change);
  const inspections = runs.flatMap(({ group }) => (group === undefined ? [] : [group]));
  for await (const group of groupsOf(input.records)) {
    seen.add(group);
    for (const inspect of inspections) inspect(group);
  }
  if (likeness !== undefined) await seen.findNeighbours(likeness);
  for (const run of runs) run.finish?.();
  return summarize(seen.records, [...ledgers.values()], input);
}

async function giveContext(runs: readonly CheckRun[], change: ChangeScope | undefined): Promise<void> {
  if (change === undefined || !runs.some(({ context }) => context !== undefined)) return;
  const sample = await change.sample();
  for (const { context } of runs) context?.(sample);
}

/** The least threshold for which any check asks for pairs. */
function leastLikeness(chosen: readonly Check[], settings: CheckSettings): number | undefined {
  const all = chosen.flatMap((check) => check.likeness?.(valuesOf(check, settings)) ?? []);
  return all.length === 0 ? undefined : Math.min(...all);
}

/** What checks share of the records that were seen. */
class Seen {
  records = 0;
  readonly #change: ChangeScope | undefined;
  readonly #counts: IntentCounts;
  readonly #texts: CheckedRecord[] = [];
  readonly #corpus: TrigramCorpus | undefined;
  #neighbours: readonly Neighbour[] = [];

  constructor(change: ChangeScope | undefined, hasPairs: boolean) {
    this.#change = change;
    this.#counts = change?.counts ?? new IntentCounts();
    this.#corpus = hasPairs ? new TrigramCorpus() : undefined;
  }

  add(group: readonly CheckedRecord[]): void {
    this.records += group.length;
    if (this.#change === undefined) this.#counts.add(group);
    const first = this.#corpus === undefined ? undefined : labelled(group);
    if (first === undefined) return;
    this.#texts.push(first);
    this.#corpus?.add(fold(first.record.text));
  }

  async findNeighbours(threshold: number): Promise<void> {
    if (this.#change !== undefined) this.#neighbours = await this.#change.neighbours(this.#texts, threshold);
  }

  get scene(): Pick<Scene, 'rows' | 'counts' | 'intents' | 'isWhole' | 'texts' | 'pairs'> {
    return {
      rows: () => this.#change?.rows ?? this.records,
      counts: () => this.#counts,
      intents: () => this.#change?.intents ?? this.#counts.names,
      isWhole: this.#change === undefined,
      texts: () => this.#texts,
      pairs: (threshold, use) => this.#pairs(threshold, use),
    };
  }

  #pairs(threshold: number, use: UsePair): boolean {
    const sets = this.#corpus?.finish();
    const textAt = (index: number): CheckedRecord => this.#texts[index] as CheckedRecord;
    if (sets !== undefined && !joinSimilar(sets, threshold, (a, b, alike) => use(textAt(a), textAt(b), alike))) {
      return false;
    }
    return this.#neighbours.every(
      ({ changed, other, similarity }) => similarity < threshold || use(changed, other, similarity),
    );
  }
}

function summarize(records: number, ledgers: readonly Ledger[], input: CheckInput): CheckReport {
  const counts: Record<Severity | 'waived', number> = { error: 0, warn: 0, info: 0, waived: 0 };
  for (const ledger of ledgers) {
    for (const kind of [...SEVERITIES, 'waived'] as const) counts[kind] += ledger.counts[kind];
  }
  const off = input.stoppingOnly === true ? [] : CHECKS.filter(({ name }) => input.settings[name]?.severity === 'off');
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
