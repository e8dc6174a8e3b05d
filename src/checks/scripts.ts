/**
 * Texts in another script than the rest of their language: a row of another project, or a keyboard set wrongly.
 *
 * Languages of one script are told apart by language.ts.
 */
import { type CheckedRecord, defineCheck, quote } from './check.ts';
import { count, number } from './parameters.ts';

/** Chinese and Japanese texts mix these freely. */
const SCRIPTS: readonly (readonly [string, RegExp])[] = [
  ['Latin', /\p{Script=Latin}/gu],
  ['Cyrillic', /\p{Script=Cyrillic}/gu],
  ['Greek', /\p{Script=Greek}/gu],
  ['Arabic', /\p{Script=Arabic}/gu],
  ['Hebrew', /\p{Script=Hebrew}/gu],
  ['Han or Kana', /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ['Hangul', /\p{Script=Hangul}/gu],
  ['Devanagari', /\p{Script=Devanagari}/gu],
  ['Thai', /\p{Script=Thai}/gu],
];
const ASCII = /^[\0-\x7f]*$/u;

export const scripts = defineCheck({
  name: 'scripts',
  title: 'texts in another script than the rest of their language',
  severity: 'info',
  parameters: {
    share: number(0.9, 'Share of the texts of a language that one script must have.', { minimum: 0.5, maximum: 1 }),
    least: count(20, 'Texts that a language must have to be looked at.'),
  },
  start({ find }, { share, least }) {
    const languages = new Map<string, Map<string, { texts: number; kept: CheckedRecord[] }>>();
    const see = (found: CheckedRecord, isTold: boolean): void => {
      const script = scriptOf(found.record.text);
      if (script === undefined) return;
      const lang = found.record.lang ?? '';
      let counts = languages.get(lang);
      if (counts === undefined) languages.set(lang, (counts = new Map()));
      let seen = counts.get(script);
      if (seen === undefined) counts.set(script, (seen = { texts: 0, kept: [] }));
      seen.texts++;
      // Of a script that may prove to be the language's own, few need to be remembered.
      if (isTold && seen.kept.length < KEPT) seen.kept.push(found);
    };
    return {
      context(records) {
        for (const found of records) see(found, false);
      },
      group(records) {
        for (const found of records) see(found, true);
      },
      finish() {
        for (const [lang, counts] of languages) {
          const total = [...counts.values()].reduce((sum, { texts }) => sum + texts, 0);
          const main = [...counts].find(([, { texts }]) => texts >= share * total)?.[0];
          if (main === undefined || total < least) continue;
          const where = lang === '' ? 'the texts' : `the texts in ${quote(lang)}`;
          for (const [script, { kept }] of counts) {
            if (script === main) continue;
            for (const found of kept) {
              find({
                subject: [found.record.text],
                records: [found],
                place: 'text',
                message: `${quote(found.record.text)} is written in ${script}, ${where} in ${main}`,
                hint: 'give it its language in "lang", or move it to the dataset of that language',
              });
            }
          }
        }
      },
    };
  },
});

/** Records of one script that are remembered. */
const KEPT = 10_000;

/** The script of most letters; undefined where there are none of a script we know. */
export function scriptOf(text: string): string | undefined {
  if (ASCII.test(text)) return /[a-z]/iu.test(text) ? 'Latin' : undefined;
  let best: string | undefined;
  let most = 0;
  for (const [script, letters] of SCRIPTS) {
    const count = text.match(letters)?.length ?? 0;
    if (count > most) [best, most] = [script, count];
  }
  return best;
}
