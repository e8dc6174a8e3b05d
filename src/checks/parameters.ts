/**
 * Parameters of checks: their kinds, defaults and limits, and how values from uttr.json are held to them.
 */

/** One parameter; T is the kind of its value. */
export interface Parameter<T = unknown> {
  readonly kind: 'number' | 'flag' | 'names';
  readonly default: T;
  readonly description: string;
  readonly minimum?: number;
  readonly maximum?: number;
  /** Whole numbers only. */
  readonly whole?: boolean;
}

export type Parameters = Readonly<Record<string, Parameter>>;

/** The values of some parameters, by name. */
export type Values<P extends Parameters> = { readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never };

interface Limits {
  readonly minimum?: number;
  readonly maximum?: number;
}

/** A whole number from 0. */
export function count(value: number, description: string): Parameter<number> {
  return { kind: 'number', default: value, description, minimum: 0, whole: true };
}

export function number(value: number, description: string, limits: Limits = {}): Parameter<number> {
  return { kind: 'number', default: value, description, ...limits };
}

/** A number from 0 that is not asked for by default. */
export function optionalNumber(description: string): Parameter<number | undefined> {
  return { kind: 'number', default: undefined, description, minimum: 0 };
}

export function flag(value: boolean, description: string): Parameter<boolean> {
  return { kind: 'flag', default: value, description };
}

export function names(value: readonly string[], description: string): Parameter<readonly string[]> {
  return { kind: 'names', default: value, description };
}

/** What is wrong with a value, as the end of a sentence; undefined when nothing is. */
export function parameterProblem(parameter: Parameter, value: unknown): string | undefined {
  switch (parameter.kind) {
    case 'flag':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    case 'names':
      return isNames(value) ? undefined : 'must be a list of strings';
    case 'number':
      return numberProblem(parameter, value);
  }
}

/** Whether a value is a list of strings. */
export function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function numberProblem({ minimum, maximum, whole }: Parameter, value: unknown): string | undefined {
  if (typeof value !== 'number') return 'must be a number';
  if (whole === true && !Number.isSafeInteger(value)) return 'must be a whole number';
  if (minimum !== undefined && value < minimum) return `must be at least ${minimum}`;
  return maximum !== undefined && value > maximum ? `must be at most ${maximum}` : undefined;
}
