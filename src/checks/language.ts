/**
 * Texts in another language than the rest, or than their `lang` says: English among German. Of another script, they
 * are the business of scripts.ts.
 *
 * Short texts are hard to tell and full of names, so this tells only what is sure: texts of many letters that are far
 * likelier in the other language. Where nearly all texts of a `lang` are in another one, that is told once.
 */
import { type CheckedRecord, defineCheck, type Draft, quote } from './check.ts';
import { areKin, guessLanguage, loadIdentifier, knownLanguage, languageName } from './language-identifier.ts';
import { count, number } from './parameters.ts';
import { scriptOf } from './scripts.ts';

/** Written without blanks, and the identifier reads words: names in Latin letters would be all that it sees. */
const WORDLESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
/** Records of one language that are remembered. */
const KEPT = 10_000;
/** Of a language that most texts are in, which will hardly prove to be a strange one. */
const KEPT_OF_MOST = 500;

const HINT = 'give it its language in "lang", or move it to the dataset of that language';

/** The texts of one `lang`. */
class Pile {
  /** Texts by script, those that are not read, too. */
  readonly #scripts = new Map<string | undefined, number>();
  /** Texts by the language they are likely in, and some of them. */
  readonly languages = new Map<string, { texts: number; readonly kept: CheckedRecord[] }>();
  #read = 0;

  /** @param isTold it may be told of; if not, it only counts. */
  add(found: CheckedRecord, isTold: boolean): void {
    const { text } = found.record;
    const isWordless = WORDLESS.test(text);
    const script = isWordless ? undefined : scriptOf(text);
    this.#scripts.set(script, (this.#scripts.get(script) ?? 0) + 1);
    const guess = isWordless ? undefined : guessLanguage(text);
    if (guess === undefined) return;
    this.#read++;
    let seen = this.languages.get(guess.language);
    if (seen === undefined) this.languages.set(guess.language, (seen = { texts: 0, kept: [] }));
    seen.texts++;
    const limit = seen.texts > this.#read / 2 ? KEPT_OF_MOST : KEPT;
    if (isTold && seen.kept.length < limit) seen.kept.push(found);
  }

  get read(): number {
    return this.#read;
  }

  /** That of most texts. */
  get script(): string | undefined {
    return [...this.#scripts].sort(([, a], [, b]) => b - a)[0]?.[0];
  }

  /** The language that at least this share of at least so many texts is in. */
  leader(share: number, least: number): string | undefined {
    if (this.#read < least) return undefined;
    return [...this.languages].find(([, { texts }]) => texts >= share * this.#read)?.[0];
  }
}

export const language = defineCheck({
  name: 'language',
  title: 'texts in another language than the rest, or than their "lang" says',
  severity: 'warn',
  parameters: {
    letters: count(20, 'Letters that a text must have to be looked at.'),
    margin: number(0.2, 'How much likelier the other language must be.', { minimum: 0.05, maximum: 1 }),
    share: number(0.8, 'Share of texts that makes a language that of them all.', { minimum: 0.51, maximum: 1 }),
    least: count(20, 'Texts that it takes to know the language of them all.'),
  },
  prepare: loadIdentifier,
  start({ find }, { letters, margin, share, least }) {
    const piles = new Map<string, Pile>();
    const see = (found: CheckedRecord, isTold: boolean): void => {
      if (!hasLetters(found.record.text, letters)) return;
      const lang = found.record.lang ?? '';
      let pile = piles.get(lang);
      if (pile === undefined) piles.set(lang, (pile = new Pile()));
      pile.add(found, isTold);
    };
    return {
      context(records) {
        for (const found of records) see(found, false);
      },
      group(records) {
        for (const found of records) see(found, true);
      },
      finish() {
        for (const [lang, pile] of piles) {
          const leader = pile.leader(share, least);
          const own = lang === '' ? leader : knownLanguage(lang);
          if (own === undefined) continue;
          if (leader !== undefined && !areKin(leader, own)) find(wrongLang(lang, leader, pile));
          else for (const draft of strangers(pile, own, lang, margin)) find(draft);
        }
      },
    };
  },
});

function wrongLang(lang: string, leader: string, pile: Pile): Draft {
  const { texts = 0, kept = [] } = pile.languages.get(leader) ?? {};
  return {
    subject: [lang, leader],
    records: kept.slice(0, 10),
    intents: [],
    place: 'dataset',
    message: `${texts} of ${pile.read} longer texts in ${quote(lang)} are likely ${languageName(leader)}`,
    hint: 'correct "lang" where it comes from, and add the texts again',
  };
}

/** The texts of a pile that are surely not in its own language, though in its script. */
function* strangers(pile: Pile, own: string, lang: string, margin: number): Generator<Draft> {
  const { script } = pile;
  const where = lang === '' ? `the texts are in ${languageName(own)}` : `its "lang" is ${quote(lang)}`;
  for (const [language, { kept }] of pile.languages) {
    if (areKin(language, own)) continue;
    for (const found of kept) {
      const { text } = found.record;
      const guess = guessLanguage(text);
      if (guess?.isSure !== true || guess.leadOver(own) < margin || scriptOf(text) !== script) continue;
      yield {
        subject: [text],
        records: [found],
        place: 'text',
        message: `${quote(text)} is likely ${languageName(language)}, ${where}`,
        hint: HINT,
      };
    }
  }
}

const LETTER = /\p{L}/gu;

function hasLetters(text: string, least: number): boolean {
  return text.length >= least && (text.match(LETTER)?.length ?? 0) >= least;
}
