/**
 * A folder with projects and a remote: `alice/`, `bob/`, `remote/`. Remotes are named by relative paths, so that a
 * prepared sandbox can be copied, and every experiment starts from the same bytes.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { run } from '../../src/cli/program.ts';
import { Repository } from '../../src/repo/repository.ts';

/** Where sandboxes are made; memory where there is some, since thousands of files are synced. */
const BASE = existsSync('/dev/shm') && process.env['UTTR_CRASH_DISK'] !== '1' ? '/dev/shm' : tmpdir();

export const DATASET = 'support';

export const ENVIRONMENT: Readonly<Record<string, string | undefined>> = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CEILING_DIRECTORIES: '/',
  UTTR_AUTHOR: 'tester',
  UTTR_TRUST_EVENTS: '1',
};

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Sandbox {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static make(): Sandbox {
    return new Sandbox(mkdtempSync(join(BASE, 'uttr-crash-')));
  }

  copy(): Sandbox {
    const copy = Sandbox.make();
    cpSync(this.root, copy.root, { recursive: true });
    return copy;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  /** Runs a command in this process. */
  async run(project: string, ...args: string[]): Promise<Answer> {
    const stdout = new Collector();
    const stderr = new Collector();
    const code = await run(args, {
      directory: this.path(project),
      environment: ENVIRONMENT,
      stdin: () => process.stdin,
      stdout,
      stderr,
      signal: new AbortController().signal,
    });
    return { code, stdout: stdout.text, stderr: stderr.text };
  }

  /** Runs a command that must succeed. */
  async must(project: string, ...args: string[]): Promise<Answer> {
    const answer = await this.run(project, ...args);
    if (answer.code !== 0) throw new Error(`uttr ${args.join(' ')} ended with ${answer.code}: ${answer.stderr}`);
    return answer;
  }

  /** Makes a project with an event sink; with a remote unless told otherwise. */
  async init(project: string, options: { readonly remote: boolean }): Promise<void> {
    mkdirSync(this.path(project), { recursive: true });
    await this.must(project, 'init');
    this.editConfig(project, (config) => {
      config['events'] = { sinks: [{ name: 'log', type: 'file', path: 'events.jsonl' }] };
      if (options.remote) config['remotes'] = { origin: { url: '../remote' } };
    });
  }

  editConfig(project: string, edit: (config: Record<string, unknown>) => void): void {
    const path = this.path(project, 'uttr.json');
    const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    edit(config);
    writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`);
  }

  /** Writes a batch file of `count` utterances, numbered from `from`. */
  batch(name: string, from: number, count: number, intents = 3): string {
    const rows = Array.from({ length: count }, (_, index) => {
      const number = from + index;
      return JSON.stringify({ text: `please handle request number ${number}`, intent: `intent_${number % intents}` });
    });
    this.write(name, `${rows.join('\n')}\n`);
    return `../${name}`;
  }

  /** Opens a project for the time of `work`. */
  async withRepository<T>(project: string, work: (repository: Repository) => Promise<T> | T): Promise<T> {
    const repository = await Repository.open(this.path(project), {
      clock: { now: () => new Date() },
      random: { bytes: (count) => randomBytes(count) },
      environment: ENVIRONMENT,
    });
    try {
      return await work(repository);
    } finally {
      await repository.close();
    }
  }
}

class Collector extends Writable {
  text = '';

  override _write(chunk: Buffer | string, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
