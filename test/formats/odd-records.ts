/**
 * Records for round trips, in which all that could go wrong is frequent: characters of two UTF-16 code units, combining
 * and right-to-left ones, brackets, braces, quotes, backslashes, line breaks, long texts, names that no file can have.
 */
import * as fc from 'fast-check';
import type { Format } from '../../src/formats/format.ts';
import { makeRecord, type LooseRecord } from '../../src/records/make-record.ts';
import type { UtteranceRecord } from '../../src/records/record.ts';
import { memoryInput, type Everything } from './support.ts';

const UNITS = [
  'a',
  'B',
  ' ',
  '\u{1F600}',
  'e\u0301',
  'ש',
  '(',
  ']',
  '{',
  '}',
  '"',
  "'",
  '\\',
  '\n',
  '\t',
  '@',
  ':',
  '#',
  '/',
];

export const oddText = fc.oneof(
  fc.string({ unit: fc.constantFrom(...UNITS), minLength: 1, maxLength: 15 }),
  fc.constantFrom('x'.repeat(3000), `${'ab \u{1F600}'.repeat(300)}.`),
);

export const oddName = fc.oneof(
  fc.constantFrom('greet', 'Greet', 'book flight', 'a/b', '..', 'CON', '__MACOSX', 'x_usersays_en', 'é', 'sys.date'),
  fc.string({
    unit: fc.constantFrom('a', 'é', '\u{1F600}', ' ', '.', '/', '\\', '"', '-', '_', '$', '@'),
    minLength: 1,
    maxLength: 6,
  }),
);

/** Stretches of a text, in code points. */
function spans(text: string): fc.Arbitrary<{ start: number; end: number }[]> {
  const count = Array.from(text).length;
  const bound = fc.nat({ max: count });
  const span = fc.tuple(bound, bound).map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));
  return fc.array(span, { maxLength: 3 }).map((all) => all.filter(({ start, end }) => end > start));
}

/** Valid records of a shape. @param entity what entities have beside their place */
export function records(
  fields: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  entity: fc.Arbitrary<Readonly<Record<string, unknown>>>,
  canOverlap = true,
): fc.Arbitrary<UtteranceRecord[]> {
  const record = oddText
    .chain((text) =>
      fc.record({ ...fields, text: fc.constant(text), entities: spans(text).chain((all) => labelled(all, entity)) }),
    )
    .map((loose) => makeRecord(canOverlap ? loose : withoutOverlap(loose)))
    .filter((made) => 'record' in made)
    .map((made) => made.record);
  return fc.array(record, { minLength: 1, maxLength: 6 });
}

function labelled(
  all: readonly { start: number; end: number }[],
  entity: fc.Arbitrary<Readonly<Record<string, unknown>>>,
): fc.Arbitrary<unknown[]> {
  return fc.tuple(...all.map((span) => entity.map((fields) => ({ ...fields, ...span }))));
}

function withoutOverlap(loose: LooseRecord): LooseRecord {
  let at = 0;
  const all = (loose.entities as { start: number; end: number }[]).toSorted((a, b) => a.start - b.start);
  const entities = all.filter(({ start, end }) => {
    if (start < at) return false;
    at = end;
    return true;
  });
  return { ...loose, entities };
}

/** As a set: exports are grouped by intent. */
export function asSet(all: readonly unknown[]): string[] {
  return all.map((record) => JSON.stringify(record)).sort();
}

/** Writes records and reads them again. */
export async function roundTrip(
  format: Format,
  given: readonly UtteranceRecord[],
): Promise<Pick<Everything, 'records' | 'problems'> & { losses: string[]; count: number }> {
  if (format.write === undefined) throw new Error(`${format.name} cannot be written`);
  const writing = format.write(async function* () {
    yield given;
  });
  const bytes = Buffer.concat(await Array.fromAsync(writing));
  const records: UtteranceRecord[] = [];
  const problems: Everything['problems'] = [];
  for await (const batch of format.read(memoryInput(bytes))) {
    records.push(...batch.records);
    problems.push(...batch.problems);
  }
  const losses = writing.report.losses.map(({ field }) => field);
  return { records, problems, losses, count: writing.report.records };
}
