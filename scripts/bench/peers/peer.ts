/** What every program does in a comparison: the same things with the same data, in its own words. */

/** Where a program sends its data. */
export interface Remote {
  /** A folder; or, with an endpoint, the address of a prefix in a bucket, s3://bucket/prefix. */
  readonly url: string;
  readonly endpoint: string | undefined;
}

/** A folder to work in, and where its data is sent. */
export interface Site {
  readonly folder: string;
  readonly remote: Remote;
}

/** A state of the dataset. */
export interface State {
  /** The dataset as one JSONL file. */
  readonly whole: string;
  /** What is new in it, where the program can take that alone. */
  readonly batch: string;
}

/** A program with its arguments; it runs in the folder of its site unless it says otherwise. */
export interface Command {
  readonly args: readonly string[];
  readonly cwd?: string;
}

export interface Peer {
  readonly name: string;
  readonly version: string;
  readonly remotes: readonly ('folder' | 's3')[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Makes an empty project. Not measured. */
  create(site: Site): readonly Command[];
  /** Puts a state where the program looks for it, as whoever made it would have. Not measured. */
  place?(site: Site, state: State): void;
  /** Records the state that was placed. */
  record(site: Site, state: State): readonly Command[];
  /** Sends what was recorded; nothing where recording did. */
  push(site: Site): readonly Command[];
  /** Says what has changed, which is nothing. */
  status?(site: Site): readonly Command[];
  /** Keeps what was recorded last under a name, for whoever compares it later. Not measured. */
  keep?(site: Site, name: string): readonly Command[];
  /** Says which rows changed between two states that were kept. */
  changes?(site: Site, span: Span): Prepared;
  /** The same, as somebody new says it, who has nothing but git's part of the project. */
  changesAfar?(site: Site, into: string, span: Span): Prepared;
  /** Writes the recorded dataset out as plain files, into a place that is empty. */
  write?(site: Site): Prepared;
  /** Fetches the newest state as somebody new does; all of it where the program cannot fetch the test side alone. */
  fetch?(site: Site, into: string, part: 'all' | 'test'): Prepared;
}

/** Two states that were kept under these names, the older one first. */
export type Span = readonly [string, string];

export interface Prepared {
  /** Not measured. */
  readonly before: readonly Command[];
  readonly measured: readonly Command[];
}
