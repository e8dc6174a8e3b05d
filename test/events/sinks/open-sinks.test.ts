/** From uttr.json to three receivers: the parts of the event layer together, over a real catalogue. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../../src/catalogue/database.ts';
import { appendEvents, CatalogueOutbox } from '../../../src/catalogue/outbox.ts';
import { type EventsConfig, parseEventsConfig } from '../../../src/events/config.ts';
import { deliverPending } from '../../../src/events/deliver.ts';
import { openSinks } from '../../../src/events/sinks/open-sinks.ts';
import { temporaryDirectory } from '../../doubles/temporary-directory.ts';
import { constantRandom, event, ManualClock } from '../doubles.ts';
import { startReceiver } from '../receiver.ts';

test('what is written in uttr.json is delivered to a file, a command and a webhook', async () => {
  const root = temporaryDirectory();
  const receiver = await startReceiver();
  const { config, problems } = parseEventsConfig(
    {
      sinks: [
        { name: 'log', type: 'file', path: 'log/events.jsonl' },
        { name: 'train', type: 'command', command: 'cat >> seen.jsonl; echo "$UTTR_DATASET"' },
        { name: 'ci', type: 'webhook', url: receiver.url, secretEnv: 'HOOK' },
      ],
    },
    'events',
  );
  expect(problems).toEqual([]);
  const { sinks } = config as EventsConfig;
  const db = openDatabase(':memory:');
  onTestFinished(() => void db.close());
  const clock = new ManualClock();
  const outbox = new CatalogueOutbox(db);
  const events = [event(0), event(1)];
  const names = sinks.map((sink) => sink.name);
  appendEvents(db, events, names, clock.now().getTime());

  const printed: string[] = [];
  const opened = openSinks(sinks, {
    root,
    environment: { PATH: process.env['PATH'], HOOK: 'whsec_c2VjcmV0' },
    clock,
    onOutput: (sink, bytes) => void printed.push(`${sink}: ${Buffer.from(bytes).toString()}`),
  });
  const options = { outbox, sinks: opened, clock, random: constantRandom(0) };
  expect((await deliverPending(options)).left.map(({ reason }) => reason)).toEqual(names.map(() => 'not-trusted'));
  outbox.trust(
    opened.map((sink) => sink.fingerprint),
    clock.now().getTime(),
  );
  const report = await deliverPending(options);

  expect(report).toMatchObject({ failed: [], left: [] });
  const lines = events.map((row) => `${row.body}\n`).join('');
  expect(readFileSync(join(root, 'log/events.jsonl'), 'utf8')).toBe(lines);
  expect(readFileSync(join(root, 'seen.jsonl'), 'utf8')).toBe(lines);
  expect(receiver.requests.map((request) => request.body)).toEqual(events.map((row) => row.body));
  expect(printed).toEqual(['train: support\n', 'train: support\n']);
});

test.each([
  [['hook'], 'delivered'],
  [['other'], 'unready'],
  [undefined, 'unready'],
])(
  'E11: private addresses are open to the webhooks that the machine names: %o gives %s',
  async (allowPrivate, kind) => {
    const receiver = await startReceiver();
    const url = `http://hooks.invalid:${receiver.port}/`;
    const [sink] = openSinks([{ name: 'hook', type: 'webhook', url, secretEnv: [], retryForMs: 1 }], {
      root: '/',
      environment: {},
      clock: new ManualClock(),
      allowPrivate,
      resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    });
    expect((await sink?.deliver(event(0)))?.kind).toBe(kind);
  },
);
