/**
 * Finds out what a store really does, by trying: asked once when a remote is added, and by `remote check`.
 *
 * Servers differ most in conditional writes. Some have never heard of them, some look first and write later, so that
 * several racers are told they won; only a race shows that. A store where that happens can still be used, by one
 * writer at a time.
 */
import { isUttrError, UttrError } from '../base/errors.ts';
import type { CallOptions, Random } from '../base/ports.ts';
import type { BlobStore } from './blob-store.ts';

export const PROBE_RACERS = 16;
export const PROBE_ROUNDS = 3;

/** Enough to fill more than one network packet and one buffer of most servers. */
const LARGE_BYTES = 300_000;

export interface StoreProbe {
  /** Whether exactly one of several concurrent writers wins: pass it to `openStore` from now on. */
  readonly conditionalPut: boolean;
  /** What the store does wrong, as sentences for a person; empty when all is well. */
  readonly problems: readonly string[];
}

/**
 * Writes, reads and races blobs below `probe/`, and removes them again.
 *
 * @param store opened with `conditionalPut` unset or true: otherwise conditions are not tried.
 * @throws what the store throws when it cannot be used at all: remote-unreachable, access-denied, bad-remote
 */
export async function probeStore(store: BlobStore, random: Random, options: CallOptions = {}): Promise<StoreProbe> {
  const probe = new Probe(store, random, options);
  try {
    await probe.checkBytes();
    await probe.checkList();
    const conditionalPut = store.supports.conditionalPut && (await probe.checkConditions());
    return { conditionalPut, problems: probe.problems };
  } finally {
    await probe.cleanUp();
  }
}

class Probe {
  readonly problems: string[] = [];
  readonly #store: BlobStore;
  readonly #random: Random;
  readonly #options: CallOptions;
  readonly #folder: string;

  constructor(store: BlobStore, random: Random, options: CallOptions) {
    this.#store = store;
    this.#random = random;
    this.#options = options;
    this.#folder = `probe/${this.#text()}/`;
  }

  /** What is written is read back alike, whole and in part, also under a name that needs encoding. */
  async checkBytes(): Promise<void> {
    const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);
    await this.#checkBlob('bytes', everyByte);
    await this.#checkBlob("a blank, a+b & 'more' (100%)", everyByte);
    await this.#checkBlob('empty', new Uint8Array());
    const large = Buffer.from(this.#random.bytes(LARGE_BYTES));
    await this.#checkBlob('large', large);
    const range = { start: 1000, end: LARGE_BYTES - 1000 };
    const part = await this.#store.get(`${this.#folder}large`, range, this.#options);
    this.#expect(part.equals(large.subarray(range.start, range.end)), 'a range of a blob is not the bytes asked for');
    await this.#checkBlob('bytes', everyByte.subarray(100));
    await this.#store.delete(`${this.#folder}bytes`, this.#options);
    const left = await this.#store.stat(`${this.#folder}bytes`, this.#options);
    this.#expect(left === undefined, 'a blob is still there after it was removed');
  }

  /** What was written is listed at once, in order, and nothing else. */
  async checkList(): Promise<void> {
    const wanted = ['a', 'a-b', 'b/c', 'c+ d'].map((name) => `${this.#folder}list/${name}`);
    for (const name of wanted) await this.#store.put(name, Buffer.from(name), this.#options);
    await this.#store.put(`${this.#folder}lisu`, Buffer.from('x'), this.#options);
    const stats = await Array.fromAsync(this.#store.list(`${this.#folder}list/`, this.#options));
    const listed = stats.map(({ name, sizeBytes }) => `${name} ${sizeBytes}`);
    this.#expect(
      listed.join('\n') === wanted.map((name) => `${name} ${name.length}`).join('\n'),
      'a list is not exactly what was written',
    );
  }

  /** Conditions are kept, one after the other and in races. @returns false where the store cannot do that at all. */
  async checkConditions(): Promise<boolean> {
    const before = this.problems.length;
    try {
      await this.#checkCreate();
      await this.#checkReplace();
      for (let round = 0; round < PROBE_ROUNDS && this.problems.length === before; round += 1) {
        await this.#race(`race/create-${round}`, async (name, bytes) => this.#store.create(name, bytes, this.#options));
        await this.#raceForHead(`race/replace-${round}`);
      }
    } catch (error) {
      // `bad-remote`: the server says that it does not offer conditional writes.
      if (!isUttrError(error, 'bad-remote')) throw error;
      this.problems.push(`conditional writes are refused: ${error.message}`);
    }
    return this.problems.length === before;
  }

