/**
 * Edits one level of a tree: takes sorted changes of its items, makes the chunks that differ, and tells the level
 * above which of its children changed.
 *
 * Chunks are made anew from the start of each one that is touched until an end falls on an old end; from there on
 * the old chunks hold (T6). Everything streams: changes come in batches and go up in batches.
 */
import type { Hash } from '../base/hash.ts';
import type { ChunkWrite } from '../store/chunks.ts';
import type { ChunkAccess } from './chunk-access.ts';
import type { LevelCursor } from './level-cursor.ts';
import { compareKeyAt, lowerBoundLine, type Lines } from './lines.ts';
import type { Child, Node } from './node.ts';
import type { TreeParameters } from './parameters.ts';
import { LeafWriter, NodeWriter } from './writers.ts';

/** Sets a key's value, or deletes the key. Deleting an absent key and setting an equal value change nothing. */
export interface Change<Value> {
  readonly key: Buffer;
  readonly value: Value | undefined;
}

/** Old chunks a new one names as those it takes the place of. */
const REPLACES_LIMIT = 4;

/** Takes a finished chunk from a writer; `only` is the child of a node with a single one. */
type Emit = (chunk: Child, bytes: Buffer, only?: Child) => void;

/** What differs between leaves and nodes: reading the items of a chunk and writing items. */
export interface LevelItems<Page, Value> {
  /** Whether the next item starts a chunk. */
  readonly isEmpty: boolean;
  open(chunk: Child): Promise<Page>;
  count(page: Page): number;
  bytes(page: Page): Buffer;
  lowerBound(page: Page, key: Buffer, from: number): number;
  hasKey(page: Page, index: number, key: Buffer): boolean;
  /** Copies items. @param isAsBefore they are the chunk's first, and those of the chunk in the making */
  copy(page: Page, from: number, to: number, isAsBefore: boolean): void;
  insert(key: Buffer, value: Value): void;
  flush(): void;
}

/** The items of leaves. */
export function leafItems(access: ChunkAccess, parameters: TreeParameters, emit: Emit): LevelItems<Lines, Buffer> {
  const writer = new LeafWriter(parameters, emit);
  return {
    get isEmpty() {
      return writer.isEmpty;
    },
    open: (chunk) => access.leaf(chunk),
    count: (lines) => lines.count,
    bytes: (lines) => lines.bytes,
    lowerBound: lowerBoundLine,
    hasKey: (lines, index, key) => compareKeyAt(lines, index, key) === 0,
    copy(lines, from, to, isAsBefore) {
      writer.copy(lines, from, to, isAsBefore);
    },
    insert(key, value) {
      writer.appendEntry(key, value);
    },
    flush() {
      writer.flush();
    },
  };
}

/** The items of nodes of one level. */
export function nodeItems(
  access: ChunkAccess,
  level: number,
  parameters: TreeParameters,
  emit: Emit,
): LevelItems<Node, Child> {
  const writer = new NodeWriter(level, parameters, emit);
  return {
    get isEmpty() {
      return writer.isEmpty;
    },
    open: (chunk) => access.node(chunk, level),
    count: (node) => node.count,
    bytes: (node) => node.bytes,
    lowerBound: (node, key, from) => node.lowerBound(key, from),
    hasKey: (node, index, key) => node.compareKeyAt(index, key) === 0,
    copy(node, from, to, isAsBefore) {
      writer.copy(node, from, to, isAsBefore);
    },
    insert(_key, child) {
      writer.append(child);
    },
    flush() {
      writer.flush();
    },
  };
}

/** Edits one level. Changes come in ascending order of their keys. */
export class LevelEditor<Page, Value> {
  readonly #cursor: LevelCursor;
  readonly #items: LevelItems<Page, Value>;
  readonly #put: (chunk: ChunkWrite) => void;
  /** The old chunk being copied, its next item, and whether a new chunk began with it and is the same so far. */
  #open: { readonly chunk: Child; readonly page: Page; index: number; isAsBefore: boolean } | undefined;
  /** Old chunks which the new chunk in the making overlaps. */
  #covered: { readonly chunk: Child; readonly page: Page }[] = [];
  /** Old chunks copied to their end, and chunks made, since the last `take`. */
  #removed: Child[] = [];
  #added: Child[] = [];
  #made = 0;
  #isEnding = false;
  #isTouched = false;
  #lonely: { readonly hash: Hash; readonly child: Child } | undefined;

