import { type Command, InvalidArgumentError } from 'commander';
import type { EditSummary, Selection } from '../repo/edit-records.ts';
import type { CliContext } from './context.ts';
import { collect } from './options.ts';
import { oneLine, plural } from './reporter.ts';
import { changeWords } from './words.ts';

/** Options that say which records are meant. */
export interface SelectionFlags {
  readonly text?: string[];
  readonly fromFile?: string;
  readonly where?: Record<string, string>;
  readonly dryRun?: boolean;
}

export function addSelectionOptions(command: Command): Command {
  return command
    .option('--text <utterance>', 'this utterance (can be repeated)', collect)
    .option('--from-file <file>', 'the utterances in this file, one a line; - for standard input')
    .option(
      '--where <field=value>',
      'records with this intent, lang, id or features.<name> (can be repeated)',
      collectWhere,
    )
    .option('--dry-run', 'say what would change, change nothing');
}

function collectWhere(value: string, before: Record<string, string> = {}): Record<string, string> {
  const at = value.indexOf('=');
  if (at <= 0) throw new InvalidArgumentError('write it as field=value, e.g. intent=greet');
  return { ...before, [value.slice(0, at)]: value.slice(at + 1) };
}

/** Reads the selection, its file included. @throws unreadable-file */
export async function readSelection(context: CliContext, flags: SelectionFlags): Promise<Selection> {
  const where = flags.where !== undefined && Object.keys(flags.where).length > 0 ? flags.where : undefined;
  if (flags.text === undefined && flags.fromFile === undefined) return { where };
  const texts = [...(flags.text ?? [])];
  if (flags.fromFile !== undefined) {
    const lines = (await readTexts(context, flags.fromFile)).split(/\r?\n/u);
    texts.push(...lines.filter((line) => line.trim() !== ''));
  }
  return { texts, where };
}

async function readTexts(context: CliContext, file: string): Promise<string> {
  const { readText } = await import('../repo/input.ts');
  return readText(context.source(file));
}

/** What `remove` and `relabel` say. */
export function editText(summary: EditSummary): string {
  const lines = [`${plural(summary.matched, 'record')} matched: ${changeWords(summary.changes)}.`];
  for (const text of summary.missing.slice(0, 20)) lines.push(`  not there: "${oneLine(text)}"`);
  if (summary.missing.length > 20) lines.push(`  … and ${summary.missing.length - 20} more`);
  if (summary.staged) lines.push(`Staged. Next: uttr commit ${summary.dataset} -m "why"`);
  else lines.push(summary.dryRun ? 'Nothing was staged (dry run).' : 'Nothing to do: it is so, or staged, already.');
  return lines.join('\n');
}
