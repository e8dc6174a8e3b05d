/**
 * Fills the chunks of one level, one item after another, and hands each over when the boundary ends it.
 */
import { isUtf8 } from 'node:buffer';
import { assert } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { Boundary } from './boundary.ts';
import { LF, TAB, compareRanges } from './lines.ts';
import { encodeChild, encodeHeader, sumChildren, type Child } from './node.ts';
import type { TreeParameters } from './parameters.ts';

/** Leaves are cut from slabs of this size, so that an entry is copied once and nothing is allocated for it. */
const SLAB_BYTES = 256 * 1024;

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
  readonly #level: number;
  readonly #boundary: Boundary;
  readonly #emit: (node: Child, bytes: Buffer, children: readonly Child[]) => void;
  #children: Child[] = [];
  #text = '';
  #lastKey: Buffer | undefined;

  constructor(
    level: number,
    parameters: TreeParameters,
    emit: (node: Child, bytes: Buffer, children: readonly Child[]) => void,
  ) {
    this.#level = level;
    this.#boundary = new Boundary(level, parameters);
    this.#emit = emit;
  }

  /** Whether the next child starts a node. */
  get isEmpty(): boolean {
    return this.#children.length === 0;
  }

  /** @throws internal if keys do not ascend */
  append(child: Child): void {
    assert(this.#lastKey === undefined || this.#lastKey.compare(child.key) < 0, 'keys ascend strictly');
    this.#lastKey = child.key;
    const line = encodeChild(child);
    this.#children.push(child);
    this.#text += line;
    if (this.#boundary.endsAfter(child.key, 0, child.key.length, Buffer.byteLength(line))) this.#emitNode();
  }

  /** Ends the last node, if one is open. */
  flush(): void {
    if (this.#children.length > 0) this.#emitNode();
    this.#boundary.reset();
  }

  #emitNode(): void {
    const children = this.#children;
    const bytes = Buffer.from(encodeHeader(this.#level) + this.#text, 'utf8');
    this.#children = [];
    this.#text = '';
    const last = children.at(-1) as Child;
    this.#emit({ key: last.key, hash: sha256(bytes), ...sumChildren(children) }, bytes, children);
  }
}
