/** What Rasa files hold beside utterances: synonyms, regular expressions and lookup tables, counted by name. */
import type { ReportBuilder } from '../read-report.ts';

/** Kinds of sections, with the plural for a note. */
const PLURALS = { synonym: 'synonyms', regex: 'regular expressions', lookup: 'lookup tables' } as const;

export type SideKind = keyof typeof PLURALS;

/** Names that a note shows. */
const SHOWN = 10;

export function isSideKind(kind: string): kind is SideKind {
  return Object.hasOwn(PLURALS, kind);
}

/** Names by kind; files may come back to one. */
export class SideInformation {
  readonly #names = new Map<SideKind, Set<string>>();

  take(kind: SideKind, name: string): void {
    let names = this.#names.get(kind);
    if (names === undefined) this.#names.set(kind, (names = new Set()));
    names.add(name.slice(0, 60));
  }

  /** To be called once, at the end. */
  note(report: ReportBuilder): void {
    for (const [kind, names] of this.#names) {
      const shown = [...names].slice(0, SHOWN).join(', ');
      report.note('side-information', `${PLURALS[kind]}: ${shown}${names.size > SHOWN ? ', …' : ''}`, names.size);
    }
  }
}