  /** Leaves nothing behind. A store that does not let go of blobs is told of, but can be used. */
  async cleanUp(): Promise<void> {
    try {
      for await (const { name } of this.#store.list(this.#folder)) await this.#store.delete(name);
    } catch (error) {
      const reason = error instanceof UttrError ? error.message : 'unknown reason';
      this.problems.push(`what the probe wrote below ${this.#folder} cannot be removed: ${reason}`);
    }
  }

  async #checkBlob(name: string, bytes: Uint8Array): Promise<void> {
    const full = this.#folder + name;
    await this.#store.put(full, bytes, this.#options);
    const got = await this.#store.get(full, undefined, this.#options);
    this.#expect(got.equals(bytes), `${name}: what is read is not what was written`);
    const sizeBytes = (await this.#store.stat(full, this.#options))?.sizeBytes;
    this.#expect(sizeBytes === bytes.length, `${name}: the size is told as ${sizeBytes}, not ${bytes.length}`);
  }

  async #checkCreate(): Promise<void> {
    const name = `${this.#folder}created`;
    const first = this.#bytes();
    const created = await this.#store.create(name, first, this.#options);
    const again = await this.#store.create(name, this.#bytes(), this.#options);
    this.#expect(created && !again, 'If-None-Match is not honoured: a blob that is there is made again');
    const kept = (await this.#store.get(name, undefined, this.#options)).equals(first);
    this.#expect(kept, 'a refused write changed the blob');
  }

  async #checkReplace(): Promise<void> {
    const name = `${this.#folder}head`;
    const first = await this.#store.replace(name, undefined, this.#bytes(), this.#options);
    const second = await this.#store.replace(name, first, this.#bytes(), this.#options);
    const present = await this.#store.read(name, this.#options);
    this.#expect(present?.tag === second, 'the tag of a write is not the tag of a later read');
    const isKept = !(await this.#wins(name, first)) && !(await this.#wins(name, undefined));
    this.#expect(isKept, 'If-Match is not honoured: a head that has moved is overwritten');
    await this.#store.delete(name, this.#options);
    this.#expect(!(await this.#wins(name, second)), 'If-Match is not honoured: a head that is gone is written');
  }

  async #raceForHead(name: string): Promise<void> {
    const tag = await this.#store.replace(this.#folder + name, undefined, this.#bytes(), this.#options);
    await this.#race(name, async (full, bytes) => this.#wins(full, tag, bytes));
  }

  async #race(name: string, write: (name: string, bytes: Buffer) => Promise<boolean>): Promise<void> {
    const full = this.#folder + name;
    const entries = Array.from({ length: PROBE_RACERS }, () => this.#bytes());
    const won = await Promise.all(entries.map(async (bytes) => write(full, bytes)));
    const winners = entries.filter((_, racer) => won[racer] === true);
    if (winners.length !== 1) {
      this.problems.push(
        `conditional writes are not atomic: of ${PROBE_RACERS} concurrent writers, ${winners.length} were told that they won`,
      );
      return;
    }
    const left = await this.#store.get(full, undefined, this.#options);
    this.#expect(
      winners.some((bytes) => left.equals(bytes)),
      'the writer that was told it won did not',
    );
  }

  async #wins(name: string, tag: string | undefined, bytes: Buffer = this.#bytes()): Promise<boolean> {
    try {
      await this.#store.replace(name, tag, bytes, this.#options);
      return true;
    } catch (error) {
      if (isUttrError(error, 'head-moved')) return false;
      throw error;
    }
  }

  #expect(holds: boolean, problem: string): void {
    if (!holds) this.problems.push(problem);
  }

  #bytes(): Buffer {
    return Buffer.from(this.#text());
  }

  #text(): string {
    return Buffer.from(this.#random.bytes(16)).toString('hex');
  }
}
