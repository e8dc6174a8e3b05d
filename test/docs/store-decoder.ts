/** Sections 5, 8 and 9 of docs/format.md, written from the page: a folder store, its trees and versions. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EndRule } from './boundary.ts';
import { canonical, type Json, sha256, type StoredRecord } from './forms.ts';
import { type DecodedFrame, decodePack, openFrame } from './pack-decoder.ts';

export interface Tree {
  readonly root: string | null;
  readonly height: number;
  readonly records: number;
  readonly bytes: number;
}

export interface Manifest {
  readonly uttr: number;
  readonly dataset: string;
  readonly parents: readonly string[];
  readonly content: string;
  readonly sides: Readonly<Record<string, Tree & { readonly groups: number }>>;
  readonly unlabelled: Tree;
  readonly retired: Tree;
  readonly split: {
    readonly method: 'sticky' | 'hash';
    readonly sides: Readonly<Record<string, number>>;
    readonly salt: string;
    readonly stratify: readonly string[];
  };
  readonly identity: readonly string[];
  readonly normaliser: number;
  readonly strata: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly intents: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly batches: readonly { readonly name: string; readonly sha256: string; readonly rows: number }[];
  readonly changes: Readonly<Record<'added' | 'relabelled' | 'updated' | 'removed', number>> & {
    readonly list: Tree | null;
  };
  readonly crossed: number;
  readonly author: string;
  readonly message: string;
  readonly time: string;
}

export interface Entry {
  readonly key: string;
  readonly value: string;
}

interface Item {
  readonly key: Buffer;
  readonly size: number;
}

interface NodeChild extends Item {
  readonly name: string;
  readonly records: number;
  readonly bytes: number;
}

/** Hexadecimal digits of a short name. */
const SHORT = 32;

function require(claim: boolean, what: string): asserts claim {
  if (!claim) throw new Error(what);
}

/** A folder store, read whole. */
export class DecodedStore {
  readonly folder: string;
  /** Blob name to bytes. */
  readonly packs = new Map<string, Buffer>();
  readonly frames: DecodedFrame[] = [];
  readonly #where = new Map<string, DecodedFrame>();
  readonly #kind = new Map<string, Set<string>>();
  readonly #chunks = new Map<string, Buffer>();
  /** Trees that were read and checked, by their canonical JSON. */
  readonly #trees = new Map<string, Entry[]>();

  constructor(folder: string) {
    this.folder = folder;
    for (const kind of ['d', 'm']) {
      const path = join(folder, 'packs', kind);
      for (const ulid of existsSync(path) ? readdirSync(path) : []) this.#addPack(kind, ulid);
    }
  }

