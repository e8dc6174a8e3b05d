/** The difference between two texts word by word, for the edges: they reach the records through the use cases. */
export { wordDiff } from '../records/record-diff.ts';
