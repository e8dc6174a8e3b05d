/**
 * The name of an intent, and the labels it stands for.
 *
 * Rasa joins several intents of one text with "+". The order of the parts is a part of the name, but not of a record:
 * where it is not the sorted one, the name is kept in `meta`. What looks like a retrieval intent (`faq/ask_fee`) is
 * one label.
 */
import type { UtteranceRecord } from '../../records/record.ts';
import { trim } from '../../records/text.ts';

/** The key of `meta` that keeps a name whose parts are not in order. */
export const INTENT_NAME_KEY = 'rasa_intent';

/** What a name becomes in a record. */
export interface NamedIntent {
  readonly intent: string | readonly string[];
  /** To be kept, for the labels alone do not give it back. */
  readonly keptName?: string;
}

/** The labels that a name stands for. */
export function parseIntent(given: string): NamedIntent {
  const name = trim(given).normalize('NFC');
  if (!name.includes('+')) return { intent: name };
  const parts = name.split('+');
  const isJoined = parts.every((part) => part !== '' && part === trim(part)) && new Set(parts).size === parts.length;
  if (!isJoined) return { intent: name };
  const intent = parts.toSorted();
  return intent.join('+') === name ? { intent } : { intent, keptName: name };
}

/** A name, and whether it came from `meta`, where it need not be written again. */
export interface IntentName {
  readonly name: string;
  readonly isKept: boolean;
}

/** The name that gives the labels of a record; undefined where it has none, or none that would be read back. */
export function formatIntent({ intent, meta }: UtteranceRecord): IntentName | undefined {
  if (intent === undefined) return undefined;
  const kept = meta !== undefined && Object.hasOwn(meta, INTENT_NAME_KEY) ? meta[INTENT_NAME_KEY] : undefined;
  if (typeof kept === 'string') {
    const parsed = parseIntent(kept);
    if (parsed.keptName === kept && isSame(parsed.intent, intent)) return { name: kept, isKept: true };
  }
  const name = typeof intent === 'string' ? intent : intent.join('+');
  return isSame(parseIntent(name).intent, intent) ? { name, isKept: false } : undefined;
}

function isSame(left: string | readonly string[], right: string | readonly string[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
