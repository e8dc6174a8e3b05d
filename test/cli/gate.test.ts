import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newProject, type Project, utterances } from './harness.ts';

const STORY = { metric: 'accuracy', target: { start: 0.8, step: 0.01, every: '7d', steps: 10, from: '2026-11-23' } };

/** A version whose model has the first `wrong` rows of the test side wrong. */
async function project(gates: unknown, wrong = 0): Promise<Project> {
  const made = await newProject();
  made.write('rows.csv', utterances(200));
  await made.do('add', 'support', 'rows.csv');
  await made.do('commit', '-m', 'first');
  await made.do('export', 'support');
  const config = JSON.parse(made.read('uttr.json')) as { datasets: Record<string, Record<string, unknown>> };
  (config.datasets['support'] as Record<string, unknown>)['gates'] = gates;
  made.write('uttr.json', JSON.stringify(config));
  await predict(made, wrong, 'm');
  return made;
}

async function predict(made: Project, wrong: number, model: string): Promise<void> {
  const lines = made.read('test.jsonl').trim().split('\n');
  const rows = lines.map((line, row) => ({
    ...(JSON.parse(line) as object),
    ...(row < wrong ? { intent: null } : {}),
  }));
  made.write('predictions.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
  await made.do('eval', 'record', 'support', '--predictions', 'predictions.jsonl', '--model', model);
}

test('a model above the target of the day passes; ten weeks later the same model fails, and the command ends with 1', async () => {
  const made = await project({ story: STORY }, 24);
  const now = await made.run('gate', 'support', '--at', '2026-11-24');
  expect([now.code, now.stdout]).toEqual([
    0,
    expect.stringMatching(/pass {2}story .* reaches 80\.0 %\n\nNo gate fails\.\n$/u),
  ]);
  const later = await made.run('gate', 'support', '--at', '2027-02-01');
  expect([later.code, later.stdout]).toEqual([1, expect.stringContaining('is below 90.0 %\n\n1 of 1 gates fails.')]);
  const document = await made.json('gate', '--at', '2026-11-24');
  expect(document).toMatchObject({
    ok: true,
    model: 'm',
    at: '2026-11-24T00:00:00.000Z',
    gates: [{ gate: 'story', target: 0.8 }],
  });
});

test('history comes from the evaluations that were kept, as a sparkline', async () => {
  const made = await project({ story: { metric: 'accuracy', target: 0.5 } }, 60);
  await predict(made, 30, 'm2');
  await predict(made, 0, 'm3');
  const { stdout } = await made.run('gate', 'support');
  expect(stdout).toContain('▁▅█');
  expect((await made.json('gate', '--model', 'm2')).gates[0].history).toHaveLength(2);
});

test('Markdown escapes what names say', async () => {
  const made = await project({ 'a|b <i>': { metric: 'accuracy', target: 0.5 } });
  const { stdout } = await made.run('gate', '--format', 'md');
  expect(stdout).toContain(String.raw`| pass | a\|b \<i\> | 100.0 % |`);
});

test('no gates, no evaluation, a metric that is not there, and a damaged file are said with what to do', async () => {
  const none = await project({});
  expect(await none.run('gate', 'support')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('docs/gates.md'),
  });
  const made = await project({ g: { metric: 'f1:nobody', target: 0.5 } });
  expect((await made.run('gate')).stderr).toContain('the evaluation of m has no f1:nobody');
  expect((await made.run('gate', '--model', 'n')).stderr).toContain('there is no evaluation of n on support@');
  const folder = join(made.folder, 'evaluations', 'support');
  made.write(join('evaluations', 'support', readdirSync(folder)[0] as string), '{');
  expect(await made.run('gate')).toMatchObject({ code: 3, stderr: expect.stringContaining('restore it from git') });
});

test('a wrong gate is an error of the configuration, with its path', async () => {
  const made = await project({});
  made.write('uttr.json', made.read('uttr.json').replace('"gates":{}', '"gates":{"g":{"metric":"acc","target":0.5}}'));
  const { code, stderr } = await made.run('gate');
  expect([code, stderr]).toEqual([2, expect.stringContaining('"datasets.support.gates.g.metric" is no metric')]);
});
