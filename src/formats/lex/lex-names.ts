/** Names that Amazon Lex V2 takes, made of names that it would refuse. */
import { sha256 } from '../../base/hash.ts';

const ALLOWED = /^(?:[0-9a-zA-Z][_-]?){1,100}$/u;
/** Leaves room for a hash. */
const STEM_LENGTH = 80;

/** Keeps names apart; the same name always becomes the same one. */
export class LexNames {
  readonly #byName = new Map<string, string>();
  readonly #taken = new Set<string>();

  /** Names that may be given to nothing else. */
  constructor(reserved: readonly string[] = []) {
    for (const name of reserved) this.#taken.add(name.toLowerCase());
  }

  of(name: string): string {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const isPlain = ALLOWED.test(name) && !this.#taken.has(name.toLowerCase());
    const given = isPlain ? name : this.#changed(name);
    this.#taken.add(given.toLowerCase());
    this.#byName.set(name, given);
    return given;
  }

  #changed(name: string): string {
    const stem = name
      .replace(/[^0-9a-zA-Z]+/gu, '_')
      .slice(0, STEM_LENGTH)
      .replace(/^_|_$/gu, '');
    if (stem !== '' && !this.#taken.has(stem.toLowerCase())) return stem;
    return `${stem === '' ? 'x' : stem}_${sha256(name).slice(0, 10)}`;
  }
}

/** Ten upper-case letters and digits made of a text. */
export function identifierOf(text: string): string {
  return sha256(text).slice(0, 10).toUpperCase();
}

/** What a language without a country is written as: Lex knows languages of countries only. */
const LOCALES: Readonly<Record<string, string>> = {
  ar: 'ar_AE',
  ca: 'ca_ES',
  de: 'de_DE',
  en: 'en_US',
  es: 'es_ES',
  fi: 'fi_FI',
  fr: 'fr_FR',
  hi: 'hi_IN',
  it: 'it_IT',
  ja: 'ja_JP',
  ko: 'ko_KR',
  nl: 'nl_NL',
  no: 'no_NO',
  pl: 'pl_PL',
  pt: 'pt_BR',
  sv: 'sv_SE',
  zh: 'zh_CN',
};

/** The locale of a language; undefined where it has none. */
export function localeOf(lang: string | undefined): string | undefined {
  if (lang === undefined) return undefined;
  if (/^[a-z]{2}[-_](?:[A-Z]{2}|\d{3})$/u.test(lang)) return lang.replace('-', '_');
  return Object.hasOwn(LOCALES, lang) ? LOCALES[lang] : undefined;
}
