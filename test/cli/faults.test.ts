/**
 * The command as a real process: interrupted, cut off from its reader, on a full disk. Everything is as it was
 * before, or whole; nothing is left over; the next run works.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';
import { committedProject, finished, newProject, Project, utterances } from './harness.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

/** Names of temporary files and folders, wherever they lie. */
function leftOvers(project: Project): string[] {
  const names = readdirSync(project.folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /\.uttr-tmp-|sort-|run-\d/u.test(name));
}

/** Waits until work in progress shows itself as a file of this kind. */
async function appears(project: Project, folder: string, pattern: RegExp): Promise<void> {
  for (let round = 0; round < 2000; round++) {
    const path = project.path(folder);
    const names = existsSync(path) ? readdirSync(path, { recursive: true, encoding: 'utf8' }) : [];
    if (names.some((name) => pattern.test(name))) return;
    await sleep(5);
  }
  throw new Error(`nothing like ${pattern.source} appeared in ${folder}`);
}

describe('an interrupted command', () => {
  test('add that waits for standard input stops at once and leaves nothing', async () => {
    const project = await committedProject(2);
    const before = project.files();
    const child = project.spawn(['add', 'support', '-']);
    child.stdin?.write('text,intent\nhello,greet\n');
    await appears(project, '.uttr', /catalogue\.db-wal/u);
    child.kill('SIGINT');
    const outcome = await finished(child);
    expect(outcome.code).toBe(130);
    expect(outcome.stderr).toMatchInlineSnapshot(`
      "error[aborted]: interrupted
      hint: nothing was changed; run the command again
      "
    `);
    expect(leftOvers(project)).toEqual([]);
    expect(project.files()).toEqual(before);
    expect((await project.json('status')).datasets[0].staged).toBeNull();
  });

  test('add and commit of many rows leave what was there, and work when run again', async () => {
    const project = await committedProject(2);
    project.write('many.csv', utterances(60_000));
    const before = project.files();
    const adding = project.spawn(['add', 'support', 'many.csv']);
    await appears(project, '.uttr', /catalogue\.db-wal/u);
    adding.kill('SIGINT');
    expect(await finished(adding)).toMatchObject({ code: 130, stdout: '' });
    expect(leftOvers(project)).toEqual([]);
    expect(project.files()).toEqual(before);
    expect((await project.json('status')).datasets[0].staged).toBeNull();

    await project.do('add', 'support', 'many.csv');
    const staged = project.files();
    const committing = project.spawn(['commit', '-m', 'many']);
    await appears(project, '.uttr', /catalogue\.db-wal/u);
    committing.kill('SIGINT');
    expect(await finished(committing)).toMatchObject({ code: 130, stdout: '' });
    expect(leftOvers(project)).toEqual([]);
    expect(project.files()).toEqual(staged);
    expect((await project.json('commit', '-m', 'many')).rows).toBe(180_000);
    expect((await project.json('fsck')).ok).toBe(true);
  });

  test('ends with 143 after SIGTERM', async () => {
    const project = await newProject();
    const child = project.spawn(['add', 'support', '-']);
    await appears(project, '.uttr', /catalogue\.db-wal/u);
    child.kill('SIGTERM');
    expect((await finished(child)).code).toBe(143);
    expect(leftOvers(project)).toEqual([]);
  });
});

describe('a pipe given as a file', () => {
  test.skipIf(process.platform === 'win32')('is read once, from its first byte', async () => {
    const project = await newProject();
    project.write('a.csv', utterances(3000));
    execFileSync('bash', ['-c', `"$0" "$1" add support <(cat a.csv)`, process.execPath, MAIN], {
      cwd: project.folder,
      stdio: 'pipe',
    });
    expect((await project.json('status')).datasets[0].staged.changes.added).toBe(9000);
  });
});

