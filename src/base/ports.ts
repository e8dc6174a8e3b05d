/**
 * What the library needs from outside: time, chance, a place to report progress. The edges pass real ones in.
 */

/** Wall-clock time. The library never reads the clock itself. */
export interface Clock {
  now(): Date;
}

/** Random bytes for names that must not repeat (pack names, transaction ids). */
export interface Random {
  bytes(count: number): Uint8Array;
}

/** Long work tells how far it is; drawing it is the caller's business. */
export interface Progress {
  /** @param unit 'records', 'bytes', 'chunks', …; `total` only where it is known beforehand. */
  update(phase: string, done: number, total: number | undefined, unit: string): void;
  /** A fact the user should know but that stops nothing. */
  note(message: string): void;
}

export const SILENT: Progress = { update() {}, note() {} };

/** Passed to every call that may take long. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: Progress | undefined;
}
