/**
 * LUIS: the app as JSON, versions 3 to 7, and lists of labelled utterances for batch tests. Only read: the service is
 * gone, and what is exported from it goes elsewhere.
 */
import type { Format } from '../format.ts';
import { headPaths } from '../json-head.ts';
import { lazyFormat } from '../lazy-format.ts';

const EXTENSIONS = ['.luis.json'];

export const luisFormat: Format = lazyFormat(
  { name: 'luis', title: 'a LUIS app or batch test', extensions: EXTENSIONS, sniff },
  { reader: async () => (await import('./luis-reader.ts')).readLuis },
);

function sniff(head: Uint8Array, name: string): number {
  const paths = headPaths(head);
  if (paths.has('luis_schema_version') || paths.has('LabeledTestSetUtterances[]')) return 0.95;
  const isBatch = ['text', 'intent', 'entities[].entity', 'entities[].startPos', 'entities[].endPos'].every((key) =>
    paths.has(`[].${key}`),
  );
  if (isBatch) return 0.9;
  return EXTENSIONS.some((extension) => name.toLowerCase().endsWith(extension)) ? 0.5 : 0;
}
