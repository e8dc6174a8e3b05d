/** Names of datasets: they become file names on every system and parts of addresses, so little is allowed. */
import { UttrError } from '../base/errors.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/u;

/** Windows keeps these for devices, whatever follows a dot. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/iu;

/** Checks a dataset's name and returns it. @throws bad-dataset-name */
export function parseDatasetName(name: string): string {
  const problem = nameProblem(name);
  if (problem === undefined) return name;
  throw new UttrError(
    'bad-dataset-name',
    `${JSON.stringify(name.slice(0, 120))} is no name for a dataset: ${problem}`,
    {
      hint: 'use 1 to 100 letters, digits, "-", "_" and ".", such as support-en',
    },
  );
}

function nameProblem(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name.length > 100) return `it has ${name.length} characters, more than 100`;
  if (!/^[A-Za-z0-9]/u.test(name)) return 'it must start with a letter or a digit';
  if (!NAME.test(name)) return 'only letters, digits, "-", "_" and "." are allowed';
  if (name.includes('..')) return 'two dots in a row are not allowed';
  if (name.endsWith('.')) return 'it may not end with a dot';
  return DEVICE.test(name) ? 'Windows keeps this name for a device' : undefined;
}
