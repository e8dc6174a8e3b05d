/** YAML 1.2 as documents of others may be: bounded, with the line of each node, and nothing quietly lost. */
import { isAlias, LineCounter, type Node, parseAllDocuments, visit } from 'yaml';
import { UttrError } from '../base/errors.ts';

/** An alias repeats what it names; files that mean well have few. */
const ALIAS_LIMIT = 100;

/** How a node is written. */
export interface YamlNode {
  /** The style of a scalar: `PLAIN`, `QUOTE_DOUBLE`, `BLOCK_LITERAL`, `BLOCK_FOLDED`, … */
  readonly type?: string | undefined;
  /** A scalar as it stands in the text, without quotes. */
  readonly source?: string | undefined;
}

export interface YamlDocument {
  /** The parsed tree; null where the document is empty. */
  readonly contents: Node | null;
  /** Physical line of a node, from 1. */
  lineOf(node: unknown): number;
  /** The node at a path of keys and places in lists; undefined where there is none, or the way leads through an alias. */
  nodeAt(path: readonly (string | number)[]): YamlNode | undefined;
  /** The same as plain values, aliases resolved. @throws bad-format */
  toValue(): unknown;
}

/**
 * All documents of a text.
 *
 * @param lineInFile the line in the file of a line of the text, where the text is a part of it.
 * @throws bad-format, with the line: what is no YAML, keys that occur twice, aliases without end, nesting too deep
 */
export function parseYaml(
  text: string,
  file: string,
  lineInFile: (line: number) => number = (line) => line,
): YamlDocument[] {
  const lines = new LineCounter();
  const fail = (problem: string, line: number | undefined, cause?: unknown): never => {
    throw new UttrError('bad-format', `${file}${line === undefined ? '' : `:${line}`}: ${problem}`, {
      details: { file, ...(line === undefined ? {} : { line }) },
      cause,
    });
  };
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (error instanceof UttrError) throw error;
      if (error instanceof RangeError) return fail('it is nested too deep', undefined, error);
      return fail(`it is not valid YAML: ${(error as Error).message}`, undefined, error);
    }
  };
  const documents = guarded(() =>
    parseAllDocuments(text, { lineCounter: lines, version: '1.2', uniqueKeys: true, prettyErrors: false }),
  );
  const lineOf = (node: unknown): number => {
    const start = (node as { range?: readonly [number, number, number] | null } | null)?.range?.[0];
    return lineInFile(start === undefined ? 1 : lines.linePos(start).line);
  };
  if (!Array.isArray(documents)) return [];
  return documents.map((document) => {
    const [error] = document.errors;
    if (error !== undefined) {
      // The parser catches its own stack overflow.
      const isDeep = error.code === 'RESOURCE_EXHAUSTION';
      const what = isDeep ? 'it is nested too deep' : `it is not valid YAML: ${error.message}`;
      fail(what, lineInFile(lines.linePos(error.pos[0]).line), error);
    }
    return guarded(() => {
      let aliases = 0;
      visit(document, (_, node) => {
        if (isAlias(node) && ++aliases > ALIAS_LIMIT) fail(`it has more than ${ALIAS_LIMIT} aliases`, lineOf(node));
      });
      return {
        contents: document.contents,
        lineOf,
        nodeAt: (path) => document.getIn(path, true) as YamlNode | undefined,
        toValue: () => guarded(() => document.toJS({ maxAliasCount: ALIAS_LIMIT })),
      };
    });
  });
}
