/** The command sink (E10): what a command gets, how its end is judged, and that nothing of it outlives its time. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { CommandSink, type CommandSinkOptions } from '../../../src/events/sinks/command-sink.ts';
import { describeSink } from '../../contract/sink.ts';
import { temporaryDirectory } from '../../doubles/temporary-directory.ts';
import { event } from '../doubles.ts';

const environment = { PATH: process.env['PATH'], KEPT: 'inherited' };

function openSink(overrides: Partial<CommandSinkOptions>): CommandSink {
  const root = overrides.root ?? temporaryDirectory();
  return new CommandSink({
    name: 'train',
    fingerprint: 'f',
    retryForMs: 1,
    root,
    command: ['true'],
    timeoutMs: 20_000,
    environment,
    ...overrides,
  });
}

describeSink('command', async () => {
  const root = temporaryDirectory();
  const path = join(root, 'received.jsonl');
  const sink = openSink({
    root,
    command: 'test -e hangs && sleep 60; test ! -e fails && cat >> received.jsonl',
  });
  return {
    sink,
    received: async () => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []),
    behave: async (behaviour) => {
      for (const name of ['hangs', 'fails']) rmSync(join(root, name), { force: true });
      writeFileSync(join(root, behaviour), '');
    },
  };
});

describe('CommandSink', () => {
  test('the command runs in the repository and knows the event, the dataset and both versions', async () => {
    const root = temporaryDirectory();
    const command =
      'printf "%s\\n" "$UTTR_EVENT" "$UTTR_EVENT_ID" "$UTTR_DATASET" "$UTTR_VERSION" "$UTTR_PREVIOUS" "$KEPT" > seen';
    await openSink({ root, command }).deliver(event(1));
    const { type, id, dataset, version, previous } = event(1);
    expect(readFileSync(join(root, 'seen'), 'utf8').split('\n').slice(0, -1)).toEqual([
      type,
      id,
      dataset,
      version,
      previous,
      'inherited',
    ]);
  });

  test('E10: a list runs without a shell: its arguments mean nothing but themselves', async () => {
    const printed: string[] = [];
    const onOutput = (_sink: string, bytes: Uint8Array): void => void printed.push(Buffer.from(bytes).toString());
    await openSink({ command: ['printf', '%s|', '$HOME; touch made', '*', '`id`'], onOutput }).deliver(event(0));
    expect(printed.join('')).toBe('$HOME; touch made|*|`id`|');
  });

  test('what a command prints on both streams is passed on with the name of the sink', async () => {
    const printed: string[] = [];
    const onOutput = (sink: string, bytes: Uint8Array): void => {
      printed.push(`${sink}: ${Buffer.from(bytes).toString().trim()}`);
    };
    await openSink({ command: 'echo out; echo err >&2', onOutput }).deliver(event(0));
    expect(printed.sort()).toEqual(['train: err', 'train: out']);
  });

  test.each([
    ['an exit code', ['sh', '-c', 'exit 3'], 'the command ended with 3'],
    ['a signal', ['sh', '-c', 'kill -KILL $$'], 'the command ended with SIGKILL'],
    ['a program that is not there', ['uttr-no-such-program'], 'the command cannot be started (ENOENT)'],
  ])('%s is a failed attempt', async (_name, command, reason) => {
    expect(await openSink({ command }).deliver(event(0))).toEqual({ kind: 'failed', reason });
  });

  test('a command that does not read its input is delivered all the same', async () => {
    const sink = openSink({ command: ['sh', '-c', 'exec <&-; exit 0'] });
    expect(await sink.deliver(event(0))).toEqual({ kind: 'delivered' });
  });

  test('a command that leaves a child behind is over when it ends itself', async () => {
    const sink = openSink({ command: 'sleep 5 & exit 0' });
    expect(await sink.deliver(event(0))).toEqual({ kind: 'delivered' });
  });

  test('E10: at its time-out a command is ended with its children', async () => {
    const root = temporaryDirectory();
    const command = '(sleep 0.4; touch survived) & sleep 30; touch survived';
    const outcome = await openSink({ root, command, timeoutMs: 100 }).deliver(event(0));
    expect(outcome).toEqual({ kind: 'failed', reason: 'the command did not end within 0.1 s' });
    await sleep(600);
    expect(existsSync(join(root, 'survived'))).toBe(false);
  });
});
