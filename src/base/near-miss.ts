/** The nearest of `names` to a word that is none of them, for hints; undefined when nothing is near. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** "did you mean …?" where something is near, else the list of what there is. */
export function hintFor(word: string, names: readonly string[], noun: string): string {
  const near = nearest(word, names);
  if (near !== undefined) return `did you mean "${near}"?`;
  return names.length === 0 ? `there are no ${noun} yet` : `known ${noun}: ${names.slice(0, 12).join(', ')}`;
}

/**
 * Insertions, deletions, substitutions and swaps of neighbours between two words (optimal string alignment), in
 * UTF-16 code units; both words are cut at 100.
 */
function editDistance(a: string, b: string): number {
  const left = a.slice(0, 100);
  const right = b.slice(0, 100);
  let before: number[] = [];
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const substitution = (row[j - 1] as number) + (left[i - 1] === right[j - 1] ? 0 : 1);
      let distance = Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, substitution);
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
        distance = Math.min(distance, (before[j - 2] as number) + 1);
      }
      next.push(distance);
    }
    before = row;
    row = next;
  }
  return row[right.length] as number;
}
