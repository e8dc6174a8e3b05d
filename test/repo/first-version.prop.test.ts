import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SILENT } from '../../src/base/ports.ts';
import { encodeRecord } from '../../src/records/encode-record.ts';
import { compareKeys, recordKey } from '../../src/records/key.ts';
import { makeRecord } from '../../src/records/make-record.ts';
import type { SplitPolicy } from '../../src/records/manifest.ts';
import { type BuiltTrees, buildTrees } from '../../src/repo/build-version.ts';
import { type CommitPlan, planCommit } from '../../src/repo/commit-plan.ts';
import { planFirst } from '../../src/repo/first-version.ts';
import { intentJson } from '../../src/repo/group-state.ts';
import { formatStagedLine, StagedWriter } from '../../src/repo/staged-file.ts';
import { MemoryChunks } from '../doubles/memory-chunks.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

const POLICY: SplitPolicy = {
  method: 'sticky',
  sides: { train: 0.75, test: 0.25 },
  salt: 'salt',
  stratify: ['intent'],
};

interface Row {
  readonly text: string;
  readonly intent: string | undefined;
  readonly lang: string;
}

/** Texts of which several fold alike, some longer than a column of a key may be. */
const rows = fc.array(
  fc.record({
    text: fc.oneof(
      fc.constantFrom('Hello', 'hello!', 'HELLO', 'hello there', 'Grüße', '日本', 'a', 'b', 'c d'),
      fc.integer({ min: 0, max: 400 }).map((n) => `utterance number ${n}`),
      fc.integer({ min: 0, max: 3 }).map((n) => `${'long '.repeat(100)}${n}`),
    ),
    intent: fc.option(fc.constantFrom('greet', 'leave', 'ask "why"', 'größe'), { nil: undefined }),
    lang: fc.constantFrom('en', 'de'),
  }),
  { minLength: 1, maxLength: 300, size: 'max' },
);

/** Stages rows as new records of a first version; of rows with one key the first is taken. */
async function stage(list: readonly Row[], identity: readonly string[]): Promise<string> {
  const lines = new Map<string, string>();
  for (const { text, intent, lang } of list) {
    const made = makeRecord({ text, intent, features: { lang } });
    if (!('record' in made)) throw new Error(`not a record: ${text}`);
    const key = recordKey(made.record, identity);
    const json = encodeRecord(made.record);
    if (!lines.has(key)) lines.set(key, formatStagedLine(key, '-', intentJson(json), json, undefined));
  }
  const path = join(temporaryDirectory(), 'staged');
  const writer = await StagedWriter.open(path);
  for (const [, line] of [...lines].sort(([a], [b]) => compareKeys(a, b))) writer.write(line);
  await writer.publish();
  return path;
}

interface Outcome {
  readonly plan: CommitPlan;
  readonly trees: BuiltTrees;
  readonly newGroups: readonly string[];
}

/** Plans and builds a first version, and gives all that may differ. */
async function outcome(
  path: string,
  policy: SplitPolicy,
  identity: readonly string[],
  isFast: boolean,
): Promise<Outcome> {
  const newGroups: string[] = [];
  const options = {
    onNewGroup: (bytes: Buffer, start: number, end: number) => void newGroups.push(bytes.toString('utf8', start, end)),
  };
  const plan = isFast
    ? await planFirst(path, policy, identity, options)
    : await planCommit(path, policy, identity, undefined, options);
  if (plan === undefined) throw new Error('the fast way was not taken');
  const chunks = new MemoryChunks();
  const trees = await buildTrees({
    path,
    stratify: policy.stratify,
    identity,
    plan,
    parent: undefined,
    source: chunks,
    sinks: { data: () => chunks, meta: chunks, changes: chunks },
    extraRetired: [],
    signal: undefined,
    progress: SILENT,
  });
  return { plan, trees, newGroups };
}

function plain({ plan, trees, newGroups }: Outcome): unknown {
  const { counter, strata, groups, sides, warnings } = plan;
  const { intents, totals } = counter;
  return {
    trees,
    newGroups,
    sides,
    warnings,
    strata: strata.toObject(),
    groups: [...groups],
    intents: intents.toObject(),
    changes: totals.changes,
  };
}

describe('a first version', () => {
  test.each([
    ['by label', POLICY, []],
    ['by label and language', { ...POLICY, stratify: ['intent', 'features.lang'] }, []],
    ['with a field in the identity', POLICY, ['features.lang']],
    ['by hash', { ...POLICY, method: 'hash' as const }, []],
  ] as const)('planned and built the fast way is the same, %s', async (_, policy, identity) => {
    await fc.assert(
      fc.asyncProperty(rows, async (list) => {
        const path = await stage(list, identity);
        const fast = await outcome(path, policy, identity, true);
        const slow = await outcome(path, policy, identity, false);
        expect(fast.plan.isOnlyAdded).toBe(true);
        expect(slow.plan.isOnlyAdded).toBe(false);
        expect(plain(fast)).toEqual(plain(slow));
      }),
      { numRuns: 60 },
    );
  });

  test('is the same where groups go on from one piece of the staged file to the next', async () => {
    // Several pieces of 1 MiB, and a text in many spellings: its group lies across the end of a piece.
    const spellings = Array.from({ length: 14 }, (_, at) => 2 ** at);
    const list: Row[] = [];
    for (let number = 0; number < 30; number++) {
      for (const bits of spellings) {
        const words = `padding ${'of a long text '.repeat(200)}number ${1000 + number}`;
        const text = Array.from(words, (c, at) => (at < 14 && (bits >> at) & 1 ? c.toUpperCase() : c)).join('');
        list.push({ text, intent: bits % 3 === 0 ? undefined : 'pad', lang: 'en' });
      }
    }
    const path = await stage(list, []);
    const fast = await outcome(path, POLICY, [], true);
    expect(fast.newGroups).toHaveLength(30);
    expect(plain(fast)).toEqual(plain(await outcome(path, POLICY, [], false)));
  });

  test('is not planned the fast way where a line does anything but add', async () => {
    const path = join(temporaryDirectory(), 'staged');
    const json = '{"intent":"greet","text":"hello"}';
    for (const line of [
      formatStagedLine('hello\thello', 'train', '"greet"', json, undefined),
      formatStagedLine('hello\thello', '-', '', undefined, json),
      formatStagedLine('hello\thello', '-', '"greet"', json, '{"text":"hello"}'),
    ]) {
      const writer = await StagedWriter.open(path);
      writer.write(line);
      await writer.publish();
      expect(await planFirst(path, POLICY, [])).toBeUndefined();
    }
  });
});
