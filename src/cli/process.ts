/**
 * Runs the program on this process: signals, exit code, crash points of the tests.
 */
import { type CrashPoint, setCrashHook } from '../base/crash-points.ts';
import { run } from './program.ts';

/** Time an interrupted command has to put everything back before it is ended. */
const GRACE_MS = 5000;

const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export async function runProcess(): Promise<void> {
  installCrashPoints(process.env['UTTR_CRASH']);
  const controller = new AbortController();
  let exitSignal: keyof typeof SIGNAL_EXIT | undefined;
  for (const signal of Object.keys(SIGNAL_EXIT) as (keyof typeof SIGNAL_EXIT)[]) {
    process.on(signal, () => {
      // The second signal means it.
      if (exitSignal !== undefined) process.exit(SIGNAL_EXIT[signal]);
      exitSignal = signal;
      controller.abort();
      setTimeout(() => process.exit(SIGNAL_EXIT[signal]), GRACE_MS).unref();
    });
  }
  let stdin: typeof process.stdin | undefined;
  const code = await run(process.argv.slice(2), {
    directory: process.cwd(),
    environment: process.env,
    stdin: () => (stdin ??= process.stdin),
    stdout: process.stdout,
    stderr: process.stderr,
    signal: controller.signal,
  });
  // An interrupted command has stopped listening, but an open stdin would keep the process alive.
  stdin?.destroy();
  process.exitCode = exitSignal === undefined ? code : SIGNAL_EXIT[exitSignal];
}

/** `UTTR_CRASH=name:n` ends the process, without cleaning up, when it comes by a point for the n-th time. */
function installCrashPoints(setting: string | undefined): void {
  if (setting === undefined || setting === '') return;
  const [name, times] = setting.split(':');
  let left = Number(times ?? 1);
  setCrashHook((point: CrashPoint) => {
    if (point === name && --left === 0) process.kill(process.pid, 'SIGKILL');
  });
}
