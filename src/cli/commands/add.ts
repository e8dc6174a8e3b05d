import { type Command, InvalidArgumentError, Option } from 'commander';
import { UttrError } from '../../base/errors.ts';
import type { AddSummary, RejectedRow } from '../../repo/add.ts';
import type { BatchSource } from '../../repo/input.ts';
import type { CliContext } from '../context.ts';
import { oneLine, plural, type Reporter, table } from '../reporter.ts';
import { changeWords } from '../words.ts';

interface Flags {
  readonly format?: string;
  readonly map?: Record<string, string>;
  readonly columns?: string;
  readonly delimiter?: string;
  readonly encoding?: 'utf-8' | 'utf-16le' | 'windows-1252';
  readonly onConflict: 'error' | 'relabel' | 'keep';
  readonly new?: boolean;
  readonly replace?: boolean;
  readonly rejects?: string;
  readonly dryRun?: boolean;
}

/** Bad rows that are shown; all of them are in `--json` and in the rejects file. */
const SHOWN_ROWS = 20;

export function registerAdd(program: Command, context: CliContext): void {
  program
    .command('add')
    .description('read files of utterances and stage what they change')
    .argument('<dataset>', 'the dataset they belong to')
    .argument('<file...>', 'CSV, TSV, JSON Lines or JSON; - for standard input')
    .option('--format <name>', 'the format, where it cannot be recognised: csv, tsv, jsonl, json')
    .option('--map <field=column,…>', 'which column is what: text=Phrase,intent=Label,features.role=Role', collectMap)
    .option('--columns <names>', 'names of the columns of a table without a header: text,intent')
    .option('--delimiter <char>', 'what separates the cells of a table')
    .addOption(
      new Option('--encoding <name>', 'how the text is encoded').choices(['utf-8', 'utf-16le', 'windows-1252']),
    )
    .addOption(
      new Option('--on-conflict <way>', 'when a text has another label: refuse, take the new one, keep the old one')
        .choices(['error', 'relabel', 'keep'])
        .default('error'),
    )
    .option('--new', 'make a second, third … dataset')
    .option('--replace', 'the files are the whole dataset: what they lack is removed')
    .option('--rejects <file>', 'stage the good rows, write the bad ones to this file')
    .option('--dry-run', 'say what would change, change nothing')
    .action((dataset: string, files: string[], flags: Flags) => runAdd(context, dataset, files, flags));
}

function collectMap(value: string, before: Record<string, string> = {}): Record<string, string> {
  const map = { ...before };
  for (const pair of value.split(',')) {
    const at = pair.indexOf('=');
    if (at <= 0 || at === pair.length - 1) throw new InvalidArgumentError('write it as field=column, e.g. text=Phrase');
    map[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return map;
}

async function runAdd(context: CliContext, dataset: string, files: string[], flags: Flags): Promise<void> {
  const { add } = await import('../../repo/add.ts');
  await context.withRepository(async (repository) => {
    const summary = await add(
      repository,
      dataset,
      files.map((file) => sourceOf(context, file)),
      {
        format: flags.format,
        read: {
          map: flags.map,
          columns: flags.columns?.split(','),
          delimiter: flags.delimiter === '\\t' ? '\t' : flags.delimiter,
          encoding: flags.encoding,
        },
        onConflict: flags.onConflict,
        allowNew: flags.new,
        replace: flags.replace,
        rejects: flags.rejects === undefined ? undefined : context.resolve(flags.rejects),
        dryRun: flags.dryRun,
      },
    ).catch((error: unknown) => {
      noteRefusal(context.reporter, error);
      throw error;
    });
    const { files: reports, ...result } = summary;
    context.reporter.result(result, () => describe(summary, context));
    for (const report of reports) noteReport(context.reporter, report);
  });
}

function sourceOf(context: CliContext, file: string): BatchSource {
  if (file === '-') return { kind: 'stream', name: '<stdin>', stream: context.stdin as AsyncIterable<Uint8Array> };
  return { kind: 'file', path: context.resolve(file), name: file };
}

function describe(summary: AddSummary, context: CliContext): string {
  const { reporter } = context;
  const { rows, dataset } = summary;
  const lines: string[] = [];
  for (const file of summary.files) {
    const used = [...file.columns].map(([column, field]) => (column === field ? column : `${column} → ${field}`));
    lines.push(
      `${file.file}: ${file.format}, ${plural(file.rows, 'row')}${used.length === 0 ? '' : ` (${used.slice(0, 8).join(', ')})`}`,
    );
  }
  if (rows.read > 0 && rows.duplicate === rows.read) {
    lines.push(`Nothing to do: all ${plural(rows.read, 'row')} are in ${dataset} already.`);
    return lines.join('\n');
  }
  const counts: (readonly [number, string])[] = [
    [rows.accepted, 'accepted'],
    [rows.duplicate, 'in the dataset already or twice in the file'],
    [rows.conflict, 'with a label that conflicts'],
    [rows.rejected, 'rejected'],
  ];
  lines.push(
    table(
      counts.filter(([count]) => count > 0).map(([count, word]) => [`  ${count}`, word]),
      [true],
    ),
  );
  lines.push(`${summary.dryRun ? 'Would change' : 'Changes'}: ${changeWords(summary.changes)}.`);
  if (summary.newIntents.length > 0) {
    lines.push(
      `New ${summary.newIntents.length === 1 ? 'intent' : 'intents'}: ${summary.newIntents
        .slice(0, 20)
        .map((name) => oneLine(name, 60))
        .join(', ')}${summary.newIntents.length > 20 ? ', …' : ''}.`,
    );
  }
  lines.push(...rejectedLines(summary.rejected, rows.rejected + rows.conflict, reporter));
  if (summary.rejectsFile !== undefined && rows.rejected + rows.conflict > 0) {
    lines.push(`The rejected rows are in ${context.relative(summary.rejectsFile)}: mend them there and add that file.`);
  }
  if (summary.dryRun) lines.push('Nothing was staged (dry run).');
  else if (summary.staged) lines.push(`Staged. Next: uttr commit ${dataset} -m "what this batch is"`);
  return lines.join('\n');
}

/** The first rejected rows, and how many more there are. */
function rejectedLines(rejected: readonly RejectedRow[], count: number, reporter: Reporter): string[] {
  const shown = rejected.slice(0, SHOWN_ROWS);
  const lines = shown.map(
    (row) => `  ${reporter.style('yellow', `${row.file}:${row.line}`)}: ${oneLine(row.message)} (row ${row.row})`,
  );
  const more = count - shown.length;
  return more > 0 && shown.length > 0 ? [...lines, `  … and ${more} more`] : lines;
}

/** Where several rows stop a batch, the error names the first; a person wants to see the others too. */
function noteRefusal(reporter: Reporter, error: unknown): void {
  if (!(error instanceof UttrError) || reporter.json) return;
  const { rows, rejected } = error.details;
  if (!Array.isArray(rows) || rows.length < 2) return;
  for (const line of rejectedLines(rows, Number(rejected), reporter)) reporter.note(line);
}

function noteReport(reporter: Reporter, report: AddSummary['files'][number]): void {
  for (const note of report.notes)
    reporter.note(`note: ${report.file}: ${note.message} (${plural(note.count, 'time')})`);
  if (report.split !== undefined) {
    const values = [...report.split.values].map(([name, count]) => `${name} ${count}`).join(', ');
    reporter.note(
      `note: ${report.file} carries a split of its own (${values}); it is not used: uttr splits the data itself`,
    );
  }
}
