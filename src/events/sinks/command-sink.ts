/**
 * The command sink: a program gets the event on stdin. The one place that starts processes for events.
 *
 * E10 A command given as a list runs without a shell. The event is delivered when the command ends with 0; it is
 *     ended with all its children when its time is up or the delivery is interrupted.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { kill } from 'node:process';
import type { EventRow } from '../../base/event-rows.ts';
import { throwIfAborted } from '../../base/errors.ts';
import type { DeliveryOutcome, Sink } from './sink.ts';

/** Between asking a command to end and ending it. */
const GRACE_MS = 5000;

export interface CommandSinkOptions {
  readonly name: string;
  readonly fingerprint: string;
  readonly retryForMs: number;
  /** Where the command runs. */
  readonly root: string;
  /** A list runs as it is; a single text runs through `sh` (`cmd.exe` on Windows). */
  readonly command: string | readonly string[];
  readonly timeoutMs: number;
  /** What the command inherits; UTTR_… are added. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Gets what the command prints, as it prints it. */
  readonly onOutput?: ((sink: string, bytes: Uint8Array) => void) | undefined;
}

type End =
  | { readonly kind: 'exit'; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly kind: 'error'; readonly error: NodeJS.ErrnoException }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'aborted' };

/** Runs a program for each event. */
export class CommandSink implements Sink {
  readonly name: string;
  readonly fingerprint: string;
  readonly retryForMs: number;
  readonly #options: CommandSinkOptions;

  constructor(options: CommandSinkOptions) {
    this.name = options.name;
    this.fingerprint = options.fingerprint;
    this.retryForMs = options.retryForMs;
    this.#options = options;
  }

  async deliver(
    event: EventRow,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<DeliveryOutcome> {
    const { signal } = options;
    throwIfAborted(signal);
    const end = await this.#run(event, signal);
    throwIfAborted(signal);
    return this.#judge(end);
  }

  async #run(event: EventRow, signal: AbortSignal | undefined): Promise<End> {
    const child = this.#start(event);
    const { onOutput } = this.#options;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes: Uint8Array) => onOutput?.(this.name, bytes));
    }
    // A command need not read its input; that it did not is no failure.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(`${event.body}\n`);

    const ended = new Promise<End>((resolve) => {
      child.once('error', (error) => resolve({ kind: 'error', error }));
      // Not `close`: a child that the command leaves behind may hold its output open for ever.
      child.once('exit', (code, exitSignal) => resolve({ kind: 'exit', code, signal: exitSignal }));
    });
    const end = await this.#bounded(ended, signal);
    if (end.kind === 'timeout' || end.kind === 'aborted') await stop(child, ended);
    else if (end.kind === 'exit') await drained(child);
    child.stdout?.destroy();
    child.stderr?.destroy();
    return end;
  }

  #start(event: EventRow): ChildProcess {
    const { command, root, environment } = this.#options;
    const options = {
      cwd: root,
      env: {
        ...environment,
        UTTR_EVENT: event.type,
        UTTR_EVENT_ID: event.id,
        UTTR_DATASET: event.dataset,
        UTTR_VERSION: event.version,
        UTTR_PREVIOUS: event.previous ?? '',
      },
      stdio: 'pipe',
      windowsHide: true,
      // A process group of its own, so that its children can be ended with it.
      detached: true,
    } as const;
    if (typeof command === 'string') return spawn(command, { ...options, shell: true });
    const [program = '', ...rest] = command;
    return spawn(program, rest, { ...options, shell: false });
  }

  /** The end of the command, or of its time. */
  async #bounded(ended: Promise<End>, signal: AbortSignal | undefined): Promise<End> {
    const { promise: cut, resolve } = Promise.withResolvers<End>();
    const timer = setTimeout(() => resolve({ kind: 'timeout' }), this.#options.timeoutMs);
    const abort = (): void => resolve({ kind: 'aborted' });
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([ended, cut]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  #judge(end: End): DeliveryOutcome {
    switch (end.kind) {
      case 'exit':
        if (end.code === 0) return { kind: 'delivered' };
        return { kind: 'failed', reason: `the command ended with ${end.code ?? end.signal ?? 'an unknown status'}` };
      case 'error':
        return { kind: 'failed', reason: `the command cannot be started (${end.error.code ?? end.error.message})` };
      case 'timeout':
        return { kind: 'failed', reason: `the command did not end within ${this.#options.timeoutMs / 1000} s` };
      case 'aborted':
        return { kind: 'failed', reason: 'the command was interrupted' };
    }
  }
}

/** Waits for what the command printed last, for a moment at most: a child left behind may hold the pipe. */
async function drained(child: ChildProcess): Promise<void> {
  const open = [child.stdout, child.stderr].filter((stream) => stream !== null && !stream.readableEnded);
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, 200);
  const ends = open.map((stream) => new Promise<void>((done) => stream?.once('end', done)));
  await Promise.race([Promise.all(ends), late]);
  clearTimeout(timer);
}

/** Asks the command and its children to end, and ends them when they have not after the grace time. */
async function stop(child: ChildProcess, ended: Promise<End>): Promise<void> {
  signalGroup(child, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS);
  await ended;
  clearTimeout(timer);
  // The command has ended; whatever it started and left in its group ends too.
  signalGroup(child, 'SIGKILL');
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    // A negative number is the process group, which `detached` made. Windows has none: there it throws.
    kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}
