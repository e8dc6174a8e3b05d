import type { Clock, Random } from '../base/ports.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { type Cursor, type CursorKey, moveCursor, type TaggedCursor } from './remote-cursors.ts';

/** How long a lease lasts without a sign of life; three signs are given in that time. */
export const LEASE_MS = 120_000;

interface Holder {
  readonly owner: string;
  readonly random: Random;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** A cursor that is ours from `lease` to `release`. */
export class HeldCursor {
  readonly #store: BlobStore;
  readonly #key: CursorKey;
  readonly #holder: Holder;
  #held: TaggedCursor;
  #isLost = false;
  /** One change after the other: each needs the tag of the one before. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(store: BlobStore, key: CursorKey, start: TaggedCursor, holder: Holder) {
    this.#store = store;
    this.#key = key;
    this.#held = start;
    this.#holder = holder;
  }

  get cursor(): Cursor {
    return this.#held.cursor;
  }

  /** Before anything else. @throws head-moved when somebody else was first */
  lease(): Promise<void> {
    return this.move({});
  }

  /** Changes the cursor and keeps the lease. @throws head-moved when the lease was lost */
  move(change: Partial<Pick<Cursor, 'sequence' | 'retry'>>): Promise<void> {
    const { owner, clock, signal } = this.#holder;
    const until = new Date(clock.now().getTime() + LEASE_MS).toISOString();
    return this.#replace({ ...change, lease: { owner, until } }, signal);
  }

  /** Does something long, with a sign of life now and then. */
  async whileAlive<T>(work: () => Promise<T>): Promise<T> {
    const signs = setInterval(() => {
      // The lease outlasts two missed signs, and losing it shows with the next move.
      this.lease().catch(() => undefined);
    }, LEASE_MS / 3);
    try {
      return await work();
    } finally {
      clearInterval(signs);
    }
  }

  /** Gives the lease back; if that fails, it runs out. */
  async release(): Promise<void> {
    if (this.#isLost) return;
    // Also when interrupted: the next deliverer should not have to wait.
    await this.#replace({ lease: null }, undefined).catch(() => undefined);
  }

  #replace(change: Partial<Cursor>, signal: AbortSignal | undefined): Promise<void> {
    const replaced = this.#changing.then(async () => {
      const to = { ...this.#held.cursor, ...change };
      try {
        this.#held = await moveCursor(this.#store, this.#key, { from: this.#held.tag, to }, this.#holder.random, {
          signal,
        });
      } catch (error) {
        this.#isLost = true;
        throw error;
      }
    });
    this.#changing = replaced.catch(() => undefined);
    return replaced;
  }
}
