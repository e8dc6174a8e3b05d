/** Corpora of nlp.js: how they are recognised. */
import type { Format } from '../format.ts';
import { headPaths } from '../json-head.ts';
import { lazyFormat } from '../lazy-format.ts';

const EXTENSIONS = ['.nlpjs.json'];

export const nlpjsFormat: Format = lazyFormat(
  { name: 'nlpjs', title: 'an nlp.js corpus', extensions: EXTENSIONS, sniff },
  {
    reader: async () => (await import('./nlpjs-reader.ts')).readNlpjs,
    writer: async () => (await import('./nlpjs-writer.ts')).writeNlpjs,
  },
);

function sniff(head: Uint8Array, name: string): number {
  const paths = headPaths(head);
  const isOurs = paths.has('data[].intent') && (paths.has('data[].utterances[]') || paths.has('data[].tests[]'));
  if (isOurs) return 0.9;
  return EXTENSIONS.some((extension) => name.toLowerCase().endsWith(extension)) ? 0.5 : 0;
}
