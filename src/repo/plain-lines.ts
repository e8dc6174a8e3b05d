/**
 * JSON Lines that are canonical records already: their bytes are copied, nothing is parsed or printed.
 *
 * A fast twin of the JSON Lines reader for the plainest rows: printable ASCII without escapes; features of strings,
 * a label, a text, in this order. Labels and features come in few kinds, so each kind is judged once, by the general
 * code; of a text it is enough that it begins and ends with something and is short enough. Where a stretch holds
 * anything else, the general reader takes all of it.
 */
import { apart } from '../base/own-memory.ts';
import { parseJson } from '../base/parse-json.ts';
import { encodeRecord } from '../records/encode-record.ts';
import { makeRecord } from '../records/make-record.ts';

/** Longer lines are somebody else's business; it bounds every limit of a record from below. */
const LINE_LIMIT = 16_384;

/** Kinds of labels and features that are remembered; a stretch with more is not plain. */
const KIND_LIMIT = 50_000;

// Between quotes: printable ASCII but for the quote and the backslash; a text and a label have no blank at their ends.
const LINE =
  /\{(?:"features":(\{[ !#-[\]-~",:]{1,2000}?\}),)?"intent":("[!#-[\]-~](?:[ !#-[\]-~]*[!#-[\]-~])?"),"text":"([!#-[\]-~](?:[ !#-[\]-~]*[!#-[\]-~])?)"\}(?:\n|$)/y;

export interface PlainRow {
  readonly text: string;
  /** Canonical JSON of the label. */
  readonly intent: string;
  /** Canonical JSON of the record. */
  readonly json: string;
  readonly hasFeatures: boolean;
}

/** Reads plain lines one by one. */
export class PlainLines {
  readonly #features = new Kinds((features) => isCanonical(features, '"x"'));
  readonly #labels = new Kinds((label) => isCanonical(undefined, label));

  /**
   * Hands over every line of a text of printable ASCII.
   *
   * @returns false where a line is not plain; what was handed over before it is then to be forgotten.
   */
  read(lines: string, take: (row: PlainRow, index: number) => void): boolean {
    let at = 0;
    for (let index = 0; at < lines.length; index++) {
      LINE.lastIndex = at;
      const match = LINE.exec(lines);
      if (match === null || match[0].length > LINE_LIMIT) return false;
      const [line, features, intent, text] = match as unknown as [string, string | undefined, string, string];
      // Fields are judged one by one, so that each may be remembered by itself.
      if (!this.#labels.isGood(intent) || (features !== undefined && !this.#features.isGood(features))) return false;
      at += line.length;
      const json = line.endsWith('\n') ? line.slice(0, -1) : line;
      take({ text, intent, json, hasFeatures: features !== undefined }, index);
    }
    return true;
  }
}

/** Remembers which texts are good. */
class Kinds {
  readonly #judge: (text: string) => boolean;
  readonly #known = new Map<string, boolean>();

  constructor(judge: (text: string) => boolean) {
    this.#judge = judge;
  }

  isGood(text: string): boolean {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size >= KIND_LIMIT) return false;
    const good = this.#judge(text);
    this.#known.set(apart(text), good);
    return good;
  }
}

/** Whether the general code makes of these features and this label exactly what stands there. */
function isCanonical(features: string | undefined, intent: string): boolean {
  const line = `{${features === undefined ? '' : `"features":${features},`}"intent":${intent},"text":"x"}`;
  try {
    const made = makeRecord(parseJson(line) as Parameters<typeof makeRecord>[0]);
    return 'record' in made && encodeRecord(made.record) === line;
  } catch {
    return false;
  }
}
