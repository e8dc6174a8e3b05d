/**
 * How Dialogflow names things, and how records do.
 *
 *   `@city`      an entity type of the agent      type `city`
 *   `@sys.date`  a type that Dialogflow brings    type `sys.date`
 *   parameter    the name of a value in an intent role, where it is not the name that the type gives it anyway
 */
import { sha256 } from '../../base/hash.ts';
import type { PieceLabel } from '../spans.ts';

/** Marks a stretch that is no entity although it looks like one. */
export const IGNORED_TYPE = 'sys.ignore';

/** The intent whose follow-up an utterance is said as; texts such as "yes" mean another thing after each. */
export const FOLLOW_UP = 'followUpOf';

/** Whether Dialogflow brings a type itself. */
export function isSystemType(type: string): boolean {
  return type.startsWith('sys.');
}

/** The parameter that is meant where none is named. */
export function defaultParameter(type: string): string {
  return type.replace(/^sys\./u, '');
}

/** The type that `@city` stands for. */
export function typeOfReference(reference: string): string {
  return reference.replace(/^@/u, '');
}

/** What is marked by a reference to a type and a parameter, either of which may be missing. */
export function labelOf(reference: string | undefined, parameter: string | undefined): PieceLabel | undefined {
  if (reference === undefined) return parameter === undefined ? undefined : { type: parameter };
  const type = typeOfReference(reference);
  return { type, role: parameter === defaultParameter(type) ? undefined : parameter };
}

/** A UUID made of a hash (as version 8, which is for such). @see RFC 9562, section 5.8 */
export function uuidOf(text: string): string {
  const hex = sha256(text);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** Whether a text has the form of a UUID. */
export function isUuid(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u.test(text);
}

/** The language of a record, if it is one that a file can be named after. */
export function languageOf(lang: string | undefined): string | undefined {
  return lang !== undefined && /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}$/u.test(lang) ? lang : undefined;
}
