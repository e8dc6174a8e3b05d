/**
 * Named points between two durable steps, where tests end the process.
 *
 * In production no hook is set and a point costs one comparison. The registry is closed: a test checks
 * that every point is reached by some workload, and a typo does not compile.
 */
export const CRASH_POINTS = [
  'file.written',
  'file.synced',
  'file.renamed',
  'file.directory-synced',
  'staged.written',
  'staged.recorded',
  'commit.packs-written',
  'commit.recorded',
  'commit.pointer-written',
  'commit.finished',
  'push.packs-sent',
  'push.head-moved',
  'push.log-written',
  'push.recorded',
  'pull.packs-written',
  'pull.recorded',
  'pull.pointer-written',
  'merge.recorded',
  'delivery.claimed',
  'delivery.sent',
  'delivery.recorded',
] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number];

let hook: ((point: CrashPoint) => void) | undefined;

/** Installs what happens at a crash point; only tests and the command's fault switch do. */
export function setCrashHook(next: ((point: CrashPoint) => void) | undefined): void {
  hook = next;
}

export function crashPoint(point: CrashPoint): void {
  if (hook !== undefined) hook(point);
}
