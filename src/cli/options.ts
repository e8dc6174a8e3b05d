import { InvalidArgumentError } from 'commander';

/** A whole number from 0. */
export function parseCount(value: string): number {
  const count = Number(value);
  if (!/^\d+$/u.test(value) || !Number.isSafeInteger(count)) throw new InvalidArgumentError('give a whole number');
  return count;
}

/** Collects an option that may be repeated. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
