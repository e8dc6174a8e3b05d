import type { EventRow } from '../../src/base/event-rows.ts';
import type { Clock, Random } from '../../src/base/ports.ts';
import { type DatasetChange, datasetChanged } from '../../src/events/event.ts';
import type { DeliveryOutcome, Sink } from '../../src/events/sinks/sink.ts';

export const START = new Date('2026-03-01T12:00:00.000Z');

/** A clock that moves only when told to. */
export class ManualClock implements Clock {
  #nowMs = START.getTime();

  now(): Date {
    return new Date(this.#nowMs);
  }

  advance(delayMs: number): void {
    this.#nowMs += delayMs;
  }
}

/** Random bytes that are all the same: 0 gives the shortest waits, 255 the longest. */
export function constantRandom(byte: number): Random {
  return { bytes: (count) => new Uint8Array(count).fill(byte) };
}

/** Bytes of a small generator with a seed, so that a failure can be repeated. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 16) & 0xff;
  };
  return { bytes: (count) => Uint8Array.from({ length: count }, next) };
}

const NO_CHANGES = { added: 0, relabelled: 0, updated: 0, removed: 0 };

export function change(overrides: Partial<DatasetChange> = {}): DatasetChange {
  return {
    source: 's3://bucket/prefix',
    dataset: 'support',
    version: 'b'.repeat(64),
    previous: 'a'.repeat(64),
    content: 'c'.repeat(64),
    sides: { train: 'd'.repeat(64), test: 'e'.repeat(64) },
    changes: { ...NO_CHANGES, added: 4 },
    changesBySide: { train: { ...NO_CHANGES, added: 3 }, test: { ...NO_CHANGES, added: 1 } },
    changesByIntent: [['refund', { ...NO_CHANGES, added: 4 }]],
    newIntents: ['refund'],
    vanishedIntents: [],
    batches: [{ name: 'march.csv', sha256: 'f'.repeat(64), rows: 4 }],
    author: 'Ada <ada@example.org>',
    message: 'refunds from March',
    time: START,
    ...overrides,
  };
}

/** The `number`-th event of a dataset. */
export function event(number: number, dataset = 'support'): EventRow {
  return datasetChanged(
    change({
      dataset,
      version: number.toString(16).padStart(64, '0'),
      previous: number === 0 ? undefined : (number - 1).toString(16).padStart(64, '0'),
    }),
  );
}

/** A sink that keeps what it is given and answers as told: the next answer of `answers`, else `delivered`. */
export class ScriptedSink implements Sink {
  readonly name: string;
  readonly fingerprint: string;
  readonly retryForMs = 86_400_000;
  /** Every event it got, also those it then refused. */
  readonly received: EventRow[] = [];
  readonly answers: (DeliveryOutcome | (() => Promise<DeliveryOutcome>))[] = [];

  constructor(name = 'ci') {
    this.name = name;
    this.fingerprint = `fingerprint of ${name}`;
  }

  async deliver(row: EventRow): Promise<DeliveryOutcome> {
    this.received.push(row);
    const answer = this.answers.shift() ?? { kind: 'delivered' };
    return typeof answer === 'function' ? answer() : answer;
  }

  get ids(): readonly string[] {
    return this.received.map((row) => row.id);
  }
}
