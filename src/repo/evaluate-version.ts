/** Evaluates predictions of exactly one version's test side. */
import { UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import { Evaluator, type Evaluation } from '../evaluation/evaluate.ts';
import { MistakeList, type Mistakes } from '../evaluation/mistakes.ts';
import type { Span } from '../evaluation/entities.ts';
import type { ByteInput } from '../formats/format.ts';
import { decodeRecord } from '../records/encode-record.ts';
import { groupOfKey } from '../records/key.ts';
import type { UtteranceRecord } from '../records/record.ts';
import { norm } from '../records/text.ts';
import { TreeReader } from '../tree/reader.ts';
import { labelName, type Prediction, type Predictions, readPredictions } from './predictions.ts';
import { sideNames, unknownSide } from './query.ts';
import { treeOf } from './record-changes.ts';
import type { Repository } from './repository.ts';
import type { Version } from './versions.ts';

export interface VersionEvaluation {
  readonly dataset: string;
  readonly version: Hash;
  readonly side: string;
  /** Id of what the side holds: another version may have the same. */
  readonly content: string | null;
  readonly evaluation: Evaluation;
  readonly mistakes: Mistakes;
}

/**
 * @param side by default `test`
 * @throws wrong-predictions where the file cannot be read, or does not have exactly the rows of the side
 */
export async function evaluateVersion(
  repository: Repository,
  version: Version,
  input: ByteInput,
  side = 'test',
): Promise<VersionEvaluation> {
  const { manifest } = version;
  if (!sideNames(manifest).includes(side)) throw unknownSide(manifest, side, sideNames(manifest));
  const predictions = await readPredictions(input);
  const matcher = new Matcher(predictions, input.name);
  const evaluator = new Evaluator();
  const mistakes = new MistakeList();
  const tree = treeOf(manifest, side);
  for await (const entries of new TreeReader(repository.chunks, tree).scan({})) {
    for (const { key, value } of entries) {
      const record = decodeRecord(value.toString('utf8'));
      const prediction = matcher.find(record);
      if (prediction === undefined) continue;
      const row = rowOf(record, groupOfKey(key.toString('utf8')), prediction);
      evaluator.add(row);
      mistakes.add(row.truth, row.predicted);
    }
  }
  if (matcher.hasExtra()) await refuseExtra(repository, version, side, matcher);
  matcher.refuseMissing(manifest.dataset, side);
  if (tree.records === 0) throw new UttrError('wrong-predictions', `the ${side} side of ${manifest.dataset} is empty`);
  const evaluation = evaluator.finish();
  const { dataset } = manifest;
  return { dataset, version: version.hash, side, content: tree.root, evaluation, mistakes: mistakes.finish() };
}

function rowOf(record: UtteranceRecord, group: string, prediction: Prediction): Parameters<Evaluator['add']>[0] {
  const { features = {}, lang, entities = [] } = record;
  const { intent, score, entities: predicted } = prediction;
  return {
    truth: labelName(record.intent),
    predicted: intent,
    group,
    score,
    entities: predicted === undefined ? undefined : { truth: entities satisfies readonly Span[], predicted },
    features: lang === undefined ? features : { ...features, lang },
  };
}

/** Finds the prediction of each record, and what is left over. */
class Matcher {
  readonly #predictions: Predictions;
  readonly #file: string;
  readonly #used = new Set<Prediction>();
  #missing = 0;
  #firstMissing: string | undefined;

  constructor(predictions: Predictions, file: string) {
    this.#predictions = predictions;
    this.#file = file;
  }

  /** By its id where both have one, else by its text. */
  find({ id, text }: UtteranceRecord): Prediction | undefined {
    const byId = id === undefined ? undefined : this.#predictions.byId.get(id);
    const found = byId ?? this.#predictions.byText.get(norm(text));
    if (found !== undefined) this.#used.add(found);
    else {
      this.#missing += 1;
      this.#firstMissing ??= id === undefined ? `"${text}"` : `id ${id}`;
    }
    return found;
  }

  hasExtra(): boolean {
    return this.#extra().next().done !== true;
  }

  /** Predictions of nothing on the side; one that has both an id and a text comes twice. */
  *#extra(): Generator<Prediction, undefined> {
    const { byId, byText } = this.#predictions;
    for (const predictions of [byId, byText]) {
      for (const prediction of predictions.values()) if (!this.#used.has(prediction)) yield prediction;
    }
  }

  /** @param other what of the file lies on another side, if anything does */
  refuseExtra(
    dataset: string,
    side: string,
    other: { readonly side: string; readonly line: number } | undefined,
  ): never {
    const extra = [...new Set(this.#extra())];
    const line = other?.line ?? extra[0]?.line ?? 0;
    const what =
      other === undefined ? `is not in the ${side} side of ${dataset}` : `is of the ${other.side} side of ${dataset}`;
    throw new UttrError('wrong-predictions', `${this.#file}:${line}: the utterance ${what}`, {
      hint:
        other === undefined
          ? 'predict what `uttr export` writes of this version, or name the version that was exported: <dataset>@<version>'
          : `a model must not be measured on what it was trained with: predict the ${side} side alone`,
      details: { file: this.#file, line, extra: extra.length, missing: this.#missing },
    });
  }

  /** The first leftover prediction that this record of another side is meant by. */
  isExtra({ id, text }: UtteranceRecord): number | undefined {
    const { byId, byText } = this.#predictions;
    const found = (id === undefined ? undefined : byId.get(id)) ?? byText.get(norm(text));
    return found === undefined || this.#used.has(found) ? undefined : found.line;
  }

  /** @throws wrong-predictions */
  refuseMissing(dataset: string, side: string): void {
    if (this.#missing === 0) return;
    const rest = this.#missing === 1 ? '' : ` and ${this.#missing - 1} more`;
    throw new UttrError(
      'wrong-predictions',
      `${this.#file} has no prediction of ${this.#firstMissing}${rest}, of the ${side} side of ${dataset}`,
      {
        hint: 'predict every row of that side; a model that gives no answer says "intent": null',
        details: { file: this.#file, missing: this.#missing },
      },
    );
  }
}

/** Says whether what is too much comes from the training data: that is another mistake than an old export. */
async function refuseExtra(repository: Repository, version: Version, side: string, matcher: Matcher): Promise<never> {
  const { manifest } = version;
  for (const other of sideNames(manifest).filter((name) => name !== side)) {
    for await (const entries of new TreeReader(repository.chunks, treeOf(manifest, other)).scan({})) {
      for (const { value } of entries) {
        const line = matcher.isExtra(decodeRecord(value.toString('utf8')));
        if (line !== undefined) matcher.refuseExtra(manifest.dataset, side, { side: other, line });
      }
    }
  }
  return matcher.refuseExtra(manifest.dataset, side, undefined);
}
