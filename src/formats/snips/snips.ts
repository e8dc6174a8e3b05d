/** Snips NLU datasets in JSON and in YAML: how they are recognised. Only read: the company and its tools are gone. */
import type { Format } from '../format.ts';
import { headPaths } from '../json-head.ts';
import { lazyFormat } from '../lazy-format.ts';
import { headText } from '../text-input.ts';

const JSON_EXTENSIONS = ['.snips.json'];
const YAML_EXTENSIONS = ['.snips.yaml', '.snips.yml'];

/** Keys that only Snips has; a dataset may begin with more entities than its first bytes hold. */
const ENTITY_KEYS = ['use_synonyms', 'automatically_extensible', 'matching_strictness'];

/** In benchmark files, what the intent, which is the only key, leads to. */
const CHUNK_LIST = '[].data[]';

export const snipsFormat: Format = lazyFormat(
  { name: 'snips', title: 'a Snips dataset in JSON', extensions: JSON_EXTENSIONS, sniff: sniffJson },
  { reader: async () => (await import('./snips-reader.ts')).readSnips },
);

export const snipsYamlFormat: Format = lazyFormat(
  { name: 'snips-yaml', title: 'a Snips dataset in YAML', extensions: YAML_EXTENSIONS, sniff: sniffYaml },
  { reader: async () => (await import('./snips-yaml-reader.ts')).readSnipsYaml },
);

function sniffJson(head: Uint8Array, name: string): number {
  const paths = [...headPaths(head)];
  const isDataset =
    paths.some((path) => path.startsWith('intents.') && path.endsWith('.utterances[].data[].text')) ||
    paths.some((path) => path.startsWith('entities.') && ENTITY_KEYS.some((key) => path.endsWith(`.${key}`)));
  if (isDataset || isBenchmark(paths)) return 0.9;
  return byName(name, JSON_EXTENSIONS);
}

/** `{"BookRestaurant": [{"data": [{"text": "…", "entity": "…"}]}]}`, and nothing else. */
function isBenchmark(paths: readonly string[]): boolean {
  const [intent = ''] = paths;
  const root = `${intent}${CHUNK_LIST}`;
  const known = new Set([intent, `${intent}[]`, `${intent}[].data`, root, `${root}.text`, `${root}.entity`]);
  return paths.includes(`${root}.text`) && paths.every((path) => known.has(path));
}

function sniffYaml(head: Uint8Array, name: string): number {
  const text = headText(head) ?? '';
  const isOurs = /^type: *["']?(?:intent|entity)["']?\s*(?:#|$)/mu.test(text) && /^name: *\S/mu.test(text);
  return isOurs && /^(?:utterances|values|slots): *(?:#|\[|\r?$)/mu.test(text) ? 0.9 : byName(name, YAML_EXTENSIONS);
}

function byName(name: string, extensions: readonly string[]): number {
  return extensions.some((extension) => name.toLowerCase().endsWith(extension)) ? 0.5 : 0;
}
