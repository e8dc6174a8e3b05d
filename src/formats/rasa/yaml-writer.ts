/**
 * Writes Rasa NLU YAML 3.1.
 *
 *   version: "3.1"
 *   nlu:
 *   - intent: name               in the order of the names
 *     examples: |
 *       - fly to [Berlin](city)
 *   - intent: other              a list where one of the examples has metadata, or characters that end a line
 *     examples:
 *     - text: "hi"
 *       metadata: {"role":"agent"}
 *
 * Strings are written as JSON where they are not plain beyond doubt: YAML 1.1 and 1.2 both read them as they are.
 * Examples are grouped by intent, so the lines of all of them are in memory before the first is written.
 */
import { canonicalJson, type JsonValue } from '../../base/canonical-json.ts';
import { throwIfAborted } from '../../base/errors.ts';
import type { UtteranceRecord } from '../../records/record.ts';
import type { RecordSource, WriteOptions } from '../format.ts';
import type { WriteReportBuilder } from '../write-report.ts';
import { formatAnnotated } from './annotations.ts';
import { formatIntent } from './intents.ts';
import { loseDefaults } from './losses.ts';
import { metadataOf } from './metadata.ts';
import { PLAIN_NAME } from './plain-item.ts';

/** Lines that go out together. */
const PART_LINES = 2000;

/** An example with its entities marked. */
interface Example {
  readonly line: string;
  /** As JSON. */
  readonly metadata: string | undefined;
}

export async function* writeRasaYaml(
  source: RecordSource,
  options: WriteOptions,
  report: WriteReportBuilder,
): AsyncGenerator<Buffer> {
  const intents = new Map<string, Example[]>();
  for await (const records of source()) {
    throwIfAborted(options.signal);
    for (const record of records) take(intents, record, report);
  }
  yield Buffer.from(`version: "3.1"\nnlu:${intents.size === 0 ? ' []' : ''}\n`);
  for (const name of [...intents.keys()].sort()) {
    let lines: string[] = [];
    for (const line of itemLines(name, intents.get(name) as readonly Example[])) {
      lines.push(line);
      if (lines.length < PART_LINES) continue;
      throwIfAborted(options.signal);
      yield Buffer.from(`${lines.join('\n')}\n`);
      lines = [];
    }
    if (lines.length > 0) yield Buffer.from(`${lines.join('\n')}\n`);
  }
}

function take(intents: Map<string, Example[]>, record: UtteranceRecord, report: WriteReportBuilder): void {
  const intent = formatIntent(record);
  if (intent === undefined) {
    const isUnlabelled = record.intent === undefined;
    report.lose('record', isUnlabelled ? 'no intent' : 'intents whose names Rasa would divide at "+" otherwise');
    return;
  }
  const line = formatAnnotated(record);
  if (line === undefined) {
    report.lose('record', 'brackets or entities that Rasa would read otherwise (rasa-json carries them)');
    return;
  }
  report.records++;
  loseDefaults(record, report);
  const metadata = metadataOf(record, intent.isKept);
  const example = {
    line,
    metadata: metadata === undefined ? undefined : quoteAll(canonicalJson(metadata as JsonValue)),
  };
  const examples = intents.get(intent.name);
  if (examples === undefined) intents.set(intent.name, [example]);
  else examples.push(example);
}

/**
 * Whether a text can be a line of a block. Not, where a reader could see the end of a line in it, or a character that
 * YAML does not allow: Rasa cuts blocks where Python ends lines.
 */
function isBlockLine(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- it is control characters that are looked for
  return !/[\0-\x08\n-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/u.test(text);
}

function* itemLines(name: string, examples: readonly Example[]): Generator<string> {
  yield `- intent: ${formatName(name)}`;
  if (examples.every(({ line, metadata }) => metadata === undefined && isBlockLine(line))) {
    yield '  examples: |';
    for (const { line } of examples) yield `    - ${line}`;
    return;
  }
  yield '  examples:';
  for (const { line, metadata } of examples) {
    yield `  - text: ${quoteAll(JSON.stringify(line))}`;
    if (metadata !== undefined) yield `    metadata: ${metadata}`;
  }
}

/** What YAML 1.1 or 1.2 takes for no text. */
const RESERVED = /^(?:null|true|false|yes|no|on|off|y|n)$/iu;

/** A name that is plain in every YAML, or a quoted one. */
function formatName(name: string): string {
  const isPlain = PLAIN_NAME.test(name) && !RESERVED.test(name);
  return isPlain ? name : quoteAll(JSON.stringify(name));
}

/** Escapes in JSON what JSON allows as it is and YAML does not, or reads as the end of a line. */
function quoteAll(json: string): string {
  return json.replaceAll(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
