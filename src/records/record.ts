/** A marked stretch of the text: half-open `[start, end)` in Unicode code points. */
export interface Entity {
  readonly start: number;
  readonly end: number;
  readonly type: string;
  readonly role?: string;
  readonly group?: string;
  readonly value?: string;
  /** The covered text; must equal the code points `[start, end)` of the utterance. */
  readonly text: string;
}

export type FeatureValue = string | number | boolean | null;

/**
 * One labelled text. `intent` is absent for an unlabelled record and a sorted array of two or more distinct
 * strings for several labels (an array of one is stored as the string).
 */
export interface UtteranceRecord {
  readonly text: string;
  readonly intent?: string | readonly string[];
  readonly id?: string;
  readonly lang?: string;
  readonly entities?: readonly Entity[];
  readonly features?: Readonly<Record<string, FeatureValue>>;
  readonly meta?: Readonly<Record<string, unknown>>;
}
