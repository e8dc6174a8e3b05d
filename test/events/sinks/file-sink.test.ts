/** The file sink (E9): durable lines, whatever the file ended with. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FileSink } from '../../../src/events/sinks/file-sink.ts';
import { describeSink } from '../../contract/sink.ts';
import { temporaryDirectory } from '../../doubles/temporary-directory.ts';
import { event } from '../doubles.ts';

function openSink(root: string, path = 'out/events.jsonl'): FileSink {
  return new FileSink({ name: 'log', fingerprint: 'f', retryForMs: 1, root, path });
}

function linesOf(path: string): readonly string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
}

describeSink(
  'file',
  async () => {
    const root = temporaryDirectory();
    const path = join(root, 'out/events.jsonl');
    return {
      sink: openSink(root),
      received: async () => linesOf(path),
      behave: async (behaviour) => {
        rmSync(dirname(path), { recursive: true, force: true });
        // A folder where the file should be: opening it fails.
        if (behaviour === 'fails') mkdirSync(path, { recursive: true });
      },
    };
  },
  { 'a signal ends the wait for a receiver that hangs': 'a write to a file is not interrupted' },
);

describe('FileSink', () => {
  test('E9: an event after a torn line begins on a line of its own', async () => {
    const root = temporaryDirectory();
    const path = join(root, 'events.jsonl');
    const sink = openSink(root, 'events.jsonl');
    await sink.deliver(event(0));
    appendFileSync(path, event(1).body.slice(0, 40));
    await sink.deliver(event(1));
    expect(linesOf(path)).toEqual([event(0).body, event(1).body.slice(0, 40), event(1).body]);
  });

  test('E9: an event after a whole line without its line feed does not join it', async () => {
    const root = temporaryDirectory();
    const path = join(root, 'events.jsonl');
    appendFileSync(path, event(0).body);
    await openSink(root, 'events.jsonl').deliver(event(1));
    expect(linesOf(path)).toEqual([event(0).body, event(1).body]);
  });

  test('E9: what others wrote to the file is kept', async () => {
    const root = temporaryDirectory();
    const path = join(root, 'events.jsonl');
    appendFileSync(path, '{"of":"somebody else"}\n');
    await openSink(root, 'events.jsonl').deliver(event(0));
    expect(linesOf(path)).toEqual(['{"of":"somebody else"}', event(0).body]);
  });

  test('an absolute path is taken as it is', async () => {
    const path = join(temporaryDirectory(), 'events.jsonl');
    await openSink(temporaryDirectory(), path).deliver(event(0));
    expect(linesOf(path)).toEqual([event(0).body]);
  });

  test('a full device is a failed attempt', { skip: !existsSync('/dev/full') }, async () => {
    const outcome = await openSink('/', '/dev/full').deliver(event(0));
    expect(outcome).toEqual({ kind: 'failed', reason: 'the file cannot be written (ENOSPC)' });
  });
});
