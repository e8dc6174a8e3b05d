/**
 * What changed between two states of a record, in the terms of the people who label: added, removed, relabelled,
 * updated, edited; and where the words of an edited text differ.
 *
 * A tree knows only that one key left and another came. Pairing finds the records whose text was edited.
 */
import { diffArrays } from 'diff';
import { labelKey } from './stratum.ts';
import type { UtteranceRecord } from './record.ts';
import { fold, norm } from './text.ts';

/**
 * relabelled: another intent. updated: another spelling, or other fields. edited: another text (`norm` differs);
 * its intent may have changed, too.
 */
export type RecordChangeKind = 'added' | 'removed' | 'relabelled' | 'updated' | 'edited';

/** Names what happened to a record between two states that are known to differ and of which at least one is there. */
export function classifyChange(
  before: UtteranceRecord | undefined,
  after: UtteranceRecord | undefined,
): RecordChangeKind {
  if (before === undefined) return 'added';
  if (after === undefined) return 'removed';
  if (before.text !== after.text && norm(before.text) !== norm(after.text)) return 'edited';
  return labelKey(before.intent) === labelKey(after.intent) ? 'updated' : 'relabelled';
}

/** A removed and an added record that are one record whose text was edited; indexes into the lists given. */
export interface EditedPair {
  readonly removed: number;
  readonly added: number;
}

/** Likeness (Dice of trigrams) from which a removed and an added text with one intent count as an edit. */
const LIKENESS = 0.6;
/** The same for texts whose intents differ: then less speaks for an edit. */
const LIKENESS_ACROSS_INTENTS = 0.8;
/** UTF-16 code units of a folded text that are compared. */
const COMPARED_LENGTH = 2000;
/** Postings looked at for one removed text, rarest trigrams first. */
const POSTINGS_LIMIT = 2000;
/** Candidates of one removed text that are compared exactly. */
const CANDIDATES_LIMIT = 16;

/**
 * Finds edited records among those that were removed and added: first by equal id, then by likeness of the text.
 *
 * Each record is in one pair at most; the most alike pairs are made first. The result depends on the lists alone.
 * Work is bounded by removed × (POSTINGS_LIMIT + CANDIDATES_LIMIT × length): some seconds for 100,000 of each.
 */
export function pairEdits(removed: readonly UtteranceRecord[], added: readonly UtteranceRecord[]): EditedPair[] {
  const pairs = pairById(removed, added);
  const goneRemoved = new Set(pairs.map((pair) => pair.removed));
  const goneAdded = new Set(pairs.map((pair) => pair.added));
  const index = new TrigramIndex(added, goneAdded);
  const likely: (EditedPair & { readonly likeness: number })[] = [];
  for (const [at, record] of removed.entries()) {
    if (goneRemoved.has(at)) continue;
    for (const { added: to, likeness } of index.likeliest(record)) {
      const sameIntent = labelKey(record.intent) === labelKey((added[to] as UtteranceRecord).intent);
      if (likeness >= (sameIntent ? LIKENESS : LIKENESS_ACROSS_INTENTS))
        likely.push({ removed: at, added: to, likeness });
    }
  }
  likely.sort((a, b) => b.likeness - a.likeness || a.removed - b.removed || a.added - b.added);
  for (const { removed: from, added: to } of likely) {
    if (goneRemoved.has(from) || goneAdded.has(to)) continue;
    goneRemoved.add(from);
    goneAdded.add(to);
    pairs.push({ removed: from, added: to });
  }
  return pairs.sort((a, b) => a.added - b.added);
}

/** Pairs by ids that occur once on each side; where an id occurs twice it names nothing. */
function pairById(removed: readonly UtteranceRecord[], added: readonly UtteranceRecord[]): EditedPair[] {
  const positions = positionsById(added);
  const pairs: EditedPair[] = [];
  for (const [id, from] of positionsById(removed)) {
    const to = positions.get(id);
    if (from !== undefined && to !== undefined) pairs.push({ removed: from, added: to });
  }
  return pairs;
}

function positionsById(records: readonly UtteranceRecord[]): Map<string, number | undefined> {
  const positions = new Map<string, number | undefined>();
  for (const [at, { id }] of records.entries()) {
    if (id !== undefined) positions.set(id, positions.has(id) ? undefined : at);
  }
  return positions;
}

