/**
 * Metadata of an example, and the fields of a record that are kept there.
 *
 *   id, lang        the fields of that name, where they are texts
 *   features, meta  the fields of that name, as objects: for names that would otherwise mean something else
 *   anything else   a feature where it is a scalar, an entry of `meta` where it is a list or an object
 */
import type { UtteranceRecord } from '../../records/record.ts';
import { isFields } from '../../records/row-problems.ts';
import type { LooseDraft } from '../read-report.ts';
import { INTENT_NAME_KEY } from './intents.ts';

const RESERVED: ReadonlySet<string> = new Set(['id', 'lang', 'features', 'meta']);

/** What metadata that is no object is called. */
const WHOLE = 'metadata';

type Fields = Record<string, unknown>;

/** Copies what the metadata of one example says to the draft of its record; returns what is wrong, if anything. */
export function takeMetadata(draft: LooseDraft, given: unknown, keptName: string | undefined): string | undefined {
  // Without a prototype, a key that every object has is a key like any other, and refused with the record.
  const features = Object.create(null) as Fields;
  const meta = Object.create(null) as Fields;
  const twice: string[] = [];
  const put = (fields: Fields, name: string, value: unknown): void => {
    if (Object.hasOwn(fields, name)) twice.push(name);
    fields[name] = value;
  };
  for (const [name, value] of Object.entries(asFields(given))) {
    if ((name === 'id' || name === 'lang') && typeof value === 'string') draft[name] = value;
    else if (name === 'features' && isFields(value))
      for (const key of Object.keys(value)) put(features, key, value[key]);
    else if (name === 'meta' && isFields(value)) for (const key of Object.keys(value)) put(meta, key, value[key]);
    else put(isScalar(value) ? features : meta, name, value);
  }
  if (keptName !== undefined) put(meta, INTENT_NAME_KEY, keptName);
  draft.features = features;
  draft.meta = meta;
  return twice.length === 0 ? undefined : `the metadata has "${twice[0]}" twice`;
}

/** Metadata of an intent and of its example as one; what the example says is nearer. */
export function mergeMetadata(ofIntent: unknown, ofExample: unknown): { merged: unknown; overridden: number } {
  if (!isGiven(ofIntent)) return { merged: ofExample, overridden: 0 };
  if (!isGiven(ofExample)) return { merged: ofIntent, overridden: 0 };
  const [outer, inner] = [asFields(ofIntent), asFields(ofExample)];
  const overridden = Object.keys(inner).filter((name) => Object.hasOwn(outer, name)).length;
  return { merged: { ...outer, ...inner }, overridden };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function asFields(given: unknown): Readonly<Fields> {
  if (!isGiven(given)) return {};
  return isFields(given) ? given : { [WHOLE]: given };
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

/**
 * The metadata that gives the fields of a record back.
 *
 * @param isNameKept the name of the intent was taken from `meta`, and is not said again.
 */
export function metadataOf(record: UtteranceRecord, isNameKept: boolean): Readonly<Fields> | undefined {
  const { id, lang, features = {}, meta = {} } = record;
  const metadata: Fields = {};
  if (id !== undefined) metadata['id'] = id;
  if (lang !== undefined) metadata['lang'] = lang;
  putFields(metadata, 'features', features, (name) => !RESERVED.has(name));
  const { [INTENT_NAME_KEY]: _, ...rest } = meta;
  const isFlat = (key: string): boolean => !isScalar(meta[key]) && !RESERVED.has(key) && !Object.hasOwn(features, key);
  putFields(metadata, 'meta', isNameKept ? rest : meta, isFlat);
  return Object.keys(metadata).length === 0 ? undefined : metadata;
}

/** Puts the fields that can stand by themselves, and the others under one key. */
function putFields(metadata: Fields, key: string, fields: Readonly<Fields>, isFlat: (name: string) => boolean): void {
  const nested: Fields = {};
  for (const [name, value] of Object.entries(fields)) (isFlat(name) ? metadata : nested)[name] = value;
  if (Object.keys(nested).length > 0) metadata[key] = nested;
}
