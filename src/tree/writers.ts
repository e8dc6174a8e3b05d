/**
 * Fills the chunks of one level, one item after another, and hands each over when the boundary ends it.
 */
import { isUtf8 } from 'node:buffer';
import { assert } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { Boundary } from './boundary.ts';
import { LF, TAB, compareRanges, type Lines } from './lines.ts';
import { encodeChild, encodeHeader, type Child, type Node } from './node.ts';
import type { TreeParameters } from './parameters.ts';

/** Leaves are cut from slabs of this size, so that an entry is copied once and nothing is allocated for it. */
const SLAB_BYTES = 256 * 1024;

/** What a node takes at first; most need no more. */
const NODE_BYTES = 16 * 1024;

/** Fills leaves. */
export class LeafWriter {
  readonly #boundary: Boundary;
  readonly #emit: (leaf: Child, bytes: Buffer) => void;
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #start = 0;
  #end = 0;
  #records = 0;
  // Where the last key lies; it outlives its leaf, to check the order of keys across leaves.
  #lastSlab: Buffer = this.#slab;
  #lastStart = 0;
  #lastKeyEnd = -1;

  /** @param emit takes each leaf; its bytes are a view and stay unchanged. */
  constructor(parameters: TreeParameters, emit: (leaf: Child, bytes: Buffer) => void) {
    this.#boundary = new Boundary(0, parameters);
    this.#emit = emit;
  }

  /** Whether the next entry starts a leaf. */
  get isEmpty(): boolean {
    return this.#records === 0;
  }

