/** Ids for phrases that have none: made of what the phrase is, so that a reader knows them from ids that were given. */
import type { TextPiece } from '../spans.ts';
import { uuidOf } from './names.ts';

/** The id that a phrase is written with where its record has none. */
export function phraseId(intent: string, lang: string, pieces: readonly TextPiece[]): string {
  const parts = pieces.map(({ text, label }) => [text, label?.type ?? null, label?.role ?? null]);
  return uuidOf(JSON.stringify(['phrase', intent, lang, parts]));
}
