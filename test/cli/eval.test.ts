import { expect, test } from 'vitest';
import { newProject, type Project, utterances } from './harness.ts';

async function project(): Promise<Project> {
  const made = await newProject();
  made.write('rows.csv', utterances(60));
  await made.do('add', 'support', 'rows.csv');
  await made.do('commit', '-m', 'first');
  await made.do('export', 'support');
  return made;
}

const record = (made: Project, file: string, model: string, ...more: string[]): ReturnType<Project['run']> =>
  made.run('eval', 'record', 'support', '--predictions', file, '--model', model, ...more);

test('eval record prints figures with intervals, and keeps them for git', async () => {
  const made = await project();
  const { code, stdout } = await record(made, 'test.jsonl', 'm1', '--code', 'abc');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^m1 on the test side of support@[0-9a-f]{12}$/mu);
  expect(stdout).toMatch(/^accuracy +100\.0 % {2}\[\d+\.\d, 100\.0\] +\d+ of \d+ rows$/mu);
  const [, path] = /^Kept: (.+)$/mu.exec(stdout) as unknown as [string, string];
  expect(JSON.parse(made.read(path))).toMatchObject({ uttr: 1, model: 'm1', code: 'abc', side: 'test' });
  const document = await made.json('eval', 'record', 'support', '--predictions', 'test.jsonl', '--model', 'm2');
  expect(document).toMatchObject({ dataset: 'support', model: 'm2', evaluation: { accuracy: { value: 1 } } });
});

test('predictions of training rows end with 3 and say so', async () => {
  const made = await project();
  const { code, stderr } = await record(made, 'train.jsonl', 'm1');
  expect(code).toBe(3);
  expect(stderr).toMatch(
    /^error\[wrong-predictions\]: train\.jsonl:\d+: the utterance is of the train side of support$/mu,
  );
  expect(stderr).toContain('hint: a model must not be measured on what it was trained with');
});

test('eval compare says what the model changed on the same rows, and whether that may be chance', async () => {
  const made = await project();
  const lines = made.read('test.jsonl').trim().split('\n');
  const wrong = lines.map((line, row) => (row < 8 ? line.replace(/"intent":"[^"]+"/u, '"intent":null') : line));
  made.write('wrong.jsonl', wrong.join('\n'));
  const kept: string[] = [];
  for (const [file, model] of [
    ['wrong.jsonl', 'old'],
    ['test.jsonl', 'new'],
  ] as const) {
    const { stdout } = await record(made, file, model);
    kept.push(/^Kept: (.+)$/mu.exec(stdout)?.[1] as string);
  }
  const { code, stdout } = await made.run('eval', 'compare', ...kept);
  expect(code).toBe(0);
  expect(stdout).toContain('The model: 8 mended, 0 broken; significantly better (McNemar p = 0.008).');
  expect(stdout).toMatch(/^same rows +45 +82\.2 % +100\.0 % +\+17\.8 points$/mu);
  expect(stdout).toContain('The data changed 0.0 points');
  const document = await made.json('eval', 'compare', ...kept);
  expect(document).toMatchObject({ before: { model: 'old' }, comparison: { common: { rows: 45, onlyAfter: 8 } } });
  expect(await made.run('eval', 'compare', 'test.jsonl', kept[1] as string)).toMatchObject({ code: 3 });
  expect(await made.run('eval', 'compare', 'nowhere.json', kept[1] as string)).toMatchObject({ code: 2 });
});
