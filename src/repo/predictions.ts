/** A file of predictions: one JSON object a line, with `id` or `text`, `intent`, and `score` or `scores`, `entities`. */
import { UttrError } from '../base/errors.ts';
import type { Span } from '../evaluation/entities.ts';
import type { ByteInput } from '../formats/format.ts';
import { LineSplitter, type LineSink } from '../formats/lines.ts';
import { parseStrictJson } from '../formats/strict-json.ts';
import { TextInput } from '../formats/text-input.ts';
import { norm } from '../records/text.ts';

export interface Prediction {
  readonly line: number;
  /** The label as JSON, or '' where the model gave none. */
  readonly intent: string;
  readonly score: number | undefined;
  readonly entities: readonly Span[] | undefined;
}

/** Predictions by the record's id, and by its text as `norm` makes it: alike where records would be the same one. */
export interface Predictions {
  readonly byId: ReadonlyMap<string, Prediction>;
  readonly byText: ReadonlyMap<string, Prediction>;
  readonly lines: number;
}

/** A label, or several, as one name: a string as it is, a list in its sorted order as JSON. */
export function labelName(intent: string | readonly string[] | undefined): string {
  if (intent === undefined || intent.length === 0) return '';
  if (typeof intent === 'string') return intent;
  return intent.length === 1 ? (intent[0] as string) : JSON.stringify([...intent].sort());
}

/** @throws wrong-predictions, naming file and line */
export async function readPredictions(input: ByteInput): Promise<Predictions> {
  const sink = new PredictionLines(input.name);
  const splitter = new LineSplitter(sink);
  for await (const piece of new TextInput(input, {}).pieces()) splitter.push(piece);
  splitter.end();
  return sink;
}

class PredictionLines implements LineSink, Predictions {
  readonly byId = new Map<string, Prediction>();
  readonly byText = new Map<string, Prediction>();
  readonly #file: string;
  lines = 0;

  constructor(file: string) {
    this.#file = file;
  }

  line(text: string, line: number): void {
    if (text.trim() === '') return;
    this.lines += 1;
    const value = this.#parse(text, line);
    const prediction = { line, ...this.#fields(value, line) };
    const { id, text: utterance } = value;
    if (typeof id === 'string' || typeof id === 'number') this.#put(this.byId, String(id), prediction);
    else if (id !== undefined && id !== null) throw this.#wrong(line, 'id', 'is neither text nor number');
    if (typeof utterance === 'string') this.#put(this.byText, norm(utterance), prediction);
    else if (utterance !== undefined) throw this.#wrong(line, 'text', 'is not a text');
    else if (id === undefined || id === null) throw this.#wrong(line, 'text', 'is missing, and there is no id');
  }

  tooLong(length: number, line: number): void {
    throw this.#wrong(line, 'line', `has ${length} characters`);
  }

  #parse(text: string, line: number): Readonly<Record<string, unknown>> {
    let value: unknown;
    try {
      value = parseStrictJson(text);
    } catch (error) {
      throw this.#wrong(line, 'line', `is ${(error as Error).message}`);
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw this.#wrong(line, 'line', 'is no JSON object');
  }

  #fields(value: Readonly<Record<string, unknown>>, line: number): Omit<Prediction, 'line'> {
    const { intent, entities } = value;
    const isLabel = typeof intent === 'string' || intent === null;
    if (!isLabel && !(Array.isArray(intent) && intent.every((label) => typeof label === 'string'))) {
      throw this.#wrong(
        line,
        'intent',
        intent === undefined ? 'is missing' : 'is neither text, list of texts, nor null',
      );
    }
    const name = labelName((intent as string | readonly string[] | null) ?? undefined);
    return { intent: name, score: this.#score(value, name, line), entities: this.#entities(entities, line) };
  }

  #score(value: Readonly<Record<string, unknown>>, intent: string, line: number): number | undefined {
    const { scores } = value;
    const all = typeof scores === 'object' && scores !== null ? (scores as Readonly<Record<string, unknown>>) : {};
    const score = value['score'] ?? (Object.hasOwn(all, intent) ? all[intent] : undefined);
    if (score === undefined) return undefined;
    if (typeof score === 'number' && score >= 0 && score <= 1) return score;
    throw this.#wrong(line, 'score', 'is not a number from 0 to 1');
  }

  #entities(given: unknown, line: number): readonly Span[] | undefined {
    if (given === undefined || given === null) return undefined;
    const isSpan = (span: unknown): span is Span => {
      const { start, end, type } = (span ?? {}) as Partial<Record<keyof Span, unknown>>;
      return Number.isInteger(start) && Number.isInteger(end) && typeof type === 'string';
    };
    if (Array.isArray(given) && given.every(isSpan)) return given;
    throw this.#wrong(line, 'entities', 'is not a list of {start, end, type}');
  }

  #put(predictions: Map<string, Prediction>, name: string, prediction: Prediction): void {
    const before = predictions.get(name);
    if (before !== undefined && before.intent !== prediction.intent) {
      throw this.#wrong(prediction.line, 'intent', `is another than on line ${before.line} for the same utterance`);
    }
    predictions.set(name, prediction);
  }

  #wrong(line: number, field: string, problem: string): UttrError {
    return new UttrError('wrong-predictions', `${this.#file}:${line}: "${field}" ${problem}`, {
      hint: 'one JSON object a line: {"id" or "text", "intent", and if there are any "score", "entities"}',
      details: { file: this.#file, line, field },
    });
  }
}
