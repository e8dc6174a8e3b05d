/**
 * Git itself, with uttr as its diff and merge driver: real repositories, real commands.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';
import { type Outcome, Project } from './harness.ts';

const UTTR = `'${process.execPath}' '${join(import.meta.dirname, '../../src/cli/main.ts')}'`;
const POINTER = 'manifests/support.json';

/** A project inside a git repository; `top` is the repository's root. */
class GitProject extends Project {
  readonly top: string;

  constructor(folder: string, top = folder) {
    super(folder);
    this.top = top;
  }

  static async create(folder = temporaryDirectory(), top = folder): Promise<GitProject> {
    mkdirSync(folder, { recursive: true });
    const project = new GitProject(folder, top);
    await project.git('init', '-q', '-b', 'main', top);
    await project.configure();
    await project.do('init');
    await project.do('git', 'install', '--command', UTTR);
    project.write('first.csv', table(range(0, 20)));
    await project.do('add', 'support', 'first.csv');
    await project.do('commit', '-m', 'first');
    rmSync(project.path('first.csv'));
    await project.git('add', '-A');
    await project.git('commit', '-q', '-m', 'first');
    return project;
  }

  async configure(): Promise<void> {
    await this.git('config', 'user.name', 'Ada');
    await this.git('config', 'user.email', 'ada@example.org');
    await this.git('config', 'commit.gpgsign', 'false');
  }

  /** Runs git in the project's folder; does not throw. */
  tryGit(args: readonly string[], environment: Record<string, string> = {}): Promise<Outcome> {
    const env = {
      ...process.env,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_EDITOR: 'true',
      UTTR_AUTHOR: 'Ada',
      ...environment,
    };
    return new Promise((resolve) => {
      execFile('git', args, { cwd: this.folder, env }, (error, stdout, stderr) => {
        const code = typeof error?.code === 'number' ? error.code : 1;
        resolve({ code: error === null ? 0 : code, stdout, stderr: `${stderr}${error?.message ?? ''}` });
      });
    });
  }

