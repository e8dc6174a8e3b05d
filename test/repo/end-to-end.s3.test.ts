/**
 * From a batch to files for training, by way of a bucket on a real S3 server, with the command itself.
 */
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { finished, newProject, Project, utterances } from '../cli/harness.ts';
import { describeS3, uniqueUrl } from '../contract/s3-server.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';

describeS3('a project that shares a bucket', (s3) => {
  const flags = s3.endpoint === undefined ? [] : ['--endpoint', s3.endpoint];

  async function pushed(): Promise<Project> {
    const project = await newProject();
    await project.do('remote', 'add', 'origin', uniqueUrl(s3), ...flags);
    project.write('first.csv', utterances(200));
    await project.do('add', 'support', 'first.csv');
    await project.do('commit', '-m', 'first');
    await project.do('push');
    return project;
  }

  /** As git would bring it: configuration and pointers, but no data. */
  function clone(project: Project): Project {
    const copy = new Project(join(temporaryDirectory(), 'clone'));
    mkdirSync(copy.folder);
    for (const part of ['uttr.json', 'manifests']) cpSync(project.path(part), copy.path(part), { recursive: true });
    return copy;
  }

  test('init, remote add, add, commit, push, clone, pull, export give the same files on both ends', async () => {
    const ada = await pushed();
    await ada.do('tag', 'v1', 'support');
    ada.write('second.csv', 'text,intent\none more thing,greet\n');
    await ada.do('add', 'support', 'second.csv');
    await ada.do('commit', '-m', 'second');
    const { stdout } = await ada.do('push');
    expect(stdout).toContain('1 version');
    await ada.do('export', 'support', '-o', 'out');

    const bob = clone(ada);
    // Without data first: only what the question needs is read.
    expect((await bob.json('diff', 'support')).summary).toMatchObject({ added: 1, removed: 0 });
    await bob.do('pull');
    await bob.do('export', 'support', '-o', 'out');
    for (const file of ['out/train.jsonl', 'out/test.jsonl']) expect(bob.read(file)).toBe(ada.read(file));
    expect((await bob.json('show', 'support@v1')).rows).toBe(600);
    expect((await bob.json('fsck')).problems).toEqual([]);
    expect((await bob.json('fsck', '--remote')).problems).toEqual([]);
    expect((await bob.json('remote', 'check')).ok).toBe(true);
  });

  test('of several writers at once one moves the head, and after merging all have', async () => {
    const first = await pushed();
    const people = Array.from({ length: 4 }, () => clone(first));
    for (const [at, person] of people.entries()) {
      person.write('mine.csv', `text,intent\nfrom person ${at},greet\n`);
      await person.do('add', 'support', 'mine.csv');
      await person.do('commit');
    }
    const outcomes = await Promise.all(people.map((person) => finished(person.spawn(['push'], { ...s3.environment }))));
    expect(outcomes.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, 4, 4, 4]);
    for (const [at, { code }] of outcomes.entries()) {
      if (code === 0) continue;
      await people[at]?.do('pull');
      await people[at]?.do('push');
    }
    await first.do('pull');
    const { stdout } = await first.do('grep', 'from person', 'support');
    expect(stdout.match(/from person \d/gu)?.toSorted()).toEqual([0, 1, 2, 3].map((at) => `from person ${at}`));
    expect((await first.json('fsck', '--remote')).problems).toEqual([]);
  });

  test('a bucket that is not there, and keys that are wrong, are told', async () => {
    const project = await newProject();
    const nowhere = await project.run('remote', 'add', 'origin', 's3://uttr-no-such-bucket-here/x', ...flags);
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('error[bad-remote]')]);
    const ada = await pushed();
    const keys = { AWS_ACCESS_KEY_ID: 'AKNOBODY', AWS_SECRET_ACCESS_KEY: 'wrong' };
    const stranger = await finished(clone(ada).spawn(['pull'], { ...s3.environment, ...keys }));
    expect([stranger.code, stranger.stderr]).toEqual([6, expect.stringContaining('error[access-denied]')]);
  });
});
