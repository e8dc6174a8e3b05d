/** Keeps evaluations as small files beside the pointers, for git to track: `evaluations/<dataset>/<version>-<model>.json`. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UttrError } from '../base/errors.ts';
import type { Hash } from '../base/hash.ts';
import type { ByteInput } from '../formats/format.ts';
import { ensureDirectory, writeDurably } from '../store/durable-file.ts';
import { evaluateVersion, type VersionEvaluation } from './evaluate-version.ts';
import { type BatchInput, type BatchSource, readText } from './input.ts';
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
  /** When it was recorded, ISO 8601 in UTC. */
  readonly at: string;
  /** SHA-256 of the file of predictions. */
  readonly predictions: Hash;
  readonly path: string;
}

/** As its file says. */
export type KeptEvaluation = Omit<RecordedEvaluation, 'path'>;

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
  const at = repository.clock.now().toISOString();
  const recorded = { ...found, model, code, at, predictions: input.digest() };
  await ensureDirectory(folder);
  await writeDurably(path, Buffer.from(asText(recorded)));
  return { ...recorded, path };
}

/** A figure a line, for git; the mistakes, which nobody reads, on the last one. */
function asText({ mistakes, ...rest }: KeptEvaluation): string {
  const figures = JSON.stringify({ uttr: 1, ...rest }, undefined, 1);
  return `${figures.slice(0, -2)},\n "mistakes": ${JSON.stringify(mistakes)}\n}\n`;
}

/** The evaluations of a dataset that were kept, the oldest first. @throws bad-format for a file that is none */
export async function keptEvaluations(repository: Repository, dataset: string): Promise<readonly KeptEvaluation[]> {
  const folder = join(repository.root, EVALUATIONS, dataset);
  const kept: KeptEvaluation[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    if (name.endsWith('.json')) kept.push(parseKept(await readFile(join(folder, name), 'utf8'), join(folder, name)));
  }
  // Of two at the same time, the order of their names is as good as any, but always the same.
  return kept.sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || (a.model < b.model ? -1 : 1));
}

/** An evaluation from its file. @throws unreadable-file, bad-format */
export async function readEvaluation(source: BatchSource): Promise<KeptEvaluation> {
  return parseKept(await readText(source), source.name);
}

function parseKept(text: string, path: string): KeptEvaluation {
  let kept: Partial<KeptEvaluation> & { readonly uttr?: number };
  try {
    kept = JSON.parse(text) as typeof kept;
  } catch (error) {
    throw notKept(path, error);
  }
  const { uttr, version, model, at, evaluation, mistakes } = kept;
  const isComplete =
    typeof version === 'string' &&
    typeof model === 'string' &&
    typeof evaluation === 'object' &&
    typeof mistakes === 'object';
  if (uttr !== 1 || !isComplete || Number.isNaN(Date.parse(String(at)))) throw notKept(path);
  return kept as KeptEvaluation;
}

function notKept(path: string, cause?: unknown): UttrError {
  return new UttrError('bad-format', `${path} is not an evaluation that uttr kept`, {
    cause,
    hint: 'restore it from git, or remove it and record the evaluation again',
    details: { file: path },
  });
}
