/**
 * The command tree: global options, every command, errors to messages and exit codes.
 */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { UttrError } from '../base/errors.ts';
import { CliContext, type GlobalFlags } from './context.ts';
import { COMMAND_GROUPS } from './commands/all.ts';
import { Reporter } from './reporter.ts';

/** A stream that may be a terminal. */
type Output = NodeJS.WritableStream & { readonly isTTY?: boolean | undefined; readonly columns?: number };

/** Width of help where nobody says how wide the terminal is. */
const HELP_COLUMNS = 100;

export interface Streams {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asked for only by who reads it. */
  readonly stdin: () => NodeJS.ReadableStream;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly signal: AbortSignal;
}

/** Runs one command line and returns its exit code; never throws, never exits. */
export async function run(args: readonly string[], streams: Streams): Promise<number> {
  // The reporter must exist before options are parsed, for errors of the parsing itself.
  const early = scanGlobalFlags(args);
  const reporter = new Reporter({
    json: early.json === true,
    quiet: early.quiet === true,
    color: wantsColor(early, streams),
    stdout: streams.stdout,
    stderr: streams.stderr,
    now: () => performance.now(),
  });
  const context = new CliContext({ ...streams, directory: resolve(streams.directory, early.C ?? '.'), reporter });
  const usage = { command: 'uttr' };
  try {
    if (early.C !== undefined) requireFolder(early.C, context.directory);
    await buildProgram(context, streams, usage).parseAsync(args, { from: 'user' });
    await reporter.finish();
    return context.exitCode;
  } catch (error) {
    // Nobody reads the answer any more (`uttr cat | head -1`): that is the reader's good right.
    if (reporter.isUnread) return context.exitCode;
    return report(error, { reporter, environment: streams.environment, usage });
  }
}

/** Which command a wrong option was given to, as it is typed. */
interface Usage {
  command: string;
}

function buildProgram(context: CliContext, streams: Streams, usage: Usage): Command {
  const program = new Command('uttr')
    .description('Version control for utterance datasets.')
    .version(readVersion(), '-V, --version', 'print the version')
    .option('--json', 'print one JSON document on stdout and nothing else')
    .option('--quiet', 'print results, warnings and errors only')
    .option('--no-color', 'print without colours')
    .option('-C <dir>', 'work in this folder')
    .addHelpCommand(helpCommand())
    .addHelpText('after', EPILOGUE);
  for (const { title, register } of COMMAND_GROUPS) {
    program.commandsGroup(title);
    for (const one of register) one(program, context);
  }
  for (const command of allCommands(program)) {
    command.exitOverride();
    command.helpOption('-h, --help', 'print this help');
    command.configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      getOutHelpWidth: () => streams.stdout.columns ?? HELP_COLUMNS,
      getErrHelpWidth: () => streams.stderr.columns ?? HELP_COLUMNS,
      // Help that was not asked for: a command was left out.
      writeErr: (text) => (context.reporter.json ? undefined : streams.stderr.write(text)),
      // Errors are printed in one place, by `report`.
      outputError: () => {
        usage.command = pathOf(command);
      },
    });
    if (command !== program) addGlobalOptions(command);
  }
  return program;
}

function helpCommand(): Command {
  return new Command('help')
    .argument('[command]')
    .description('explain a command')
    .helpOption(false)
    .helpGroup(COMMAND_GROUPS[0]?.title ?? '');
}

const EPILOGUE = `
A version is named <dataset>@<version>, where the version is HEAD, HEAD~2, a tag, the first digits of
its hash (6 or more), or git:<ref>. A project with one dataset needs no name for it.

Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 bad data, 4 conflict, 5 damaged data,
6 disk, remote or network, 7 written by a newer uttr, 130 interrupted.

To begin: uttr init, uttr add <dataset> <file>, uttr commit -m "first batch"`;

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function requireFolder(named: string, directory: string): void {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new UttrError('bad-option', `${named} is no folder`, { hint: 'give -C a folder that is there' });
}

function* allCommands(command: Command): Iterable<Command> {
  yield command;
  for (const child of command.commands) yield* allCommands(child);
}

/** Global options may stand behind the command too; they were read by scanGlobalFlags. */
function addGlobalOptions(command: Command): void {
  if (command.commands.length > 0) return;
  const taken = new Set(command.options.map((option) => option.long));
  command.optionsGroup('Global options:');
  if (!taken.has('--json')) command.option('--json', 'print one JSON document on stdout and nothing else');
  if (!taken.has('--quiet')) command.option('--quiet', 'print results, warnings and errors only');
  command.option('--no-color', 'print without colours');
  command.option('-C <dir>', 'work in this folder');
}

function scanGlobalFlags(args: readonly string[]): GlobalFlags {
  const flags: { json?: boolean; quiet?: boolean; color?: boolean; C?: string } = {};
  for (const [index, arg] of args.entries()) {
    if (arg === '--') break;
    if (arg === '--json') flags.json = true;
    else if (arg === '--quiet') flags.quiet = true;
    else if (arg === '--no-color') flags.color = false;
    else if (arg === '-C' && args[index + 1] !== undefined) flags.C = args[index + 1] as string;
    else if (/^-C./u.test(arg)) flags.C = arg.slice('-C'.length);
  }
  return flags;
}

function wantsColor(flags: GlobalFlags, streams: Streams): boolean {
  const { environment } = streams;
  if (flags.color === false || flags.json === true) return false;
  if ((environment['NO_COLOR'] ?? '') !== '' || (environment['CI'] ?? '') !== '') return false;
  // Under `git diff` on a terminal, stdout is the pipe to git's pager; git says so, and colours its own lines too.
  const isSeen = streams.stdout.isTTY === true || environment['GIT_PAGER_IN_USE'] === 'true';
  return environment['TERM'] !== 'dumb' && isSeen;
}

function report(
  error: unknown,
  { reporter, environment, usage }: { reporter: Reporter; environment: Streams['environment']; usage: Usage },
): number {
  if (error instanceof CommanderError) {
    // Help and version were printed; they are answers, not errors.
    if (error.exitCode === 0) return 0;
    const ours = usageError(error, usage.command);
    // Help stands on stderr already where a command was left out.
    if (error.code !== 'commander.help' || reporter.json) reporter.error(ours);
    return ours.exitCode;
  }
  const ours = toUttrError(error);
  reporter.error(ours);
  if (ours.kind === 'internal' && !reporter.json) reporter.note((error as Error).stack ?? String(error));
  else if ((environment['UTTR_TRACE'] ?? '') !== '') reporter.note(ours.stack ?? '');
  return ours.exitCode;
}

function usageError(error: CommanderError, command: string): UttrError {
  if (error.code === 'commander.help') {
    return new UttrError('bad-option', 'a command is missing', { hint: 'see: uttr --help' });
  }
  const [message, suggestion] = error.message.replace(/^error: /u, '').split('\n');
  const near = /^\(Did you mean (?:one of )?(?<names>.+)\?\)$/u.exec(suggestion ?? '')?.groups?.['names'];
  return new UttrError('bad-option', message ?? 'wrong usage', {
    hint: near === undefined ? `see: ${command} --help` : `did you mean ${near}?`,
  });
}

function toUttrError(error: unknown): UttrError {
  if (error instanceof UttrError) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return new UttrError('aborted', 'interrupted', {
      cause: error,
      hint: 'nothing was changed; run the command again',
    });
  }
  return new UttrError('internal', error instanceof Error ? error.message : String(error), {
    cause: error,
    hint: 'this is a bug in uttr: please report it with the lines below',
  });
}

function readVersion(): string {
  const url = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
}
