/** What `add` can be told. */
import type { ReadOptions } from '../formats/format.ts';
import type { ConflictPolicy } from './group-state.ts';

export interface AddOptions {
  /** Format of all files; recognised one by one by default. */
  readonly format?: string | undefined;
  readonly read?: ReadOptions | undefined;
  readonly onConflict?: ConflictPolicy | undefined;
  /** Allows a second, third … dataset to be made. */
  readonly allowNew?: boolean | undefined;
  /** The files are the whole dataset. */
  readonly replace?: boolean | undefined;
  /** Where bad rows are written; without it, one bad row stops the batch. */
  readonly rejects?: string | undefined;
  /** Whether records go to the sides that the files have them on; a group that has a side already keeps it. */
  readonly split?: 'adopt' | 'ignore' | undefined;
  /** Whether texts are cleaned as the dataset's configuration says; true by default. */
  readonly clean?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  /** Where the batch is written with what became of each row and what is wrong with it: .html or .xlsx. */
  readonly report?: string | undefined;
}