  /** @param items makes the level's items, given what takes the chunks. */
  constructor(cursor: LevelCursor, items: (emit: Emit) => LevelItems<Page, Value>, put: (chunk: ChunkWrite) => void) {
    this.#cursor = cursor;
    this.#put = put;
    this.#items = items((chunk, bytes, only) => {
      this.#emit(chunk, bytes, only);
    });
  }

  /** Whether any chunk was made, be it equal to an old one. */
  get hasMade(): boolean {
    return this.#made > 0;
  }

  /** Whether any change came. */
  get isTouched(): boolean {
    return this.#isTouched;
  }

  /**
   * The level's only node if it has a single child: it is not stored, since the tree ends below it (T9).
   */
  get lonely(): { readonly hash: Hash; readonly child: Child } | undefined {
    return this.#lonely;
  }

  async apply(changes: readonly Change<Value>[]): Promise<void> {
    if (changes.length > 0) this.#isTouched = true;
    for (const change of changes) {
      // Waiting only where a chunk is read: most changes of a dense batch fall into the open one.
      if (this.#open === undefined || this.#open.chunk.key.compare(change.key) < 0) await this.#reach(change.key);
      this.#applyHere(change);
    }
  }

  /** Copies on after the last change until an old end is met, or ends the level's last chunk. */
  async end(): Promise<void> {
    while (this.#open !== undefined) await this.#leave();
    this.#isEnding = true;
    this.#items.flush();
  }

  /** Changes for the level above so far: deleted and set children by their last keys. */
  take(): Change<Child>[] {
    // The old chunk being copied may still end where a chunk just made ends: what is known of its last key waits.
    const limit = this.#open?.chunk.key;
    const changes: Change<Child>[] = [];
    let removed = 0;
    let added = 0;
    for (;;) {
      const before = this.#removed[removed];
      const after = this.#added[added];
      if (before === undefined && (after === undefined || isHeld(after, limit))) break;
      const order = before === undefined ? 1 : after === undefined ? -1 : before.key.compare(after.key);
      if (order <= 0) removed++;
      if (order >= 0) added++;
      if (order < 0) changes.push({ key: (before as Child).key, value: undefined });
      else if (order > 0 || before?.hash !== after?.hash) changes.push({ key: (after as Child).key, value: after });
    }
    this.#removed.splice(0, removed);
    this.#added.splice(0, added);
    return changes;
  }

  /** All chunks made since the last call, changed or not: for the highest level, which is copied whole. */
  takeAll(): Child[] {
    this.#removed = [];
    const added = this.#added;
    this.#added = [];
    return added;
  }

  /** Gets to the old chunk that covers `key`, or past the last one. */
  async #reach(key: Buffer): Promise<void> {
    while (this.#open !== undefined && this.#open.chunk.key.compare(key) < 0) await this.#leave();
    // Open chunks are left only at a common end or at the end of the level, so seeking is safe.
    if (this.#open === undefined) await this.#enter(await this.#cursor.seek(key));
  }

  #applyHere(change: Change<Value>): void {
    const open = this.#open;
    if (open !== undefined) {
      const index = this.#items.lowerBound(open.page, change.key, open.index);
      this.#items.copy(open.page, open.index, index, open.isAsBefore);
      const isKnown = index < this.#items.count(open.page) && this.#items.hasKey(open.page, index, change.key);
      open.index = isKnown ? index + 1 : index;
      open.isAsBefore = false;
    }
    if (change.value !== undefined) this.#items.insert(change.key, change.value);
  }

  /** Copies the rest of the open chunk; goes on into the next one unless an end falls on its end. */
  async #leave(): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    this.#items.copy(open.page, open.index, this.#items.count(open.page), open.isAsBefore);
    open.index = this.#items.count(open.page);
    const next = this.#items.isEmpty ? undefined : await this.#cursor.next();
    this.#removed.push(open.chunk);
    this.#open = undefined;
    await this.#enter(next);
  }

  async #enter(chunk: Child | undefined): Promise<void> {
    const isAsBefore = this.#items.isEmpty;
    if (isAsBefore) this.#covered = [];
    if (chunk === undefined) return;
    const page = await this.#items.open(chunk);
    this.#open = { chunk, page, index: 0, isAsBefore };
    this.#covered.push(this.#open);
  }

  #emit(chunk: Child, bytes: Buffer, only: Child | undefined): void {
    const covered = this.#covered;
    this.#covered = this.#open === undefined ? [] : [this.#open];
    this.#made++;
    this.#added.push(chunk);
    const isOnly = this.#isEnding && this.#made === 1 && !this.#cursor.hasSkipped;
    if (isOnly && only !== undefined) {
      this.#lonely = { hash: chunk.hash, child: only };
      return;
    }
    if (covered.some((old) => old.chunk.hash === chunk.hash)) return;
    const replaced = covered.slice(0, REPLACES_LIMIT);
    this.#put({
      hash: chunk.hash,
      bytes,
      replaces: replaced.map((old) => old.chunk.hash),
      replaced: replaced.map((old) => this.#items.bytes(old.page)),
    });
  }
}

function isHeld(chunk: Child, limit: Buffer | undefined): boolean {
  return limit !== undefined && chunk.key.compare(limit) >= 0;
}
