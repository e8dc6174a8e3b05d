/** Entities that a model found, held against those of the data: a span counts only where all of it is the same. */
import type { Entity } from '../records/record.ts';
import { labelScores, type LabelScores } from './scores.ts';

/** What a prediction says of an entity: half-open `[start, end)` in Unicode code points. */
export type Span = Pick<Entity, 'start' | 'end' | 'type' | 'role'>;

export interface EntityScores extends LabelScores {
  readonly types: Readonly<Record<string, LabelScores>>;
}

interface Counts {
  support: number;
  predicted: number;
  correct: number;
}

/** Adds up entities row by row; strict: start, end, type and role agree. @see CoNLL-2003 shared task, chunk F1 */
export class EntityCounts {
  readonly #types = new Map<string, Counts>();

  add(truth: readonly Span[], predicted: readonly Span[]): void {
    const open = new Map<string, number>();
    for (const span of truth) {
      this.#of(span.type).support += 1;
      const name = nameOf(span);
      open.set(name, (open.get(name) ?? 0) + 1);
    }
    for (const span of predicted) {
      const counts = this.#of(span.type);
      counts.predicted += 1;
      const name = nameOf(span);
      const left = open.get(name) ?? 0;
      if (left === 0) continue;
      // Each entity of the data is found once.
      open.set(name, left - 1);
      counts.correct += 1;
    }
  }

  /** Of all types together, and of each, by its name. */
  scores(): EntityScores {
    const all: Counts = { support: 0, predicted: 0, correct: 0 };
    const types = [...this.#types].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [, counts] of types) {
      all.support += counts.support;
      all.predicted += counts.predicted;
      all.correct += counts.correct;
    }
    const scores = ({ support, predicted, correct }: Counts): LabelScores => labelScores(support, predicted, correct);
    return { ...scores(all), types: Object.fromEntries(types.map(([type, counts]) => [type, scores(counts)])) };
  }

  #of(type: string): Counts {
    let counts = this.#types.get(type);
    if (counts === undefined) this.#types.set(type, (counts = { support: 0, predicted: 0, correct: 0 }));
    return counts;
  }
}

function nameOf({ start, end, type, role }: Span): string {
  return JSON.stringify([start, end, type, role ?? '']);
}
