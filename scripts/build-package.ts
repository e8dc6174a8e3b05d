/**
 * The package as it is published: modules and declarations for whoever imports the library, and the command as a few
 * larger files, since finding and linking some two hundred modules takes longer than most commands work.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type OutputOptions, type Plugin, rolldown } from 'rolldown';

/** Modules that so many parts of the command share come in one file, which each command loads. */
const SHARED_BY = 10;

/** Packages that become part of the command, as its own modules do. */
const BUNDLED = ['commander', 'diff'];

/**
 * An import of these modules has Node prepare all they export (the standard streams, reports, a parser of arguments):
 * that takes 4 ms, for a few functions.
 */
const LEAN_BUILTINS: Readonly<Record<string, string>> = {
  'node:process': 'const { process } = globalThis; export default process; export const { kill, pid } = process;',
  'node:util':
    "export const { promisify, stripVTControlCharacters, styleText } = process.getBuiltinModule('node:util');",
};

/** Builds the package at `root` into the folder `dist`, from a clean start. */
export async function buildPackage(root: string, dist: string): Promise<void> {
  rmSync(dist, { recursive: true, force: true });
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = ['-p', join(root, 'tsconfig.build.json'), '--outDir', dist];
  execFileSync(process.execPath, [tsc, ...options], { stdio: 'inherit' });
  await bundleCommand(root, join(dist, 'cli'));
}

async function bundleCommand(root: string, folder: string): Promise<void> {
  rmSync(folder, { recursive: true });
  const groups = [{ name: 'shared', minShareCount: SHARED_BY }];
  await bundle(root, { main: 'src/cli/main.ts' }, { dir: folder, codeSplitting: { groups } });
  // A thread starts anew with all it loads: each gets a file of its own, with nothing else in it.
  for (const path of ['src/repo/parse-worker.ts', 'src/store/frame-worker.ts']) {
    await bundle(root, { [basename(path, '.ts')]: path }, { dir: folder, codeSplitting: false });
  }
  chmodSync(join(folder, 'main.js'), 0o755);
  const licences = BUNDLED.map(
    (name) => `${name}\n\n${readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8')}`,
  );
  writeFileSync(join(folder, 'licences-of-packages.txt'), licences.join('\n'));
}

async function bundle(root: string, input: Record<string, string>, output: OutputOptions): Promise<void> {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const external = Object.keys(dependencies).filter((name) => !BUNDLED.includes(name));
  await using build = await rolldown({
    cwd: root,
    input,
    platform: 'node',
    external: (id) => external.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [leanBuiltins],
  });
  await build.write({ format: 'esm', ...output });
}

const leanBuiltins: Plugin = {
  name: 'lean-builtins',
  resolveId: (id) => (id in LEAN_BUILTINS ? `\0${id}` : undefined),
  load: (id) => LEAN_BUILTINS[id.replace('\0', '')],
};
