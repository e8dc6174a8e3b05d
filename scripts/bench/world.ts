/** What all scenarios share: generated files, and a project with a first import for each size, made once. */
import type { Target } from './figures.ts';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Corpus } from './corpus.ts';
import { batch, type DatasetShape, generate, relabels, writeLines } from './generate.ts';
import type { Run } from './measure.ts';
import { DATASET, Project, settleDisk, type Sizes } from './project.ts';
import type { QuietRuns } from './quiet.ts';

/** All data is of this seed. */
export const SEED = 1;

/** Rows for which the targets are promised. */
const FULL_ROWS = 1_000_000;

export interface WorldOptions {
  /** Rows of the dataset. */
  readonly rows: number;
  /** What is varied; without it, all texts are made up. */
  readonly corpus: Corpus | undefined;
  /** Runs whose median is taken; half as many for what takes long. */
  readonly repeat: number;
  /** Runs uttr. */
  readonly command: readonly string[];
  /** Generated files, all of the same corpus: these can stay for the next time. */
  readonly dataFolder: string;
  readonly scratchFolder: string;
  /** Each run goes through here. */
  readonly quiet: QuietRuns;
  readonly note: (text: string) => void;
}

/** The commands of one first import. */
export interface ImportRuns {
  readonly add: Run;
  readonly commit: Run;
  readonly push: Run;
}

/** A project with one version, pushed, saved, and in git. */
export interface FirstImport {
  readonly project: Project;
  readonly runs: readonly ImportRuns[];
  readonly sizes: Sizes;
}

export class World {
  readonly options: WorldOptions;
  readonly #imports = new Map<number, FirstImport>();

  constructor(options: WorldOptions) {
    this.options = options;
  }

  get rows(): number {
    return this.options.rows;
  }

  /** A promise holds for the full size only. */
  promised(target: Target): Target | undefined {
    return this.rows === FULL_ROWS ? target : undefined;
  }

  /** Whether it is so much larger that its figures stand beside the others. */
  get isLarge(): boolean {
    return this.rows > FULL_ROWS;
  }

  note(text: string): void {
    this.options.note(text);
  }

  datasetFile(rows: number): Promise<string> {
    return this.#file(`dataset-${rows}`, () => generate(this.#shape(rows)));
  }

  /** New rows for any dataset. */
  batchFile(rows: number): Promise<string> {
    return this.#file(`batch-${rows}`, () => this.newRows(rows, SEED));
  }

  /** As lines; no two seeds have one in common. */
  newRows(rows: number, seed: number): Iterable<string> {
    return batch(this.#shape(rows, seed));
  }

  /** Rows of a dataset of `rows`, scattered over it, with another intent. */
  relabelFile(rows: number, count: number): Promise<string> {
    return this.#file(`relabels-${count}-of-${rows}`, () => relabels(this.#shape(rows), count, SEED));
  }

  /** The project with `rows` rows, as it was after its first push; imported `repeat` times, or once, the first time. */
  async imported(rows: number, repeat = 1): Promise<FirstImport> {
    let found = this.#imports.get(rows);
    if (found === undefined || found.runs.length < repeat) {
      found = await this.#import(rows, repeat);
      this.#imports.set(rows, found);
    }
    found.project.restore();
    return found;
  }

  async #import(rows: number, repeat: number): Promise<FirstImport> {
    const file = await this.datasetFile(rows);
    const project = new Project(join(this.options.scratchFolder, `rows-${rows}`), this.options.command);
    const runs: ImportRuns[] = [];
    for (let run = 1; run <= repeat; run += 1) {
      this.note(`first import of ${rows} rows, ${run} of ${repeat}`);
      runs.push(
        await this.options.quiet.run(
          () => importOnce(project, file),
          async () => {
            await project.create();
            settleDisk();
          },
        ),
      );
    }
    project.commitToGit('first import');
    project.save();
    return { project, runs, sizes: project.sizes() };
  }

  #shape(rows: number, seed = SEED): DatasetShape {
    return { rows, seed, corpus: this.options.corpus };
  }

  async #file(name: string, lines: () => Iterable<string>): Promise<string> {
    const path = join(this.options.dataFolder, `${name}-seed-${SEED}.jsonl`);
    if (existsSync(path)) return path;
    this.note(`making ${path}`);
    await writeLines(`${path}.new`, lines());
    renameSync(`${path}.new`, path);
    return path;
  }
}

async function importOnce(project: Project, file: string): Promise<ImportRuns> {
  const add = await project.uttr('add', DATASET, file);
  const commit = await project.uttr('commit', '--message', 'first import');
  const push = await project.uttr('push');
  return { add, commit, push };
}
