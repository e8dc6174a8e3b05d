import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../doubles/temporary-directory.ts';
import { committedProject, newProject, type Project, utterances } from './harness.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const TRUST = { UTTR_TRUST_EVENTS: '1' };

/** Configures sinks, as a person would in uttr.json. */
function configure(project: Project, events: object): void {
  const config = JSON.parse(project.read('uttr.json')) as Record<string, unknown>;
  project.write('uttr.json', JSON.stringify({ ...config, events }));
}

const FILE_SINK = { name: 'log', type: 'file', path: 'events.jsonl' };

/** Events that the file sink got. */
function received(project: Project): { id: string; type: string; subject: string; data: Record<string, unknown> }[] {
  if (!project.has('events.jsonl')) return [];
  return project
    .read('events.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as never);
}

async function addBatch(project: Project, name: string, content: string, ...flags: string[]): Promise<void> {
  project.write(name, content);
  await project.do('add', 'support', name, ...flags);
}

describe('without a remote', () => {
  test('a commit announces its version once, with counts by side and intent', async () => {
    const project = await newProject();
    configure(project, { sinks: [FILE_SINK] });
    await project.do('events', 'trust');
    await addBatch(project, 'first.csv', utterances(8));
    expect((await project.do('commit', '-m', 'first batch')).stderr).toContain('1 event delivered to log.');
    await addBatch(
      project,
      'second.csv',
      'text,intent\nput me through,transfer\ngreet number 0,order\n',
      '--on-conflict',
      'relabel',
    );
    await project.do('commit', '-m', 'second batch');
    const [first, second, ...rest] = received(project);
    expect(rest).toEqual([]);
    expect(first?.data).toMatchObject({
      previous: null,
      changes: { added: 24, relabelled: 0, updated: 0, removed: 0 },
      newIntents: ['greet', 'leave', 'order'],
    });
    const log = await project.json('log', 'support');
    expect(second?.subject).toBe(`support@${log.versions[0].version}`);
    expect(second?.data).toMatchObject({
      dataset: 'support',
      version: log.versions[0].version,
      previous: log.versions[1].version,
      changes: { added: 1, relabelled: 1, updated: 0, removed: 0 },
      newIntents: ['transfer'],
      vanishedIntents: [],
      author: 'Ada Lovelace <ada@example.org>',
      message: 'second batch',
      batches: [{ name: 'second.csv', rows: 2 }],
    });
    expect(JSON.stringify(received(project))).not.toContain('put me through');
  });

  test('a commit on a branch that is no event for the world stays silent', async () => {
    const project = await newProject();
    configure(project, { branches: ['release'], sinks: [FILE_SINK] });
    await project.do('events', 'trust');
    await addBatch(project, 'first.csv', utterances(4));
    await project.do('commit');
    expect(received(project)).toEqual([]);
    expect(await project.json('events', 'list')).toEqual({ events: [] });
  });

  test('a command sink may use the same repository', async () => {
    const project = await newProject();
    const script = `'${process.execPath}' '${MAIN}' export "$UTTR_DATASET@$UTTR_VERSION" -o exported --quiet && cat > event.json`;
    configure(project, { sinks: [{ name: 'train', type: 'command', command: script }] });
    await project.do('events', 'trust');
    await addBatch(project, 'first.csv', utterances(8));
    const { code, stderr } = await project.run('commit');
    expect([code, stderr]).toEqual([0, expect.stringContaining('1 event delivered to train.')]);
    expect(project.read('exported/train.jsonl').trim().split('\n')).toHaveLength(18);
    expect(JSON.parse(project.read('event.json'))).toMatchObject({ type: 'dev.uttr.dataset.changed.v1' });
  });
});

describe('with a remote', () => {
  test('the push announces what the commits before it came to', async () => {
    const project = await newProject();
    await project.do('remote', 'add', 'origin', temporaryDirectory());
    configure(project, { sinks: [FILE_SINK] });
    await project.do('events', 'trust');
    await addBatch(project, 'first.csv', utterances(8));
    await project.do('commit');
    await project.do('push');
    expect(received(project)).toHaveLength(1);
    await addBatch(project, 'second.csv', 'text,intent\none more,greet\n');
    await project.do('commit');
    await addBatch(project, 'third.csv', 'text,intent\nand another,greet\n');
    await project.do('commit');
    expect(received(project)).toHaveLength(1);
    expect((await project.do('push')).stderr).toContain('1 event delivered to log.');
    const [first, second] = received(project);
    expect(second?.data).toMatchObject({
      changes: { added: 2 },
      previous: first?.data['version'],
    });
    await project.do('push');
    expect(received(project)).toHaveLength(2);
  });

  test('a machine that pushed nothing tells the sinks, which then have pushes leave it to them', async () => {
    const remote = temporaryDirectory();
    const [project, ci] = [await newProject(), await newProject()];
    for (const one of [project, ci]) await one.do('remote', 'add', 'origin', remote);
    expect((await ci.run('events', 'deliver', '--from-remote')).stdout).toBe('No sinks are configured in uttr.json.\n');
    for (const one of [project, ci]) configure(one, { sinks: [FILE_SINK] });
    await ci.do('events', 'trust');
    await addBatch(project, 'first.csv', utterances(8));
    await project.do('commit');
    // This machine may not send.
    expect((await project.do('push')).stderr).toContain('1 event for log is kept: the sink is not trusted');
    expect((await ci.do('events', 'deliver', '--from-remote', 'origin')).stdout).toBe('1 event delivered to log.\n');
    await addBatch(project, 'second.csv', 'text,intent\none more,greet\n');
    await project.do('commit');
    // The first one is still owed by its own outbox; the second is not.
    expect((await project.do('push')).stderr).toContain('1 event for log is kept');
    expect(await ci.json('events', 'deliver', '--from-remote')).toMatchObject({ delivered: 1, failed: 0, left: [] });
    expect((await ci.do('events', 'deliver', '--from-remote')).stdout).toBe('Nothing is pending.\n');
    // Whoever may send tells of its own push at once.
    await addBatch(project, 'third.csv', 'text,intent\nand another,greet\n');
    await project.do('commit');
    const { stderr } = await project.runWith({ environment: TRUST }, 'push');
    expect(stderr).toContain('1 event delivered to log.');
    expect(received(ci)).toHaveLength(2);
    expect((await ci.run('events', 'deliver', '--from-remote', 'nowhere')).code).toBe(2);
  });

  test('a receiver that fails is told of at the next time, and ends the delivery with 6', async () => {
    const remote = temporaryDirectory();
    const project = await newProject();
    await project.do('remote', 'add', 'origin', remote);
    await addBatch(project, 'first.csv', utterances(8));
    await project.do('commit');
    await project.do('push');
    configure(project, { sinks: [{ name: 'train', type: 'command', command: ['false'] }] });
    const { code, stdout } = await project.runWith({ environment: TRUST }, 'events', 'deliver', '--from-remote');
    expect(code).toBe(6);
    expect(stdout).toMatch(/^1 event for train is kept: the command ended with 1(; next attempt in \d s)?\.\n$/u);
  });
});

describe('a sink', () => {
  test('that is not trusted yet gets nothing; the message says how to trust it, and then it gets all', async () => {
    const project = await newProject();
    configure(project, { sinks: [FILE_SINK] });
    await addBatch(project, 'first.csv', utterances(4));
    const { code, stderr } = await project.run('commit');
    expect(code).toBe(0);
    expect(stderr).toContain('1 event for log is kept');
    expect(stderr).toContain('uttr events trust');
    expect(received(project)).toEqual([]);
    expect((await project.do('status')).stdout).toContain('1 delivery of events pending');
    const trusted = await project.do('events', 'trust');
    expect(trusted.stdout).toContain('log: file events.jsonl');
    expect((await project.do('events', 'deliver')).stdout).toContain('1 event delivered to log.');
    expect(received(project)).toHaveLength(1);
    expect((await project.do('events', 'deliver')).stdout).toContain('Nothing is pending.');
    // Changed sinks are not the ones that were trusted.
    configure(project, { sinks: [{ ...FILE_SINK, path: 'elsewhere.jsonl' }] });
    await addBatch(project, 'second.csv', 'text,intent\none more,greet\n');
    expect((await project.run('commit')).stderr).toContain('uttr events trust');
    expect((await project.runWith({ environment: TRUST }, 'events', 'deliver')).code).toBe(0);
    expect(project.has('elsewhere.jsonl')).toBe(true);
  });

  test('that is down never fails the command; the event is kept, listed, and sent when it is back', async () => {
    let answer = 503;
    const bodies: string[] = [];
    const server = createServer((request: IncomingMessage, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        if (answer === 204) bodies.push(Buffer.concat(parts).toString('utf8'));
        response.writeHead(answer, answer === 503 ? { 'retry-after': '3600' } : {}).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;

    const project = await newProject();
    configure(project, { sinks: [{ name: 'hook', type: 'webhook', url }] });
    await project.do('events', 'trust');
    await addBatch(project, 'first.csv', utterances(4));
    const committed = await project.run('commit');
    expect(committed.code).toBe(0);
    expect(committed.stderr).toContain('1 event for hook is kept');
    const { events } = await project.json('events', 'list');
    expect(events).toMatchObject([
      { type: 'dev.uttr.dataset.changed.v1', deliveries: [{ sink: 'hook', state: 'pending' }] },
    ]);
    expect(events[0].deliveries[0].lastError).toContain('503');

    answer = 204;
    // Not due yet: nothing is sent, and the answer says so.
    expect((await project.do('events', 'deliver')).stdout).toContain('1 event for hook is kept');
    expect(bodies).toEqual([]);
    expect((await project.do('events', 'retry', events[0].id.slice(0, 8))).stdout).toContain('1 delivery due now');
    expect((await project.do('events', 'deliver')).stdout).toContain('1 event delivered to hook.');
    expect(JSON.parse(bodies[0] ?? '{}')).toMatchObject({ id: events[0].id });
    expect((await project.json('events', 'list')).events[0].deliveries[0].state).toBe('delivered');
  });

  test('that fails on demand ends the command with 6', async () => {
    const project = await newProject();
    configure(project, { sinks: [{ name: 'train', type: 'command', command: ['false'] }] });
    await addBatch(project, 'first.csv', utterances(4));
    await project.do('commit');
    await project.do('events', 'trust');
    const { code, stdout } = await project.run('events', 'deliver');
    expect([code, stdout]).toEqual([6, expect.stringContaining('1 event for train is kept')]);
  });

  test('is asked for by commands that have none', async () => {
    const project = await committedProject();
    expect((await project.do('events', 'deliver')).stdout).toContain('No sinks are configured');
    expect(await project.run('events', 'trust')).toMatchObject({ code: 2 });
    expect((await project.run('events', 'retry', 'abcdef')).stderr).toContain('see: uttr events list');
    expect((await project.do('events', 'list')).stdout).not.toBe('');
  });
});

test('events are delivered in order while somebody watches, until interrupted', async () => {
  const project = await newProject();
  configure(project, { sinks: [FILE_SINK] });
  const watcher = project.spawn(['events', 'deliver', '--watch'], TRUST);
  const ended = new Promise<number | null>((resolve) => watcher.once('close', resolve));
  for (const at of [1, 2, 3]) {
    await addBatch(project, `batch-${at}.csv`, `text,intent\nutterance ${at},greet\n`);
    await project.do('commit');
  }
  const deadline = performance.now() + 30_000;
  while (received(project).length < 3 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  watcher.kill('SIGINT');
  expect(await ended).toBe(130);
  const versions = (await project.json('log', 'support')).versions.map(({ version }: { version: string }) => version);
  expect(received(project).map(({ data }) => data['version'])).toEqual(versions.toReversed());
  expect(readFileSync(project.path('events.jsonl'), 'utf8').endsWith('\n')).toBe(true);
});
