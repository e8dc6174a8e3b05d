/** Lines of Rasa's Markdown. */

/** A section: what its items are, and of what. */
export interface Heading {
  readonly kind: 'intent' | 'synonym' | 'regex' | 'lookup';
  readonly name: string;
}

/** The section that a line opens; undefined where it opens none that Rasa knows. */
export function parseHeading(line: string): Heading | undefined {
  const [, kind, name] = /^\s*##[ \t]*(intent|synonym|regex|lookup):(.*)$/su.exec(line) ?? [];
  if (kind === undefined || name === undefined || name.trim() === '') return undefined;
  return { kind: kind as Heading['kind'], name: name.trim() };
}

const OPEN = '<!--';

/** The text with its comments taken out; the line ends in them stay, so that lines keep their numbers. */
export function withoutComments(text: string): string {
  if (!text.includes(OPEN)) return text;
  const parts: string[] = [];
  let from = 0;
  for (let open = text.indexOf(OPEN); open >= 0; open = text.indexOf(OPEN, from)) {
    const end = commentEnd(text, open);
    // One that is not closed is none, and neither is any after it.
    if (end < 0) break;
    parts.push(text.slice(from, open), text.slice(open, end).replaceAll(/[^\n]+/gu, ''));
    from = end;
  }
  parts.push(text.slice(from));
  return parts.join('');
}

/** Index after the comment that opens at `open`, with any number of "!" before its ">"; -1 where it does not end. */
function commentEnd(text: string, open: number): number {
  const end = /--!*>/gu;
  end.lastIndex = open + OPEN.length;
  return end.test(text) ? end.lastIndex : -1;
}
