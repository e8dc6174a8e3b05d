/**
 * Tells which language a text is in, by the n-grams of its words: a guess, of use where it is a sure one.
 *
 * The identifier is a table of 1.6 MB that takes a fifth of a second to load, so it is loaded for those who ask.
 */
import type { eld } from 'eld/small';
import { assert } from '../base/errors.ts';

/** What a text is most likely in. */
export interface LanguageGuess {
  /** ISO 639-1. */
  readonly language: string;
  /** Enough of the text is known, and no other language is as likely. */
  readonly isSure: boolean;
  /** How much likelier it is than a language, and those hardly told from it: 0 to 1. */
  readonly leadOver: (language: string) => number;
}

type Identifier = typeof eld;

let loaded: Identifier | undefined;

/** Loads the identifier: to be awaited before a text is guessed. */
export async function loadIdentifier(): Promise<void> {
  loaded ??= (await import('eld/small')).eld;
}

function identifier(): Identifier {
  assert(loaded !== undefined, 'the identifier of languages is loaded before it is asked');
  return loaded;
}

/** The language of a text; undefined where nothing in it is known. The same text gives the same guess, always. */
export function guessLanguage(text: string): LanguageGuess | undefined {
  const result = identifier().detect(text);
  const { language } = result;
  if (language === '') return undefined;
  return {
    language,
    get isSure() {
      return result.isReliable();
    },
    leadOver(other) {
      const scores = result.getScores();
      const likeliest = Math.max(...kinOf(other).map((name) => scores[name] ?? 0));
      return (scores[language] ?? 0) - likeliest;
    },
  };
}

/** What the identifier calls by another name, or has one name for. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  nb: 'no',
  nn: 'no',
  iw: 'he',
  id: 'ms',
  in: 'ms',
  bs: 'hr',
  sh: 'hr',
  fil: 'tl',
};

/** Languages that short texts are often of both. */
const KIN: readonly (readonly string[])[] = [
  ['da', 'no'],
  ['cs', 'sk'],
  ['hr', 'sr'],
  ['az', 'tr'],
  ['fa', 'ku', 'ur'],
];

function kinOf(language: string): readonly string[] {
  return KIN.find((names) => names.includes(language)) ?? [language];
}

/** Whether two languages are one, or hardly told apart. */
export function areKin(one: string, other: string): boolean {
  return kinOf(one).includes(other);
}

/** The language of a tag such as `de-AT`, as guesses name it; undefined where it is never guessed. */
export function knownLanguage(tag: string): string | undefined {
  const primary = tag.split(/[-_]/u, 1)[0]?.toLowerCase() ?? '';
  const name = OTHER_NAMES[primary] ?? primary;
  return Object.values(identifier().info().Languages).includes(name) ? name : undefined;
}

/** `de` as "German". */
export function languageName(language: string): string {
  return NAMES.of(language) ?? language;
}

const NAMES = new Intl.DisplayNames(['en'], { type: 'language' });
