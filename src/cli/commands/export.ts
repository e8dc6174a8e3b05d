import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { bytes, plural } from '../reporter.ts';
import { short } from '../words.ts';

interface Flags {
  readonly output: string;
  readonly format: string;
  readonly side?: string;
  readonly escapeFormulas?: boolean;
}

export function registerExport(program: Command, context: CliContext): void {
  program
    .command('export')
    .description('write the sides of a version as files: <dir>/train.jsonl, <dir>/test.jsonl')
    .argument('[dataset@version]', 'the version; HEAD by default')
    .option('-o, --output <dir>', 'the folder', '.')
    .option('--format <name>', 'jsonl, csv, xlsx, parquet, rasa-yaml, … (docs/formats.md)', 'jsonl')
    .option('--side <side>', 'one side only, or unlabelled')
    .option('--escape-formulas', 'for spreadsheets: put an apostrophe before cells that would run as formulas')
    .action((target: string | undefined, flags: Flags) => runExport(context, target, flags));
}

async function runExport(context: CliContext, target: string | undefined, flags: Flags): Promise<void> {
  const { exportVersion } = await import('../../repo/export.ts');
  const { parseTarget, resolveVersion } = await import('../../repo/versions.ts');
  await context.withRepository(async (repository) => {
    const version = await resolveVersion(repository, parseTarget(repository, target));
    const summary = await exportVersion(repository, version, {
      directory: context.resolve(flags.output),
      format: flags.format,
      side: flags.side,
      escapeFormulas: flags.escapeFormulas,
    });
    context.reporter.result(summary, () =>
      [
        `${summary.dataset}@${short(summary.version)}`,
        ...summary.files.map(
          (file) => `  ${context.relative(file.path)}: ${plural(file.records, 'record')}, ${bytes(file.bytes)}`,
        ),
        ...summary.losses.map(
          (loss) => `  left out: ${loss.field} of ${plural(loss.count, 'record')}: ${loss.message}`,
        ),
      ].join('\n'),
    );
  });
}
