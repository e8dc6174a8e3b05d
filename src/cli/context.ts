import { randomBytes } from 'node:crypto';
import { relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BatchSource } from '../repo/input.ts';
import type { Repository, Surroundings } from '../repo/repository.ts';
import type { Reporter } from './reporter.ts';

export interface GlobalFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color?: boolean;
  readonly C?: string;
}

/** What a command may use: where to work, what to say it with, when to stop. */
export class CliContext {
  readonly directory: string;
  readonly reporter: Reporter;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly #stdin: () => NodeJS.ReadableStream;
  readonly signal: AbortSignal;
  /** Set by a command whose answer is no; 0 otherwise. */
  exitCode = 0;

  constructor(parts: {
    directory: string;
    reporter: Reporter;
    environment: Readonly<Record<string, string | undefined>>;
    stdin: () => NodeJS.ReadableStream;
    signal: AbortSignal;
  }) {
    this.directory = resolve(parts.directory);
    this.reporter = parts.reporter;
    this.environment = parts.environment;
    this.#stdin = parts.stdin;
    this.signal = parts.signal;
  }

  /** A path as the user wrote it, made absolute. */
  resolve(path: string): string {
    return resolve(this.directory, path);
  }

  /** A path as the user would write it. */
  relative(path: string): string {
    const short = relative(this.directory, path);
    return short === '' || short.startsWith('..') ? path : short;
  }

  /** A file as the user named it; `-` is standard input. */
  source(file: string): BatchSource {
    if (file === '-') return { kind: 'stream', name: '<stdin>', stream: this.#stdin() as AsyncIterable<Uint8Array> };
    return { kind: 'file', path: this.resolve(file), name: file };
  }

  /** A folder as the address of a store. */
  fileUrl(path: string): string {
    return pathToFileURL(this.resolve(path)).href;
  }

  /** The address of a store as the user wrote it: a path is one as well. */
  storeUrl(url: string): string {
    return url.includes('://') || url.startsWith('file:') ? url : this.fileUrl(url);
  }

  /** What the library is lent by the command. */
  get surroundings(): Surroundings {
    return {
      clock: { now: () => new Date() },
      random: { bytes: (count) => randomBytes(count) },
      environment: this.environment,
      progress: this.reporter.progress,
      signal: this.signal,
    };
  }

  /** Opens the working copy for the time of `work`. */
  async withRepository<T>(work: (repository: Repository) => Promise<T>, directory = this.directory): Promise<T> {
    // Loaded when it is needed: help and version must not wait for SQLite.
    const { Repository } = await import('../repo/repository.ts');
    const repository = await Repository.open(directory, this.surroundings);
    try {
      return await work(repository);
    } finally {
      await repository.close();
    }
  }
}
