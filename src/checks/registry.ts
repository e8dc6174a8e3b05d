/** Every check, in the order in which findings are told: what is surely wrong first. */
import type { Check } from './check.ts';
import { conflictingLabels } from './conflicting-labels.ts';
import { duplicates } from './duplicates.ts';
import { entitySpans } from './entity-spans.ts';
import { expectations } from './expectations.ts';
import { imbalance } from './imbalance.ts';
import { intentChanges } from './intent-changes.ts';
import { intentNames } from './intent-names.ts';
import { invisibleCharacters } from './invisible-characters.ts';
import { language } from './language.ts';
import { leaks } from './leaks.ts';
import { minimumPerIntent } from './minimum-per-intent.ts';
import { nearDuplicates } from './near-duplicates.ts';
import { outOfScope } from './out-of-scope.ts';
import { personalData } from './personal-data.ts';
import { placeholders } from './placeholders.ts';
import { scripts } from './scripts.ts';
import { suspiciousIntents } from './suspicious-intents.ts';
import { textLength } from './text-length.ts';

export const CHECKS: readonly Check[] = [
  conflictingLabels,
  leaks,
  minimumPerIntent,
  expectations,
  nearDuplicates,
  duplicates,
  imbalance,
  intentNames,
  invisibleCharacters,
  placeholders,
  personalData,
  textLength,
  entitySpans,
  outOfScope,
  intentChanges,
  suspiciousIntents,
  scripts,
  language,
];
