/** NLU++ (PolyAI): a list of utterances with any number of intents each, and slots by name. */
import type { Format } from '../format.ts';
import { headPaths } from '../json-head.ts';
import { lazyFormat } from '../lazy-format.ts';

const EXTENSIONS = ['.nlupp.json'];

export const nluppFormat: Format = lazyFormat(
  { name: 'nlupp', title: 'NLU++ with several intents per utterance', extensions: EXTENSIONS, sniff },
  { reader: async () => (await import('./nlupp-reader.ts')).readNlupp },
);

/** Keys that NLU++ does not have would be lost on a file that only looks like it, so there may be none. */
function sniff(head: Uint8Array, name: string): number {
  const paths = headPaths(head);
  const isLabelled = paths.has('[].intents[]') || [...paths].some((path) => SPAN.test(path));
  if (paths.has('[].text') && isLabelled && [...paths].every((path) => KNOWN.test(path))) return 0.8;
  return EXTENSIONS.some((extension) => name.toLowerCase().endsWith(extension)) ? 0.5 : 0;
}

const SPAN = /^\[\]\.slots\..*\.span\[\]$/u;
const KNOWN = /^\[\](?:$|\.text$|\.intents(?:\[\])?$|\.slots(?:$|\.))/u;
