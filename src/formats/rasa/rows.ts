/** Examples of an intent to records: what Rasa's YAML and Markdown have in common. */
import { type UtterancePlace, Utterances } from '../document.ts';
import type { LooseDraft, ReportBuilder } from '../read-report.ts';
import { parseAnnotated } from './annotations.ts';
import { type NamedIntent, parseIntent } from './intents.ts';
import { takeMetadata } from './metadata.ts';
import { SideInformation } from './side-information.ts';

export class RasaRows {
  readonly report: ReportBuilder;
  readonly utterances: Utterances;
  readonly side = new SideInformation();
  readonly #intents = new Map<string, NamedIntent>();

  constructor(report: ReportBuilder) {
    this.report = report;
    this.utterances = new Utterances(report);
  }

  /** Adds an example with its entities marked in it. @param name of the intent; undefined where there is none */
  add(name: string | undefined, example: string, place: UtterancePlace, metadata?: unknown): void {
    const parsed = parseAnnotated(example);
    if ('problem' in parsed) {
      this.utterances.reject(parsed.problem, 'text', place);
      return;
    }
    for (const key of parsed.ignored ?? []) {
      this.report.note('ignored', `the key "${key.slice(0, 60)}" of annotations was passed over`);
    }
    const draft: LooseDraft = { text: parsed.text };
    if (parsed.entities !== undefined) draft.entities = parsed.entities;
    this.addDraft(name, draft, place, metadata);
  }

  /** Adds a record whose text and entities are there already. */
  addDraft(name: string | undefined, draft: LooseDraft, place: UtterancePlace, metadata?: unknown): void {
    const intent = name === undefined ? undefined : this.#intent(name);
    if (intent !== undefined) draft.intent = intent.intent;
    if (intent?.keptName !== undefined || (metadata !== undefined && metadata !== null)) {
      const problem = takeMetadata(draft, metadata, intent?.keptName);
      if (problem !== undefined) {
        this.utterances.reject(problem, 'metadata', place);
        return;
      }
    }
    this.utterances.add(draft, place);
  }

  #intent(name: string): NamedIntent {
    let intent = this.#intents.get(name);
    if (intent === undefined) {
      intent = parseIntent(name);
      // Names may be data; only so many are worth remembering.
      if (this.#intents.size < 10_000) this.#intents.set(name, intent);
    }
    return intent;
  }
}

/** Drops blanks and line ends at both ends, as Rasa does; other whitespace is a part of the example. */
export function stripExample(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isStripped(text.charCodeAt(start))) start++;
  while (end > start && isStripped(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isStripped(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d;
}
