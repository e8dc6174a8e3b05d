/** Texts whose nearest neighbours agree on another intent: worth a second look. */
import { type CheckedRecord, defineCheck, intentsOf, quote } from './check.ts';
import { count, number } from './parameters.ts';

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
  likeness: ({ threshold }) => threshold,
  looksAt: () => 'nothing',
  start: ({ texts, pairs, find }, { threshold, neighbours, agreement, maxTexts, maxPairs }) => ({
    finish() {
      if (texts().length > maxTexts) {
        find({
          subject: ['too many texts'],
          place: 'dataset',
          message: `${texts().length} different texts were not compared with their neighbours: it would take minutes`,
          hint: 'raise "maxTexts"; those of a batch are compared when it is added with --dry-run',
        });
        return;
      }
      const votes = new Map<CheckedRecord, Map<string, number>>();
      let count = 0;
      const isWhole = pairs(threshold, (left, right) => {
        vote(votes, left, right);
        vote(votes, right, left);
        return ++count < maxPairs;
      });
      for (const found of texts()) {
        const counts = votes.get(found);
        if (counts === undefined) continue;
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
      if (isWhole) return;
      find({
        subject: ['too many'],
        place: 'dataset',
        message: `the search ended after ${maxPairs} pairs of neighbours`,
        hint: 'remove what a template made, raise "threshold", or raise "maxPairs"',
      });
    },
  }),
});

function vote(votes: Map<CheckedRecord, Map<string, number>>, found: CheckedRecord, neighbour: CheckedRecord): void {
  let counts = votes.get(found);
  if (counts === undefined) votes.set(found, (counts = new Map()));
  const intent = intentsOf(neighbour.record).join(' + ');
  counts.set(intent, (counts.get(intent) ?? 0) + 1);
}
