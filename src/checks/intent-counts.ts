/** Groups by intent and side: what the checks of whole intents count. A text that is there twice counts once. */
import { UNLABELLED_PLACE } from '../records/manifest.ts';
import { type CheckedRecord, intentsOf } from './check.ts';

export class IntentCounts {
  /** By intent: groups on each side. */
  readonly #counts = new Map<string, Map<string, number>>();

  add(group: readonly CheckedRecord[]): void {
    if (group.length === 1) {
      this.#addRecord(group[0] as CheckedRecord);
      return;
    }
    const seen = new Set<string>();
    for (const { record, side } of group) {
      for (const intent of intentsOf(record)) {
        const name = `${side}\0${intent}`;
        if (!seen.has(name)) this.#count(intent, side);
        seen.add(name);
      }
    }
  }

  #addRecord({ record, side }: CheckedRecord): void {
    if (typeof record.intent === 'string') this.#count(record.intent, side);
    else for (const intent of intentsOf(record)) this.#count(intent, side);
  }

  #count(intent: string, side: string): void {
    if (side !== UNLABELLED_PLACE) this.addTexts(intent, side, 1);
  }

  /** Counts so many texts of an intent. */
  addTexts(intent: string, side: string, texts: number): void {
    let sides = this.#counts.get(intent);
    if (sides === undefined) this.#counts.set(intent, (sides = new Map()));
    sides.set(side, (sides.get(side) ?? 0) + texts);
  }

  /** Every intent, by name. */
  get names(): readonly string[] {
    return [...this.#counts.keys()].sort();
  }

  has(intent: string): boolean {
    return this.#counts.has(intent);
  }

  on(intent: string, side: string): number {
    return this.#counts.get(intent)?.get(side) ?? 0;
  }

  total(intent: string): number {
    return [...(this.#counts.get(intent)?.values() ?? [])].reduce((sum, count) => sum + count, 0);
  }
}
