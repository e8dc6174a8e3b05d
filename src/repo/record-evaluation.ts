/** Keeps evaluations as small files beside the pointers, for git to track: `evaluations/<dataset>/<version>-<model>.json`. */
import { join } from 'node:path';
import { UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { ByteInput } from '../formats/format.ts';
import { ensureDirectory, writeDurably } from '../store/durable-file.ts';
import { evaluateVersion, type VersionEvaluation } from './evaluate-version.ts';
import type { BatchInput } from './input.ts';
import type { Repository } from './repository.ts';
import type { Version } from './versions.ts';

const EVALUATIONS = 'evaluations';

export interface EvaluationSource {
  readonly model: string;
  /** Which code trained it. */
  readonly code?: string | undefined;
  readonly side?: string | undefined;
}

export interface RecordedEvaluation extends VersionEvaluation {
  readonly model: string;
  readonly code: string | undefined;
  /** SHA-256 of the file of predictions. */
  readonly predictions: Hash;
  readonly path: string;
}

/** A name that is a file on every system. */
const MODEL_NAME = /^[\p{L}\p{N}][\p{L}\p{N}._+-]{0,99}$/u;

/**
 * Evaluates, and writes the file, over one of the same model on the same version.
 *
 * @throws bad-option for a name of a model that cannot be one of a file; as evaluateVersion
 */
export async function recordEvaluation(
  repository: Repository,
  version: Version,
  input: ByteInput & Pick<BatchInput, 'digest'>,
  { model, code, side }: EvaluationSource,
): Promise<RecordedEvaluation> {
  if (!MODEL_NAME.test(model)) {
    throw new UttrError('bad-option', `"${model}" cannot be the name of a model`, {
      hint: 'letters, digits, dots, dashes, plus signs and underscores; at most 100 of them',
    });
  }
  const found = await evaluateVersion(repository, version, input, side);
  const folder = join(repository.root, EVALUATIONS, found.dataset);
  const path = join(folder, `${version.hash.slice(0, 12)}-${model}.json`);
  const recorded = { ...found, model, code, predictions: input.digest() };
  await ensureDirectory(folder);
  await writeDurably(path, Buffer.from(`${JSON.stringify({ uttr: 1, ...recorded }, undefined, 1)}\n`));
  return { ...recorded, path };
}
