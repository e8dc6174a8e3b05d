/** What the first bytes of a JSON document show of its shape, for formats that are told apart by their keys. */
import { stringEnd } from './strict-json.ts';
import { headText } from './text-input.ts';

/** Below this, keys are passed over: no shape that is looked for is as deep. */
const DEPTH_LIMIT = 8;
/** Longer keys are no keys of a format. */
const KEY_LIMIT = 60;

interface OpenValue {
  readonly path: string;
  readonly isList: boolean;
}

/**
 * The keys and lists in the first bytes, as paths: `assets.utterances[].text`, and `assets.utterances[]` for the list.
 *
 * Empty for what does not begin like an object or a list. The bytes may end anywhere, and need not be valid JSON.
 */
export function headPaths(head: Uint8Array): ReadonlySet<string> {
  const paths = new Set<string>();
  const text = headText(head)?.trimStart() ?? '';
  if (!text.startsWith('{') && !text.startsWith('[')) return paths;
  const open: OpenValue[] = [];
  let value = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = stringEnd(text, at);
      if (isFollowedByColon(text, end)) {
        value = keyPath(open, text.slice(at + 1, Math.min(end - 1, at + 1 + KEY_LIMIT)));
        if (open.length <= DEPTH_LIMIT) paths.add(value);
      }
      at = end - 1;
    } else if (character === '{' || character === '[') {
      const opened = openValue(open.at(-1), value, character === '[');
      if (opened.isList && open.length < DEPTH_LIMIT) paths.add(opened.path);
      open.push(opened);
    } else if (character === '}' || character === ']') {
      open.pop();
    }
  }
  return paths;
}

function keyPath(open: readonly OpenValue[], key: string): string {
  const path = open.at(-1)?.path ?? '';
  if (open.length > DEPTH_LIMIT) return path;
  return path === '' ? key : `${path}.${key}`;
}

/** @param value the path of the key that was read last. */
function openValue(parent: OpenValue | undefined, value: string, isList: boolean): OpenValue {
  const path = parent?.isList === true ? parent.path : value;
  return { path: isList ? `${path}[]` : path, isList };
}

function isFollowedByColon(text: string, from: number): boolean {
  let at = from;
  while (at < text.length && ' \t\r\n'.includes(text[at] as string)) at++;
  return text[at] === ':';
}
