/**
 * What the documentation check reads from a page: fenced blocks, links, headings, commands that it names.
 *
 * Not a Markdown parser: it knows fences, inline code, links and headings as this project writes them.
 */

/** A fenced block; `line` is that of its first line of content, counted from 1. */
export interface Block {
  readonly language: string;
  readonly line: number;
  readonly lines: readonly string[];
}

/** A line outside all fenced blocks. */
interface ProseLine {
  readonly line: number;
  readonly text: string;
}

export interface Page {
  readonly blocks: readonly Block[];
  readonly prose: readonly ProseLine[];
}

/** Something found on a page, and where. */
export interface Found {
  readonly line: number;
  readonly text: string;
}

const FENCE = /^(?<mark>`{3,})(?<language>[\w-]*)\s*$/u;

export function parsePage(text: string): Page {
  const blocks: Block[] = [];
  const prose: ProseLine[] = [];
  let open: { mark: string; language: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (open !== undefined) {
      if (line.trimEnd() === open.mark) {
        blocks.push(open);
        open = undefined;
      } else {
        open.lines.push(line);
      }
      continue;
    }
    const { mark, language } = FENCE.exec(line)?.groups ?? {};
    if (mark === undefined) prose.push({ line: index + 1, text: line });
    else open = { mark, language: language ?? '', line: index + 2, lines: [] };
  }
  if (open !== undefined) throw new Error(`line ${open.line - 1}: the fenced block is never closed`);
  return { blocks, prose };
}

/** Targets of links and images, but for addresses of the web. */
export function relativeLinks(page: Page): Found[] {
  return page.prose.flatMap(({ line, text }) => {
    const plain = text.replaceAll(/`[^`]*`/gu, '``');
    const inline = plain.matchAll(/\]\((?<target>[^()\s]+)(?:\s+"[^"]*")?\)/gu);
    const reference = plain.matchAll(/^\[[^\]]+\]:\s+(?<target>\S+)/gu);
    return [...inline, ...reference]
      .map((match) => match.groups?.['target'] ?? '')
      .filter((target) => !/^[a-z][a-z+.-]*:/iu.test(target))
      .map((target) => ({ line, text: target }));
  });
}

/** Files of the project that inline code names, by their paths from its root. */
export function namedFiles(page: Page): Found[] {
  return page.prose.flatMap(({ line, text }) =>
    [...text.matchAll(/`(?<path>(?:\.ci|docs|examples|schema|scripts|src|test)\/[\w./-]*)`/gu)].map((match) => ({
      line,
      text: match.groups?.['path'] ?? '',
    })),
  );
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchors(page: Page): Set<string> {
  const taken = new Map<string, number>();
  const names = new Set<string>();
  for (const { text } of page.prose) {
    const heading = /^#{1,6}\s+(?<title>.+?)\s*#*$/u.exec(text)?.groups?.['title'];
    if (heading === undefined) continue;
    const slug = heading
      .replaceAll(/\[(?<label>[^\]]*)\]\([^)]*\)/gu, '$<label>')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
      .replaceAll(/\s/gu, '-');
    const count = taken.get(slug) ?? 0;
    taken.set(slug, count + 1);
    names.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return names;
}

/** Calls of `uttr` in inline code and in the command lines of blocks: the words after `uttr`, without options. */
export function namedCommands(page: Page): Found[] {
  const inline = page.prose.flatMap(({ line, text }) =>
    [...text.matchAll(/`(?:\$ )?(?<call>uttr [^`]+)`/gu)].map((match) => ({
      line,
      text: match.groups?.['call'] ?? '',
    })),
  );
  const blocks = page.blocks
    .filter(({ language }) => language !== 'text')
    .flatMap(({ language, line, lines }) => {
      // In a console block all other lines are output.
      const start = language === 'console' ? /^\$ (?<call>uttr .*)$/u : /^\s*(?:- )?(?:run: )?(?<call>uttr [a-z].*)$/u;
      return lines.flatMap((text, index) => {
        const call = start.exec(text)?.groups?.['call'];
        return call === undefined ? [] : [{ line: line + index, text: call }];
      });
    });
  return [...inline, ...blocks];
}
