/** The `events` part of uttr.json: everything wrong is reported at once, with its path and what to do. */
import { describe, expect, test } from 'vitest';
import { parseEventsConfig, type SinkConfig, sinkFingerprint } from '../../src/events/config.ts';

const HOOK = { name: 'ci', type: 'webhook', url: 'https://hooks.example.org/x', secretEnv: 'UTTR_HOOK_SECRET' };

const problemsOf = (value: unknown): readonly string[] => parseEventsConfig(value, 'events').problems;
const problemsOfSink = (sink: unknown): readonly string[] => problemsOf({ sinks: [sink] });

function parseSink(sink: unknown): SinkConfig {
  const { config, problems } = parseEventsConfig({ sinks: [sink] }, 'events');
  expect(problems).toEqual([]);
  return config?.sinks[0] as SinkConfig;
}

describe('parseEventsConfig', () => {
  test('without events there are no sinks, and main and master are the branches', () => {
    for (const value of [undefined, {}]) {
      expect(parseEventsConfig(value, 'events')).toEqual({
        config: { branches: ['main', 'master'], sinks: [] },
        problems: [],
      });
    }
  });

  test('each type of sink is read with its defaults', () => {
    const sinks = [
      { name: 'log', type: 'file', path: 'events.jsonl' },
      { name: 'train', type: 'command', command: ['make', 'train'], timeout: '6h' },
      { name: 'shell', type: 'command', command: 'make train | tee log' },
      { ...HOOK, retryFor: '7d' },
      { ...HOOK, name: 'plain', secretEnv: undefined },
    ];
    expect(parseEventsConfig({ branches: ['trunk'], sinks }, 'events').config).toEqual({
      branches: ['trunk'],
      sinks: [
        { name: 'log', type: 'file', path: 'events.jsonl', retryForMs: 86_400_000 },
        { name: 'train', type: 'command', command: ['make', 'train'], timeoutMs: 21_600_000, retryForMs: 86_400_000 },
        {
          name: 'shell',
          type: 'command',
          command: 'make train | tee log',
          timeoutMs: 3_600_000,
          retryForMs: 86_400_000,
        },
        { name: 'ci', type: 'webhook', url: HOOK.url, secretEnv: ['UTTR_HOOK_SECRET'], retryForMs: 604_800_000 },
        { name: 'plain', type: 'webhook', url: HOOK.url, secretEnv: [], retryForMs: 86_400_000 },
      ],
    });
  });

  test.each(['secret', 'token', 'password'])(
    'E13: "%s" in the file is refused in favour of secretEnv, unread',
    (key) => {
      const [problem] = problemsOfSink({ ...HOOK, [key]: 'hunter2' });
      expect(problem).toMatch(/^events\.sinks\[0\]\.\w+: secrets are never kept in uttr\.json.*secretEnv/u);
      expect(problem).not.toContain('hunter2');
    },
  );

  test('E13: a secret in place of the name of a variable is refused without repeating it', () => {
    const [problem] = problemsOfSink({ ...HOOK, secretEnv: 'whsec_aGVsbG8=' });
    expect(problem).toMatch(/^events\.sinks\[0\]\.secretEnv: must be the name of an environment variable/u);
    expect(problem).not.toContain('aGVsbG8');
  });

  test('E13: the file can neither trust itself nor allow private addresses', () => {
    expect(problemsOfSink({ ...HOOK, allowPrivate: true })[0]).toMatch(/each machine does that for itself/u);
    expect(problemsOfSink({ ...HOOK, trusted: true })[0]).toMatch(/uttr events trust/u);
  });

  test('a key or type that is nearly right is answered with the right one', () => {
    expect(problemsOf({ sink: [] })).toEqual(['events.sink: unknown key; did you mean "sinks"?']);
    expect(problemsOfSink({ ...HOOK, secretenv: 'X' })).toEqual([
      'events.sinks[0].secretenv: unknown key; did you mean "secretEnv"?',
    ]);
    expect(problemsOfSink({ name: 'x', type: 'webhok' })).toEqual([
      'events.sinks[0].type: is "webhok"; did you mean "webhook"?',
    ]);
    expect(problemsOfSink({ name: 'x', type: 'kafka' })).toEqual([
      'events.sinks[0].type: is "kafka"; known types: file, command, webhook',
    ]);
  });

  test('all problems are reported at once', () => {
    const problems = problemsOf({
      branches: [],
      sinks: [
        7,
        { name: 'a b', type: 'file', path: '' },
        { type: 'command', command: [], timeout: '1 hour' },
        { name: 'ci', type: 'webhook', url: 'ftp://x/' },
        { ...HOOK, retryFor: '0s' },
      ],
    });
    expect(problems.map((problem) => problem.split(': ')[0])).toEqual([
      'events.sinks[0]',
      'events.sinks[1].name',
      'events.sinks[1].path',
      'events.sinks[2].name',
      'events.sinks[2].command',
      'events.sinks[2].timeout',
      'events.sinks[3].url',
      'events.sinks[4].retryFor',
      'events.sinks[4].name',
      'events.branches',
    ]);
  });

  test.each([null, [], 'main', 5])('%o is no configuration', (value) => {
    expect(problemsOf(value)).toEqual(['events: must be an object']);
  });

  test.each(['.git/hooks/post-commit', 'a/.GIT/config', '.uttr/catalogue.db', '..\\.git\\config', 'folder/', 'a\0b'])(
    'a file sink may not write to %o',
    (path) => {
      expect(problemsOfSink({ name: 'log', type: 'file', path })).toHaveLength(1);
    },
  );

  test('a sink list has a limit', () => {
    const sinks = Array.from({ length: 33 }, (_, index) => ({ ...HOOK, name: `s${index}` }));
    expect(problemsOf({ sinks })).toEqual(['events.sinks: has 33 sinks; the limit is 32']);
  });
});

test('E8: any change to a sink changes its fingerprint, the order of its keys does not', () => {
  const fingerprint = sinkFingerprint(parseSink(HOOK));
  expect(fingerprint).toBe(sinkFingerprint(parseSink(Object.fromEntries(Object.entries(HOOK).toReversed()))));
  const others = [
    { ...HOOK, name: 'other' },
    { ...HOOK, url: 'https://hooks.example.org/y' },
    { ...HOOK, secretEnv: 'OTHER' },
    { ...HOOK, secretEnv: ['UTTR_HOOK_SECRET', 'OTHER'] },
    { ...HOOK, retryFor: '1h' },
    { name: 'ci', type: 'command', command: 'a b' },
    { name: 'ci', type: 'command', command: ['a b'] },
    { name: 'ci', type: 'command', command: ['a', 'b'] },
    { name: 'ci', type: 'file', path: 'a b' },
  ].map((sink) => sinkFingerprint(parseSink(sink)));
  expect(new Set([fingerprint, ...others]).size).toBe(1 + others.length);
});
