/**
 * Writes Rasa NLU JSON, an example on each line: the one form of Rasa's that carries any text.
 *
 * What Rasa has no key for is in `metadata.example`, where Rasa keeps it when it converts from YAML.
 */
import { canonicalJson, JSON_DEPTH_LIMIT, type JsonValue } from '../../base/canonical-json.ts';
import { throwIfAborted } from '../../base/errors.ts';
import type { Entity, UtteranceRecord } from '../../records/record.ts';
import type { RecordSource, WriteOptions } from '../format.ts';
import type { WriteReportBuilder } from '../write-report.ts';
import { formatIntent } from './intents.ts';
import { loseDefaults } from './losses.ts';
import { metadataOf } from './metadata.ts';

const HEAD = '{\n  "rasa_nlu_data": {\n    "common_examples": [';
const TAIL = '\n    ],\n    "entity_synonyms": [],\n    "lookup_tables": [],\n    "regex_features": []\n  }\n}\n';

/** What the metadata of an example is inside: the document, its one key, the list, the example and its metadata. */
const LEVELS_ABOVE = 5;

export async function* writeRasaJson(
  source: RecordSource,
  options: WriteOptions,
  report: WriteReportBuilder,
): AsyncGenerator<Buffer> {
  yield Buffer.from(HEAD);
  for await (const records of source()) {
    throwIfAborted(options.signal);
    let part = '';
    for (const record of records) {
      const example = formatExample(record, report);
      if (example === undefined) continue;
      part += `${report.records === 0 ? '' : ','}\n      ${example}`;
      report.records++;
    }
    if (part !== '') yield Buffer.from(part);
  }
  yield Buffer.from(TAIL);
}

function formatExample(record: UtteranceRecord, report: WriteReportBuilder): string | undefined {
  const intent = formatIntent(record);
  if (intent === undefined && record.intent !== undefined) {
    report.lose('record', 'intents whose names Rasa would divide at "+" otherwise');
    return undefined;
  }
  const metadata = metadataOf(record, intent?.isKept === true);
  if (depthOf(metadata) > JSON_DEPTH_LIMIT - LEVELS_ABOVE) {
    report.lose('record', 'meta nested so deep that the file could not be read');
    return undefined;
  }
  loseDefaults(record, report);
  const fields = [`"text": ${JSON.stringify(record.text)}`];
  if (intent !== undefined) fields.push(`"intent": ${JSON.stringify(intent.name)}`);
  fields.push(`"entities": [${(record.entities ?? []).map(formatEntity).join(', ')}]`);
  if (metadata !== undefined) fields.push(`"metadata": {"example": ${canonicalJson(metadata as JsonValue)}}`);
  return `{${fields.join(', ')}}`;
}

/** Levels of objects and lists; a record has few enough for a recursion. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function formatEntity({ start, end, text, value = text, type, role, group }: Entity): string {
  const fields = Object.entries({ start, end, value, entity: type, role, group });
  const shown = fields.filter(([, field]) => field !== undefined);
  return `{${shown.map(([name, field]) => `"${name}": ${JSON.stringify(field)}`).join(', ')}}`;
}
