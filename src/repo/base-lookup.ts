import { amongNodes, type ChunkSource } from '../store/chunks.ts';
import type { Manifest } from '../records/manifest.ts';
import { TreeReader } from '../tree/reader.ts';
import { NO_HOME } from './staged-file.ts';

const TAB = Buffer.from('\t');

/** A group as a version has it. */
export interface BaseGroup {
  /** The side it is on; `~side` when it left the data and would come back there; `-` when it never had one. */
  readonly home: string;
  /** Its records in key order: canonical JSON by key. */
  readonly members: ReadonlyMap<string, string>;
}

const NOTHING: BaseGroup = { home: NO_HOME, members: new Map() };

/** Looks groups up in a version, in any number of trees at once. */
export class BaseLookup {
  readonly #sides: readonly { readonly home: string | undefined; readonly reader: TreeReader }[];
  readonly #retired: TreeReader | undefined;
  readonly #filter: { mayHave(fold: Buffer): boolean } | undefined;

  /**
   * @param manifest undefined for a dataset without versions: nothing is found
   * @param filter knows of groups that they are not there, so that no tree need be read for them
   */
  constructor(chunks: ChunkSource, manifest: Manifest | undefined, filter?: { mayHave(fold: Buffer): boolean }) {
    this.#filter = filter;
    const sides: { home: string | undefined; reader: TreeReader }[] = [];
    if (manifest !== undefined) {
      for (const [side, tree] of Object.entries(manifest.sides)) {
        if (tree.root !== null) sides.push({ home: side, reader: new TreeReader(chunks, tree) });
      }
      if (manifest.unlabelled.root !== null) {
        sides.push({ home: undefined, reader: new TreeReader(chunks, manifest.unlabelled) });
      }
    }
    this.#sides = sides;
    this.#retired =
      manifest === undefined || manifest.retired.root === null
        ? undefined
        : new TreeReader(amongNodes(chunks), manifest.retired);
  }

  /** Whether nothing can ever be found: the dataset is new or was emptied without a trace. */
  get isEmpty(): boolean {
    return this.#sides.length === 0 && this.#retired === undefined;
  }

  /** The groups of folded texts (distinct, in the order of their keys), in the order asked. */
  async groups(folds: readonly Buffer[]): Promise<BaseGroup[]> {
    if (this.isEmpty) return folds.map(() => NOTHING);
    const filter = this.#filter;
    if (filter === undefined) return this.#lookUp(folds);
    const isAsked = folds.map((fold) => filter.mayHave(fold));
    const found = await this.#lookUp(folds.filter((_, index) => isAsked[index]));
    let next = 0;
    return isAsked.map((asked) => (asked ? (found[next++] as BaseGroup) : NOTHING));
  }

  async #lookUp(folds: readonly Buffer[]): Promise<BaseGroup[]> {
    if (folds.length === 0) return [];
    const prefixes = folds.map((fold) => Buffer.concat([fold, TAB]));
    const found = await Promise.all(this.#sides.map(({ reader }) => reader.prefixes(prefixes)));
    const retired = this.#retired === undefined ? undefined : await valuesOf(this.#retired, folds);
    return folds.map((_, index) => {
      const members: [Buffer, string][] = [];
      let home: string | undefined;
      for (const [number, side] of this.#sides.entries()) {
        const entries = found[number]?.[index] ?? [];
        if (entries.length > 0 && side.home !== undefined) home = side.home;
        for (const entry of entries) members.push([entry.key, entry.value.toString('utf8')]);
      }
      if (home === undefined) {
        const left = retired?.[index];
        home = left === undefined ? NO_HOME : `~${JSON.parse(left.toString('utf8')) as string}`;
      }
      members.sort(([a], [b]) => Buffer.compare(a, b));
      return { home, members: new Map(members.map(([key, value]) => [key.toString('utf8'), value])) };
    });
  }
}

/** Values of the retired tree, which has an order of its own. */
async function valuesOf(retired: TreeReader, folds: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
  const order = folds.map((_, index) => index);
  order.sort((a, b) => Buffer.compare(folds[a] as Buffer, folds[b] as Buffer));
  const found = await retired.getMany(order.map((index) => folds[index] as Buffer));
  const values: (Buffer | undefined)[] = folds.map(() => undefined);
  for (const [position, index] of order.entries()) values[index] = found[position];
  return values;
}
