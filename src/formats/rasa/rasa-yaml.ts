/** Rasa NLU training data in YAML (versions 2 and 3): how it is recognised. */
import type { Format } from '../format.ts';
import { lazyFormat } from '../lazy-format.ts';
import { headText } from '../text-input.ts';

const EXTENSIONS = ['.yml', '.yaml'];

export const rasaYamlFormat: Format = lazyFormat(
  { name: 'rasa-yaml', title: 'Rasa NLU training data in YAML', extensions: EXTENSIONS, sniff },
  {
    reader: async () => (await import('./yaml-reader.ts')).readRasaYaml,
    writer: async () => (await import('./yaml-writer.ts')).writeRasaYaml,
  },
);

/** The key `nlu` with a list under it whose first item is one of Rasa's. */
function sniff(head: Uint8Array, name: string): number {
  const lines = headText(head)?.split('\n') ?? [];
  const nlu = lines.findIndex((line) => /^["']?nlu["']?\s*:/u.test(line));
  if (nlu < 0) return byName(lines, name);
  if (/^nlu: *\[ *\]\s*$/u.test(lines[nlu] as string)) return 0.6;
  const first = lines.slice(nlu + 1).find((line) => !/^\s*(?:#|$)/u.test(line));
  const isItem = first !== undefined && /^ *- +["']?(?:intent|synonym|regex|lookup)["']?\s*:/u.test(first);
  return isItem ? 0.95 : byName(lines, name);
}

/** Stories and responses may fill the first part of a file: then the name counts, where the version is Rasa's. */
function byName(lines: readonly string[], name: string): number {
  const isNamed = EXTENSIONS.some((extension) => name.toLowerCase().endsWith(extension));
  return isNamed && lines.slice(0, 20).some((line) => /^version: *["']?[23]\.\d/u.test(line)) ? 0.3 : 0;
}
