/** Real utterances with their labels: what lies beside the project in ../shared/data, and is not part of it. */
import { parse } from 'csv-parse/sync';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fold } from '../../src/records/text.ts';
import { Absent } from './peers/install.ts';

export interface Corpus {
  /** Who made it, to be said with all that is made of it. */
  readonly name: string;
  readonly intents: readonly string[];
  readonly utterances: readonly LabelledText[];
}

interface LabelledText {
  /** An index of the intents. */
  readonly intent: number;
  readonly text: string;
}

const SHARED_DATA = join(import.meta.dirname, '../../../shared/data');
const CLINC150 = 'clinc150/data_full.json';
const BANKING77 = ['banking77/train.csv', 'banking77/test.csv'];

/** Puts labelled texts together, each text once, with its first label: both data sets have some with two. */
export function makeCorpus(name: string, pairs: readonly (readonly [text: string, intent: string])[]): Corpus {
  const intents = [...new Set(pairs.map(([, intent]) => intent))];
  const numbers = new Map(intents.map((intent, number) => [intent, number]));
  const utterances = new Map<string, LabelledText>();
  for (const [text, intent] of pairs) {
    const alike = withoutNumbers(text);
    if (!utterances.has(alike)) utterances.set(alike, { intent: numbers.get(intent) as number, text: text.trim() });
  }
  return { name, intents, utterances: [...utterances.values()] };
}

/** Reads CLINC150 and BANKING77. @throws Absent where they are not there */
export function readRealCorpus(folder = SHARED_DATA): Corpus {
  const missing = [CLINC150, ...BANKING77].map((path) => join(folder, path)).find((path) => !existsSync(path));
  if (missing !== undefined) throw new Absent(`real utterances are those of CLINC150 and BANKING77: no ${missing}`);
  const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
  const clinc = Object.values(JSON.parse(read(CLINC150)) as Record<string, [text: string, intent: string][]>);
  const banking = BANKING77.map((path) => parse(read(path), { fromLine: 2 }) as [text: string, intent: string][]);
  return makeCorpus('CLINC150 and BANKING77', [...clinc, ...banking].flat());
}

/** What texts have in common that could become one: variations change numbers. */
function withoutNumbers(text: string): string {
  return fold(text).replaceAll(/\d+/gu, '0');
}
