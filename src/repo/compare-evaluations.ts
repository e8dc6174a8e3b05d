/** Joins the test sides of two versions by their keys, with what was recorded of each row. */
import { UttrError } from '../base/errors.ts';
import { Comparer, type Comparison, type JudgedRow } from '../evaluation/compare.ts';
import { Predicted } from '../evaluation/mistakes.ts';
import { decodeRecord } from '../records/encode-record.ts';
import { TreeReader } from '../tree/reader.ts';
import { labelName } from './predictions.ts';
import type { KeptEvaluation } from './record-evaluation.ts';
import { treeOf } from './record-changes.ts';
import type { Repository } from './repository.ts';
import { loadVersion } from './versions.ts';

interface KeyedRow extends JudgedRow {
  readonly key: Buffer;
}

/** @throws bad-format where an evaluation was not made of the version that it names */
export async function compareEvaluations(
  repository: Repository,
  before: KeptEvaluation,
  after: KeptEvaluation,
): Promise<Comparison> {
  const comparer = new Comparer();
  const [left, right] = [judgedRows(repository, before), judgedRows(repository, after)];
  let [was, is] = [await nextOf(left), await nextOf(right)];
  // Both come in key order, so that no side has to be held in memory.
  while (was !== undefined || is !== undefined) {
    const order = was === undefined ? 1 : is === undefined ? -1 : Buffer.compare(was.key, is.key);
    comparer.add(order <= 0 ? was : undefined, order >= 0 ? is : undefined);
    if (order <= 0) was = await nextOf(left);
    if (order >= 0) is = await nextOf(right);
  }
  return comparer.finish();
}

async function nextOf(rows: AsyncIterator<KeyedRow>): Promise<KeyedRow | undefined> {
  const { value, done } = await rows.next();
  return done === true ? undefined : value;
}

async function* judgedRows(repository: Repository, kept: KeptEvaluation): AsyncGenerator<KeyedRow> {
  const { manifest } = await loadVersion(repository, kept.version, kept.dataset);
  const predicted = new Predicted(kept.mistakes);
  const tree = treeOf(manifest, kept.side);
  if (tree.root !== kept.content) {
    throw new UttrError('bad-format', `the evaluation of ${kept.model} is not of the version that it names`, {
      hint: 'restore its file from git, or record it again',
    });
  }
  for await (const entries of new TreeReader(repository.chunks, tree).scan({})) {
    for (const { key, value } of entries) {
      const truth = labelName(decodeRecord(value.toString('utf8')).intent);
      yield { key, truth, predicted: predicted.next(truth) };
    }
  }
}