  async git(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.tryGit(args);
    if (code !== 0) throw new Error(`git ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Adds rows, commits them in uttr and in git. */
  async put(rows: readonly string[], message = 'more'): Promise<void> {
    await this.runWith({ stdin: table(rows) }, 'add', 'support', '-', '--format', 'csv', '--on-conflict', 'relabel');
    await this.save(message);
  }

  async relabel(text: string, intent: string): Promise<void> {
    await this.do('relabel', 'support', '--text', text, '--to', intent);
    await this.save(`relabel ${text}`);
  }

  async save(message: string): Promise<void> {
    await this.do('commit', '-m', message);
    await this.git('commit', '-q', '-m', message, '--', POINTER);
  }

  /** Label by text of the pointer's version. */
  async labels(): Promise<Record<string, string>> {
    const { stdout } = await this.do('cat', 'support');
    const records = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { text: string; intent: string });
    return Object.fromEntries(records.map(({ text, intent }) => [text, intent]));
  }

  /** Two branches that each changed `text` in their own way; `main` is checked out. */
  async conflicting(text = 'utterance 1'): Promise<void> {
    await this.git('checkout', '-q', '-b', 'feature');
    await this.relabel(text, 'theirs');
    await this.put(range(100, 3));
    await this.git('checkout', '-q', 'main');
    await this.relabel(text, 'ours');
    await this.put(range(200, 3));
  }
}

const range = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `utterance ${from + at},intent ${at % 2}`);

const table = (rows: readonly string[]): string => `text,intent\n${rows.join('\n')}\n`;

describe('git diff', () => {
  test('shows rows, also staged, in ranges, and from a subfolder', async () => {
    const project = await GitProject.create();
    await project.runWith({ stdin: table(range(50, 2)) }, 'add', 'support', '-', '--format', 'csv');
    await project.do('relabel', 'support', '--text', 'utterance 3', '--to', 'other');
    await project.do('commit', '-m', 'second');
    const diff = await project.git('diff');
    expect(diff).toContain('uttr diff manifests/support.json');
    expect(diff).toContain('utterance 50');
    expect(diff).toMatch(/utterance 3.*\n?.*other/u);
    expect(diff).not.toContain('"version"');
    await project.git('add', '-A');
    expect(await project.git('diff', '--cached')).toBe(diff);
    await project.git('commit', '-q', '-m', 'second');
    expect(await project.git('diff', 'HEAD~1', 'HEAD')).toBe(diff);
    expect(await project.git('-C', 'manifests', 'diff', 'HEAD~1')).toContain('utterance 51');
  });

  test('git log -p and git show show rows with --ext-diff, and the pointer without', async () => {
    const project = await GitProject.create();
    await project.put(range(50, 2));
    expect(await project.git('log', '-p', '--ext-diff')).toContain('utterance 50');
    expect(await project.git('show', '--ext-diff')).toContain('utterance 51');
    expect(await project.git('log', '-p', '-1')).toContain('+  "version"');
  });

  test('shows a pointer that is new or gone, and falls back to its text', async () => {
    const project = await GitProject.create();
    expect(await project.git('show', '--ext-diff')).toContain('utterance 1');
    rmSync(project.path(POINTER));
    expect(await project.git('diff')).toContain('the pointer was removed');
    project.write(POINTER, '{}\n');
    const diff = await project.git('diff');
    expect(diff).toContain('rows cannot be shown');
    expect(diff).toContain('+{}');
  });

  test('needs a git repository to install its drivers in', async () => {
    const project = new Project(temporaryDirectory());
    await project.do('init');
    expect(await project.json('git', 'install')).toMatchObject({
      error: { code: 'git-failed', hint: 'run: git init' },
    });
  });

  test('says how to call uttr where git cannot find it', async () => {
    const project = await GitProject.create();
    await project.do('git', 'install', '--command', 'uttr-is-not-here');
    project.write(POINTER, '{}\n');
    const { code, stderr } = await project.tryGit(['diff']);
    expect(code).not.toBe(0);
    expect(stderr).toContain('git cannot find uttr');
    expect(stderr).toContain('uttr git install --command');
  });
});

describe('git merge', () => {
  test('merges the records of two branches', async () => {
    const project = await GitProject.create();
    await project.git('checkout', '-q', '-b', 'feature');
    await project.put(range(100, 3));
    await project.git('checkout', '-q', 'main');
    await project.put(range(200, 3));
    const { stderr, code } = await project.tryGit(['merge', '--no-edit', 'feature']);
    expect([code, stderr]).toEqual([0, expect.stringContaining('merged the records of support')]);
    expect(Object.keys(await project.labels())).toHaveLength(26);
    expect(await project.git('status', '--porcelain')).toBe('');
    expect((await project.json('log', 'support')).versions[0].parents).toHaveLength(2);
    expect((await project.json('fsck')).problems).toEqual([]);
  });

  test('leaves a conflict unmerged, which uttr settles and git concludes', async () => {
    const project = await GitProject.create();
    await project.conflicting();
    const { code, stdout, stderr } = await project.tryGit(['merge', '--no-edit', 'feature']);
    expect(code).toBe(1);
    expect(stdout).toContain(`CONFLICT (content): Merge conflict in ${POINTER}`);
    expect(stderr).toContain('was changed on both sides: "utterance 1" is ours here and theirs there');
    expect(stderr).toContain('uttr merge support --ours');
    expect(project.read(POINTER)).toMatch(/^<{7} ours .*\n\{[^]*={7}\n\{[^]*>{7} theirs\n$/u);
    expect(await project.git('status', '--porcelain')).toBe(`UU ${POINTER}\n`);
    expect(await project.git('diff')).toContain('uttr merge support --ours');
    // How git calls the driver for a path without a state of its own.
    expect((await project.do('git', 'diff-driver', POINTER)).stdout).toContain('waits for a merge to be settled');
    const { stdout: status } = await project.do('status');
    expect(status).toContain('"utterance 1": was intent 1, here ours, there theirs');
    expect(await project.run('commit', 'support')).toMatchObject({ code: 4 });

    const settled = await project.do('merge', 'support', '--theirs');
    expect(settled.stdout).toContain(`Next: git add ${POINTER} && git commit`);
    await project.git('add', POINTER);
    await project.git('commit', '-q', '--no-edit');
    const labels = await project.labels();
    expect(labels['utterance 1']).toBe('theirs');
    expect(Object.keys(labels)).toHaveLength(26);
    expect((await project.json('status')).datasets[0].merge).toBeNull();
    expect((await project.json('fsck')).problems).toEqual([]);
  });

  test('git merge --abort ends the waiting merge: status and commit go on', async () => {
    const project = await GitProject.create();
    await project.conflicting();
    await project.tryGit(['merge', '--no-edit', 'feature']);
    const refused = await project.run('merge', 'support', '--abort');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('git merge --abort')]);
    await project.git('merge', '--abort');
    const status = await project.json('status');
    expect(status.datasets[0]).toMatchObject({ merge: null, problem: null, changed: false });
    await project.put(range(300, 1));
    expect((await project.labels())['utterance 1']).toBe('ours');
    expect((await project.run('merge', 'support', '--ours')).stderr).toContain('no-merge');
  });

  test('a conflict settled by hand, with git alone, waits no longer', async () => {
    const project = await GitProject.create();
    await project.conflicting();
    await project.tryGit(['merge', '--no-edit', 'feature']);
    await project.git('checkout', '--theirs', POINTER);
    await project.git('add', POINTER);
    await project.git('commit', '-q', '--no-edit');
    await project.put(range(300, 1));
    expect((await project.labels())['utterance 1']).toBe('theirs');
  });

  test('is given up, not half done, where git cannot find uttr', async () => {
    const project = await GitProject.create();
    await project.conflicting();
    await project.do('git', 'install', '--command', 'uttr-is-not-here');
    const before = project.read(POINTER);
    const { code, stderr } = await project.tryGit(['merge', '--no-edit', 'feature']);
    expect(code).not.toBe(0);
    expect(stderr).toContain('git cannot find uttr');
    expect(project.read(POINTER)).toBe(before);
  });

  test('is given up where the data is nowhere to be had', async () => {
    const project = await GitProject.create();
    await project.git('checkout', '-q', '-b', 'feature');
    await project.put(range(100, 3));
    await project.git('checkout', '-q', 'main');
    await project.put(range(200, 3));
    rmSync(project.path('.uttr'), { recursive: true });
    const { code, stderr } = await project.tryGit(['merge', '--no-edit', 'feature']);
    expect(code).not.toBe(0);
    expect(stderr).toContain('neither here nor on a remote');
  });

  test('of branches that merged each other before finds the right base', async () => {
    const project = await GitProject.create();
    await project.git('checkout', '-q', '-b', 'feature');
    await project.relabel('utterance 1', 'f1');
    await project.git('checkout', '-q', 'main');
    await project.relabel('utterance 2', 'm1');
    await project.git('tag', 'left');
    // Each merges the other as it was: no common ancestor is the nearest.
    await project.git('merge', '-q', '--no-edit', 'feature');
    await project.git('checkout', '-q', 'feature');
    await project.git('merge', '-q', '--no-edit', 'left');
    await project.relabel('utterance 3', 'f2');
    await project.git('checkout', '-q', 'main');
    await project.relabel('utterance 4', 'm2');
    await project.git('merge', '-q', '--no-edit', 'feature');
    expect(await project.labels()).toMatchObject({
      'utterance 1': 'f1',
      'utterance 2': 'm1',
      'utterance 3': 'f2',
      'utterance 4': 'm2',
    });
    expect((await project.json('fsck')).problems).toEqual([]);
  });

  test('rebase and cherry-pick go through the driver, and take one step only', async () => {
    const project = await GitProject.create();
    await project.git('checkout', '-q', '-b', 'feature');
    await project.put(range(100, 2), 'step one');
    await project.put(range(110, 2), 'step two');
    await project.git('checkout', '-q', 'main');
    await project.put(range(200, 2));
    await project.git('branch', 'trunk');
    await project.git('cherry-pick', 'feature');
    const picked = Object.keys(await project.labels());
    expect(picked).toHaveLength(24);
    expect(picked).toContain('utterance 110');
    expect(picked).not.toContain('utterance 100');
    // What was not taken is not taken for merged.
    expect((await project.json('log', 'support')).versions[0].parents).toHaveLength(1);
    await project.git('merge', '-q', '--no-edit', 'feature');
    expect(Object.keys(await project.labels())).toHaveLength(26);

    await project.git('checkout', '-q', 'feature');
    await project.git('rebase', '-q', 'trunk');
    expect(Object.keys(await project.labels())).toHaveLength(26);
    expect((await project.json('fsck')).problems).toEqual([]);
  });

  test('git revert takes a batch back', async () => {
    const project = await GitProject.create();
    await project.put(range(100, 2), 'to be taken back');
    await project.put(range(200, 2));
    await project.git('revert', '--no-edit', 'HEAD~1');
    expect(Object.keys(await project.labels()).filter((text) => text.startsWith('utterance 10'))).toHaveLength(1);
    expect(Object.keys(await project.labels())).toHaveLength(22);
  });

  test('works for a project in a subfolder, and in a worktree that shares a remote', async () => {
    const top = temporaryDirectory();
    const project = await GitProject.create(join(top, 'data', 'chat bot'), top);
    const remote = temporaryDirectory();
    await project.do('remote', 'add', 'origin', remote);
    await project.do('push');
    await project.git('add', '-A');
    await project.git('commit', '-q', '-m', 'remote');
    await project.git('checkout', '-q', '-b', 'feature');
    await project.put(range(100, 3));
    await project.do('push');
    await project.git('checkout', '-q', 'main');
    await project.put(range(200, 3));
    await project.do('push');
    expect(await project.git('diff', 'main~1', 'main')).toContain('utterance 200');

    const place = join(temporaryDirectory(), 'tree');
    await project.git('worktree', 'add', '-q', place, 'feature');
    const worktree = new GitProject(join(place, 'data', 'chat bot'), place);
    expect(Object.keys(await worktree.labels())).toHaveLength(23);
    await worktree.git('merge', '-q', '--no-edit', 'main');
    expect(Object.keys(await worktree.labels())).toHaveLength(26);
    expect((await worktree.do('push')).stdout).toContain('origin/feature');
  });
});

test('a worktree reads what was made in another one, without a remote', async () => {
  const project = await GitProject.create();
  const place = join(temporaryDirectory(), 'tree');
  await project.git('worktree', 'add', '-q', '-b', 'feature', place);
  const worktree = new GitProject(place);
  expect(Object.keys(await worktree.labels())).toHaveLength(20);
  await worktree.put(range(100, 2));
  await project.put(range(200, 2));
  await project.git('merge', '-q', '--no-edit', 'feature');
  expect(Object.keys(await project.labels())).toHaveLength(24);
  // It stands on its own once everything was pulled together.
  expect((await project.json('fsck')).problems).toEqual([]);
});

describe('what is staged', () => {
  test('is carried over to the version that git checked out meanwhile', async () => {
    const project = await GitProject.create();
    await project.git('checkout', '-q', '-b', 'feature');
    await project.put(range(100, 3));
    await project.runWith({ stdin: table(range(300, 2)) }, 'add', 'support', '-', '--format', 'csv');
    await project.git('checkout', '-q', 'main');
    await project.put(range(200, 1)).catch(() => undefined);
    const labels = await project.labels();
    expect(Object.keys(labels)).not.toContain('utterance 100');
    expect(Object.keys(labels)).toContain('utterance 300');
  });

  test('that contradicts the version checked out is told, and stays staged', async () => {
    const project = await GitProject.create();
    await project.git('checkout', '-q', '-b', 'feature');
    await project.relabel('utterance 1', 'theirs');
    await project.git('checkout', '-q', 'main');
    await project.do('relabel', 'support', '--text', 'utterance 1', '--to', 'mine');
    await project.git('checkout', '-q', 'feature');
    const { code, stderr } = await project.run('commit', 'support');
    expect(code).toBe(4);
    expect(stderr).toContain('"utterance 1"');
    expect(stderr).toContain('uttr reset support');
    expect((await project.json('status')).datasets[0].staged).not.toBeNull();
    // Back on the branch it was made for, it goes in.
    await project.git('checkout', '-q', 'main');
    await project.do('commit', 'support');
    expect((await project.labels())['utterance 1']).toBe('mine');
  });
});

describe('two clones of one repository', () => {
  test('push data and pointers to each other, merge, and lose nothing', async () => {
    const server = temporaryDirectory();
    const remote = temporaryDirectory();
    const ada = await GitProject.create();
    await ada.do('remote', 'add', 'origin', remote);
    await ada.do('push');
    await ada.git('add', '-A');
    await ada.git('commit', '-q', '-m', 'remote');
    await ada.git('init', '-q', '--bare', '-b', 'main', server);
    await ada.git('remote', 'add', 'origin', server);
    await ada.git('push', '-q', '-u', 'origin', 'main');
    const folder = join(temporaryDirectory(), 'clone');
    await ada.git('clone', '-q', server, folder);
    const bob = new GitProject(folder);
    await bob.configure();
    await bob.do('git', 'install', '--command', UTTR);
    await bob.do('pull');

    await ada.put(range(100, 3));
    await bob.put(range(200, 3));
    await ada.do('push');
    await ada.git('push', '-q');
    const late = await bob.run('push');
    expect(late.code).toBe(4);
    expect(late.stderr).toContain('error[head-moved]: somebody else was first');
    expect(late.stderr).toContain('hint: git pull (or uttr pull), then push again');
    await bob.git('pull', '-q', '--no-rebase', '--no-edit');
    await bob.do('push');
    await bob.git('push', '-q');
    await ada.git('pull', '-q');
    expect((await ada.do('pull')).stdout).toContain('up to date');
    expect(await ada.labels()).toEqual(await bob.labels());
    expect(Object.keys(await ada.labels())).toHaveLength(26);
    expect((await ada.json('status')).datasets[0]).toMatchObject({ local: 'complete', remote: 'pushed' });
    expect(await ada.git('status', '--porcelain')).toBe('');
  });

  test('a pull behind git waits for git, unless told otherwise', async () => {
    const remote = temporaryDirectory();
    const ada = await GitProject.create();
    await ada.do('remote', 'add', 'origin', remote);
    await ada.do('push');
    await ada.git('add', '-A');
    await ada.git('commit', '-q', '-m', 'remote');
    const folder = join(temporaryDirectory(), 'clone');
    await ada.git('clone', '-q', ada.folder, folder);
    const bob = new GitProject(folder);
    await bob.configure();
    await ada.put(range(100, 1));
    await ada.do('push');
    expect((await bob.do('pull')).stdout).toContain('origin has newer versions');
    expect(await bob.git('status', '--porcelain')).toBe('');
    expect((await bob.do('pull', '--latest')).stdout).toContain('the pointer moved forward');
    expect(await bob.git('status', '--porcelain')).toBe(` M ${POINTER}\n`);
  });
});