  /** Copies the line `line[start..end)`, whose key ends at `keyEnd`. @throws internal if keys do not ascend */
  append(line: Buffer, start: number, keyEnd: number, end: number): void {
    assert(line[keyEnd] === TAB && line[end - 1] === LF && keyEnd < end - 1, 'a line is key, TAB, value, LF');
    this.#checkOrder(line, start, keyEnd);
    const size = end - start;
    if (this.#end + size > this.#slab.length) this.#replaceSlab(size);
    line.copy(this.#slab, this.#end, start, end);
    this.#appended(keyEnd - start, size);
  }

  /** As `append`, from an entry in parts. */
  appendEntry(key: Buffer, value: Buffer): void {
    assert(!key.includes(LF), 'a key holds no line feed');
    assert(!value.includes(TAB) && !value.includes(LF), 'a value holds neither TAB nor line feed');
    this.#checkOrder(key, 0, key.length);
    const size = key.length + value.length + 2;
    if (this.#end + size > this.#slab.length) this.#replaceSlab(size);
    const slab = this.#slab;
    const tab = this.#end + key.length;
    key.copy(slab, this.#end);
    slab[tab] = TAB;
    value.copy(slab, tab + 1);
    slab[tab + 1 + value.length] = LF;
    this.#appended(key.length, size);
  }

  /**
   * Copies lines `from` to `to` of a leaf.
   *
   * @param isAsBefore they are its first ones, and the open leaf has nothing else in it.
   */
  copy(lines: Lines, from: number, to: number, isAsBefore: boolean): void {
    if (from >= to) return;
    const { bytes, starts, keyEnds } = lines;
    // Among themselves the lines of a leaf ascend (T2).
    this.#checkOrder(bytes, starts[from] as number, keyEnds[from] as number);
    const last = lines.count - 1;
    const known = isAsBefore ? Math.min(to, last) : from;
    this.#boundary.pass(known - from, (starts[known] as number) - (starts[from] as number));
    let taken = from;
    for (let index = known; index < to; index++) {
      const start = starts[index] as number;
      const keyEnd = keyEnds[index] as number;
      const size = (starts[index + 1] as number) - start;
      const ends =
        index === last
          ? this.#boundary.endsAfter(bytes, start, keyEnd, size)
          : this.#boundary.endsAfterInner(bytes, start, keyEnd, size);
      if (!ends) continue;
      this.#take(lines, taken, index + 1);
      this.#emitLeaf();
      taken = index + 1;
    }
    this.#take(lines, taken, to);
  }

  /** Ends the last leaf, if one is open. */
  flush(): void {
    if (this.#records > 0) this.#emitLeaf();
    this.#boundary.reset();
  }

  #checkOrder(bytes: Buffer, start: number, keyEnd: number): void {
    if (this.#lastKeyEnd < 0) return;
    const order = compareRanges(this.#lastSlab, this.#lastStart, this.#lastKeyEnd, bytes, start, keyEnd);
    assert(order < 0, 'keys ascend strictly');
  }

  #appended(keyLength: number, size: number): void {
    this.#lastSlab = this.#slab;
    this.#lastStart = this.#end;
    this.#lastKeyEnd = this.#end + keyLength;
    this.#end += size;
    this.#records++;
    if (this.#boundary.endsAfter(this.#slab, this.#lastStart, this.#lastKeyEnd, size)) this.#emitLeaf();
  }

  #emitLeaf(): void {
    const bytes = this.#slab.subarray(this.#start, this.#end);
    // A copy: a view would keep the slab alive for as long as the child is known.
    const key = Buffer.from(this.#slab.subarray(this.#lastStart, this.#lastKeyEnd));
    assert(isUtf8(bytes), 'keys and values are UTF-8');
    const records = this.#records;
    this.#start = this.#end;
    this.#records = 0;
    this.#emit({ key, hash: sha256(bytes), records, bytes: bytes.length }, bytes);
  }

  #take({ bytes, starts, keyEnds }: Lines, from: number, to: number): void {
    if (from === to) return;
    const start = starts[from] as number;
    const size = (starts[to] as number) - start;
    if (this.#end + size > this.#slab.length) this.#replaceSlab(size);
    bytes.copy(this.#slab, this.#end, start, start + size);
    const shift = this.#end - start;
    this.#lastSlab = this.#slab;
    this.#lastStart = (starts[to - 1] as number) + shift;
    this.#lastKeyEnd = (keyEnds[to - 1] as number) + shift;
    this.#end += size;
    this.#records += to - from;
  }

  #replaceSlab(size: number): void {
    const open = this.#end - this.#start;
    // A giant entry gets what it needs; the open leaf is at most four targets, so copying it is cheap.
    const slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, 2 * open + size));
    this.#slab.copy(slab, 0, this.#start, this.#end);
    this.#slab = slab;
    this.#start = 0;
    this.#end = open;
  }
}

/** Fills the nodes of one level. */
export class NodeWriter {
  readonly #header: string;
  readonly #boundary: Boundary;
  readonly #emit: (node: Child, bytes: Buffer, only: Child | undefined) => void;
  #bytes = Buffer.alloc(0);
  #end = 0;
  #children = 0;
  #records = 0;
  #leafBytes = 0;
  /** The only child so far. */
  #only: Child | undefined;
  #lastKey: Buffer | undefined;

  /** @param emit takes each node; `only` is the child of a node that has a single one. */
  constructor(
    level: number,
    parameters: TreeParameters,
    emit: (node: Child, bytes: Buffer, only: Child | undefined) => void,
  ) {
    this.#header = encodeHeader(level);
    this.#boundary = new Boundary(level, parameters);
    this.#emit = emit;
  }

  /** Whether the next child starts a node. */
  get isEmpty(): boolean {
    return this.#children === 0;
  }

  /** @throws internal if keys do not ascend */
  append(child: Child): void {
    assert(this.#lastKey === undefined || this.#lastKey.compare(child.key) < 0, 'keys ascend strictly');
    const line = encodeChild(child);
    const size = Buffer.byteLength(line);
    this.#reserve(size);
    this.#end += this.#bytes.write(line, this.#end);
    this.#only = this.#children === 0 ? child : undefined;
    this.#count(1, child.records, child.bytes, child.key);
    if (this.#boundary.endsAfter(child.key, 0, child.key.length, size)) this.#emitNode();
  }

  /**
   * Copies children `from` to `to` of a node of the same level.
   *
   * @param isAsBefore they are its first ones, and the open node has nothing else in it.
   */
  copy(node: Node, from: number, to: number, isAsBefore: boolean): void {
    if (from >= to) return;
    const { keys, keyStarts, starts } = node;
    assert(this.#lastKey === undefined || node.compareKeyAt(from, this.#lastKey) > 0, 'keys ascend strictly');
    const last = node.count - 1;
    const known = isAsBefore ? Math.min(to, last) : from;
    this.#boundary.pass(known - from, (starts[known] as number) - (starts[from] as number));
    let taken = from;
    for (let index = known; index < to; index++) {
      const size = (starts[index + 1] as number) - (starts[index] as number);
      const keyEnd = keyStarts[index + 1] as number;
      if (!this.#boundary.endsAfter(keys, keyStarts[index] as number, keyEnd, size)) continue;
      this.#take(node, taken, index + 1);
      this.#emitNode();
      taken = index + 1;
    }
    this.#take(node, taken, to);
  }

  /** Ends the last node, if one is open. */
  flush(): void {
    if (this.#children > 0) this.#emitNode();
    this.#boundary.reset();
  }

  #take(node: Node, from: number, to: number): void {
    if (from === to) return;
    const start = node.starts[from] as number;
    const size = (node.starts[to] as number) - start;
    this.#reserve(size);
    node.bytes.copy(this.#bytes, this.#end, start, start + size);
    this.#end += size;
    this.#only = this.#children === 0 && to - from === 1 ? node.child(from) : undefined;
    const { records, bytes } = node.totals(from, to);
    this.#count(to - from, records, bytes, node.keyAt(to - 1));
  }

  #count(children: number, records: number, leafBytes: number, lastKey: Buffer): void {
    this.#children += children;
    this.#records += records;
    this.#leafBytes += leafBytes;
    this.#lastKey = lastKey;
  }

  #reserve(size: number): void {
    if (this.#end === 0) {
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(NODE_BYTES, this.#header.length + size));
      this.#end = this.#bytes.write(this.#header);
    }
    if (this.#end + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * this.#bytes.length + size);
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }

  #emitNode(): void {
    const bytes = this.#bytes.subarray(0, this.#end);
    // A copy: a view would keep another node alive for as long as the child is known.
    const key = Buffer.from(this.#lastKey as Buffer);
    const child = { key, hash: sha256(bytes), records: this.#records, bytes: this.#leafBytes };
    const only = this.#only;
    this.#end = 0;
    this.#children = 0;
    this.#records = 0;
    this.#leafBytes = 0;
    this.#emit(child, bytes, only);
  }
}
