import { type Command, InvalidArgumentError, Option } from 'commander';
import { EXIT_CODES, UttrError } from '../../base/errors.ts';
import type { AddSummary, RejectedRow } from '../../repo/add-summary.ts';
import type { CliContext } from '../context.ts';
import { describeAdd, rejectedLines } from '../add-view.ts';
import { oneLine, plural, type Reporter } from '../reporter.ts';

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
  readonly split: 'adopt' | 'ignore';
  readonly clean: boolean;
  readonly dryRun?: boolean;
  readonly report?: string;
}

export function registerAdd(program: Command, context: CliContext): void {
  program
    .command('add')
    .description('read files of utterances and stage what they change')
    .argument('<dataset>', 'the dataset they belong to')
    .argument(
      '<file...>',
      'tables, JSON, or what chat bot tools export, zipped or not (docs/formats.md); - for standard input',
    )
    .option('--format <name>', 'the format, where it cannot be recognised: csv, rasa-yaml, … (docs/formats.md)')
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
    .addOption(
      new Option('--split <way>', 'where the files come with train and test: take that over, or split as always')
        .choices(['adopt', 'ignore'])
        .default('ignore'),
    )
    .option('--no-clean', 'leave texts as they are, whatever the configuration says')
    .option(
      '--report <file>',
      'write the batch with what is wrong with each row: batch.html to read, batch.xlsx to work with',
    )
    .option('--dry-run', 'say what would change, change nothing')
    .addHelpText('after', EXAMPLES)
    .action((dataset: string, files: string[], flags: Flags) => runAdd(context, dataset, files, flags));
}

const EXAMPLES = `
Examples:
  uttr add support new.csv
  uttr add support export.csv --map text=Phrase,intent=Topic --dry-run
  uttr add support new.csv --rejects bad.csv --on-conflict relabel
  grep -v test new.jsonl | uttr add support -`;

function collectMap(value: string, before: Record<string, string> = {}): Record<string, string> {
  const map = { ...before };
  // A comma ends a pair only where another field follows: columns may have commas in their names.
  for (const pair of value.split(/,(?=\s*[a-z]+(?:\.[^=,]*)?=)/iu)) {
    const at = pair.indexOf('=');
    if (at <= 0 || at === pair.length - 1) throw new InvalidArgumentError('write it as field=column, e.g. text=Phrase');
    map[pair.slice(0, at).trim()] = pair.slice(at + 1);
  }
  return map;
}

async function runAdd(context: CliContext, dataset: string, files: string[], flags: Flags): Promise<void> {
  const { add } = await import('../../repo/add.ts');
  await context.withRepository(async (repository) => {
    const summary = await add(
      repository,
      dataset,
      files.map((file) => context.source(file)),
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
        split: flags.split,
        clean: flags.clean,
        dryRun: flags.dryRun,
        report: flags.report === undefined ? undefined : context.resolve(flags.report),
      },
    ).catch((error: unknown) => {
      noteRefusal(context.reporter, error);
      throw error;
    });
    const { files: reports, ...result } = summary;
    context.reporter.result(result, () => describeAdd(summary, context));
    noteReplaced(context.reporter, summary, flags.replace === true);
    // What a real run would end with.
    const refused = summary.rows.rejected + summary.rows.conflict - summary.rows.kept;
    if (refused > 0 && summary.dryRun && flags.rejects === undefined) context.exitCode = EXIT_CODES.rejected;
    for (const report of reports) noteReport(context.reporter, report, flags.split === 'adopt');
  });
}

/** Where several rows stop a batch, the error names the first; a person wants to see the others too. */
function noteRefusal(reporter: Reporter, error: unknown): void {
  if (!(error instanceof UttrError) || reporter.json) return;
  const { rows, rejected } = error.details;
  if (!Array.isArray(rows) || rows.length < 2) return;
  for (const line of rejectedLines(rows as RejectedRow[], reporter, Number(rejected))) reporter.note(line);
}

/** A rejected row of a file that is the whole dataset stands for a record that is gone for now. */
function noteReplaced(reporter: Reporter, summary: AddSummary, replace: boolean): void {
  if (!replace || summary.rows.rejected === 0) return;
  reporter.warn(
    '--replace removes what the files lack: a record whose row was rejected is among that until the mended row is added',
  );
}

function noteReport(reporter: Reporter, report: AddSummary['files'][number], isAdopted: boolean): void {
  if (report.columns.size > 0 && report.accepted > 0 && ![...report.columns.values()].includes('intent')) {
    reporter.warn(
      `${oneLine(report.file)} has no column for the label: its records have no intent and belong to no side; ` +
        `if one of its columns is the label, drop what is staged (uttr reset) and say --map intent=<column>`,
    );
  }
  for (const note of report.notes)
    reporter.note(`note: ${oneLine(report.file)}: ${note.message} (${plural(note.count, 'time')})`);
  if (report.split !== undefined && !isAdopted) {
    const values = [...report.split.values].map(([name, count]) => `${oneLine(name, 60)} ${count}`).join(', ');
    reporter.note(
      `note: ${oneLine(report.file)} carries a split of its own (${values}); it is not used: uttr splits the data itself; to take it over: --split adopt`,
    );
  }
}
