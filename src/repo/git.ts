/**
 * Git, asked through its own command. Every caller passes arguments as a list; nothing goes through a shell.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { UttrError } from '../base/errors.ts';

const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024;

/** No branch begins with a dot: where git keeps its refs in tables, HEAD names `.invalid`. */
const BRANCH = /^ref: refs\/heads\/(?<name>[A-Za-z0-9_/-][A-Za-z0-9._/-]*)\n?$/u;
const COMMIT = /^[0-9a-f]{40,64}\n?$/u;

/**
 * A small file of the repository, read without starting git: that takes longer than many a command of ours. Only the
 * plain case is answered (a `.git` folder at or above the directory); for all else git is asked.
 */
async function readGitFile(directory: string, name: string): Promise<string | undefined> {
  for (let folder = directory; ; folder = dirname(folder)) {
    try {
      return await readFile(join(folder, '.git', name), 'utf8');
    } catch (error) {
      // A file in place of the folder is a linked work tree or a submodule.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || existsSync(join(folder, '.git'))) return undefined;
    }
    if (folder === dirname(folder)) return undefined;
  }
}

export class Git {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Standard output of `git <args>`. @throws git-failed with git's own words */
  async output(...args: readonly string[]): Promise<string> {
    // Most commands never ask git, and starting processes takes Node some time to load.
    const { execFile } = await import('node:child_process');
    try {
      const { stdout } = await promisify(execFile)('git', args, {
        cwd: this.#directory,
        maxBuffer: OUTPUT_LIMIT_BYTES,
      });
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

  /** This folder in the other work trees of the repository. */
  async elsewhere(): Promise<string[]> {
    const top = await this.topLevel();
    const listed = top === undefined ? undefined : await this.ask('worktree', 'list', '--porcelain');
    if (top === undefined || listed === undefined) return [];
    const prefix = (await this.ask('rev-parse', '--show-prefix')) ?? '';
    return listed
      .split('\n')
      .flatMap((line) => (line.startsWith('worktree ') ? [line.slice('worktree '.length)] : []))
      .filter((path) => path !== top)
      .map((path) => join(path, prefix));
  }

  /** The branch one is on, also before its first commit; undefined outside git or with a detached head. */
  async branch(): Promise<string | undefined> {
    const branch = BRANCH.exec((await readGitFile(this.#directory, 'HEAD')) ?? '')?.groups?.['name'];
    return branch ?? this.ask('symbolic-ref', '--short', '-q', 'HEAD');
  }

  /** The commit one is on; undefined before the first one. */
  async head(): Promise<string | undefined> {
    const branch = await this.branch();
    const loose = branch === undefined ? undefined : await readGitFile(this.#directory, `refs/heads/${branch}`);
    return loose !== undefined && COMMIT.test(loose) ? loose.trim() : this.ask('rev-parse', '--verify', '-q', 'HEAD');
  }

  /** Whether a file waits for a merge conflict to be settled. */
  async unmerged(path: string): Promise<boolean> {
    const listed = await this.ask('ls-files', '--unmerged', '--', path);
    return listed !== undefined && listed !== '';
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
