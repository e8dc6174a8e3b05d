/**
 * Packs the package, installs it into an empty place, and uses it from there as a stranger would: the command, the
 * library, the library's types.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'uttr-package-'));
const prefix = join(scratch, 'prefix');
const home = join(scratch, 'home');

/** Beside the programs themselves; anything else is not for those who install uttr. */
const MAY_BE_PACKED =
  /^(?:dist\/.+\.(?:js|d\.ts)|dist\/cli\/licences-of-packages\.txt|schema\/.+\.json|docs\/(?:[a-z-]+\.md|recover\.sh)|[A-Z]+\.md|LICENSE|package\.json)$/u;

/** Without the settings that an npm around this script hands down: they name its project, not the prefix here. */
const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/iu.test(name)));

function run(program: string, args: readonly string[], directory: string): string {
  const { stdout, stderr, status, error } = spawnSync(program, args, {
    cwd: directory,
    encoding: 'utf8',
    env: { ...ENVIRONMENT, PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}` },
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${basename(program)} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

function pack(): string {
  const answer = run('npm', ['pack', '--json', '--silent', '--pack-destination', scratch], root);
  const [packed] = Object.values(JSON.parse(answer.slice(answer.search(/^[[{]/mu))) as Record<string, Packed>);
  if (packed === undefined) throw new Error('npm pack made nothing');
  const foreign = packed.files.filter(({ path }) => !MAY_BE_PACKED.test(path));
  if (foreign.length > 0) throw new Error(`not for the package: ${foreign.map(({ path }) => path).join(', ')}`);
  console.log(`packed ${packed.files.length} files, ${packed.size} bytes`);
  return join(scratch, packed.filename);
}

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** A project's first minutes, with the installed command. */
function useCommand(): void {
  const folder = join(scratch, 'project');
  mkdirSync(folder);
  const uttr = (...args: string[]): string => run(join(prefix, 'bin', 'uttr'), args, folder);
  expect('--version', uttr('--version').trim(), readVersion());
  const rows = ['turn on the light,light_on', 'light please,light_on', 'what time is it,time', 'the time please,time'];
  writeFileSync(join(folder, 'batch.csv'), ['text,intent', ...rows, ''].join('\n'));
  uttr('init');
  uttr('add', 'home', 'batch.csv');
  uttr('commit', '-m', 'first batch', '--author', 'Ada <ada@example.org>');
  const { rows: count, sides } = JSON.parse(uttr('stats', 'home', '--json')) as { rows: number; sides: object };
  expect('rows', count, rows.length);
  expect('sides', Object.keys(sides).toSorted().join(' '), 'test train');
  uttr('remote', 'add', 'origin', `file://${join(scratch, 'remote')}`);
  const { versions } = JSON.parse(uttr('push', '--json')) as { versions: number };
  expect('pushed', versions, 1);
  const fsck = JSON.parse(uttr('fsck', '--json')) as { ok: boolean };
  expect('fsck', fsck.ok, true);
}

/** Without them the command works too, on one thread: so nobody would notice that they are not there. */
function startThreads(): void {
  const dist = join(prefix, 'lib', 'node_modules', 'uttr', 'dist');
  for (const path of ['cli/parse-worker', 'cli/frame-worker', 'repo/parse-worker', 'store/frame-worker']) {
    const file = join(dist, `${path}.js`);
    const program =
      'const thread = new (require("node:worker_threads").Worker)(process.argv[1]);' +
      'thread.on("online", () => { console.log("online"); thread.terminate(); });';
    expect(path, run(process.execPath, ['-e', program, file], scratch).trim(), 'online');
  }
}

/** Types as a program of somebody else sees them: no `skipLibCheck`, nothing of ours but the package. */
function useLibrary(): void {
  const folder = join(scratch, 'consumer');
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  const installed = join(prefix, 'lib', 'node_modules');
  const program = [
    "import { randomBytes } from 'node:crypto';",
    "import { add, commit, init, isUttrError, Repository, type UtteranceRecord, UttrError } from 'uttr';",
    "const record: UtteranceRecord = { text: 'turn on the light', intent: 'light_on' };",
    'const clock = { now: () => new Date() };',
    'const random = { bytes: (count: number) => randomBytes(count) };',
    "await init('.');",
    "const repository = await Repository.open('.', { clock, random, environment: {} });",
    'const stream = (async function* () { yield Buffer.from(JSON.stringify(record)); })();',
    "await add(repository, 'home', [{ kind: 'stream', name: 'rows.jsonl', stream }]);",
    "const { rows } = await commit(repository, 'home', { author: 'Ada' });",
    'await repository.close();',
    "const error: unknown = new UttrError('bad-row', 'no intent');",
    "console.log(rows, record.text, isUttrError(error, 'bad-row') ? error.exitCode : 'not ours');",
    '',
  ].join('\n');
  writeFileSync(join(folder, 'use.ts'), program);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n');
  run('ln', ['-s', join(installed, 'uttr'), join(folder, 'node_modules', 'uttr')], folder);
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')];
  run(process.execPath, [tsc, '--module', 'nodenext', '--target', 'es2024', '--strict', ...types, 'use.ts'], folder);
  expect('library', run(process.execPath, ['use.js'], folder).trim(), '1 turn on the light 3');
}

function readVersion(): string {
  return run(process.execPath, ['-p', 'require("./package.json").version'], root).trim();
}

function expect(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, expected ${String(expected)}`);
  console.log(`${what}: ${String(actual)}`);
}

try {
  mkdirSync(home);
  const archive = pack();
  run(process.execPath, [join(root, 'node_modules', 'publint', 'src', 'cli.js'), archive, '--strict'], root);
  console.log('publint: clean');
  run('npm', ['install', '--global', '--prefix', prefix, '--prefer-offline', '--no-audit', '--no-fund', archive], home);
  useCommand();
  startThreads();
  useLibrary();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
