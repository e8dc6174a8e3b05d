/** Other people's readers of the formats: Python packages, named in test/requirements.txt. */
import { spawnSync } from 'node:child_process';

export interface Python {
  /** undefined where no Python can import the module. */
  readonly command: string | undefined;
  /** For the title of a test that is skipped then. */
  readonly note: string;
}

/** The Python of UTTR_TEST_PYTHON, by default `python3`. @throws Error where all is required, and it lacks the module */
export function pythonWith(module: string): Python {
  const command = process.env['UTTR_TEST_PYTHON'] ?? 'python3';
  const { status } = spawnSync(command, ['-c', `import ${module}`], { timeout: 60_000 });
  if (status === 0) return { command, note: '' };
  const problem = `${command} cannot import ${module}; see test/requirements.txt and UTTR_TEST_PYTHON`;
  if (process.env['UTTR_REQUIRE_ALL'] === '1') throw new Error(`UTTR_REQUIRE_ALL is set, and ${problem}`);
  return { command: undefined, note: ` (skipped: ${problem})` };
}
