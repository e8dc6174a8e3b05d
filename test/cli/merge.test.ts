import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';
import { committedProject, newProject, Project } from './harness.ts';

/** Two projects without git that share a remote; each relabelled `text` in its own way, and `theirs` pushed. */
async function conflict(): Promise<Project> {
  const remote = temporaryDirectory();
  const theirs = await committedProject();
  await theirs.do('remote', 'add', 'origin', remote);
  await theirs.do('push');
  const ours = new Project(temporaryDirectory());
  await ours.do('init', '--remote', remote);
  await ours.do('pull');
  await theirs.do('relabel', 'support', '--text', 'greet number 1', '--to', 'hers');
  await theirs.do('commit');
  await theirs.do('push');
  await ours.do('relabel', 'support', '--text', 'greet number 1', '--to', 'his');
  await ours.do('commit');
  const outcome = await ours.run('pull');
  expect([outcome.code, outcome.stderr]).toEqual([4, expect.stringContaining('error[merge-conflict]')]);
  return ours;
}

const label = async (project: Project): Promise<string> => {
  const { stdout } = await project.do('grep', 'greet number 1', 'support');
  return /hers|his|third|greet(?=")/u.exec(stdout.replaceAll('greet number 1', ''))?.[0] ?? '';
};

describe('uttr merge', () => {
  test('shows what waits, in status and as JSON', async () => {
    const project = await conflict();
    const { stdout } = await project.do('status');
    expect(stdout).toContain('waits: 1 record changed on both sides');
    expect(stdout).toContain('"greet number 1": was greet, here his, there hers');
    expect(stdout).toContain('settle it: uttr merge support --ours, --theirs or --edit');
    const { datasets } = await project.json('status');
    expect(datasets[0].merge.conflicts).toEqual([
      { text: 'greet number 1', base: 'greet', ours: 'his', theirs: 'hers' },
    ]);
    const error = await project.json('merge', 'support@HEAD~1');
    expect(error.error).toMatchObject({ code: 'merge-conflict', exitCode: 4 });
  });

  test.each([
    ['--ours', 'his'],
    ['--theirs', 'hers'],
  ])('%s settles it', async (flag, expected) => {
    const project = await conflict();
    const { stdout } = await project.do('merge', 'support', flag);
    expect(stdout).toMatch(/^merged support@[0-9a-f]{12}: 24 rows; .* 0 crossed\n$/u);
    expect(await label(project)).toBe(expected);
    await project.do('push');
  });

  test('--edit writes a table, and reads the decisions from it', async () => {
    const project = await conflict();
    expect((await project.do('merge', 'support', '--edit', 'decide.csv')).stdout).toContain('Wrote decide.csv');
    expect(project.read('decide.csv')).toContain('greet number 1,greet,his,hers,');
    expect(await project.run('merge', 'support', '--edit', 'decide.csv')).toMatchObject({ code: 4 });
    project.write('decide.csv', project.read('decide.csv').replace('his,hers,', 'his,hers,third'));
    await project.do('merge', 'support', '--edit', 'decide.csv');
    expect(await label(project)).toBe('third');
  });

  test('--abort leaves our side', async () => {
    const project = await conflict();
    expect((await project.do('merge', '--abort')).stdout).toContain('its pointer stays at our side');
    expect(await label(project)).toBe('his');
    expect(await project.run('merge', '--ours')).toMatchObject({ code: 2 });
  });

  test('says what is wrong with how it was called', async () => {
    const project = await conflict();
    expect((await project.run('merge', '--ours', '--theirs')).stderr).toContain('choose one of');
    await project.do('merge', '--abort');
    expect((await project.run('merge')).stderr).toContain('say which version to merge');
    expect((await project.do('merge', 'support@HEAD~1')).stdout).toContain('has it already');
    expect(await project.run('merge', 'support@abcdef')).toMatchObject({ code: 2 });
  });
});

describe('a project that knows the remote alone', () => {
  test('pulls every dataset with its settings, also by a relative path', async () => {
    const first = await committedProject();
    await first.do('remote', 'add', 'origin', 'shared');
    first.write('calls.csv', 'text,intent\nhello,greet\n');
    await first.do('add', 'calls', 'calls.csv', '--new');
    await first.do('commit', 'calls');
    await first.do('push');
    const second = new Project(temporaryDirectory());
    await second.do('init', '--remote', first.path('shared'));
    expect((await second.do('pull')).stdout).toMatch(/^calls@.*\nsupport@.*\nfetched/u);
    const settings = (project: Project): unknown => JSON.parse(project.read('uttr.json')).datasets as unknown;
    expect(settings(second)).toEqual({ ...(settings(first) as object) });
    expect((await second.json('stats', 'support')).rows).toBe(24);
    second.write('more.csv', 'text,intent\none more,greet\n');
    await second.do('add', 'support', 'more.csv');
    await second.do('commit', 'support');
    await second.do('push', 'support');
  });

  test('is told of a name that the remote does not know', async () => {
    const first = await committedProject();
    await first.do('remote', 'add', 'origin', temporaryDirectory());
    await first.do('push');
    expect((await first.run('pull', 'suport')).stderr).toContain('did you mean "support"');
    const project = await newProject();
    const again = await project.run('init', '--remote', temporaryDirectory());
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('uttr remote add origin')]);
  });
});
