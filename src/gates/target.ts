/** What a metric is to reach at a given time: a constant, steps, a ramp, or what was reached before. */

/** All values are shares in [0, 1]; days are in UTC. */
export type Target =
  | { readonly kind: 'constant'; readonly value: number }
  | {
      readonly kind: 'step';
      readonly start: number;
      readonly step: number;
      /** Milliseconds from one step to the next. */
      readonly everyMs: number;
      /** After so many it stays. */
      readonly steps: number;
      readonly fromMs: number;
    }
  | {
      readonly kind: 'ramp';
      readonly start: number;
      readonly end: number;
      readonly fromMs: number;
      readonly untilMs: number;
    }
  /** The best that a gate has let pass so far, and at least `floor`. */
  | { readonly kind: 'ratchet'; readonly floor: number };

/** @param best the best value that passed before; undefined where none has */
export function targetAt(target: Target, atMs: number, best?: number): number {
  switch (target.kind) {
    case 'constant':
      return target.value;
    case 'step': {
      const passed = Math.floor((atMs - target.fromMs) / target.everyMs);
      const value = target.start + target.step * Math.min(target.steps, Math.max(0, passed));
      return rounded(value);
    }
    case 'ramp': {
      const share = (atMs - target.fromMs) / (target.untilMs - target.fromMs);
      return rounded(target.start + (target.end - target.start) * Math.min(1, Math.max(0, share)));
    }
    case 'ratchet':
      return Math.max(target.floor, best ?? target.floor);
  }
}

/** 0.8 + 10 * 0.01 is to be 0.9, not the next number above it: a model at 0.9 has reached it. */
function rounded(value: number): number {
  return Math.round(value * 1e12) / 1e12;
}
