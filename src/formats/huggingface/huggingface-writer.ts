/**
 * Writes a Hugging Face dataset folder, which `datasets.load_dataset` reads as it is.
 *
 *   README.md                            front matter: the files of each split, and the columns
 *   data/<side>-00000-of-00001.parquet   one file for each side
 *
 * A side without records has its file, but is no split in the front matter: `datasets` refuses a split without rows,
 * and the other ones with it.
 */
import { UttrError } from '../../base/errors.ts';
import type { FolderFile, RecordSource, SideSource, WriteOptions } from '../format.ts';
import { PARQUET_COLUMNS, writeParquet } from '../parquet/parquet-writer.ts';
import type { WriteReportBuilder } from '../write-report.ts';

export async function* writeHuggingFace(
  sides: readonly SideSource[],
  options: WriteOptions,
  report: WriteReportBuilder,
): AsyncGenerator<FolderFile> {
  const files = filesOf(sides);
  const splits: SideFile[] = [];
  for (const file of files) if (await hasRecords(file.source)) splits.push(file);
  yield {
    path: 'README.md',
    bytes: (async function* () {
      yield Buffer.from(card(splits, options.name));
    })(),
  };
  for (const { side, path, source } of files)
    yield { path, side, format: 'parquet', bytes: writeParquet(source, options, report) };
}

interface SideFile extends SideSource {
  readonly split: string;
  readonly path: string;
}

/** @throws bad-option where two sides would be one split */
function filesOf(sides: readonly SideSource[]): readonly SideFile[] {
  const files = sides.map(({ side, source }) => ({
    side,
    source,
    // Names of splits are words.
    split: side.replaceAll(/\W/gu, '_'),
    path: `data/${side}-00000-of-00001.parquet`,
  }));
  const names = new Set(files.map(({ split }) => split));
  if (names.size === files.length) return files;
  throw new UttrError(
    'bad-option',
    'two sides have names that differ in a hyphen only, which Hugging Face does not allow',
    {
      hint: 'write them one by one with --side',
    },
  );
}

async function hasRecords(source: RecordSource): Promise<boolean> {
  for await (const records of source()) if (records.length > 0) return true;
  return false;
}

function card(files: readonly SideFile[], name: string | undefined): string {
  return [
    '---',
    'configs:',
    '- config_name: default',
    files.length === 0 ? '  data_files: []' : '  data_files:',
    ...files.flatMap(({ split, path }) => [`  - split: ${JSON.stringify(split)}`, `    path: ${JSON.stringify(path)}`]),
    'dataset_info:',
    '  features:',
    ...PARQUET_COLUMNS.flatMap((column) => [`  - name: ${column}`, '    dtype: string']),
    '---',
    '',
    `# ${name ?? 'Utterances'}`,
    '',
    'Each row is an utterance: its text, its intent (a JSON list where there are several, null where there is none), an id',
    'and a language. The columns `entities`, `features` and `meta` are JSON.',
    '',
  ].join('\n');
}
