/**
 * Slots in sample utterances: `{City}` stands for any value of the slot, so a text that has one is a template.
 *
 * There is no escape: a brace that is meant as one cannot be written.
 */

const SLOT = /\{[^{}]+\}/gu;

/** The names of the slots in an utterance, in the order they stand there. */
export function slotsIn(utterance: string): string[] {
  return (utterance.match(SLOT) ?? []).map((slot) => slot.slice(1, -1).trim());
}

/** Whether an utterance has braces that are no slots. */
export function hasOtherBraces(utterance: string): boolean {
  return /[{}]/u.test(utterance.replace(SLOT, ''));
}
