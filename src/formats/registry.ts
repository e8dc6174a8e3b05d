/** All file formats, and which of them a file is in. */
import { UttrError } from '../base/errors.ts';
import { hintFor } from '../base/near-miss.ts';
import { cluFormat } from './clu/clu.ts';
import { conllFormat } from './conll/conll.ts';
import { csvFormat, tsvFormat } from './csv.ts';
import { dialogflowCxFormat } from './dialogflow/dialogflow-cx.ts';
import { dialogflowEsFormat } from './dialogflow/dialogflow-es.ts';
import type { Format } from './format.ts';
import { huggingFaceFormat } from './huggingface/huggingface.ts';
import { jsonFormat } from './json.ts';
import { jsonlFormat } from './jsonl.ts';
import { lexFormat } from './lex/lex.ts';
import { luFormat } from './lu/lu.ts';
import { luisFormat } from './luis/luis.ts';
import { nlpjsFormat } from './nlpjs/nlpjs.ts';
import { parquetFormat } from './parquet/parquet.ts';
import { rasaJsonFormat } from './rasa/rasa-json.ts';
import { rasaMdFormat } from './rasa/rasa-md.ts';
import { rasaYamlFormat } from './rasa/rasa-yaml.ts';
import { nluppFormat } from './research/nlupp.ts';
import { sebischairFormat } from './research/sebischair.ts';
import { binaryKind } from './signature.ts';
import { snipsFormat, snipsYamlFormat } from './snips/snips.ts';
import { witJsonFormat } from './wit/wit-json.ts';
import { witFormat } from './wit/wit.ts';
import { xlsxFormat } from './xlsx/xlsx-format.ts';

/** Where two formats are equally sure, the first one is taken. */
export const FORMATS: readonly Format[] = [
  jsonlFormat,
  csvFormat,
  tsvFormat,
  jsonFormat,
  dialogflowEsFormat,
  dialogflowCxFormat,
  witFormat,
  witJsonFormat,
  lexFormat,
  luisFormat,
  cluFormat,
  sebischairFormat,
  nluppFormat,
  xlsxFormat,
  rasaYamlFormat,
  rasaMdFormat,
  rasaJsonFormat,
  parquetFormat,
  huggingFaceFormat,
  luFormat,
  snipsFormat,
  snipsYamlFormat,
  nlpjsFormat,
  conllFormat,
];

/** How much of a file `detectFormat` wants to see. */
export const HEAD_BYTES = 64 * 1024;

/** Confidence that content alone must give. */
const SURE = 0.5;
/** No other format is asked: looking for columns in what is JSON takes longer than reading a small batch. */
const CERTAIN = 0.9;

export interface DetectedFormat {
  readonly format: Format;
  /** For a message: "by its content", "by its name". */
  readonly reason: string;
}

/**
 * Says which format a file is in, from its first bytes and its name.
 *
 * @throws bad-format, naming what the file looks like and what is read.
 */
export function detectFormat(head: Uint8Array, fileName: string): DetectedFormat {
  let best: Format | undefined;
  let confidence = 0;
  for (const format of FORMATS) {
    const found = format.sniff(head, fileName);
    if (found > confidence) {
      best = format;
      confidence = found;
    }
    if (confidence >= CERTAIN) break;
  }
  if (best === undefined) throw unknownFormat(head, fileName);
  return { format: best, reason: confidence > SURE ? 'by its content' : 'by its name' };
}

/**
 * The same for an archive, or a folder that is read as one, from the paths of its files.
 *
 * @throws bad-format
 */
export function detectArchive(paths: readonly string[], fileName: string): DetectedFormat {
  let best: Format | undefined;
  let confidence = 0;
  for (const format of FORMATS) {
    const found = format.sniffArchive?.(paths) ?? 0;
    if (found > confidence) [best, confidence] = [format, found];
  }
  if (best !== undefined) return { format: best, reason: 'by the files in it' };
  const shown = paths.slice(0, 5).join(', ');
  throw new UttrError('bad-format', `${fileName} holds no format that uttr knows`, {
    hint: `it has ${shown}${paths.length > 5 ? ', …' : ''}; name the files with the data one by one`,
    details: { file: fileName },
  });
}

/** The format that `--format` names. @throws bad-option */
export function formatByName(name: string): Format {
  const wanted = name.toLowerCase();
  const format = FORMATS.find((candidate) => candidate.name === wanted);
  if (format !== undefined) return format;
  const names = FORMATS.map((candidate) => candidate.name);
  throw new UttrError('bad-option', `there is no format "${name}"`, { hint: hintFor(name, names, 'formats') });
}

function unknownFormat(head: Uint8Array, fileName: string): UttrError {
  const binary = binaryKind(head);
  const kind = head.length === 0 ? 'empty' : (binary ?? 'in no format that uttr knows');
  const known = FORMATS.map((format) => `${format.title} (${format.extensions.join(', ')})`);
  return new UttrError('bad-format', `${fileName} is ${kind}`, {
    hint:
      binary === undefined
        ? `uttr reads ${known.join('; ')}; if it is one of these, say --format`
        : 'export the data as a table in UTF-8 (.csv, .tsv), or as JSON (.json, .jsonl)',
    details: { file: fileName },
  });
}
