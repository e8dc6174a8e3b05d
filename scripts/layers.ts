/**
 * What may import what: the table behind the lint rules (oxlint.config.ts) and the scan of imports
 * (test/meta/layers.test.ts). The drawing is in docs/architecture.md.
 */

/** Each folder of src/, from the lowest up, with the other folders it may import from. */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  store: ['base'],
  tree: ['base', 'store'],
  records: ['base', 'store', 'tree'],
  formats: ['base', 'records'],
  split: ['base', 'records'],
  checks: ['base', 'records'],
  evaluation: ['base', 'records'],
  gates: ['base', 'evaluation'],
  events: ['base', 'records'],
  catalogue: ['base'],
  report: ['base', 'store', 'records', 'formats'],
  repo: [
    'base',
    'store',
    'tree',
    'records',
    'formats',
    'split',
    'checks',
    'evaluation',
    'gates',
    'events',
    'catalogue',
    'report',
  ],
  cli: ['base', 'records', 'formats', 'checks', 'evaluation', 'gates', 'events', 'report', 'repo'],
};

/** Third-party packages, each with the one file or folder that may import it; null: nothing under src/ may. */
export const PACKAGE_HOMES: Readonly<Record<string, string | null>> = {
  '@aws-sdk/client-s3': 'src/store/s3-bucket.ts',
  'better-sqlite3': 'src/catalogue/database.ts',
  cloudevents: 'src/events/sinks/webhook-sink.ts',
  commander: 'src/cli/',
  'crypto-js': null,
  diff: 'src/records/record-diff.ts',
  eld: 'src/checks/language-identifier.ts',
  fflate: 'src/formats/archive.ts',
  hyparquet: 'src/formats/parquet/',
  'hyparquet-writer': 'src/formats/parquet/',
  'ipaddr.js': 'src/events/sinks/webhook-target.ts',
  'ml-matrix': null,
  parse5: null,
  saxes: 'src/formats/xlsx/xml-stream.ts',
  standardwebhooks: 'src/events/sinks/webhook-signature.ts',
  undici: 'src/events/sinks/webhook-sink.ts',
  yaml: 'src/formats/yaml-document.ts',
  yauzl: 'src/formats/archive.ts',
};

/** The files that may write, rename or append by themselves; everything else goes through the first one. */
export const WRITERS: Readonly<Record<string, string>> = {
  'src/store/durable-file.ts': 'the way files are written',
  'src/store/folder-lock.ts': 'a lock is a rename, and holds no data',
  'src/events/sinks/file-sink.ts': 'appends to a file that is not ours, and syncs it',
  'src/repo/ensure-line.ts': 'appends one line to .gitignore or .gitattributes',
  'src/catalogue/salvage.ts': 'moves a damaged catalogue out of the way',
  'src/repo/init.ts': 'writes .uttr/.gitignore, before there is anything to lose',
  'src/repo/run-store.ts': 'sorted runs live no longer than the sort',
};
