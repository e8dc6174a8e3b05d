/**
 * The plan and the trees of a first version whose staged lines all add a record, as good as all of them: the same as
 * `planCommit` and `buildTrees` make, without an object for each line, its group and its move.
 */
import { throwIfAborted } from '../base/errors.ts';
import type { CheckedRecord } from '../checks/check.ts';
import { decodeRecord } from '../records/encode-record.ts';
import type { Progress } from '../base/ports.ts';
import { type SplitPolicy, UNLABELLED_PLACE as UNLABELLED } from '../records/manifest.ts';
import { SplitAssigner } from '../split/assign.ts';
import type { TreeBuilder } from '../tree/build.ts';
import {
  type CommitPlan,
  CountTable,
  type PlanOptions,
  RecordCounter,
  stratumOfLabelled,
  wholeFold,
} from './commit-plan.ts';
import { type AddedLines, readAddedLines } from './staged-file.ts';

/** Tells where groups begin: lines of one folded text stand together, also where one batch ends and another begins. */
class Groups {
  #before: AddedLines | undefined;

  /** Whether line `index` has another folded text than the line before it. */
  isFirst(lines: AddedLines, index: number): boolean {
    const before = index > 0 ? lines : this.#before;
    if (index === lines.count - 1) this.#before = lines;
    if (before === undefined) return true;
    const last = index > 0 ? index - 1 : before.count - 1;
    const start = lines.starts[index] as number;
    const end = lines.foldEnds[index] as number;
    const startBefore = before.starts[last] as number;
    const endBefore = before.foldEnds[last] as number;
    return (
      end - start !== endBefore - startBefore ||
      lines.buffer.compare(before.buffer, startBefore, endBefore, start, end) !== 0
    );
  }
}

const recordOf = ({ buffer, keyEnds, ends }: AddedLines, index: number): Buffer =>
  buffer.subarray((keyEnds[index] as number) + 1, ends[index]);

/** The plan; undefined where some line does anything else than add a record. */
export async function planFirst(
  path: string,
  policy: SplitPolicy,
  identity: readonly string[],
  { onNewGroup, signal }: PlanOptions = {},
): Promise<CommitPlan | undefined> {
  const assigner = new SplitAssigner(policy, {});
  const groups = new Groups();
  let isLabelled = false;
  for await (const lines of readAddedLines(path, identity)) {
    if (lines === undefined) return undefined;
    const { buffer, starts, foldEnds, intents } = lines;
    for (let index = 0; index < lines.count; index++) {
      const start = starts[index] as number;
      const foldEnd = foldEnds[index] as number;
      if (groups.isFirst(lines, index)) {
        isLabelled = false;
        onNewGroup?.(buffer, start, foldEnd);
      }
      const intent = intents[index] as string;
      if (intent === '' || isLabelled) continue;
      isLabelled = true;
      const record = (): Buffer => recordOf(lines, index);
      assigner.add(wholeFold(buffer, start, foldEnd, record), stratumOfLabelled(intent, policy.stratify, record));
    }
    throwIfAborted(signal);
  }
  const assigned = assigner.assign();
  const sides = Object.keys(policy.sides);
  const strata = new CountTable();
  const counts = new Map<string, number>(sides.map((side) => [side, 0]));
  return {
    sides,
    strata,
    groups: counts,
    newSides: (ordinal) => sides[assigned.sideOf(ordinal)] as string,
    counter: new RecordCounter(undefined, strata, counts),
    warnings: assigned.warnings,
    isOnlyAdded: true,
  };
}

/** The groups of a first version that have several records, their neighbours beside each other. */
export async function* repeatedGroups(
  path: string,
  identity: readonly string[],
  plan: CommitPlan,
): AsyncIterable<readonly CheckedRecord[]> {
  const groups = new Groups();
  let side: string | undefined;
  let ordinal = 0;
  let before: { readonly lines: AddedLines; readonly index: number } | undefined;
  let isOpen = false;
  const recordAt = (lines: AddedLines, index: number): CheckedRecord => ({
    record: decodeRecord(recordOf(lines, index)),
    side: (lines.intents[index] === '' ? undefined : side) ?? UNLABELLED,
    group: lines.buffer.toString('utf8', lines.starts[index], lines.foldEnds[index]),
  });
  for await (const lines of readAddedLines(path, identity)) {
    if (lines === undefined) continue;
    const found: CheckedRecord[] = [];
    for (let index = 0; index < lines.count; index++) {
      const isFirst = groups.isFirst(lines, index);
      if (isFirst) {
        side = undefined;
        isOpen = false;
      }
      if (lines.intents[index] !== '') side ??= plan.newSides(ordinal++);
      if (isFirst) continue;
      const last = index > 0 ? { lines, index: index - 1 } : before;
      if (!isOpen && last !== undefined) found.push(recordAt(last.lines, last.index));
      isOpen = true;
      found.push(recordAt(lines, index));
    }
    before = { lines, index: lines.count - 1 };
    if (found.length > 0) yield found;
  }
}

interface FirstTrees {
  readonly path: string;
  readonly identity: readonly string[];
  readonly stratify: readonly string[];
  readonly plan: CommitPlan;
  readonly signal: AbortSignal | undefined;
  readonly progress: Progress;
}

/** Puts every line into the tree of its place, and counts it. */
export async function buildFirst(job: FirstTrees, builders: ReadonlyMap<string, TreeBuilder>): Promise<void> {
  const { plan, stratify } = job;
  const records = new CountTable();
  const strata = new CountTable();
  const groups = new Groups();
  let side: string | undefined;
  let ordinal = 0;
  let done = 0;
  for await (const lines of readAddedLines(job.path, job.identity)) {
    // The plan has seen that there is nothing else.
    if (lines === undefined) continue;
    const { buffer, starts, keyEnds, ends, intents } = lines;
    for (let index = 0; index < lines.count; index++) {
      if (groups.isFirst(lines, index)) side = undefined;
      const intent = intents[index] as string;
      if (intent !== '' && side === undefined) {
        side = plan.newSides(ordinal++);
        const stratum = stratumOfLabelled(intent, stratify, () => recordOf(lines, index));
        strata.add(stratum, side, 1);
      }
      const place = intent === '' ? UNLABELLED : (side as string);
      records.add(intent, place, 1);
      builders
        .get(place)
        ?.addLine(buffer, starts[index] as number, keyEnds[index] as number, (ends[index] as number) + 1);
    }
    done += lines.count;
    for (const builder of builders.values()) if (builder.needsDrain) await builder.drain();
    throwIfAborted(job.signal);
    job.progress.update('writing', done, undefined, 'records');
  }
  records.forEach((intent, place, count) => plan.counter.addFirst(intent, place, count));
  strata.forEach((stratum, on, count) => plan.counter.addGroups(stratum, on, count));
}
