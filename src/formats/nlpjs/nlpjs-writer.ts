/**
 * Writes nlp.js corpora: intents in order of their names, under each its texts in the order they come.
 *
 * Records of the side `test` are `tests`, all others `utterances`. The corpus declares no entities, so that an `@` in
 * a text is nothing but that.
 */
import { throwIfAborted } from '../../base/errors.ts';
import type { UtteranceRecord } from '../../records/record.ts';
import type { RecordSource, WriteOptions } from '../format.ts';
import type { WriteReportBuilder } from '../write-report.ts';

const DEFAULT_NAME = 'utterances';

/** Writes the records as a corpus. */
export async function* writeNlpjs(
  source: RecordSource,
  options: WriteOptions,
  report: WriteReportBuilder,
): AsyncGenerator<Buffer> {
  const texts = new Map<string, string[]>();
  const languages = new Map<string, number>();
  for await (const records of source()) {
    throwIfAborted(options.signal);
    for (const record of records) {
      const { intent, text, lang } = record;
      if (typeof intent !== 'string') {
        report.lose(
          'record',
          `an utterance of nlp.js ${intent === undefined ? 'needs an intent' : 'has one intent only'}`,
        );
        continue;
      }
      countLosses(record, report, options.side);
      const known = texts.get(intent);
      if (known === undefined) texts.set(intent, [text]);
      else known.push(text);
      if (lang !== undefined) languages.set(lang, (languages.get(lang) ?? 0) + 1);
      report.records++;
    }
  }
  const locale = localeOf(languages, report);
  yield Buffer.from(`{\n  "name": ${JSON.stringify(options.name ?? DEFAULT_NAME)},\n`);
  if (locale !== undefined) yield Buffer.from(`  "locale": ${JSON.stringify(locale)},\n`);
  yield Buffer.from('  "data": [');
  for (const [index, intent] of [...texts.keys()].sort().entries()) {
    const item = itemOf(intent, texts.get(intent) ?? [], options.side);
    yield Buffer.from(`${index === 0 ? '' : ','}\n    ${indented(item)}`);
  }
  yield Buffer.from(texts.size === 0 ? ']\n}\n' : '\n  ]\n}\n');
}

function countLosses(record: UtteranceRecord, report: WriteReportBuilder, side: string | undefined): void {
  for (const field of ['id', 'entities', 'features', 'meta'] as const) {
    if (record[field] !== undefined) report.lose(field, `a corpus of nlp.js has no place for "${field}"`);
  }
  if (side !== undefined && side !== 'train' && side !== 'test') {
    report.lose('split', `a corpus of nlp.js knows only utterances and tests, not "${side}"`);
  }
}

/** A corpus has one language: that of all its records, or none. */
function localeOf(languages: ReadonlyMap<string, number>, report: WriteReportBuilder): string | undefined {
  const [[language, count] = [undefined, 0]] = languages;
  if (count === report.records) return language;
  for (const times of languages.values()) {
    for (let time = 0; time < times; time++) {
      report.lose('lang', 'a corpus has one language, and these records have several, or not all have one');
    }
  }
  return undefined;
}

function itemOf(intent: string, texts: readonly string[], side: string | undefined): object {
  return side === 'test' ? { intent, utterances: [], tests: texts } : { intent, utterances: texts };
}

function indented(item: object): string {
  return JSON.stringify(item, null, 2).replaceAll('\n', '\n    ');
}
