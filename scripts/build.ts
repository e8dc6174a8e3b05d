/**
 * Builds the package: JavaScript and declarations in dist/, from a clean start.
 *
 * Development needs no build, since Node runs the sources; this is for `npm pack` and for whoever imports the library.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const { status, error } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (error !== undefined) throw error;
if (status === 0) chmodSync(join(dist, 'cli', 'main.js'), 0o755);
process.exitCode = status ?? 1;
