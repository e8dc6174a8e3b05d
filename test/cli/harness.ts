/**
 * Runs the command in tests: in this process with streams of its own, or as a real process where exit codes,
 * signals and pipes are the matter.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { run } from '../../src/cli/program.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunSettings {
  readonly stdin?: string | Uint8Array;
  /** Stdout and stderr are terminals. */
  readonly terminal?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

const AUTHOR = 'Ada Lovelace <ada@example.org>';
const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

class Collector extends Writable {
  readonly isTTY: boolean;
  readonly columns = 100;
  readonly #parts: Buffer[] = [];

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#parts.push(chunk);
    done();
  }

  get text(): string {
    return Buffer.concat(this.#parts).toString('utf8');
  }
}

/** A folder in which commands run. */
export class Project {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  /** Writes a file; folders above it are made. */
  write(name: string, content: string | Uint8Array): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), content);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  has(name: string): boolean {
    return existsSync(this.path(name));
  }

  /** Every file below the folder with its bytes, but for SQLite's own, which change without a change of the data. */
  files(): Record<string, string> {
    const found: Record<string, string> = {};
    for (const entry of readdirSync(this.folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || entry.name.startsWith('catalogue.db')) continue;
      found[path.slice(this.folder.length + 1)] = readFileSync(path).toString('base64');
    }
    return found;
  }

  /** Runs a command in this process. */
  run(...args: string[]): Promise<Outcome> {
    return this.runWith({}, ...args);
  }

  async runWith(settings: RunSettings, ...args: string[]): Promise<Outcome> {
    const stdout = new Collector(settings.terminal === true);
    const stderr = new Collector(settings.terminal === true);
    const code = await run(args, {
      directory: this.folder,
      environment: { UTTR_AUTHOR: AUTHOR, ...settings.environment },
      stdin: () => Readable.from(settings.stdin === undefined ? [] : [Buffer.from(settings.stdin)]),
      stdout,
      stderr,
      signal: settings.signal ?? new AbortController().signal,
    });
    return { code, stdout: stdout.text, stderr: stderr.text };
  }

  /** Runs a command that must succeed. */
  async do(...args: string[]): Promise<Outcome> {
    const outcome = await this.run(...args);
    if (outcome.code !== 0) throw new Error(`uttr ${args.join(' ')} ended with ${outcome.code}: ${outcome.stderr}`);
    return outcome;
  }

  /** Runs a command with --json and returns its document, whatever its exit code. */
  async json<T = Json>(...args: string[]): Promise<T> {
    const { stdout } = await this.run('--json', ...args);
    return JSON.parse(stdout) as T;
  }

  /** As text for a snapshot: the exit code where it is not 0, stdout, then stderr. */
  async show(...args: string[]): Promise<string> {
    return shown(await this.run(...args));
  }

  /** Starts a real process. */
  spawn(args: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
    return spawn(process.execPath, [MAIN, ...args], {
      cwd: this.folder,
      env: { ...process.env, UTTR_AUTHOR: AUTHOR, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }
}

/** What `--json` prints, as far as tests look at it. */
// eslint-disable-next-line typescript/no-explicit-any -- documents of many commands; a test that errs fails
export type Json = any;

/** A folder in which `uttr init` was run; it is removed when the test ends. */
export async function newProject(): Promise<Project> {
  const project = new Project(temporaryDirectory());
  await project.do('init');
  // The first command after init makes the store.
  await project.do('status');
  return project;
}

/** A project with one committed version of `support`: `count` utterances of each of three intents. */
export async function committedProject(count = 8): Promise<Project> {
  const project = await newProject();
  project.write('first.csv', utterances(count));
  await project.do('add', 'support', 'first.csv');
  await project.do('commit', '-m', 'first batch');
  return project;
}

/** A table of utterances whose texts do not fold to each other. */
export function utterances(count: number, intents: readonly string[] = ['greet', 'leave', 'order']): string {
  const rows = intents.flatMap((intent) =>
    Array.from({ length: count }, (_, index) => `${intent} number ${index},${intent}`),
  );
  return `text,intent\n${rows.join('\n')}\n`;
}

/** An outcome as text for a snapshot. */
export function shown({ code, stdout, stderr }: Outcome): string {
  return [code === 0 ? '' : `[exit ${code}]\n`, mask(stdout), stderr === '' ? '' : `[stderr]\n${mask(stderr)}`].join(
    '',
  );
}

/** Hashes, times and folders differ from run to run. */
export function mask(text: string): string {
  return text
    .replaceAll(/\/tmp\/uttr-test-[A-Za-z0-9]+/gu, '<folder>')
    .replaceAll(/\b[0-9a-f]{64}\b/gu, '<hash>')
    .replaceAll(/\b[0-9a-f]{12}\b/gu, '<id>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/gu, '<time>')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/gu, '<time>');
}

/** Waits for a process and gathers what it printed. */
export async function finished(child: ChildProcess): Promise<Outcome & { readonly signal: string | null }> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.once('close', (exit, by) => resolve([exit, by]));
  });
  return {
    code: code ?? -1,
    signal,
    stdout: Buffer.concat(stdout).toString('utf8'),
    stderr: Buffer.concat(stderr).toString('utf8'),
  };
}
