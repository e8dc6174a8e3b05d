/** What Snips says about a marked stretch: the entity it is of, and the slot of the intent that it fills. */
import type { PieceLabel } from '../spans.ts';

/**
 * The entity is the type; the slot is the role, where it has a name of its own. A slot whose entity is not given is
 * taken for both.
 *
 * @returns undefined where nothing is marked; what is wrong where a name is no text
 */
export function slotLabel(entity: unknown, slot: unknown): PieceLabel | string | undefined {
  if (entity === undefined && slot === undefined) return undefined;
  const type = entity ?? slot;
  if (typeof type !== 'string') return 'has an entity that is no text';
  if (slot !== undefined && typeof slot !== 'string') return 'has a slot that is no text';
  return slot === undefined || slot === type ? { type } : { type, role: slot };
}
