/** The NLU evaluation corpora of sebischair (Ask Ubuntu, Chatbot, Web Applications). */
import type { Format } from '../format.ts';
import { headPaths } from '../json-head.ts';
import { lazyFormat } from '../lazy-format.ts';

const EXTENSIONS = ['.sebischair.json'];

export const sebischairFormat: Format = lazyFormat(
  { name: 'sebischair', title: 'an NLU evaluation corpus of sebischair', extensions: EXTENSIONS, sniff },
  { reader: async () => (await import('./sebischair-reader.ts')).readSebischair },
);

function sniff(head: Uint8Array, name: string): number {
  const paths = headPaths(head);
  const has = (key: string): boolean => paths.has(`sentences[].${key}`);
  if (has('text') && has('intent') && (has('training') || has('entities[].stop'))) return 0.95;
  return EXTENSIONS.some((extension) => name.toLowerCase().endsWith(extension)) ? 0.5 : 0;
}
