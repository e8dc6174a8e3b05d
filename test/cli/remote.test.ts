import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FakeS3 } from '../doubles/fake-s3.ts';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';
import { committedProject, finished, newProject, type Project } from './harness.ts';

async function fakeS3(
  options: Parameters<typeof FakeS3.start>[0] = {},
): Promise<{ s3: FakeS3; environment: Record<string, string> }> {
  const s3 = await FakeS3.start(options);
  onTestFinished(() => s3.stop());
  const { credentials } = s3;
  return {
    s3,
    environment: {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: s3.region,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  };
}

describe('uttr remote', () => {
  test('adds, lists, checks and removes a folder', async () => {
    const project = await committedProject();
    const folder = temporaryDirectory();
    expect((await project.do('remote', 'add', 'origin', folder)).stdout).toContain(`Added origin: file://${folder}.`);
    expect((await project.do('remote', 'list')).stdout).toContain(folder);
    expect((await project.do('remote', 'check')).stdout).toContain('origin does all that uttr needs');
    expect(await project.json('remote', 'check', 'origin')).toMatchObject({
      ok: true,
      conditionalPut: true,
      problems: [],
    });
    expect(await project.run('remote', 'add', 'origin', folder)).toMatchObject({ code: 2 });
    await project.do('remote', 'remove', 'origin');
    expect((await project.do('remote', 'list')).stdout).toContain('No remote yet');
    expect((await project.run('remote', 'check', 'orign')).stderr).toContain('unknown-remote');
    expect((await project.run('push')).stderr).toContain('add one: uttr remote add origin');
  });

  test.each([
    ['s3://key:secret@bucket/prefix', []],
    ['s3://bucket/prefix', ['--endpoint', 'https://key:secret@s3.example.org']],
    ['file://key:secret@host/folder', []],
    ['https://key:secret@s3.example.org/bucket', []],
  ])('refuses credentials in %s, and does not repeat them', async (url, flags) => {
    const project = await newProject();
    const before = project.read('uttr.json');
    const { code, stdout, stderr } = await project.run('remote', 'add', 'origin', url, ...flags);
    expect(code).toBe(2);
    expect(stdout + stderr).toContain('credentials');
    expect(stdout + stderr).not.toContain('secret');
    expect(project.read('uttr.json')).toBe(before);
  });

  test('refuses credentials that somebody wrote into uttr.json', async () => {
    const project = await newProject();
    const url = 's3://key:secret@bucket/prefix';
    project.write('uttr.json', JSON.stringify({ uttr: 1, remotes: { origin: { url } }, datasets: {} }));
    const { code, stderr } = await project.run('status');
    expect([code, stderr]).toEqual([2, expect.stringContaining('remotes.origin.url holds credentials')]);
    expect(stderr).not.toContain('secret');
  });

  test('refuses an endpoint without TLS on another machine, and says how to insist', async () => {
    const project = await newProject();
    const add = (...flags: string[]): ReturnType<Project['run']> =>
      project.runWith(
        { environment: { AWS_EC2_METADATA_DISABLED: 'true' } },
        'remote',
        'add',
        'origin',
        's3://bucket',
        '--endpoint',
        'http://192.0.2.1:1',
        ...flags,
      );
    const refused = await add();
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('is not encrypted');
    expect(refused.stderr).toContain('"insecure": true');
  });

  test('takes the endpoint from the environment where none is configured, and pushes there', async () => {
    const { s3, environment: keys } = await fakeS3();
    const environment = { ...keys, AWS_ENDPOINT_URL_S3: s3.endpoint };
    Object.assign(process.env, environment);
    onTestFinished(() => {
      for (const name of Object.keys(environment)) delete process.env[name];
    });
    const project = await committedProject();
    const run = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await project.runWith({ environment }, ...args);
      expect([code, stderr]).toEqual([0, expect.any(String)]);
      return stdout;
    };
    await run('remote', 'add', 'origin', `s3://${s3.bucket}/data`);
    expect(project.read('uttr.json')).not.toContain(s3.endpoint);
    await run('push');
    rmSync(project.path('.uttr'), { recursive: true });
    await run('pull');
    expect(JSON.parse(await run('--json', 'status')).datasets[0].local).toBe('complete');
    expect(s3.requests.length).toBeGreaterThan(10);
  });

  test.each(['racy', 'ignored'] as const)(
    'warns of a server whose conditions are %s, and remembers it',
    async (conditions) => {
      const { s3, environment } = await fakeS3({ conditions });
      Object.assign(process.env, environment);
      onTestFinished(() => {
        for (const name of Object.keys(environment)) delete process.env[name];
      });
      const project = await committedProject();
      const { code, stderr } = await project.run(
        'remote',
        'add',
        'origin',
        `s3://${s3.bucket}/x`,
        '--endpoint',
        s3.endpoint,
      );
      expect(code).toBe(0);
      expect(stderr).toContain('only one person or job may push to it at a time');
      expect(await project.run('remote', 'check')).toMatchObject({ code: 1 });
      await project.do('push');
    },
  );
});

describe('uttr push and pull', () => {
  test('of several processes at once: one wins, the others are told, nothing is lost', async () => {
    const remote = temporaryDirectory();
    const first = await committedProject();
    await first.do('remote', 'add', 'origin', remote);
    await first.do('push');
    const people: Project[] = [];
    for (let at = 0; at < 3; at++) {
      const person = await newProject();
      person.write('uttr.json', first.read('uttr.json'));
      mkdirSync(person.path('manifests'), { recursive: true });
      writeFileSync(person.path('manifests/support.json'), first.read('manifests/support.json'));
      person.write('mine.csv', `text,intent\nfrom person ${at},greet\n`);
      await person.do('add', 'support', 'mine.csv');
      await person.do('commit');
      people.push(person);
    }
    const outcomes = await Promise.all(people.map((person) => finished(person.spawn(['push']))));
    expect(outcomes.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, 4, 4]);
    expect(outcomes.filter(({ stderr }) => stderr.includes('somebody else was first'))).toHaveLength(2);
    for (const [at, { code }] of outcomes.entries()) {
      if (code === 0) continue;
      await people[at]?.do('pull');
      await people[at]?.do('push');
    }
    await first.do('pull');
    const { stdout } = await first.do('cat', 'support');
    expect(stdout.match(/from person \d/gu)?.sort()).toEqual(['from person 0', 'from person 1', 'from person 2']);
    const report = await first.json('fsck', '--remote');
    expect(report.problems).toEqual([]);
  });

  test('print what they did, and what is left to do', async () => {
    const remote = temporaryDirectory();
    const ada = await committedProject();
    await ada.do('remote', 'add', 'origin', remote);
    expect((await ada.do('push')).stdout).toMatch(
      /^support@[0-9a-f]{12} → origin\/main: 1 version\nsent .* in 2 packs\n$/u,
    );
    expect((await ada.do('push')).stdout).toMatch(/origin has it already\n$/u);
    expect((await ada.do('pull')).stdout).toMatch(/up to date\nall data was here already\n$/u);
    expect((await ada.do('fetch')).stdout).toContain('the pointer stays as it is');
    expect(await ada.json('push')).toMatchObject({ remote: 'origin', packs: 0, blocks: 0, bytes: 0, versions: 0 });
    expect((await ada.run('push', 'suport')).stderr).toContain('support');
  });
});
