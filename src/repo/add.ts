/**
 * `add`: files in, a staged batch out, or every reason why not.
 *
 * Nothing is staged unless every row is good, or the bad ones go to a rejects file. The staged file and its
 * row in the catalogue appear together; an interrupted add leaves what was staged before.
 */
import { UttrError } from '../base/errors.ts';
import { nearest } from '../base/near-miss.ts';
import type { BatchReport } from '../report/batch-report.ts';
import { parseDatasetName } from '../records/dataset-name.ts';
import { labelNames } from '../records/stratum.ts';
import { sidesByShare } from '../split/policy.ts';
import type { AddEffect } from './add-effect.ts';
import type { AddOptions } from './add-options.ts';
import { type AddSummary, hasChanges, requireAcceptable, summarize } from './add-summary.ts';
import { BatchFiles } from './batch-files.ts';
import { BatchLedger } from './batch-ledger.ts';
import type { NotedRows } from './batch-rows.ts';
import { intentNames } from './change-event.ts';
import { defaultDatasetConfig, newDataset } from './config.ts';
import type { BatchSource } from './input.ts';
import type { Repository } from './repository.ts';
import { stageBatch } from './stage-batch.ts';
import { readStagedState } from './staged-state.ts';
import { headVersion } from './versions.ts';
import { editConfig } from './working-copy.ts';

/** Reads files and stages what they change. @throws bad-row, conflicting-label, unreadable-file, bad-format … */
export async function add(
  repository: Repository,
  name: string,
  sources: readonly BatchSource[],
  options: AddOptions = {},
): Promise<AddSummary> {
  const dataset = parseDatasetName(name);
  const isNew = checkDataset(repository, dataset, options.allowNew === true);
  const parent = await headVersion(repository, dataset);
  const config = isNew ? newDataset(dataset) : repository.dataset(dataset);
  const { split, identity } = config;
  const ledger = await openLedger(repository, options.report);
  const batch = new BatchFiles(repository, options, config, ledger);
  // Files that are the whole dataset take the place of what is staged, even where they change nothing.
  const replace = options.replace === true;
  const drops = replace && readStagedState(repository, dataset) !== undefined;
  const known = new Set([...intentNames(parent?.manifest), ...stagedIntents(repository, dataset)]);
  let recorded = false;
  let seen: string[] = [];
  let noted: NotedRows | undefined;
  let effect: AddEffect | undefined;
  try {
    const tally = await stageBatch(repository, {
      dataset,
      identity,
      parent,
      policy: { onConflict: options.onConflict ?? 'error', replace, sides: sidesByShare(split) },
      fresh: replace,
      batches: () => batch.files.map(({ name: file, sha256, rows }) => ({ name: file, sha256, rows })),
      feed: async (rows) => {
        for (const source of sources) await batch.read(source, rows, identity);
        batch.refuseEmpty();
        seen = [...rows.intents].flatMap(labelNames);
        noted = rows.noted;
      },
      onConflict: (conflict, row) => batch.conflict(conflict, row.json),
      watcher: ledger,
      decide: (result) => {
        recorded = batch.mayRecord && (hasChanges(result.changes) || drops);
        return recorded;
      },
      inspect: async (path, lines, { labels }) => {
        if (!batch.isInspected(lines)) return;
        const { addEffect } = await import('./add-effect.ts');
        effect = await addEffect(repository, { path, parent, config, labels, isThorough: options.dryRun === true });
      },
      beforeRecord: async () => {
        await batch.writeConflicts();
        await batch.rejects?.publish();
        if (isNew) await createDataset(repository, dataset);
      },
    });
    if (!recorded && batch.mayRecord) {
      await batch.writeConflicts();
      await batch.rejects?.publish();
    }
    const newIntents = [...new Set(seen)].filter((intent) => !known.has(intent)).sort();
    const summary = summarize(batch, options, { dataset, tally, newIntents, recorded, noted, effect });
    if (ledger !== undefined && options.report !== undefined) {
      const rows = ledger.rows((file) => batch.nameOf(file), effect?.near);
      const columns = (): readonly string[] => ledger.columns();
      await reportBatch(options.report, summary, { columns, rows }, repository.signal);
    }
    requireAcceptable(summary, batch);
    return summary;
  } finally {
    await batch.rejects?.abort();
    await ledger?.close();
  }
}

/** What keeps every row for a report; undefined where none is asked for. @throws bad-option */
async function openLedger(repository: Repository, report: string | undefined): Promise<BatchLedger | undefined> {
  if (report === undefined) return undefined;
  const { checkReportPath } = await import('../report/batch-report.ts');
  checkReportPath(report);
  return new BatchLedger(await repository.ensureFolder('staged'));
}

/** Writes the report, of a batch that is refused, too. */
async function reportBatch(
  path: string,
  { dataset, batches, rows, intents }: AddSummary,
  ledger: Pick<BatchReport, 'columns' | 'rows'>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { writeBatchReport } = await import('../report/batch-report.ts');
  const { read, accepted, duplicate, conflict, rejected, unlabelled } = rows;
  const title = `${batches.map(({ name }) => name).join(', ')} for ${dataset}`;
  const counts = { read, accepted, duplicate, conflict, rejected, 'without intent': unlabelled };
  await writeBatchReport(path, { dataset, title, counts, intents: intents ?? [], ...ledger }, signal);
}

/** @returns whether the dataset is to be made. @throws unknown-dataset */
function checkDataset(repository: Repository, dataset: string, allowNew: boolean): boolean {
  const names = Object.keys(repository.config.datasets);
  if (names.includes(dataset)) return false;
  if (names.length === 0 || allowNew) return true;
  // A typo must not make a second dataset.
  const near = nearest(dataset, names);
  throw new UttrError('unknown-dataset', `there is no dataset "${dataset}"`, {
    hint:
      near === undefined
        ? `there is ${names.slice(0, 12).join(', ')}; to make another dataset, say --new`
        : `did you mean "${near}"? To make another dataset, say --new`,
    details: { dataset },
  });
}

function stagedIntents(repository: Repository, dataset: string): readonly string[] {
  return readStagedState(repository, dataset)?.summary.intents ?? [];
}

async function createDataset(repository: Repository, dataset: string): Promise<void> {
  const config = await editConfig(repository.root, (value) => {
    const datasets = (value['datasets'] ??= {}) as Record<string, unknown>;
    datasets[dataset] = defaultDatasetConfig(dataset);
  });
  repository.setConfig(config);
}