  #addPack(kind: string, ulid: string): void {
    require(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/u.test(ulid), `${ulid} is a ULID`);
    const bytes = readFileSync(join(this.folder, 'packs', kind, ulid));
    this.packs.set(`packs/${kind}/${ulid}`, bytes);
    for (const frame of decodePack(bytes).frames) {
      this.frames.push(frame);
      for (const { name } of frame.chunks) {
        const known = this.#where.get(name);
        if (known === undefined || frame.depth < known.depth) this.#where.set(name, frame);
        this.#kind.set(name, (this.#kind.get(name) ?? new Set()).add(kind));
      }
    }
  }

  /** Short names of all chunks. */
  get chunkNames(): string[] {
    return [...this.#where.keys()];
  }

  /** The kinds of pack that hold a chunk. */
  kinds(name: string): string[] {
    return [...(this.#kind.get(name.slice(0, SHORT)) ?? [])];
  }

  /** A chunk by its name, whole or short. */
  chunk(name: string): Buffer {
    const short = name.slice(0, SHORT);
    let bytes = this.#chunks.get(short);
    if (bytes === undefined) {
      const frame = this.#where.get(short);
      require(frame !== undefined, `a pack holds chunk ${name}`);
      for (const [each, chunk] of this.open(frame)) this.#chunks.set(each, chunk);
      bytes = this.#chunks.get(short) as Buffer;
    }
    require(sha256(bytes).startsWith(name), `chunk ${name} has the bytes of its whole name`);
    return bytes;
  }

  open(frame: DecodedFrame): Map<string, Buffer> {
    if (frame.dictionary.length === 0) return openFrame(frame, undefined);
    for (const name of frame.dictionary) {
      require((this.#where.get(name)?.depth ?? 16) < frame.depth, 'a dictionary chunk has a lesser depth');
    }
    return openFrame(frame, Buffer.concat(frame.dictionary.map((name) => this.chunk(name))));
  }

  manifest(version: string): Manifest {
    const text = this.chunk(version).toString('utf8');
    const value = JSON.parse(text) as Json;
    require(canonical(value) === text, 'a manifest is canonical JSON');
    return value as unknown as Manifest;
  }

  /** A blob of canonical JSON: a head, a log entry, a tag. */
  json(name: string): Record<string, Json> {
    const text = readFileSync(join(this.folder, name), 'utf8');
    const value = JSON.parse(text) as Record<string, Json>;
    require(canonical(value) === text, `${name} is canonical JSON`);
    return value;
  }

  /** The entries of a tree in order; order, encodings, totals and every place where a chunk ends are checked. */
  entries(tree: Tree): Entry[] {
    const { root, height, records, bytes } = tree;
    const name = canonical({ root, height, records, bytes });
    const known = this.#trees.get(name) ?? this.#read(tree);
    this.#trees.set(name, known);
    return known;
  }

  #read(tree: Tree): Entry[] {
    if (tree.root === null) {
      require(tree.height + tree.records + tree.bytes === 0, 'an empty tree has no size');
      return [];
    }
    let names = [tree.root];
    for (let level = tree.height; level > 0; level--) {
      const nodes = names.map((name) => this.#node(name, level));
      checkEnds(level, nodes);
      require(level < tree.height || nodes[0]?.length !== 1, 'the root does not stand over a single child');
      names = nodes.flat().map((child) => {
        this.#checkTotals(child, level - 1);
        return child.name;
      });
    }
    const leaves = names.map((name) => this.#leaf(name));
    checkEnds(0, leaves);
    const entries = leaves.flat();
    require(entries.length === tree.records, 'the tree has as many entries as it says');
    require(entries.reduce((sum, { size }) => sum + size, 0) === tree.bytes, 'its leaves have as many bytes');
    for (const [at, { key }] of entries.entries()) {
      const before = entries[at - 1]?.key;
      require(before === undefined || Buffer.compare(before, key) < 0, 'keys ascend');
    }
    return entries.map(({ key, value }) => ({ key: key.toString('utf8'), value }));
  }

  /** Every chunk of a tree. */
  treeChunks(tree: Tree): { readonly leaves: string[]; readonly nodes: string[] } {
    const nodes: string[] = [];
    let names = tree.root === null ? [] : [tree.root];
    for (let level = tree.height; level > 0; level--) {
      nodes.push(...names);
      names = names.flatMap((name) => this.#node(name, level).map((child) => child.name));
    }
    return { leaves: names, nodes };
  }

  #leaf(name: string): (Item & { readonly value: string })[] {
    const bytes = this.chunk(name);
    require(Buffer.from(bytes.toString('utf8')).equals(bytes) && bytes.at(-1) === 10, 'a leaf is lines of UTF-8');
    return bytes
      .toString('utf8')
      .slice(0, -1)
      .split('\n')
      .map((line) => {
        const tab = line.lastIndexOf('\t');
        require(tab >= 0, 'a line has a key and a value');
        return { key: Buffer.from(line.slice(0, tab)), value: line.slice(tab + 1), size: Buffer.byteLength(line) + 1 };
      });
  }

  #node(name: string, level: number): NodeChild[] {
    const [header, ...lines] = this.chunk(name).toString('utf8').slice(0, -1).split('\n');
    require(header === `node ${level}`, `chunk ${name} is a node of level ${level}`);
    return lines.map((line) => {
      const value = JSON.parse(line) as [string, string, number, number];
      require(canonical(value) === line, 'a child is canonical JSON');
      const [key, child, records, bytes] = value;
      return { key: Buffer.from(key), size: Buffer.byteLength(line) + 1, name: child, records, bytes };
    });
  }

  #checkTotals(child: NodeChild, level: number): void {
    if (level > 0) {
      const children = this.#node(child.name, level);
      require(children.at(-1)?.key.equals(child.key) === true, 'a child has the last key beneath it');
      require(children.reduce((sum, { records }) => sum + records, 0) === child.records, 'a child totals its records');
      require(children.reduce((sum, { bytes }) => sum + bytes, 0) === child.bytes, 'a child totals its bytes');
      return;
    }
    const entries = this.#leaf(child.name);
    require(entries.at(-1)?.key.equals(child.key) === true, 'a child has the last key of its leaf');
    require(entries.length === child.records && this.chunk(child.name).length === child.bytes, 'a leaf has its totals');
  }
}

/** Holds the chunks of a whole level against the rule of section 5.3. */
function checkEnds(level: number, chunks: readonly (readonly Item[])[]): void {
  const rule = new EndRule(level);
  for (const [number, items] of chunks.entries()) {
    for (const [at, { key, size }] of items.entries()) {
      const isLast = at === items.length - 1;
      const ends = rule.endsAfter(key, size);
      const isLevelsEnd = isLast && number === chunks.length - 1;
      require(ends === isLast || isLevelsEnd, `level ${level} ends its chunks by the rule`);
    }
  }
}

/** Section 9.2. */
export function contentOf(manifest: Manifest, digest: (text: string) => string = sha256): string {
  const sides = Object.fromEntries(Object.entries(manifest.sides).map(([side, { root }]) => [side, root]));
  return digest(canonical({ sides, unlabelled: manifest.unlabelled.root }));
}

/** Section 9.5. */
export function pointerOf(version: string, manifest: Manifest): string {
  const counts = Object.fromEntries(Object.entries(manifest.sides).map(([side, { records }]) => [side, records]));
  const records = Object.values(counts).reduce((sum, count) => sum + count, manifest.unlabelled.records);
  const { dataset, content, time } = manifest;
  const fields = { uttr: 1, dataset, version, content, records, sides: counts, updated: time };
  const lines = Object.entries(fields).map(([name, value]) => `  "${name}": ${canonical(value)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

export function recordOf(value: string): StoredRecord {
  const record = JSON.parse(value) as StoredRecord;
  require(canonical(record) === value, 'a record is canonical JSON');
  return record;
}
