/** Rasa NLU training data in JSON: how it is recognised. */
import type { Format } from '../format.ts';
import { lazyFormat } from '../lazy-format.ts';
import { headText } from '../text-input.ts';

const EXTENSIONS = ['.json'];

export const rasaJsonFormat: Format = lazyFormat(
  { name: 'rasa-json', title: 'Rasa NLU training data in JSON', extensions: EXTENSIONS, sniff },
  {
    reader: async () => (await import('./json-reader.ts')).readRasaJson,
    writer: async () => (await import('./json-writer.ts')).writeRasaJson,
  },
);

/** The key that all of it is under; within a string, its quotes would be escaped. A name is the generic reader's. */
function sniff(head: Uint8Array): number {
  const text = headText(head);
  if (text === undefined || !/^\s*\{/u.test(text)) return 0;
  return /(?<!\\)"rasa_nlu_data"\s*:\s*\{/u.test(text) ? 0.95 : 0;
}
