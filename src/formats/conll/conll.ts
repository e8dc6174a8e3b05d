/** CoNLL with intents and BIO tags, as in xSID: a word a line, a blank line between sentences. How it is recognised. */
import type { Format } from '../format.ts';
import { lazyFormat } from '../lazy-format.ts';
import { headText } from '../text-input.ts';

const EXTENSIONS = ['.conll', '.bio'];

/** Lines that are looked at, and words among them that must be there. */
const SNIFF_LINES = 60;
const SNIFF_WORDS = 3;

export const conllFormat: Format = lazyFormat(
  { name: 'conll', title: 'CoNLL with BIO tags', extensions: EXTENSIONS, sniff },
  { reader: async () => (await import('./conll-reader.ts')).readConll },
);

function sniff(head: Uint8Array, name: string): number {
  const byName = EXTENSIONS.some((extension) => name.toLowerCase().endsWith(extension)) ? 0.5 : 0;
  const text = headText(head) ?? '';
  const lines = text
    .slice(0, 16 * 1024)
    .split('\n')
    .slice(0, SNIFF_LINES);
  // The last line may be cut, or be nothing at all.
  if (text.length > 16 * 1024) lines.pop();
  let words = 0;
  let hasIntent = false;
  for (const line of lines.map((each) => each.trimEnd())) {
    if (line === '') continue;
    if (line.startsWith('#')) {
      hasIntent ||= /^# *intent *[=:]/u.test(line);
      continue;
    }
    if (!/\t(?:O|[BIES]-\S+)$/u.test(line)) return byName;
    words++;
  }
  if (words < (hasIntent ? 1 : SNIFF_WORDS)) return byName;
  return hasIntent ? 0.9 : 0.85;
}
