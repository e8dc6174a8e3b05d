/** The event of a change: what it says (E2), what it leaves out, and how it stays small. */
import { CloudEvent } from 'cloudevents';
import { describe, expect, test } from 'vitest';
import {
  DATASET_CHANGED,
  type DatasetChange,
  datasetChanged,
  EVENT_BODY_LIMIT_BYTES,
  eventSource,
} from '../../src/events/event.ts';
import { change, START } from './doubles.ts';

interface Data {
  readonly changes: {
    readonly added: number;
    readonly byIntent: Readonly<Record<string, { readonly added: number }>>;
    readonly others?: { readonly intents: number; readonly added: number };
  };
  readonly [field: string]: unknown;
}

function read(overrides: Partial<DatasetChange> = {}): { attributes: CloudEvent<Data>; data: Data; bytes: number } {
  const { body } = datasetChanged(change(overrides));
  const attributes = new CloudEvent<Data>(JSON.parse(body) as CloudEvent<Data>);
  return { attributes, data: attributes.data as Data, bytes: Buffer.byteLength(body) };
}

const added = (count: number) => ({ added: count, relabelled: 0, updated: 0, removed: 0 });

describe('datasetChanged', () => {
  test('E2: makes a CloudEvent that names the remote, the dataset and the version', () => {
    const { attributes } = read();
    expect(attributes.validate()).toBe(true);
    expect(attributes).toMatchObject({
      specversion: '1.0',
      type: DATASET_CHANGED,
      source: 's3://bucket/prefix',
      subject: `support@${'b'.repeat(64)}`,
      time: START.toISOString(),
      datacontenttype: 'application/json',
    });
  });

  test('tells the counts in all, by side and by intent, the intents, the batches and who it was', () => {
    const remote = { name: 'origin', url: 's3://key:secret@bucket/prefix?token=1' };
    expect(read({ gitCommit: '1234abc', branch: 'main', remote }).data).toEqual({
      dataset: 'support',
      version: 'b'.repeat(64),
      previous: 'a'.repeat(64),
      content: 'c'.repeat(64),
      sides: { train: 'd'.repeat(64), test: 'e'.repeat(64) },
      trainContent: 'd'.repeat(64),
      testContent: 'e'.repeat(64),
      changes: {
        ...added(4),
        bySide: { train: added(3), test: added(1) },
        byIntent: { refund: added(4) },
      },
      newIntents: ['refund'],
      newIntentCount: 1,
      vanishedIntents: [],
      vanishedIntentCount: 0,
      batches: [{ name: 'march.csv', sha256: 'f'.repeat(64), rows: 4 }],
      author: 'Ada <ada@example.org>',
      message: 'refunds from March',
      branch: 'main',
      gitCommit: '1234abc',
      remote: { name: 'origin', url: 's3://bucket/prefix' },
      truncated: false,
    });
  });

  test('says null for the version before the first', () => {
    expect(read({ previous: undefined }).data['previous']).toBeNull();
  });

  test('E1: has the same id whatever was written about the change, and when', () => {
    const { id } = datasetChanged(change());
    const told = datasetChanged(
      change({ message: 'other', time: new Date(0), source: 'file:///elsewhere', author: 'B' }),
    );
    expect(told.id).toBe(id);
    expect(id).toBe('09dc3e90f48f9f75b0ba8a86a85864fd');
  });

  test('E2: with 10,000 intents keeps the largest rows, sums up the others and stays under 8 KiB', () => {
    const changesByIntent = Array.from({ length: 10_000 }, (_, index) => [`intent ${index}`, added(index)] as const);
    const names = changesByIntent.map(([name]) => name);
    const { data, bytes } = read({
      changesByIntent,
      changes: added(49_995_000),
      newIntents: names,
      vanishedIntents: names,
    });
    expect(bytes).toBeLessThanOrEqual(EVENT_BODY_LIMIT_BYTES);
    expect(bytes).toBeGreaterThan(EVENT_BODY_LIMIT_BYTES - 200);
    expect(data['truncated']).toBe(true);
    expect(data['newIntentCount']).toBe(10_000);

    const kept = Object.entries(data.changes.byIntent);
    expect(kept.length).toBeGreaterThan(50);
    expect(kept.map(([name]) => name)).toContain('intent 9999');
    expect(data.changes.others?.intents).toBe(10_000 - kept.length);
    const keptSum = kept.reduce((sum, [, counts]) => sum + counts.added, 0);
    expect(keptSum + (data.changes.others?.added ?? 0)).toBe(data.changes.added);
    expect(Math.min(...kept.map(([, counts]) => counts.added))).toBe(10_000 - kept.length);
  });

  test('E2: with a huge message, author and list of batches still tells the counts', () => {
    const batches = Array.from({ length: 400 }, (_, rows) => ({ name: `batch ${rows}`, sha256: 'f'.repeat(64), rows }));
    const { data, bytes } = read({ message: '😀'.repeat(9000), author: '\u0001'.repeat(9000), batches });
    expect(bytes).toBeLessThanOrEqual(EVENT_BODY_LIMIT_BYTES);
    expect(data.changes.byIntent).toEqual({ refund: added(4) });
    expect(data.changes.others).toBeUndefined();
    expect(data['message']).toMatch(/^(?:😀)+…$/u);
    expect(data['batches']).toHaveLength(9);
  });

  test('an intent may be called like a property of every object', () => {
    const { data } = read({
      changesByIntent: [
        ['__proto__', added(1)],
        ['constructor', added(3)],
      ],
    });
    expect(Object.entries(data.changes.byIntent)).toEqual([
      ['__proto__', added(1)],
      ['constructor', added(3)],
    ]);
  });
});

test.each([
  ['s3://bucket/prefix', 's3://bucket/prefix'],
  ['https://user:pass@host.example/path?X-Amz-Signature=1#x', 'https://host.example/path'],
  ['file:///srv/data', 'file:///srv/data'],
  ['https://user:pass@host:bad-port/x', 'https%3A//host%3Abad-port/x'],
  ['/srv/my data', '/srv/my%20data'],
  ['my repository', 'my%20repository'],
  ['', 'uttr'],
])('the source of %o is %o', (from, source) => {
  expect(eventSource(from)).toBe(source);
});