/** The trigrams of a folded text with a blank at either end. */
function trigrams(text: string): Set<string> {
  const padded = ` ${fold(text).slice(0, COMPARED_LENGTH)} `;
  const result = new Set<string>();
  for (let at = 0; at + 3 <= padded.length; at++) result.add(padded.slice(at, at + 3));
  return result;
}

interface Likely {
  readonly added: number;
  readonly likeness: number;
}

/** Finds the added texts that share rare trigrams with a removed one. */
class TrigramIndex {
  readonly #postings = new Map<string, number[]>();
  readonly #trigrams: (Set<string> | undefined)[];

  constructor(records: readonly UtteranceRecord[], skipped: ReadonlySet<number>) {
    this.#trigrams = records.map((record, at) => (skipped.has(at) ? undefined : trigrams(record.text)));
    for (const [at, set] of this.#trigrams.entries()) {
      for (const trigram of set ?? []) {
        const postings = this.#postings.get(trigram);
        if (postings === undefined) this.#postings.set(trigram, [at]);
        else postings.push(at);
      }
    }
  }

  likeliest(record: UtteranceRecord): Likely[] {
    const wanted = trigrams(record.text);
    const lists = [...wanted].map((trigram) => this.#postings.get(trigram) ?? []).sort((a, b) => a.length - b.length);
    const shared = new Map<number, number>();
    let looked = 0;
    for (const postings of lists) {
      // The rarest trigrams are looked at whatever they cost up to the limit; the others would add little.
      if (looked + postings.length > POSTINGS_LIMIT) break;
      looked += postings.length;
      for (const at of postings) shared.set(at, (shared.get(at) ?? 0) + 1);
    }
    return [...shared]
      .sort(([a, left], [b, right]) => right - left || a - b)
      .slice(0, CANDIDATES_LIMIT)
      .map(([added]) => ({ added, likeness: dice(wanted, this.#trigrams[added] as Set<string>) }));
  }
}

/** Twice what is shared over the sum of sizes: 1 for equal sets, 0 for sets apart. */
function dice(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const item of a) if (b.has(item)) shared++;
  return (2 * shared) / (a.size + b.size);
}

/** A stretch of text: in both states, or in one of them. */
export interface WordSegment {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** Differing words above which two texts are not compared word by word. */
const EDIT_LIMIT = 400;

/** Words, runs of whitespace, and single other characters; scripts without blanks go by the character. */
const TOKEN =
  /(?:(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}])[\p{L}\p{M}\p{N}_])+|\s+|./gsu;

/**
 * Compares two texts by words. The segments that are same or removed make up `before`, those that are same or
 * added make up `after`; of a change the removed part comes first.
 */
export function wordDiff(before: string, after: string): WordSegment[] {
  const changes = diffArrays(before.match(TOKEN) ?? [], after.match(TOKEN) ?? [], { maxEditLength: EDIT_LIMIT });
  const segments = new SegmentList();
  if (changes === undefined) {
    segments.change(before, after);
  } else {
    for (const [at, { value, added, removed }] of changes.entries()) {
      const text = value.join('');
      if (removed) segments.change(text, '');
      else if (added) segments.change('', text);
      // A blank that stayed between two changed words would tear the change apart.
      else if (text.trim() === '' && at > 0 && at < changes.length - 1) segments.change(text, text);
      else segments.same(text);
    }
  }
  return segments.finish();
}

/** Collects segments, joining neighbours of one kind. */
class SegmentList {
  readonly #segments: WordSegment[] = [];
  #removed = '';
  #added = '';

  change(removed: string, added: string): void {
    this.#removed += removed;
    this.#added += added;
  }

  same(text: string): void {
    this.#flush();
    this.#push('same', text);
  }

  finish(): WordSegment[] {
    this.#flush();
    return this.#segments;
  }

  #flush(): void {
    this.#push('removed', this.#removed);
    this.#push('added', this.#added);
    this.#removed = '';
    this.#added = '';
  }

  #push(kind: WordSegment['kind'], text: string): void {
    if (text !== '') this.#segments.push({ kind, text });
  }
}
