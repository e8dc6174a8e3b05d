/** How a dataset grows in a comparison: its first state, batches of new rows, and rows with another intent. */
import { once } from 'node:events';
import { appendFileSync, copyFileSync, createReadStream, createWriteStream, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { writeLines } from './generate.ts';
import type { State } from './peers/peer.ts';
import type { World } from './world.ts';

/** The states of one history, each made when it is asked for; only the newest whole file is kept. */
export class History {
  readonly #world: World;
  readonly #whole: string;
  #batches = 0;

  constructor(world: World) {
    this.#world = world;
    this.#whole = join(world.options.scratchFolder, 'whole.jsonl');
  }

  async first(): Promise<State> {
    const file = await this.#world.datasetFile(this.#world.rows);
    copyFileSync(file, this.#whole);
    return { whole: this.#whole, batch: file };
  }

  /** New rows at the end: no two batches have one in common. */
  async addBatch(rows: number): Promise<State> {
    const path = join(this.#world.options.scratchFolder, `batch-${++this.#batches}.jsonl`);
    await writeLines(path, this.#world.newRows(rows, 1000 + this.#batches));
    appendFileSync(this.#whole, readFileSync(path));
    return { whole: this.#whole, batch: path };
  }

  /** Other intents for rows of the first state, scattered over it. */
  async relabel(count: number): Promise<State> {
    const path = await this.#world.relabelFile(this.#world.rows, count);
    const byText = new Map(
      readFileSync(path, 'utf8')
        .split('\n')
        .flatMap((line) => (line === '' ? [] : [[textOf(line), line]])),
    );
    const draft = createWriteStream(`${this.#whole}.new`);
    for await (const line of createInterface({ input: createReadStream(this.#whole), crlfDelay: Infinity })) {
      if (!draft.write(`${byText.get(textOf(line)) ?? line}\n`)) await once(draft, 'drain');
    }
    await finished(draft.end());
    renameSync(`${this.#whole}.new`, this.#whole);
    return { whole: this.#whole, batch: path };
  }
}

/** The text is the last field of a generated row. */
function textOf(line: string): string {
  return line.slice(line.lastIndexOf('","text":"'));
}
