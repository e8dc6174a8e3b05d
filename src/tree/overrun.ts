/**
 * Foresees which leaves an edit will run on into.
 *
 * About one insertion or deletion in six moves the end of its leaf, and then the next leaf must be read too. Read
 * one by one as they are met, such leaves would cost a round trip each. So each touched leaf is walked beforehand, with
 * its edits, by the boundary rule alone, and the leaves that follow an end that moved are read together.
 *
 * This is only a forecast: what it misses, the edit reads itself.
 */
import { Boundary } from './boundary.ts';
import type { ChunkAccess } from './chunk-access.ts';
import { compareKeyAt, lowerBoundLine, type Lines } from './lines.ts';
import type { Located } from './locate.ts';
import type { Child, Node } from './node.ts';
import type { TreeParameters } from './parameters.ts';
import type { Change } from './level-editor.ts';

/** Leaves in a row that are looked at; most walks meet an old end within three. */
const ROUNDS = 6;

/** A walk over neighbouring leaves that has not yet met an old end. */
interface Walk {
  readonly boundary: Boundary;
  readonly parent: Node;
  /** The leaf to be walked next. */
  position: number;
}

/** Fetches the leaves that edits of the touched leaves will run on into. The touched ones must have been fetched. */
export async function fetchOverruns(
  access: ChunkAccess,
  parameters: TreeParameters,
  touched: readonly Located[],
  edits: readonly Change<Buffer>[],
): Promise<void> {
  const isTouched = new Set(touched.map(({ leaf }) => leaf.hash));
  const goesOn = ({ boundary, parent, position }: Walk): boolean => {
    const next = childAt(parent, position);
    return !boundary.isAtStart && next !== undefined && !isTouched.has(next.hash);
  };
  let walks: Walk[] = [];
  for (const { leaf, parent, position, first, last } of touched) {
    const lines = access.fetched(leaf);
    const next = childAt(parent, position + 1);
    // Dense edits touch the next leaf anyway.
    if (lines === undefined || parent === undefined || next === undefined || isTouched.has(next.hash)) continue;
    const walk = { boundary: new Boundary(0, parameters), parent, position: position + 1 };
    walkEdited(walk.boundary, lines, edits.slice(first, last + 1));
    if (goesOn(walk)) walks.push(walk);
  }
  for (let round = 0; round < ROUNDS && walks.length > 0; round++) {
    const leaves = walks.map(({ parent, position }) => parent.child(position));
    await access.fetchAhead(leaves);
    for (const [index, walk] of walks.entries()) {
      const lines = access.fetched(leaves[index] as Child);
      walk.position++;
      if (lines === undefined) walk.boundary.reset();
      else walkEdited(walk.boundary, lines, []);
    }
    walks = walks.filter(goesOn);
  }
}

function childAt(parent: Node | undefined, position: number): Child | undefined {
  return parent === undefined || position >= parent.count ? undefined : parent.child(position);
}

/** Takes a boundary over the lines of a leaf as they will be. */
function walkEdited(boundary: Boundary, lines: Lines, edits: readonly Change<Buffer>[]): void {
  const last = lines.count - 1;
  // What precedes the first edit ends no leaf, as it did not before.
  const [first] = edits;
  let index = 0;
  if (first !== undefined && boundary.isAtStart) {
    index = Math.min(last, lowerBoundLine(lines, first.key));
    boundary.pass(index, (lines.starts[index] as number) - (lines.starts[0] as number));
  }
  let next = 0;
  for (; index < lines.count; index++) {
    let isReplaced = false;
    for (let edit = edits[next]; edit !== undefined; edit = edits[++next]) {
      const order = compareKeyAt(lines, index, edit.key);
      if (order < 0) break;
      if (order === 0) isReplaced = true;
      walkEdit(boundary, edit);
    }
    if (isReplaced) continue;
    const start = lines.starts[index] as number;
    const size = (lines.starts[index + 1] as number) - start;
    if (index === last) boundary.endsAfter(lines.bytes, start, lines.keyEnds[index] as number, size);
    else boundary.endsAfterInner(lines.bytes, start, lines.keyEnds[index] as number, size);
  }
}

function walkEdit(boundary: Boundary, { key, value }: Change<Buffer>): void {
  if (value !== undefined) boundary.endsAfter(key, 0, key.length, key.length + value.length + 2);
}
