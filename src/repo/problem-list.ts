import { UttrError } from '../base/errors.ts';

/** Something that fsck found to be wrong. */
export interface Problem {
  readonly code: string;
  readonly what: string;
  readonly where: string;
}

/** Beyond so many, nobody reads on: a store with that much damage is fetched again. */
const PROBLEM_LIMIT = 10_000;

/** What is wrong, in the order it was found. */
export class ProblemList {
  readonly #problems: Problem[] = [];

  get all(): readonly Problem[] {
    return this.#problems;
  }

  get count(): number {
    return this.#problems.length;
  }

  say(code: string, what: string, where: string): void {
    if (this.#problems.length < PROBLEM_LIMIT) this.#problems.push({ code, what, where });
  }

  /** Takes an error as a problem. @throws it, if it tells of no damage: an interruption, a remote that is away */
  add(error: unknown, where: string): void {
    if (!(error instanceof UttrError) || ['aborted', 'internal', 'unavailable'].includes(error.kind)) throw error;
    this.say(error.code, error.message, where);
  }
}
