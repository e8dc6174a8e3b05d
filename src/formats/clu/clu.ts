/** Azure conversational language understanding (CLU): project files, and files of utterances alone. */
import type { Format } from '../format.ts';
import { headPaths } from '../json-head.ts';
import { lazyFormat } from '../lazy-format.ts';

const EXTENSIONS = ['.clu.json'];

/** All that a file of utterances may hold; where none is marked, only the keys tell it from other lists. */
const UTTERANCE_PATHS: ReadonlySet<string> = new Set([
  '[]',
  '[].text',
  '[].intent',
  '[].language',
  '[].dataset',
  '[].entities',
  '[].entities[]',
]);

export const cluFormat: Format = lazyFormat(
  { name: 'clu', title: 'an Azure CLU project or utterance file', extensions: EXTENSIONS, sniff },
  {
    reader: async () => (await import('./clu-reader.ts')).readClu,
    writer: async () => (await import('./clu-writer.ts')).writeClu,
  },
);

function sniff(head: Uint8Array, name: string): number {
  const paths = headPaths(head);
  if (paths.has('projectFileVersion') && (paths.has('stringIndexType') || paths.has('assets'))) return 0.95;
  const has = (...keys: readonly string[]): boolean => keys.every((key) => paths.has(`[].${key}`));
  if (has('text', 'intent', 'entities[].category', 'entities[].offset', 'entities[].length')) return 0.9;
  if (has('text', 'intent', 'language', 'entities[]') && [...paths].every((path) => UTTERANCE_PATHS.has(path)))
    return 0.75;
  return EXTENSIONS.some((extension) => name.toLowerCase().endsWith(extension)) ? 0.5 : 0;
}
