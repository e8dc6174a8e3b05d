/** Checks over invented records: given as `[text, intent, side]` or as whole records. */
import type { CheckedRecord } from '../../src/checks/check.ts';
import { type CheckInput, type CheckReport, runChecks } from '../../src/checks/run.ts';
import { parseChecks } from '../../src/checks/settings.ts';
import { groupColumn } from '../../src/records/key.ts';
import { makeRecord } from '../../src/records/make-record.ts';
import type { UtteranceRecord } from '../../src/records/record.ts';

export type Given = readonly [text: string, intent?: string, side?: string] | Readonly<Record<string, unknown>>;

/** Records in the order of their groups, as a version gives them. */
export function checked(given: readonly Given[]): CheckedRecord[] {
  return given
    .map((item) => {
      const [text, intent, side] = Array.isArray(item) ? (item as string[]) : [];
      const { side: on, ...fields } = (Array.isArray(item) ? { text, intent } : item) as Record<string, unknown>;
      const record = recordOf(fields);
      const place = side ?? (on as string | undefined) ?? (record.intent === undefined ? 'unlabelled' : 'train');
      return { record, side: place, group: groupColumn(record.text) };
    })
    .sort((a, b) => (a.group < b.group ? -1 : a.group > b.group ? 1 : 0));
}

function recordOf(fields: Record<string, unknown>): UtteranceRecord {
  const made = makeRecord(fields);
  if ('problems' in made) throw new Error(JSON.stringify(made.problems));
  return made.record;
}

export interface Around extends Partial<
  Pick<CheckInput, 'identity' | 'parentIntents' | 'leftSides' | 'sides' | 'change'>
> {
  readonly only?: readonly string[];
  readonly today?: string;
  readonly batchSize?: number;
}

/** Runs checks with what is declared of them. */
export function check(
  given: readonly Given[] | readonly CheckedRecord[],
  declared: unknown = {},
  around: Around = {},
): Promise<CheckReport> {
  const problems: string[] = [];
  const settings = parseChecks(declared, 'checks', problems);
  if (problems.length > 0) throw new Error(problems.join('; '));
  const records = given.every((item) => 'record' in item) ? (given as CheckedRecord[]) : checked(given as Given[]);
  const { batchSize = 2, ...rest } = around;
  const input: CheckInput = {
    sides: ['train', 'test'],
    identity: [],
    parentIntents: undefined,
    leftSides: () => [],
    today: '2026-11-23',
    settings,
    records: inBatches(records, batchSize),
    ...rest,
  };
  return runChecks(input);
}

async function* inBatches(records: readonly CheckedRecord[], size: number): AsyncIterable<readonly CheckedRecord[]> {
  for (let from = 0; from < records.length; from += size) yield records.slice(from, from + size);
}

/** Findings of one check as `severity place: message`. */
export async function found(name: string, ...args: Parameters<typeof check>): Promise<string[]> {
  const [given, declared, around] = args;
  const report = await check(given, declared, { ...around, only: [name] });
  return report.findings.map(
    ({ severity, place, message, waived }) => `${waived === null ? severity : 'waived'} ${place}: ${message}`,
  );
}
