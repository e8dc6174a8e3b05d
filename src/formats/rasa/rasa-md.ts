/** Rasa NLU training data in Markdown (versions 1 and 2): how it is recognised. */
import type { Format } from '../format.ts';
import { lazyFormat } from '../lazy-format.ts';
import { headText } from '../text-input.ts';
import { parseHeading, withoutComments } from './md-lines.ts';

export const rasaMdFormat: Format = lazyFormat(
  { name: 'rasa-md', title: 'Rasa NLU training data in Markdown', extensions: ['.md'], sniff },
  { reader: async () => (await import('./md-reader.ts')).readRasaMd },
);

/** The first line that is no comment is a section of Rasa's, and so is every other heading; a name says nothing. */
function sniff(head: Uint8Array): number {
  const text = headText(head);
  if (text === undefined || !text.includes('##')) return 0;
  const lines = withoutComments(text).split('\n');
  const first = lines.findIndex((line) => line.trim() !== '');
  const isOurs = first >= 0 && parseHeading(lines[first] as string) !== undefined;
  // The last line may be cut short.
  const isOther = (line: string): boolean => line.startsWith('#') && parseHeading(line) === undefined;
  return isOurs && !lines.slice(first, -1).some(isOther) ? 0.95 : 0;
}
