import { expect, test } from 'vitest';
import { newProject, type Project, utterances } from './harness.ts';

const WAIVER = { intents: ['a|b', '<script>'], by: 'Ada', why: 'both are right' };

async function project(checks: unknown = {}): Promise<Project> {
  const made = await newProject();
  made.write('rows.csv', `${utterances(20)}To-do list,a|b\nto do list,<script>\n`);
  await made.do('add', 'support', 'rows.csv');
  await made.do('commit', '-m', 'first', '--allow', 'conflicting-labels');
  const config = JSON.parse(made.read('uttr.json')) as { datasets: Record<string, Record<string, unknown>> };
  (config.datasets['support'] as Record<string, unknown>)['checks'] = checks;
  made.write('uttr.json', JSON.stringify(config));
  return made;
}

test('an error ends with 1 and says what, where and what to do; a waiver ends with 0', async () => {
  const bad = await project();
  const outcome = await bad.run('check', '--only', 'conflicting-labels');
  expect(outcome.code).toBe(1);
  expect(outcome.stdout).toContain('error "to do list" is labelled "<script>", "a|b"');
  expect(outcome.stdout).toContain('→ relabel or remove all but one');
  const waived = await project({ 'conflicting-labels': { waive: [WAIVER] } });
  const fine = await waived.run('check', '--only', 'conflicting-labels');
  expect(fine.code).toBe(0);
  expect(fine.stdout).toContain('by Ada: both are right');
});

test('--json is one document with every finding', async () => {
  const document = await (await project()).json('check', 'support@HEAD');
  expect(document).toMatchObject({ dataset: 'support', ok: false, records: 62, counts: { error: expect.any(Number) } });
  expect(document.findings[0]).toMatchObject({
    check: 'conflicting-labels',
    severity: 'error',
    intents: ['<script>', 'a|b'],
    waived: null,
    id: expect.stringMatching(/^conflicting-labels:[0-9a-f]{12}$/u),
  });
});

test('Markdown and HTML escape what the data says', async () => {
  const made = await project();
  const markdown = await made.run('check', '--format', 'md', '--only', 'conflicting-labels');
  expect(markdown.code).toBe(1);
  expect(markdown.stdout).toContain('"\\<script\\>", "a\\|b"');
  const html = (await made.run('check', '--format', 'html')).stdout;
  expect(html).toContain('&lt;script&gt;');
  expect(html).not.toContain('<script');
  expect(html).not.toMatch(/(?:src|href)="(?!#)/u);
});

test('a wrong setting is an error of the configuration, with a hint', async () => {
  const made = await project({ leak: {} });
  const { code, stderr } = await made.run('check');
  expect(code).toBe(2);
  expect(stderr).toContain('unknown check "datasets.support.checks.leak" (did you mean "leaks"?)');
});

test('--limit shows fewer findings, and says how many more there are', async () => {
  const { stdout } = await (await project()).run('check', '--only', 'minimum-per-intent', '--limit', '1');
  expect(stdout).toContain('… 1 more');
});

test('commit refuses what a check calls an error, names every finding, and records what is let pass', async () => {
  const made = await newProject();
  made.write('rows.csv', `${utterances(20)}To-do list,a|b\nto do list,c\nto dos,a|b\nto-dos,c\n`);
  await made.do('add', 'support', 'rows.csv');
  const refused = await made.run('commit', '-m', 'first');
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain(
    'error[check-failed]: "to do list" is labelled "a|b", "c" (conflicting-labels), and 1 more; nothing was committed',
  );
  expect(refused.stderr).toContain('--allow conflicting-labels');
  expect(refused.stderr).toContain('  conflicting-labels: "to dos" is labelled "a|b", "c"');
  expect((await made.run('log')).stdout).toBe('');
  const done = await made.do('commit', '-m', 'first', '--allow', 'conflicting-labels');
  expect(done.stdout).toContain('in spite of errors: conflicting-labels');
  expect((await made.run('show')).stdout).toContain('allowed  conflicting-labels (errors that were let pass)');
  const wrong = await made.run('commit', '--allow', 'leak');
  expect(wrong.code).toBe(2);
});
