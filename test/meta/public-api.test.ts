import { expect, test } from 'vitest';
import * as library from '../../src/index.ts';
import { projectFile } from './project-files.ts';

/** Names that index.ts exports as types only; they leave no trace at run time. */
function typeNames(): string[] {
  return [...projectFile('src/index.ts').matchAll(/export type \{([^}]*)\}/gu)].flatMap(([, names]) =>
    (names as string)
      .split(',')
      .map((name) => name.trim().split(' as ').at(-1) as string)
      .filter((name) => name !== ''),
  );
}

test('the library exports these values', () => {
  expect(Object.keys(library).toSorted()).toMatchInlineSnapshot(`
    [
      "EXIT_CODES",
      "Repository",
      "UttrError",
      "add",
      "addRemote",
      "addTag",
      "betweenVersions",
      "blame",
      "commit",
      "deliverEvents",
      "diffStream",
      "diffVersions",
      "exportVersion",
      "findRecords",
      "fold",
      "fsck",
      "fsckRemote",
      "headVersion",
      "init",
      "isUttrError",
      "listTags",
      "log",
      "makeRecord",
      "mergeVersions",
      "norm",
      "parseTarget",
      "pull",
      "push",
      "recordKey",
      "relabelRecords",
      "removeRecords",
      "removeRemote",
      "removeTag",
      "reset",
      "resolveVersion",
      "sampleRecords",
      "settleMerge",
      "show",
      "status",
      "versionStats",
    ]
  `);
});

test('the library exports these types', () => {
  expect(typeNames().toSorted()).toMatchInlineSnapshot(`
    [
      "AddOptions",
      "AddSummary",
      "BatchSource",
      "Blame",
      "Clock",
      "CommitOptions",
      "CommitSummary",
      "Decision",
      "DeliverySettings",
      "DiffChange",
      "DiffFilter",
      "DiffSummary",
      "EditSummary",
      "Entity",
      "ErrorCode",
      "ErrorKind",
      "ExportOptions",
      "ExportSummary",
      "FeatureValue",
      "FoundRecord",
      "FsckReport",
      "InitSummary",
      "LogEntry",
      "LooseRecord",
      "MadeRecord",
      "Manifest",
      "MergeSummary",
      "Progress",
      "PullOptions",
      "PullSummary",
      "Random",
      "RecordFilter",
      "Selection",
      "ShownVersion",
      "Status",
      "Surroundings",
      "Target",
      "TransferSummary",
      "UtteranceRecord",
      "Version",
      "VersionStats",
    ]
  `);
});

test('the library re-exports and does nothing else', () => {
  const code = projectFile('src/index.ts').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/gu, '');
  const rest = code.replaceAll(/export (?:type )?\{[^}]*\} from '\.\/[^']+\.ts';/gu, '').trim();
  expect(rest).toBe('');
});
