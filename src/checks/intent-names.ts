/**
 * Intents whose names are nearly equal: one of them is likely to be a typing error.
 *
 * Two names are at most one edit apart only when they share a form with one character left out, so names are brought
 * together by those forms: no name is compared with all others.
 */
import { defineCheck, quote } from './check.ts';
import { count } from './parameters.ts';

export const intentNames = defineCheck({
  name: 'intent-names',
  title: 'intents whose names differ by case or one character',
  severity: 'warn',
  parameters: { shortest: count(5, 'Shorter names are compared by case only: one character is much of them.') },
  looksAt: () => 'nothing',
  start({ counts: countsOf, intents, find }, { shortest }) {
    return {
      finish() {
        const counts = countsOf();
        const told = new Set(intents());
        for (const [a, b] of nearPairs(counts.names, shortest)) {
          if (!told.has(a) && !told.has(b)) continue;
          const [fewer, more] = counts.total(a) < counts.total(b) ? [a, b] : [b, a];
          const differ = a.toLowerCase() === b.toLowerCase() ? 'case only' : 'one character';
          find({
            subject: [a, b],
            intents: [a, b],
            place: `intent ${fewer}`,
            message: `${quote(fewer)} (${counts.total(fewer)} texts) and ${quote(more)} (${counts.total(more)} texts) differ by ${differ}`,
            hint: 'if they are one intent, bring them together: uttr relabel; else waive this pair',
          });
        }
      },
    };
  },
});

/** Pairs of names, each in the order given, that differ by case or by one character that is no digit. */
function nearPairs(names: readonly string[], shortest: number): (readonly [string, string])[] {
  const byForm = new Map<string, number[]>();
  for (const [index, name] of names.entries()) {
    for (const form of forms(name.toLowerCase(), shortest)) {
      const list = byForm.get(form);
      if (list === undefined) byForm.set(form, [index]);
      else list.push(index);
    }
  }
  const found = new Map<string, readonly [string, string]>();
  for (const list of byForm.values()) {
    for (const [at, left] of list.entries()) {
      for (const right of list.slice(at + 1)) {
        const [a, b] = [names[left] as string, names[right] as string];
        if (left !== right && isNear(a.toLowerCase(), b.toLowerCase())) found.set(`${left} ${right}`, [a, b]);
      }
    }
  }
  return [...found.values()];
}

function forms(name: string, shortest: number): Set<string> {
  const all = new Set([name]);
  if (name.length < shortest) return all;
  for (let at = 0; at < name.length; at++) all.add(name.slice(0, at) + name.slice(at + 1));
  return all;
}

/** Equal, or one character inserted or replaced; names that are numbered differ on purpose. */
function isNear(a: string, b: string): boolean {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA--;
    endB--;
  }
  const [left, right] = [a.slice(start, endA), b.slice(start, endB)];
  if (left.length > 1 || right.length > 1) return false;
  return !/\d/u.test(left + right);
}
