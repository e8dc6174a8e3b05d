/** Bot Framework .lu: intents as headings, utterances as list items with inline labels. How it is recognised. */
import type { Format } from '../format.ts';
import { lazyFormat } from '../lazy-format.ts';
import { headText } from '../text-input.ts';

const EXTENSIONS = ['.lu'];

/** Enough of a file to see what its lines are. */
const SNIFF_CHARACTERS = 16 * 1024;

/** A label, a definition or a setting: what no other list under a heading has. */
const MARK = /^[-*+].*\{[^{}=]{1,80}=|^@\s*\w|^\$[^:]{1,80}:|^>\s*!#/u;

/** Headings of Rasa's Markdown, which is lists under headings, too. */
const RASA_HEADING = /^#+\s*(?:intent|synonym|regex|lookup)\s*:/u;

export const luFormat: Format = lazyFormat(
  { name: 'lu', title: 'Bot Framework .lu', extensions: EXTENSIONS, sniff },
  {
    reader: async () => (await import('./lu-reader.ts')).readLu,
    writer: async () => (await import('./lu-writer.ts')).writeLu,
  },
);

function sniff(head: Uint8Array, name: string): number {
  const byName = EXTENSIONS.some((extension) => name.toLowerCase().endsWith(extension)) ? 0.5 : 0;
  const text = headText(head) ?? '';
  if (!/^\s*[>#@$[]/u.test(text.slice(0, 256))) return byName;
  const lines = text.slice(0, SNIFF_CHARACTERS).split('\n');
  if (text.length > SNIFF_CHARACTERS) lines.pop();
  return hasForm(lines, byName > 0) ? 0.85 : byName;
}

/** Whether all lines are of a kind that .lu has, with items under a heading, and something that only .lu has. */
function hasForm(lines: readonly string[], isNamed: boolean): boolean {
  let hasHeading = false;
  let hasItem = false;
  let isMarked = isNamed;
  for (const line of lines.map((each) => each.trim())) {
    if (line === '') continue;
    if (RASA_HEADING.test(line) || !/^[>#@$[*+-]/u.test(line)) return false;
    // Answers of questions may be anything, so what follows says nothing.
    if (/^#+\s*\?/u.test(line)) return hasItem || isNamed;
    hasHeading ||= line.startsWith('#');
    hasItem ||= hasHeading && /^[-*+]\s/u.test(line);
    isMarked ||= MARK.test(line);
  }
  return hasItem && isMarked;
}
