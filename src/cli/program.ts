/**
 * The command tree: global options, every command, errors to messages and exit codes.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { UttrError } from '../base/errors.ts';
import { CliContext, type GlobalFlags } from './context.ts';
import { COMMANDS } from './commands/all.ts';
import { Reporter } from './reporter.ts';

export interface Streams {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean | undefined };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean | undefined };
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
  const context = new CliContext({ ...streams, directory: early.C ?? streams.directory, reporter });
  const program = buildProgram(context, streams);
  try {
    await program.parseAsync(args, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    return report(error, reporter, streams.environment);
  }
}

function buildProgram(context: CliContext, streams: Streams): Command {
  const program = new Command('uttr')
    .description('Version control for utterance datasets')
    .version(readVersion(), '-V, --version', 'print the version')
    .option('--json', 'print one JSON document on stdout and nothing else')
    .option('--quiet', 'print results and errors only')
    .option('--no-color', 'print without colours')
    .option('-C <dir>', 'work in this folder')
    .showHelpAfterError('(see uttr --help)')
    .enablePositionalOptions(false)
    .configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      writeErr: () => undefined,
    })
    .exitOverride();
  for (const register of COMMANDS) register(program, context);
  for (const command of allCommands(program)) {
    command.exitOverride();
    command.configureOutput({ writeOut: (text) => streams.stdout.write(text), writeErr: () => undefined });
    if (command !== program) addGlobalOptions(command);
  }
  return program;
}

function* allCommands(command: Command): Iterable<Command> {
  yield command;
  for (const child of command.commands) yield* allCommands(child);
}

/** Global options may stand behind the command too; they were read by scanGlobalFlags. */
function addGlobalOptions(command: Command): void {
  if (command.commands.length > 0) return;
  const taken = new Set(command.options.map((option) => option.long));
  if (!taken.has('--json')) command.option('--json', 'print one JSON document');
  if (!taken.has('--quiet')) command.option('--quiet', 'print results and errors only');
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
  }
  return flags;
}

function wantsColor(flags: GlobalFlags, streams: Streams): boolean {
  const { environment } = streams;
  if (flags.color === false || flags.json === true) return false;
  if ((environment['NO_COLOR'] ?? '') !== '' || (environment['CI'] ?? '') !== '') return false;
  return environment['TERM'] !== 'dumb' && streams.stdout.isTTY === true;
}

function report(error: unknown, reporter: Reporter, environment: Streams['environment']): number {
  if (error instanceof CommanderError) {
    // Help and version were printed; they are answers, not errors.
    if (error.exitCode === 0) return 0;
    if (error.code === 'commander.help') return 2;
    const [message, suggestion] = error.message.replace(/^error: /u, '').split('\n');
    const ours = new UttrError('bad-option', message ?? 'wrong usage', {
      hint: suggestion === undefined || suggestion === '' ? 'see: uttr --help' : suggestion.replace(/^\(|\)$/gu, ''),
    });
    reporter.error(ours);
    return ours.exitCode;
  }
  const ours = toUttrError(error);
  reporter.error(ours);
  if (ours.kind === 'internal' && !reporter.json) reporter.note((error as Error).stack ?? String(error));
  else if ((environment['UTTR_TRACE'] ?? '') !== '') reporter.note(ours.stack ?? '');
  return ours.exitCode;
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
