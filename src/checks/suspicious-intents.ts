/** Texts whose nearest neighbours agree on another intent: worth a second look. */
import { type CheckedRecord, defineCheck, intentsOf, labelled, quote } from './check.ts';
import { count, number } from './parameters.ts';
import { joinSimilar } from './similarity-join.ts';

export const suspiciousIntents = defineCheck({
  name: 'suspicious-intents',
  title: 'texts whose nearest neighbours have another intent',
  severity: 'info',
  parameters: {
    threshold: number(0.7, 'Share of equal character trigrams (Jaccard) from which texts are neighbours.', {
      minimum: 0.5,
      maximum: 1,
    }),
    neighbours: count(3, 'Neighbours with one other intent that make a text suspicious.'),
    agreement: number(0.75, 'Share of all its neighbours that they must be.', { minimum: 0.5, maximum: 1 }),
    maxTexts: count(100_000, 'A dataset with more different texts is not looked at: it would take minutes.'),
    maxPairs: count(2_000_000, 'Pairs of neighbours after which the search ends.'),
  },
  needsTrigrams: true,
  start({ trigrams, find }, { threshold, neighbours, agreement, maxTexts, maxPairs }) {
    const groups: CheckedRecord[] = [];
    return {
      group(records) {
        const first = labelled(records);
        if (first !== undefined) groups.push(first);
      },
      finish() {
        if (groups.length > maxTexts) return;
        const votes = new Map<number, Map<string, number>>();
        let pairs = 0;
        joinSimilar(trigrams(), threshold, (a, b) => {
          vote(votes, a, groups[b] as CheckedRecord);
          vote(votes, b, groups[a] as CheckedRecord);
          return ++pairs < maxPairs;
        });
        for (const [index, counts] of [...votes].sort(([a], [b]) => a - b)) {
          const found = groups[index] as CheckedRecord;
          const total = [...counts.values()].reduce((sum, one) => sum + one, 0);
          const [intent, most] = [...counts].reduce((best, one) => (one[1] > best[1] ? one : best));
          const isOwn = intentsOf(found.record).includes(intent);
          if (isOwn || most < neighbours || most < agreement * total) continue;
          find({
            subject: [found.group, intent],
            records: [found],
            intents: [...intentsOf(found.record), intent],
            place: 'intent',
            message: `${quote(found.record.text)} is ${intentsOf(found.record).join(' + ')}, but ${most} of its ${total} neighbours are ${intent}`,
            hint: `if it is ${quote(intent)}, relabel it: uttr relabel`,
          });
        }
      },
    };
  },
});

function vote(votes: Map<number, Map<string, number>>, index: number, neighbour: CheckedRecord): void {
  let counts = votes.get(index);
  if (counts === undefined) votes.set(index, (counts = new Map()));
  const intent = intentsOf(neighbour.record).join(' + ');
  counts.set(intent, (counts.get(intent) ?? 0) + 1);
}
