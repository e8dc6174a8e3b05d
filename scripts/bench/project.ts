/**
 * A scratch project with a remote in a folder, worked on with the built command as whole processes.
 *
 *   <folder>/project   a git work tree that is a uttr project
 *   <folder>/remote    its remote, named origin
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { measure, type Run } from './measure.ts';

/** The dataset of all measurements. */
export const DATASET = 'support';

export interface Sizes {
  /** All packs of the project. */
  readonly packBytes: number;
  /** The SQLite file, its log included. */
  readonly catalogueBytes: number;
  readonly remoteBytes: number;
}

export class Project {
  readonly folder: string;
  readonly path: string;
  readonly remote: string;
  readonly #command: readonly string[];

  /** @param command what runs uttr, e.g. node and the path of its main module */
  constructor(folder: string, command: readonly string[]) {
    this.folder = folder;
    this.path = join(folder, 'project');
    this.remote = join(folder, 'remote');
    this.#command = command;
  }

  /** Begins anew, with nothing in it. */
  async create(): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.path, { recursive: true });
    this.#git('init', '--quiet', '--initial-branch=main');
    this.#git('config', 'user.name', 'Bench');
    this.#git('config', 'user.email', 'bench@example.org');
    await this.uttr('init');
    await this.uttr('remote', 'add', 'origin', this.remote);
  }

  /** Runs a command and measures it; in this project, or in a clone of it. */
  uttr(...args: readonly string[]): Promise<Run> {
    return this.#measure(this.path, args);
  }

  uttrIn(directory: string, ...args: readonly string[]): Promise<Run> {
    return this.#measure(directory, args);
  }

  commandLine(...args: readonly string[]): readonly string[] {
    return [...this.#command, ...args];
  }

  /** Puts the pointers into git. */
  commitToGit(message: string): void {
    this.#git('add', '--all');
    this.#git('commit', '--quiet', '--message', message);
  }

  /** A clone as a colleague makes it: what git has, and nothing of .uttr. */
  cloneTo(directory: string): void {
    rmSync(directory, { recursive: true, force: true });
    this.#git('clone', '--quiet', this.path, directory);
  }

  /** Keeps a copy of project and remote. */
  save(): void {
    rmSync(this.#saved, { recursive: true, force: true });
    cpSync(this.folder, this.#saved, { recursive: true, preserveTimestamps: true });
  }

  /** Goes back to what was saved; at the same path, since remotes are known by their place. */
  restore(): void {
    rmSync(this.folder, { recursive: true, force: true });
    cpSync(this.#saved, this.folder, { recursive: true, preserveTimestamps: true });
    settleDisk();
  }

  sizes(): Sizes {
    const local = join(this.path, '.uttr');
    return {
      packBytes: folderBytes(join(local, 'packs')),
      catalogueBytes: ['catalogue.db', 'catalogue.db-wal'].map((name) => fileBytes(join(local, name))).reduce(add, 0),
      remoteBytes: folderBytes(this.remote),
    };
  }

  get #saved(): string {
    return `${this.folder}.saved`;
  }

  #measure(cwd: string, args: readonly string[]): Promise<Run> {
    return measure(this.commandLine(...args), { cwd });
  }

  #git(...args: readonly string[]): void {
    const { status, error, stderr } = spawnSync('git', args, { cwd: this.path, encoding: 'utf8' });
    if (status !== 0) throw error ?? new Error(`git ${args.join(' ')}: ${stderr}`);
  }
}

/** Has everything written, so that nobody's fsync pays for a copy made before it. */
export function settleDisk(): void {
  spawnSync('sync');
}

/** Bytes of all files below a folder. */
export function folderBytes(folder: string): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => fileBytes(join(entry.parentPath, entry.name)))
    .reduce(add, 0);
}

function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

const add = (sum: number, bytes: number): number => sum + bytes;
