/**
 * Git, asked through its own command. Every caller passes arguments as a list; nothing goes through a shell.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { UttrError } from '../base/errors.ts';

const run = promisify(execFile);

const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024;

export class Git {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Standard output of `git <args>`. @throws git-failed with git's own words */
  async output(...args: readonly string[]): Promise<string> {
    try {
      const { stdout } = await run('git', args, { cwd: this.#directory, maxBuffer: OUTPUT_LIMIT_BYTES });
      return stdout;
    } catch (error) {
      const words = String((error as { stderr?: string }).stderr ?? (error as Error).message).trim();
      throw new UttrError('git-failed', `git ${args[0] ?? ''} failed: ${words}`, { cause: error });
    }
  }

  /** As `output`, but undefined where git answers with an error: no repository, no such ref, no git. */
  async ask(...args: readonly string[]): Promise<string | undefined> {
    try {
      return (await this.output(...args)).trimEnd();
    } catch {
      return undefined;
    }
  }

  /** The top folder of the work tree; undefined outside git. */
  topLevel(): Promise<string | undefined> {
    return this.ask('rev-parse', '--show-toplevel');
  }

  /** The branch one is on, also before its first commit; undefined outside git or with a detached head. */
  branch(): Promise<string | undefined> {
    return this.ask('symbolic-ref', '--short', '-q', 'HEAD');
  }

  head(): Promise<string | undefined> {
    return this.ask('rev-parse', '--verify', '-q', 'HEAD');
  }

  /** A file as it stands in a git ref; undefined when the ref or the file is not there. */
  async show(ref: string, path: string): Promise<string | undefined> {
    try {
      return await this.output('show', `${ref}:${path}`);
    } catch {
      return undefined;
    }
  }

  /** Whom git would name as the author: `Name <email>`. */
  async author(): Promise<string | undefined> {
    const ident = await this.ask('var', 'GIT_AUTHOR_IDENT');
    return ident === undefined ? undefined : /^(?<who>.+>) \d+ [+-]\d{4}$/u.exec(ident)?.groups?.['who'];
  }
}
