/** Holds a version's evaluation against the gates of its dataset. */
import { UttrError } from '../base/errors.ts';
import { nearest } from '../base/near-miss.ts';
import { type Decision, decideGate, type Gate } from '../gates/decide.ts';
import { measured } from '../gates/metric.ts';
import { type KeptEvaluation, keptEvaluations } from './record-evaluation.ts';
import type { Repository } from './repository.ts';
import type { Version } from './versions.ts';

export interface GateOptions {
  /** The evaluation of this model; by default the last one that was recorded of the version. */
  readonly model?: string | undefined;
  /** The time that targets are asked for; by default now. */
  readonly at?: Date | undefined;
}

export interface GateReport {
  /** Whether no gate fails. */
  readonly ok: boolean;
  readonly dataset: string;
  readonly version: string;
  readonly model: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly gates: readonly (Decision & {
    /** Values of the evaluations up to this one, the oldest first. */
    readonly history: readonly number[];
  })[];
}

/**
 * @throws bad-config where the dataset declares no gate, bad-option where there is no such evaluation, or where it does
 *   not have a figure that a gate names
 */
export async function gateVersion(
  repository: Repository,
  version: Version,
  { model, at = repository.clock.now() }: GateOptions = {},
): Promise<GateReport> {
  const { dataset } = version.manifest;
  const gates = repository.config.datasets[dataset]?.gates ?? [];
  if (gates.length === 0) {
    throw new UttrError('bad-config', `${dataset} has no gates`, {
      hint: `declare them in uttr.json: datasets.${dataset}.gates (docs/gates.md)`,
    });
  }
  const all = await keptEvaluations(repository, dataset);
  const chosen = choose(all, version, model);
  const until = all.slice(0, all.indexOf(chosen) + 1);
  const decided = gates.map((gate) => decide(gate, until, chosen.model, at));
  return {
    ok: decided.every(({ status }) => status !== 'fail'),
    dataset,
    version: version.hash,
    model: chosen.model,
    at: at.toISOString(),
    gates: decided,
  };
}

function choose(all: readonly KeptEvaluation[], version: Version, model: string | undefined): KeptEvaluation {
  const ofVersion = all.filter((kept) => kept.version === version.hash);
  const found = ofVersion.findLast((kept) => model === undefined || kept.model === model);
  if (found !== undefined) return found;
  const name = `${version.manifest.dataset}@${version.hash.slice(0, 12)}`;
  const near =
    model === undefined
      ? undefined
      : nearest(
          model,
          ofVersion.map((kept) => kept.model),
        );
  throw new UttrError('bad-option', `there is no evaluation of ${model ?? 'a model'} on ${name}`, {
    hint:
      near === undefined
        ? `record one: uttr eval record ${name} --predictions <file> --model ${model ?? '<name>'}`
        : `did you mean ${near}?`,
  });
}

/** @param until the evaluation that is asked about is the last */
function decide(gate: Gate, until: readonly KeptEvaluation[], model: string, at: Date): GateReport['gates'][number] {
  const figures = until.map((kept) => ({ kept, found: measured(kept.evaluation, gate.metric) }));
  if (figures.at(-1)?.found === undefined) {
    throw new UttrError('bad-option', `the evaluation of ${model} has no ${gate.metric}`, {
      hint: `the gate "${gate.name}" names it: see whether the intent, the feature or the entities are in the test side`,
    });
  }
  const measurements = figures.flatMap(({ kept, found }) =>
    found === undefined ? [] : [{ ...found, atMs: Date.parse(kept.at) }],
  );
  return { ...decideGate(gate, measurements, at.getTime()), history: measurements.map(({ value }) => value) };
}