describe('a reader that goes away', () => {
  test('ends cat quietly', async () => {
    const project = await committedProject(5000);
    const child = project.spawn(['cat']);
    child.stdout?.once('data', () => child.stdout?.destroy());
    const outcome = await finished(child);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
  });

  test('of messages does not stop the work', async () => {
    const project = await newProject();
    project.write('a.csv', 'text,intent\n hello ,greet\nbye,leave\n');
    const child = project.spawn(['add', 'support', 'a.csv', '--rejects', 'bad.csv']);
    child.stderr?.destroy();
    expect((await finished(child)).code).toBe(0);
    expect((await project.json('status')).datasets[0].staged.changes.added).toBe(2);
  });

  test('a full disk behind stdout is an error', async () => {
    if (!existsSync('/dev/full')) return;
    const project = await committedProject(2);
    const outcome = spawnSync(process.execPath, [MAIN, 'cat'], {
      cwd: project.folder,
      stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
      encoding: 'utf8',
    });
    expect(outcome.status).toBe(6);
    expect(outcome.stderr).toMatchInlineSnapshot(`
      "error[disk-full]: the answer cannot be written: ENOSPC: no space left on device, write
      "
    `);
  });
});

/** Mounting a small disk for this test alone needs root and Linux. */
const mountProblem = ((): string | undefined => {
  if (process.platform !== 'linux') return 'tmpfs is of Linux';
  if (process.getuid?.() !== 0) return 'mounting needs root';
  const probe = spawnSync('unshare', ['-m', 'true']);
  return probe.status === 0 ? undefined : 'this container allows no mounts';
})();

describe('a full disk', () => {
  const title = 'fails add and commit with 6, changes nothing, and lets both work once there is space';
  test.skipIf(mountProblem !== undefined).each([0, 96])(
    `${title} (%i KiB left)${mountProblem === undefined ? '' : ` (skipped: ${mountProblem})`}`,
    (leftKiB) => {
      const outside = new Project(temporaryDirectory());
      outside.write('first.csv', utterances(5));
      outside.write('more.csv', utterances(4000, ['weather', 'music']));
      // The mount is seen by this script and its children only, and ends with them.
      outside.write('script.sh', SCRIPT);
      const output = execFileSync('unshare', ['-m', 'bash', 'script.sh', process.execPath, MAIN, String(leftKiB)], {
        cwd: outside.folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, UTTR_AUTHOR: 'Ada' },
      });
      const said = Object.fromEntries(
        output
          .trim()
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
      );
      expect(said).toMatchObject({
        'first-commit': '0',
        'full-add': '6',
        'full-add-left': '',
        'full-add-pointer': 'same',
        'staged-after': 'null',
        'free-add': '0',
        'full-commit': '6',
        'full-commit-left': '',
        'full-commit-pointer': 'same',
        'free-commit': '0',
        fsck: '0',
      });
      expect(JSON.parse(said['rows'] as string)).toBe(8015);
      const codes = ['disk-full', 'catalogue-unusable'];
      expect(codes).toContain((JSON.parse(outside.read('add.json')) as { error: { code: string } }).error.code);
      expect(codes).toContain((JSON.parse(outside.read('commit.json')) as { error: { code: string } }).error.code);
    },
  );
});

const SCRIPT = `set -u
node="$1" main="$2" left="$3"
uttr() { "$node" "$main" "$@"; }
fill() {
  dd if=/dev/zero of=filler bs=1024 count=\${left:-0} status=none 2>/dev/null
  cat /dev/zero > filler2 2>/dev/null
  rm -f filler; sync
}
mkdir disk && mount -t tmpfs -o size=6m tmpfs disk && cd disk || exit 1
uttr init > ../log; uttr add support ../first.csv >> ../log
uttr commit -m first >> ../log; echo "first-commit $?"
cp manifests/support.json ../before.json
fill
uttr add support ../more.csv --json > ../add.json; echo "full-add $?"
echo "full-add-left $(find . -name '.uttr-tmp-*' -o -name 'sort-*' -o -name '*.staged' | tr '\\n' ' ')"
cmp -s manifests/support.json ../before.json && echo "full-add-pointer same"
rm -f filler2
echo "staged-after $(uttr status --json | grep -o '"staged":[a-z{]*' | cut -d: -f2)"
uttr add support ../more.csv >> ../log; echo "free-add $?"
fill
uttr commit -m more --json > ../commit.json; echo "full-commit $?"
echo "full-commit-left $(find . -name '.uttr-tmp-*' | tr '\\n' ' ')"
cmp -s manifests/support.json ../before.json && echo "full-commit-pointer same"
rm -f filler2
uttr commit -m more >> ../log; echo "free-commit $?"
echo "rows $(uttr stats --json | grep -o '"rows":[0-9]*' | head -1 | cut -d: -f2)"
uttr fsck >> ../log; echo "fsck $?"
`;
